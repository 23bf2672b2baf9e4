"""A row as it is exported: a conversation, a pair of them, or a text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from whyset.errors import UnsupportedRow

from .._provenance import find_provenance
from .._reader import detect_shape
from .._row import PROVENANCE_COLUMN, Message, Shape, ToolDefinition
from ..shapes import ParsedConversation, ShapeAdapter, UnusableRecord

ExportKind = Literal["messages", "completion", "preference", "text"]
"""Conversations; conversations of which the last response alone is learned; pairs; texts."""

ExampleFamily = Literal["conversation", "preference", "text"]
"""What a row is; a conversation can be exported as either of two kinds."""

TEXT_COLUMN = "text"


def get_family(kind: ExportKind) -> ExampleFamily:
    """Return what rows of a kind are."""
    return "conversation" if kind == "messages" or kind == "completion" else kind


@dataclass(frozen=True, slots=True)
class Example:
    """A row as it is exported.

    Attributes:
        family: What it is.
        shape: Its shape as it was read; `None` for a text.
        prompt: The messages before the response; in a pair, those that both sides share.
        completion: The response and what follows it; in a pair, the chosen one.
        rejected: In a pair, the rejected response.
        tool_definitions: The tools that were on offer.
        text: Of a text, all of it.
        extra: The row's other columns, provenance left out.
        provenance: Ours, where the row has any.
    """

    family: ExampleFamily
    shape: Shape | None = None
    prompt: tuple[Message, ...] = ()
    completion: tuple[Message, ...] = ()
    rejected: tuple[Message, ...] = ()
    tool_definitions: tuple[ToolDefinition, ...] = ()
    text: str = ""
    extra: Mapping[str, Any] | None = None
    provenance: Mapping[str, Any] | None = None

    @property
    def outcome(self) -> str:
        """Its outcome; empty where it has no provenance of ours."""
        return get_outcome(self.provenance)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The whole conversation; of a pair, with the chosen response."""
        return (*self.prompt, *self.completion)

    @property
    def split_key(self) -> str:
        """What the row begins with: rows that share it must not stand on both sides of a split.

        That is the user's first message, whatever system prompt stands before it and however the
        conversation goes on; a text begins with itself.
        """
        if self.family == "text":
            opening = self.text
        else:
            question = next((m for m in self.messages if m.role == "user"), None)
            opening = question.text if question else "\n".join(m.text for m in self.prompt)
        return " ".join(opening.split()).casefold()

    @property
    def has_reasoning(self) -> bool:
        """Whether the response that is learned last carries reasoning of its own."""
        last = next((m for m in reversed(self.completion) if m.role == "assistant"), None)
        return last is not None and bool(last.reasoning)

    @property
    def has_earlier_reasoning(self) -> bool:
        """Whether a response before the last user's message carries reasoning.

        Chat templates of today leave that out when they render a conversation.
        """
        asked = max((at for at, m in enumerate(self.messages) if m.role == "user"), default=0)
        return any(message.reasoning for message in self.messages[:asked])


def read_example(columns: Mapping[str, Any]) -> Example:
    """Read a row.

    Raises:
        UnsupportedRow: It holds nothing to learn from.
    """
    provenance = find_provenance(columns)
    own = {
        name: value
        for name, value in columns.items()
        if name != PROVENANCE_COLUMN or provenance is None
    }
    if _is_document(own, provenance):
        return _build_text_example(own, provenance)
    try:
        return _build_conversation_example(detect_shape(own), own, provenance)
    except UnusableRecord as error:
        if isinstance(own.get(TEXT_COLUMN), str):
            return _build_text_example(own, provenance)
        raise UnsupportedRow("unusable", str(error)) from error


def get_outcome(provenance: Mapping[str, Any] | None) -> str:
    """Return the outcome in provenance; empty where there is none."""
    return "" if provenance is None else str(provenance["outcome"])


def _is_document(columns: Mapping[str, Any], provenance: Mapping[str, Any] | None) -> bool:
    """Say whether a row is a text that was written, even one that quotes a transcript."""
    written = provenance is not None and not provenance.keys() & {"original_response", "targets"}
    return written and isinstance(columns.get(TEXT_COLUMN), str) and "messages" not in columns


def _build_text_example(
    columns: Mapping[str, Any], provenance: Mapping[str, Any] | None
) -> Example:
    text = columns[TEXT_COLUMN]
    if not text.strip():
        raise UnsupportedRow("unusable", "text is empty")
    extra = {name: value for name, value in columns.items() if name != TEXT_COLUMN}
    return Example("text", text=text, extra=extra, provenance=provenance)


def _build_conversation_example(
    layout: ShapeAdapter, columns: Mapping[str, Any], provenance: Mapping[str, Any] | None
) -> Example:
    core = layout.conversation_columns(columns)
    chosen = layout.read(columns, layout.sides[0])
    if "tools" in core and (tools := columns.get("tools")):
        _reject_invalid_tools(tools, chosen.tool_definitions)
    extra = {name: value for name, value in columns.items() if name not in core}
    at = _find_learned_turn(chosen, -1)
    is_pair = len(layout.sides) > 1
    rejected: tuple[Message, ...] = ()
    if is_pair:
        other = layout.read(columns, layout.sides[1])
        rejected = other.messages[_find_learned_turn(other, 0) :]
        at = chosen.response_turns[0]
    return Example(
        "preference" if is_pair else "conversation",
        layout.name,
        chosen.messages[:at],
        chosen.messages[at:],
        rejected,
        chosen.tool_definitions,
        extra=extra,
        provenance=provenance,
    )


def _find_learned_turn(conversation: ParsedConversation, number: int) -> int:
    """Return the index of a response by its number, from 0 on or from -1 back."""
    if not conversation.response_turns:
        raise UnusableRecord("no assistant turn: there is no response to learn")
    turn = conversation.response_turns[number]
    message = conversation.messages[turn]
    if not message.text.strip() and not message.tool_calls and not message.parts:
        raise UnusableRecord("empty response: there is nothing to learn")
    return turn


def _reject_invalid_tools(tools: Any, read: tuple[ToolDefinition, ...]) -> None:
    if len(tools) != len(read) if isinstance(tools, list) else not read and tools != "[]":
        raise UnsupportedRow("tools", "tools that are not tool definitions")
