"""How a response stands in its holder: reasoning in tags, in a field or in parts beside it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from .._row import REASONING_FIELD, Channel, Message

# ---- Reasoning in `<think>` tags before the answer, where a shape has no field for it.

# One line end inside each tag and a blank line behind them are the tags' own: it is how chat
# templates write them. All other white space belongs to the reasoning or to the answer.
_THINK_TAGS = re.compile(r"\A(\s*<think>\n?)(.*?)(\n?</think>(?:\n\n)?)", re.DOTALL)
_OPENING, _CLOSING = "<think>\n", "\n</think>\n\n"


@dataclass(frozen=True, slots=True)
class TaggedText:
    """A text taken apart: put together again, the four are the text.

    Attributes:
        opening: The opening tag as it stands; empty where there is none.
        reasoning: What stands between the tags.
        closing: The closing tag as it stands.
        answer: What comes after.
    """

    opening: str
    reasoning: str
    closing: str
    answer: str

    @property
    def has_reasoning(self) -> bool:
        """Whether there is reasoning, and not only tags with nothing in them."""
        return bool(self.reasoning.strip())

    @property
    def custom_tags(self) -> tuple[str, str] | None:
        """The tags, where reasoning stands in them and they are not as whyset writes them."""
        frame = (self.opening, self.closing)
        return frame if self.has_reasoning and frame != (_OPENING, _CLOSING) else None

    def prepend_reasoning(self, text: str) -> str:
        """Return the text with other reasoning ahead of what is there."""
        if self.has_reasoning:
            return f"{self.opening}{text}\n\n{self.reasoning}{self.closing}{self.answer}"
        return add_think_tags(text, self.answer)

    def replace_answer(self, answer: str) -> str:
        """Return the text with another answer behind the same reasoning."""
        return f"{self.opening}{self.reasoning}{self.closing}{answer}"


def parse_think_tags(text: str) -> TaggedText:
    """Take a text apart; where no tags stand at its beginning, all of it is answer."""
    found = _THINK_TAGS.match(text) if "<think>" in text else None
    if found is None:
        return TaggedText("", "", "", text)
    return TaggedText(found[1], found[2], found[3], text[found.end() :])


def drop_blank(reasoning: str) -> str:
    """Return reasoning as it stands; none where it is nothing but white space."""
    return reasoning if reasoning.strip() else ""


def parse_response(text: str) -> Message:
    """Return a text as the assistant's message, without the reasoning in tags before it."""
    thought = parse_think_tags(text)
    return Message("assistant", thought.answer, thought.reasoning.strip())


def add_think_tags(reasoning: str, answer: str) -> str:
    """Return an answer with reasoning before it in tags; without tags where there is none."""
    return f"{_OPENING}{reasoning}{_CLOSING}{answer}" if reasoning else answer


# ---- Slots: a response taken out of its holder, text put beside it or in its place.

REASONING_FIELDS: Final = (REASONING_FIELD, "thinking")
"""Where a message may carry its reasoning; where it carries none, the first is used."""


@dataclass(frozen=True, slots=True)
class ResponseParts:
    """A row's columns taken apart.

    Attributes:
        content: The response as it stands: text, a list of parts or null.
        reasoning: The reasoning that stands with it: text, a list of thinking blocks, or `None`
            where there is none.
        other_columns: All else that the columns hold.
        think_tags: The tags that the reasoning stands in, where they are not as whyset writes them.
    """

    content: Any
    reasoning: Any
    other_columns: Any = field(repr=False)
    think_tags: tuple[str, str] | None = None


class ResponseSlot(Protocol):
    """How a response stands in its holder, which is left as it is: all return a new one."""

    def extract(self, holder: Any) -> ResponseParts:
        """Take the response and its reasoning out."""

    def insert_text(self, holder: Any, text: str, channel: Channel) -> Any:
        """Put a text, which is never empty, into a channel.

        A preface stands behind tags, and among parts it is a part of its own.
        """

    def replace_response(self, holder: Any, text: str) -> Any:
        """Put another response in the place of this one and of its reasoning."""


@dataclass(frozen=True, slots=True)
class TextSlot:
    """A string that is the response, reasoning in `<think>` tags before it."""

    def extract(self, holder: str) -> ResponseParts:
        thought = parse_think_tags(holder)
        reasoning = thought.reasoning if thought.has_reasoning else None
        return ResponseParts(thought.answer, reasoning, None, thought.custom_tags)

    def insert_text(self, holder: str, text: str, channel: Channel) -> str:
        thought = parse_think_tags(holder)
        if channel == "thinking":
            return thought.prepend_reasoning(text)
        joined = f"{text}\n\n{thought.answer}" if thought.answer else text
        return thought.replace_answer(joined if channel == "preface" else text)

    def replace_response(self, holder: str, text: str) -> str:
        return text


