r"""HH transcripts: one text, `\n\nHuman: …` and `\n\nAssistant: …` in turn."""

import re
from dataclasses import dataclass, replace
from typing import Any, Final

from whyset.errors import UnsupportedConversion

from .._row import Channel, Conversation, Message, Side
from ._base import (
    Columns,
    ParsedConversation,
    ResponseLocation,
    ShapeAdapter,
    UnusableRecord,
    find_assistant_turns,
    reject_non_text,
    reject_tools,
    require_text,
)
from ._response import TEXT_SLOT, ResponseParts, add_think_tags, parse_response

TRANSCRIPT_COLUMNS: Final = ("text", "transcript", "chosen")
"""Columns that a transcript may stand in."""

_SPEAKER_MARK = re.compile(r"(?:\A\s*|\n\n)(Human|Assistant):[ ]?")
_OPENING = re.compile(r"\s*Human:")
_ROLES = {"Human": "user", "Assistant": "assistant"}
_SPEAKERS = {role: speaker for speaker, role in _ROLES.items()}


class HhShape(ShapeAdapter):
    r"""`{"text": "\n\nHuman: …\n\nAssistant: …"}`."""

    name = "hh"

    def matches(self, columns: Columns) -> bool:
        return any(_has_turns(columns.get(name)) for name in TRANSCRIPT_COLUMNS)

    def conversation_columns(self, columns: Columns) -> frozenset[str]:
        return frozenset({self._column(columns)})

    def read(self, columns: Columns, side: Side) -> ParsedConversation:
        column = self._column(columns)
        messages = read_transcript(require_text(columns, column), column)
        return ParsedConversation(messages, response_turns=find_assistant_turns(messages))

    def locate_response(self, columns: Columns, turn: int, side: Side) -> ResponseLocation:
        return ResponseLocation((self._column(columns),), TranscriptSlot(turn))

    def write(self, conversation: Conversation) -> dict[str, Any]:
        messages = conversation.messages
        reject_non_text(messages, self.name)
        reject_tools(conversation, self.name)
        turns = []
        for at, message in enumerate(messages):
            if message.role not in _SPEAKERS or (at == 0 and message.role != "user"):
                raise UnsupportedConversion(self.name, f"the role {message.role!r} in this place")
            text = add_think_tags(message.reasoning, message.text)
            turn = f"\n\n{_SPEAKERS[message.role]}: {text}"
            if len(_SPEAKER_MARK.findall(turn)) != 1 or text != text.strip():
                raise UnsupportedConversion(
                    self.name, "a turn that would parse as two, or leading or trailing white space"
                )
            turns.append(turn)
        return {"text": "".join(turns)}

    def _column(self, columns: Columns) -> str:
        return next(
            (name for name in TRANSCRIPT_COLUMNS if _has_turns(columns.get(name))),
            TRANSCRIPT_COLUMNS[0],
        )


def read_transcript(text: str, where: str) -> tuple[Message, ...]:
    """Read a transcript, turn by turn."""
    if not is_transcript(text):
        raise UnusableRecord(
            f"{where} is not a transcript: it must begin with 'Human:', not {text.strip()[:40]!r}"
        )
    marks = list(_SPEAKER_MARK.finditer(text))
    ends = [*(mark.start() for mark in marks[1:]), len(text)]
    return tuple(
        _build_message(_ROLES[mark[1]], text[mark.end() : end].rstrip())
        for mark, end in zip(marks, ends, strict=True)
    )


def is_transcript(value: Any) -> bool:
    """Say whether a value is a text that opens as a transcript does."""
    return isinstance(value, str) and _OPENING.match(value) is not None


def _has_turns(value: Any) -> bool:
    return is_transcript(value) or (isinstance(value, str) and "\n\nAssistant:" in value)


def _build_message(role: str, text: str) -> Message:
    return parse_response(text) if role == "assistant" else Message(role, text)


@dataclass(frozen=True, slots=True)
class TranscriptSlot:
    """A stretch of a transcript that is the response, reasoning in `<think>` tags before it.

    Attributes:
        turn: Which of the transcript's turns it is.
    """

    turn: int

    def extract(self, holder: str) -> ResponseParts:
        """Take the response and its reasoning out; the rest is what stands before and after."""
        start, end = self._stretch(holder)
        parts = TEXT_SLOT.extract(holder[start:end])
        return replace(parts, other_columns=[holder[:start], holder[end:]])

    def insert_text(self, holder: str, text: str, channel: Channel) -> str:
        start, end = self._stretch(holder)
        placed = TEXT_SLOT.insert_text(holder[start:end], text, channel)
        return holder[:start] + placed + holder[end:]

    def replace_response(self, holder: str, text: str) -> str:
        start, end = self._stretch(holder)
        return holder[:start] + text + holder[end:]

    def _stretch(self, holder: str) -> tuple[int, int]:
        marks = list(_SPEAKER_MARK.finditer(holder))
        start = marks[self.turn].end()
        end = marks[self.turn + 1].start() if self.turn + 1 < len(marks) else len(holder)
        # White space behind the last word belongs to the transcript, not to the response.
        return start, start + len(holder[start:end].rstrip())
