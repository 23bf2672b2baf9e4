"""The values: a row, a row that could not be read, and where a deliberation goes in one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ._conversation import Conversation

Shape = Literal[
    "preference",
    "sharegpt",
    "anthropic",
    "messages",
    "completion",
    "prompt",
    "alpaca",
    "hh",
]
"""How a conversation is laid out in a record; `docs/rows.md` has an example of each."""

Side = Literal["", "chosen", "rejected"]
"""Of a preference pair, whose response is meant; empty in every other shape."""

Channel = Literal["thinking", "preface", "inline"]
"""Where a deliberation goes: the reasoning field, before the response, or woven into it."""

COLUMN = "whyset"
"""The provenance column."""

REASONING_FIELD = "reasoning_content"
"""Where today's chat templates look for reasoning."""


@dataclass(frozen=True, slots=True)
class Target:
    """A response of a row that is to be worked on.

    Attributes:
        turn: Index of the response among the messages of its conversation.
        side: Whose conversation that is, of a preference pair.
        number: Which of the conversation's responses it is, 1-based.
    """

    turn: int
    side: Side = ""
    number: int = 1

    def __str__(self) -> str:
        """Return what a person calls it."""
        return " ".join(filter(None, (self.side, f"turn {self.number}")))


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a dataset.

    Attributes:
        line: Its line in the source, 1-based.
        columns: The record as read, in the order of its keys. Never changed.
        shape: How its conversation is laid out.
        conversation: What was said, with the first of the targets as its response.
        digest: SHA-256 of the record as it stood, hex: what it is known by on resuming. Where the
            selection is not the default one, it is in the digest, too.
        targets: The responses to be worked on, in their order; empty is the conversation's own.
        source: The file and the line in it, as in `b.jsonl:3`, where several are read one after
            another and `line` goes on counting; else empty.
    """

    line: int
    columns: Mapping[str, Any] = field(repr=False)
    shape: Shape
    conversation: Conversation = field(repr=False)
    digest: str
    targets: tuple[Target, ...] = ()
    source: str = ""

    @property
    def target(self) -> Target:
        """The response that `conversation` has: the first of the targets."""
        return self.targets[0] if self.targets else Target(self.conversation.turn)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that holds no usable row.

    Attributes:
        line: Its line in the source, 1-based.
        reason: What is wrong with it.
        raw: The line as it stood, without its line end.
        source: The file and the line in it, as of a `Row`.
    """

    line: int
    reason: str
    raw: bytes = field(repr=False)
    source: str = ""