TEXT_SLOT: Final = TextSlot()


@dataclass(frozen=True, slots=True)
class FieldSlot:
    """An object with the response under a key: text, parts or null; reasoning in a field beside it.

    Where the reasoning stands in tags within the text, it stays there.

    Attributes:
        key: The response's.
        keep_null: Whether an emptied reasoning field stays, as null: a column does, so that every
            row has it; a message's goes, because there are chat templates that print a null.
    """

    key: str
    keep_null: bool = False

    def extract(self, holder: Mapping[str, Any]) -> ResponseParts:
        others = {
            name: value
            for name, value in holder.items()
            if name != self.key and not _is_reasoning_field(name, value)
        }
        tagged_text = self._tagged(holder)
        if tagged_text is not None:
            return replace(TEXT_SLOT.extract(tagged_text), other_columns=others)
        thoughts = [
            holder[name]
            for name in REASONING_FIELDS
            if holder.get(name) and _is_reasoning_field(name, holder[name])
        ]
        reasoning = "\n\n".join(thoughts) or holder.get(find_reasoning_field(holder))
        return ResponseParts(holder.get(self.key), reasoning, others)

    def insert_text(self, holder: Mapping[str, Any], text: str, channel: Channel) -> dict[str, Any]:
        content, tagged_text = holder.get(self.key), self._tagged(holder)
        if tagged_text is not None:
            return {**holder, self.key: TEXT_SLOT.insert_text(tagged_text, text, channel)}
        if channel == "thinking":
            return self._with_reasoning(holder, text)
        if isinstance(content, list):
            return {**holder, self.key: insert_in_parts(content, text, channel)}
        if channel == "preface" and content:
            return {**holder, self.key: f"{text}\n\n{content}"}
        return {**holder, self.key: text}

    def replace_response(self, holder: Mapping[str, Any], text: str) -> dict[str, Any]:
        content = holder.get(self.key)
        given = insert_in_parts(content, text, "inline") if isinstance(content, list) else text
        answered = {**holder, self.key: given}
        for name in REASONING_FIELDS:
            if not isinstance(answered.get(name), str):
                continue
            if self.keep_null:
                answered[name] = None
            else:
                del answered[name]
        return answered

    def _tagged(self, holder: Mapping[str, Any]) -> str | None:
        """Return the response's text where reasoning stands in tags within it."""
        content = holder.get(self.key)
        if not isinstance(content, str) or holder.get(find_reasoning_field(holder)):
            return None
        return content if parse_think_tags(content).opening else None

    def _with_reasoning(self, holder: Mapping[str, Any], text: str) -> dict[str, Any]:
        """Set the reasoning field where it stands, else right before the response."""
        used = find_reasoning_field(holder)
        if used in holder or self.key not in holder:
            existing = holder.get(used)
            return {**holder, used: f"{text}\n\n{existing}" if existing else text}
        placed: dict[str, Any] = {}
        for name, value in holder.items():
            if name == self.key:
                placed[used] = text
            placed[name] = value
        return placed


def find_reasoning_field(holder: Mapping[str, Any]) -> str:
    """Return the field that holds the reasoning, or would: the first that does, is, or could be."""
    given = [
        name
        for name in REASONING_FIELDS
        if name in holder and _is_reasoning_field(name, holder[name])
    ]
    return next((name for name in given if holder[name]), given[0] if given else REASONING_FIELD)


def insert_in_parts(parts: list[Any], text: str, channel: Channel) -> list[Any]:
    """Return parts with a text before them, or in the place of those that are text."""
    if channel == "preface":
        return [{"type": "text", "text": f"{text}\n\n"}, *parts]
    others = [part for part in parts if part.get("type") != "text"]
    return [{"type": "text", "text": text}, *others]


def is_text_part(part: Mapping[str, Any]) -> bool:
    """Say whether a part is text and nothing else."""
    return part.keys() == {"type", "text"} and part["type"] == "text"


def is_single_text(parts: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether parts are a single text, which says as much alone."""
    return len(parts) == 1 and is_text_part(parts[0])


def _is_reasoning_field(name: str, value: Any) -> bool:
    return name in REASONING_FIELDS and isinstance(value, str | None)
