"""A row as it is exported: a conversation, a pair of them, or a text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from whyset.errors import DatasetError

from .._json import dumps
from .._provenance import find_provenance
from .._reader import detect_shape
from .._row import PROVENANCE_COLUMN, Message, Shape, ToolDefinition
from ..shapes import ParsedConversation, ShapeAdapter, UnsupportedConversion, UnusableRecord
from ..shapes._messages import write_chat
from ..shapes._response import add_think_tags, is_text_part, parse_think_tags
from ..shapes._tools import to_openai_tool

# ---- What rows are exported as, for whom, and what is said of one that cannot be.

TrainerName = Literal["trl", "axolotl", "llama-factory", "openai", "anthropic"]
"""Who reads what is exported; `docs/export.md` says how."""

ExportKind = Literal["messages", "completion", "preference", "text"]
"""Conversations; conversations of which the last response alone is learned; pairs; texts."""

ExampleFamily = Literal["conversation", "preference", "text"]
"""What a row is; a conversation can be exported as either of two kinds."""


def get_family(kind: ExportKind) -> ExampleFamily:
    """Return what rows of a kind are."""
    return "conversation" if kind == "messages" or kind == "completion" else kind


def default_kind(family: ExampleFamily) -> ExportKind:
    """Return what rows are exported as where nothing else is asked for."""
    return "messages" if family == "conversation" else family


class UnsupportedRow(DatasetError):
    """A row that a consumer cannot hold; the message says what stands in the way.

    Attributes:
        reason: The same in one word, to be counted.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


# ---- Messages as consumers read them: plain texts, roles of chat templates, reasoning placed.

_ROLES = {"developer": "system", "function": "tool"}
"""Roles that no chat template has, and what stands in for them."""


def to_text_messages(
    messages: Sequence[Message],
    consumer: str,
    *,
    others: frozenset[str] | None = None,
    images: bool = False,
) -> tuple[Message, ...]:
    """Return messages whose content is text.

    Several text parts become one text with nothing between them, as chat templates join them.

    Args:
        messages: Them.
        consumer: Whom they are for.
        others: Keys of a message that the consumer reads beside the usual ones; `None` for any.
        images: Whether a user's message may have images.

    Raises:
        NotExported: One has a part that is no text, or a key that the consumer would not take.
    """
    return tuple(_to_text_message(message, consumer, others, images) for message in messages)


