"""The values: a row, a row that could not be read, and where a deliberation goes in one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ._conversation import Conversation

Shape = Literal["messages", "prompt"]
"""`messages` is OpenAI's chat form; `prompt` is a pair of plain strings."""

Channel = Literal["thinking", "preface", "inline"]
"""Where a deliberation goes: the reasoning field, before the response, or woven into it."""

COLUMN = "whyset"
"""The provenance column."""

REASONING_FIELD = "reasoning_content"
"""Where today's chat templates look for reasoning."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a dataset.

    Attributes:
        line: Its line in the source, 1-based.
        columns: The record as read, in the order of its keys. Never changed.
        shape: How its conversation is laid out.
        conversation: What was said.
        digest: SHA-256 of the record as it stood, hex: what it is known by on resuming.
    """

    line: int
    columns: Mapping[str, Any] = field(repr=False)
    shape: Shape
    conversation: Conversation = field(repr=False)
    digest: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that holds no usable row.

    Attributes:
        line: Its line in the source, 1-based.
        reason: What is wrong with it.
        raw: The line as it stood, without its line end.
    """

    line: int
    reason: str
    raw: bytes = field(repr=False)
