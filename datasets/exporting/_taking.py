"""A row as it is exported: a conversation, a pair of them, or a text."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .._conversation import Message, OfferedTool
from .._provenance import earlier_pass
from .._row import COLUMN, Shape
from .._shapes import layout_of
from ..shapes import Layout, Spoken, UnusableRecord
from ._kinds import Family, NotExported

TEXT_COLUMN = "text"


@dataclass(frozen=True, slots=True)
class Taken:
    """What a row says.

    Attributes:
        family: What it is.
        shape: How it was laid out; `None` for a text.
        prompt: The messages before the response; in a pair, those that both sides share.
        answer: The response and what follows it; in a pair, the chosen one.
        rejected: In a pair, the rejected response.
        offered: The tools that were on offer.
        text: Of a text, all of it.
        extra: The row's other columns, provenance left out.
        provenance: Ours, where the row has any.
    """

    family: Family
    shape: Shape | None = None
    prompt: tuple[Message, ...] = ()
    answer: tuple[Message, ...] = ()
    rejected: tuple[Message, ...] = ()
    offered: tuple[OfferedTool, ...] = ()
    text: str = ""
    extra: Mapping[str, Any] | None = None
    provenance: Mapping[str, Any] | None = None

    @property
    def outcome(self) -> str:
        """What became of it; empty where it has no provenance of ours."""
        return outcome_of(self.provenance)

    @property
    def messages(self) -> tuple[Message, ...]:
        """The whole conversation; of a pair, with the chosen response."""
        return (*self.prompt, *self.answer)

    @property
    def opening(self) -> str:
        """What the row begins with: rows that share it must not stand on both sides of a split.

        That is the user's first message, whatever system prompt stands before it and however the
        conversation goes on; a text begins with itself.
        """
        if self.family == "text":
            return _plain(self.text)
        said = next((m for m in self.messages if m.role == "user"), None)
        return _plain(said.text if said else "\n".join(m.text for m in self.prompt))

    @property
    def reasons(self) -> bool:
        """Whether the response that is learned last carries reasoning of its own."""
        last = next((m for m in reversed(self.answer) if m.role == "assistant"), None)
        return last is not None and bool(last.reasoning)

    @property
    def reasons_earlier(self) -> bool:
        """Whether a response before the last user's message carries reasoning.

        Chat templates of today leave that out when they render a conversation.
        """
        asked = max((at for at, m in enumerate(self.messages) if m.role == "user"), default=0)
        return any(message.reasoning for message in self.messages[:asked])


def take(columns: Mapping[str, Any]) -> Taken:
    """Read a row.

    Raises:
        NotExported: It holds nothing to learn from.
    """
    provenance = earlier_pass(columns)
    own = {name: value for name, value in columns.items() if name != COLUMN or provenance is None}
    if _is_document(own, provenance):
        return _text(own, provenance)
    try:
        layout = layout_of(own)
        return _spoken(layout, own, provenance)
    except UnusableRecord as error:
        if isinstance(own.get(TEXT_COLUMN), str):
            return _text(own, provenance)
        raise NotExported("unusable", str(error)) from error


def outcome_of(provenance: Mapping[str, Any] | None) -> str:
    """Return the outcome that provenance tells of; empty where there is none."""
    return "" if provenance is None else str(provenance["outcome"])


def _is_document(columns: Mapping[str, Any], provenance: Mapping[str, Any] | None) -> bool:
    """Say whether a row is a text that was written, even one that quotes a transcript."""
    written = provenance is not None and not provenance.keys() & {"original_response", "targets"}
    return written and isinstance(columns.get(TEXT_COLUMN), str) and "messages" not in columns


def _text(columns: Mapping[str, Any], provenance: Mapping[str, Any] | None) -> Taken:
    text = columns[TEXT_COLUMN]
    if not text.strip():
        raise NotExported("unusable", "text is empty")
    extra = {name: value for name, value in columns.items() if name != TEXT_COLUMN}
    return Taken("text", text=text, extra=extra, provenance=provenance)


def _spoken(
    layout: Layout, columns: Mapping[str, Any], provenance: Mapping[str, Any] | None
) -> Taken:
    core = layout.core(columns)
    chosen = layout.read(columns, layout.sides[0])
    if "tools" in core and (held := columns.get("tools")):
        _refuse_unread_tools(held, chosen.offered)
    extra = {name: value for name, value in columns.items() if name not in core}
    at = _learned(chosen, -1)
    pair = len(layout.sides) > 1
    rejected: tuple[Message, ...] = ()
    if pair:
        spoken = layout.read(columns, layout.sides[1])
        rejected = spoken.messages[_learned(spoken, 0) :]
        at = chosen.turns[0]
    return Taken(
        "preference" if pair else "conversation",
        layout.name,
        chosen.messages[:at],
        chosen.messages[at:],
        rejected,
        chosen.offered,
        extra=extra,
        provenance=provenance,
    )


def _learned(spoken: Spoken, number: int) -> int:
    """Return the index of a response by its number, from 0 on or from -1 back."""
    if not spoken.turns:
        raise UnusableRecord("no assistant turn: there is no response to learn")
    turn = spoken.turns[number]
    message = spoken.messages[turn]
    if not message.text.strip() and not message.tool_calls and not message.parts:
        raise UnusableRecord("empty response: there is nothing to learn")
    return turn


def _refuse_unread_tools(held: Any, read: tuple[OfferedTool, ...]) -> None:
    if len(held) != len(read) if isinstance(held, list) else not read and held != "[]":
        raise NotExported("tools", "tools that are no definitions")


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()