def wrap_reasoning(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return messages with their reasoning in `<think>` tags before the text.

    Raises:
        NotExported: Reasoning or text has such tags itself, so that nobody could tell them apart.
    """
    return tuple(_wrap_message(message) for message in messages)


def reject_reasoning(messages: Sequence[Message], consumer: str) -> None:
    """Refuse messages with reasoning, where the consumer has no field for it.

    Raises:
        NotExported: One has.
    """
    if any(message.reasoning for message in messages):
        raise UnsupportedRow(
            "reasoning",
            f"{consumer} has no field for reasoning; export with --think-tags to put it in <think> "
            "tags before the answer, or rewrite with --channel preface",
        )


def to_chat_messages(messages: Sequence[Message], consumer: str) -> list[dict[str, Any]]:
    """Return plain messages in OpenAI's form, with `reasoning_content`; no content is null.

    Raises:
        NotExported: One holds what the form has no place for.
    """
    try:
        written = write_chat(messages, consumer)
    except UnsupportedConversion as refused:
        raise unsupported_error(refused, consumer) from refused
    return [message | {"content": message["content"] or ""} for message in written]


def unsupported_error(refused: UnsupportedConversion, consumer: str) -> UnsupportedRow:
    """Return an error that says what a consumer has no place for."""
    return UnsupportedRow("unheld", f"{consumer} cannot hold {refused.obstacle}")


def assign_call_ids(messages: Sequence[Message], consumer: str) -> tuple[Message, ...]:
    """Return messages in which every call has an id, and every result that of its call.

    A result that names no call answers the first that is left.

    Raises:
        NotExported: A result answers no call.
    """
    waiting: dict[str, None] = {}
    numbered: list[Message] = []
    count = 0
    for message in messages:
        if message.tool_calls:
            calls = tuple(
                replace(call, id=call.id or f"call_{count + place}")
                for place, call in enumerate(message.tool_calls, start=1)
            )
            count += len(calls)
            waiting |= {call.id: None for call in calls if call.id}
            message = message._replace(tool_calls=calls)
        elif message.role == "tool":
            call_id = message.call_id or next(iter(waiting), None)
            if call_id not in waiting:
                raise UnsupportedRow("tools", f"{consumer} takes no tool's result without its call")
            del waiting[call_id]
            message = message._replace(call_id=call_id)
        numbered.append(message)
    return tuple(numbered)


def tools_to_json(offered: Sequence[ToolDefinition]) -> dict[str, str]:
    """Return a column with the tools as JSON text; none where there are none.

    As objects they would get each other's fields, null, from whoever reads the rows into a table.
    """
    if not offered:
        return {}
    return {"tools": dumps([to_openai_tool(tool) for tool in offered]).decode()}


def _to_text_message(
    message: Message, consumer: str, others: frozenset[str] | None, images: bool
) -> Message:
    if others is not None:
        for name in message.extra_fields:
            if name not in others:
                raise UnsupportedRow("unheld", f"{consumer} cannot hold a message's {name!r}")
    text, parts = message.text, message.parts
    if parts and all(map(is_text_part, parts)):
        text, parts = "".join(part["text"] or "" for part in parts), ()
    elif parts and not (images and message.role == "user" and all(map(_is_supported_part, parts))):
        kind = next(part.get("type") for part in parts if not is_text_part(part))
        raise UnsupportedRow("parts", f"{consumer} cannot hold a part of type {kind!r}")
    role = _ROLES.get(message.role, message.role)
    return message._replace(role=role, text=text, parts=parts)


def _is_supported_part(part: Mapping[str, Any]) -> bool:
    return is_text_part(part) or (
        part.keys() == {"type", "image_url"} and part["type"] == "image_url"
    )


def _wrap_message(message: Message) -> Message:
    if not message.reasoning:
        return message
    text = add_think_tags(message.reasoning, message.text)
    read = parse_think_tags(text)
    if (read.reasoning, read.answer) != (message.reasoning, message.text):
        raise UnsupportedRow("tags", "its reasoning or its answer has <think> tags of its own")
    return message._replace(text=text, reasoning="")


TEXT_COLUMN = "text"


@dataclass(frozen=True, slots=True)
class Example:
    """What a row says.

    Attributes:
        family: What it is.
        shape: How it was laid out; `None` for a text.
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
        """What became of it; empty where it has no provenance of ours."""
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
            return _normalise_text(self.text)
        said = next((m for m in self.messages if m.role == "user"), None)
        return _normalise_text(said.text if said else "\n".join(m.text for m in self.prompt))

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
        NotExported: It holds nothing to learn from.
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
        layout = detect_shape(own)
        return _build_conversation_example(layout, own, provenance)
    except UnusableRecord as error:
        if isinstance(own.get(TEXT_COLUMN), str):
            return _build_text_example(own, provenance)
        raise UnsupportedRow("unusable", str(error)) from error


def get_outcome(provenance: Mapping[str, Any] | None) -> str:
    """Return the outcome that provenance tells of; empty where there is none."""
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
    if "tools" in core and (held := columns.get("tools")):
        _reject_invalid_tools(held, chosen.tool_definitions)
    extra = {name: value for name, value in columns.items() if name not in core}
    at = _find_learned_turn(chosen, -1)
    pair = len(layout.sides) > 1
    rejected: tuple[Message, ...] = ()
    if pair:
        spoken = layout.read(columns, layout.sides[1])
        rejected = spoken.messages[_find_learned_turn(spoken, 0) :]
        at = chosen.response_turns[0]
    return Example(
        "preference" if pair else "conversation",
        layout.name,
        chosen.messages[:at],
        chosen.messages[at:],
        rejected,
        chosen.tool_definitions,
        extra=extra,
        provenance=provenance,
    )


def _find_learned_turn(spoken: ParsedConversation, number: int) -> int:
    """Return the index of a response by its number, from 0 on or from -1 back."""
    if not spoken.response_turns:
        raise UnusableRecord("no assistant turn: there is no response to learn")
    turn = spoken.response_turns[number]
    message = spoken.messages[turn]
    if not message.text.strip() and not message.tool_calls and not message.parts:
        raise UnusableRecord("empty response: there is nothing to learn")
    return turn


def _reject_invalid_tools(held: Any, read: tuple[ToolDefinition, ...]) -> None:
    if len(held) != len(read) if isinstance(held, list) else not read and held != "[]":
        raise UnsupportedRow("tools", "tools that are no definitions")


def _normalise_text(text: str) -> str:
    return " ".join(text.split()).casefold()
