r"""HH transcripts: one text, `\n\nHuman: …` and `\n\nAssistant: …` in turn."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from .._row import Channel, Conversation, Message, OfferedTool, Shape, Side
from ._base import (
    ConversionRefused,
    Place,
    Spoken,
    UnusableRecord,
    assistant_turns,
    refuse_beside_text,
    refuse_context,
    refuse_tools,
    text_in,
)
from ._response import TEXT, Parted, response_of, tagged

COLUMNS: Final = ("text", "transcript", "chosen")
"""Columns that a transcript may stand in."""

_MARK = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant):[ ]?")
_OPENING = re.compile(r"\s*Human:")
_ROLES = {"Human": "user", "Assistant": "assistant"}
_SPEAKERS = {role: speaker for speaker, role in _ROLES.items()}


class Hh:
    r"""`{"text": "\n\nHuman: …\n\nAssistant: …"}`."""

    name: Shape = "hh"
    sides: tuple[Side, ...] = ("",)

    def fits(self, columns: Mapping[str, Any]) -> bool:
        """Say whether a column holds a transcript."""
        return any(_has_turns(columns.get(name)) for name in COLUMNS)

    def core(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the name of the column that is the conversation."""
        return frozenset({self._column(columns)})

    def read(self, columns: Mapping[str, Any], side: Side) -> Spoken:
        """Read a record's conversation."""
        column = self._column(columns)
        messages = read_transcript(text_in(columns, column), column)
        return Spoken(messages, turns=assistant_turns(messages))

    def place(self, columns: Mapping[str, Any], turn: int, side: Side) -> Place:
        """Return where a response stands."""
        return Place((self._column(columns),), TranscriptForm(turn))

    def with_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[OfferedTool] | None,
    ) -> dict[str, Any]:
        """Return the columns as they are: there is no place for a system prompt or tools."""
        refuse_context(self.name, system, tools)
        return dict(columns)

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as one text."""
        messages = conversation.messages
        refuse_beside_text(messages, self.name)
        refuse_tools(conversation, self.name)
        turns = []
        for at, message in enumerate(messages):
            if message.role not in _SPEAKERS or (at == 0 and message.role != "user"):
                raise ConversionRefused(self.name, f"the role {message.role!r} in this place")
            text = tagged(message.reasoning, message.text)
            turn = f"\n\n{_SPEAKERS[message.role]}: {text}"
            if len(_MARK.findall(turn)) != 1 or text != text.strip():
                raise ConversionRefused(self.name, "a turn that reads as two, or its white space")
            turns.append(turn)
        return {"text": "".join(turns)}

    def _column(self, columns: Mapping[str, Any]) -> str:
        return next((name for name in COLUMNS if _has_turns(columns.get(name))), COLUMNS[0])


@dataclass(frozen=True, slots=True)
class TranscriptForm:
    """A stretch of a transcript that is the response, reasoning in `<think>` tags before it.

    Attributes:
        turn: Which of the transcript's turns it is.
    """

    turn: int

    def part(self, holder: str) -> Parted:
        """Take the response and its reasoning out; the rest is what stands before and after."""
        start, end = self._stretch(holder)
        return replace(TEXT.part(holder[start:end]), others=[holder[:start], holder[end:]])

    def place(self, holder: str, text: str, channel: Channel) -> str:
        """Put a text into a channel."""
        start, end = self._stretch(holder)
        return holder[:start] + TEXT.place(holder[start:end], text, channel) + holder[end:]

    def answer(self, holder: str, text: str) -> str:
        """Put another response in the place of this one and of its reasoning."""
        start, end = self._stretch(holder)
        return holder[:start] + text + holder[end:]

    def _stretch(self, holder: str) -> tuple[int, int]:
        marks = list(_MARK.finditer(holder))
        start = marks[self.turn].end()
        end = marks[self.turn + 1].start() if self.turn + 1 < len(marks) else len(holder)
        # White space behind the last word belongs to the transcript, not to the response.
        return start, start + len(holder[start:end].rstrip())


def is_transcript(value: Any) -> bool:
    """Say whether a value is a text that opens as a transcript does."""
    return isinstance(value, str) and _OPENING.match(value) is not None


def _has_turns(value: Any) -> bool:
    return is_transcript(value) or (isinstance(value, str) and "\n\nAssistant:" in value)


def read_transcript(text: str, where: str) -> tuple[Message, ...]:
    """Read a transcript, turn by turn.

    Raises:
        UnusableRecord: It does not begin with `Human:`.
    """
    if not is_transcript(text):
        raise UnusableRecord(
            f"{where} is no transcript: it must begin with 'Human:', not {text.strip()[:40]!r}"
        )
    marks = list(_MARK.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return tuple(
        _message(_ROLES[mark[1]], text[mark.end() : end].rstrip())
        for mark, end in zip(marks, ends, strict=True)
    )


def _message(role: str, text: str) -> Message:
    return response_of(text) if role == "assistant" else Message(role, text)
