"""How a response stands in what holds it: taking it out, putting text beside it or in its place."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Protocol

from .._row import REASONING_FIELD, Channel, Message

# ---- Reasoning in a text: `<think>` tags before the answer, where a shape has no field for it.

# One line end inside each tag and a blank line behind them are the tags' own: it is how chat
# templates write them. All other white space belongs to the reasoning or to the answer.
_TAGGED = re.compile(r"\A(\s*<think>\n?)(.*?)(\n?</think>(?:\n\n)?)", re.DOTALL)
_OPENING, _CLOSING = "<think>\n", "\n</think>\n\n"


@dataclass(frozen=True, slots=True)
class Thought:
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
    def held(self) -> bool:
        """Whether there is reasoning, and not only tags with nothing in them."""
        return bool(self.reasoning.strip())

    @property
    def frame(self) -> tuple[str, str] | None:
        """The tags, where reasoning stands in them and they are not as whyset writes them."""
        frame = (self.opening, self.closing)
        return frame if self.held and frame != (_OPENING, _CLOSING) else None

    def preceded_by(self, text: str) -> str:
        """Return the text with other reasoning ahead of what is there."""
        if self.held:
            return f"{self.opening}{text}\n\n{self.reasoning}{self.closing}{self.answer}"
        return tagged(text, self.answer)

    def answering(self, answer: str) -> str:
        """Return the text with another answer behind the same reasoning."""
        return f"{self.opening}{self.reasoning}{self.closing}{answer}"


def thought_of(text: str) -> Thought:
    """Take a text apart; where no tags stand at its beginning, all of it is answer."""
    found = _TAGGED.match(text) if "<think>" in text else None
    if found is None:
        return Thought("", "", "", text)
    return Thought(found[1], found[2], found[3], text[found.end() :])


def unless_blank(reasoning: str) -> str:
    """Return reasoning as it stands; none where it is nothing but white space."""
    return reasoning if reasoning.strip() else ""


def response_of(text: str) -> Message:
    """Return a text as the assistant's message, without the reasoning in tags before it."""
    thought = thought_of(text)
    return Message("assistant", thought.answer, thought.reasoning.strip())


def tagged(reasoning: str, answer: str) -> str:
    """Return an answer with reasoning before it in tags; without tags where there is none."""
    return f"{_OPENING}{reasoning}{_CLOSING}{answer}" if reasoning else answer


REASONING_FIELDS: Final = (REASONING_FIELD, "thinking")
"""Where a message may carry its reasoning; where it carries none, the first is used."""


@dataclass(frozen=True, slots=True)
class Parted:
    """A row's columns taken apart.

    Attributes:
        content: The response as it stands: text, a list of parts or null.
        reasoning: The reasoning that stands with it: text, a list of thinking blocks, or `None`
            where there is none.
        others: All else that the columns hold.
        tags: The tags that the reasoning stands in, where they are not as whyset writes them.
    """

    content: Any
    reasoning: Any
    others: Any = field(repr=False)
    tags: tuple[str, str] | None = None


class Form(Protocol):
    """How a response stands in its holder, which is left as it is: all return a new one."""

    def part(self, holder: Any) -> Parted:
        """Take the response and its reasoning out."""

    def place(self, holder: Any, text: str, channel: Channel) -> Any:
        """Put a text, which is never empty, into a channel."""

    def answer(self, holder: Any, text: str) -> Any:
        """Put another response in the place of this one and of its reasoning."""


@dataclass(frozen=True, slots=True)
class TextForm:
    """A string that is the response, reasoning in `<think>` tags before it."""

    def part(self, holder: str) -> Parted:
        """Take the response and its reasoning out."""
        thought = thought_of(holder)
        reasoning = thought.reasoning if thought.held else None
        return Parted(thought.answer, reasoning, None, thought.frame)

    def place(self, holder: str, text: str, channel: Channel) -> str:
        """Put a text into a channel; a preface stands behind the tags."""
        thought = thought_of(holder)
        if channel == "thinking":
            return thought.preceded_by(text)
        joined = f"{text}\n\n{thought.answer}" if thought.answer else text
        return thought.answering(joined if channel == "preface" else text)

    def answer(self, holder: str, text: str) -> str:
        """Put another response in the place of this one and of its reasoning."""
        return text


TEXT: Final = TextForm()


@dataclass(frozen=True, slots=True)
class FieldForm:
    """An object with the response under a key: text, parts or null; reasoning in a field beside it.

    Where the reasoning stands in tags within the text, it stays there.

    Attributes:
        key: The response's.
        lasting: Whether an emptied reasoning field stays, as null: a column does, so that every
            row has it; a message's goes, because there are chat templates that print a null.
    """

    key: str
    lasting: bool = False

    def part(self, holder: Mapping[str, Any]) -> Parted:
        """Take the response and its reasoning out."""
        others = {
            name: value
            for name, value in holder.items()
            if name != self.key and not _is_reasoning(name, value)
        }
        tagged_text = self._tagged(holder)
        if tagged_text is not None:
            return replace(TEXT.part(tagged_text), others=others)
        thoughts = [
            holder[name]
            for name in REASONING_FIELDS
            if holder.get(name) and _is_reasoning(name, holder[name])
        ]
        reasoning = "\n\n".join(thoughts) or holder.get(reasoning_field(holder))
        return Parted(holder.get(self.key), reasoning, others)

    def place(self, holder: Mapping[str, Any], text: str, channel: Channel) -> dict[str, Any]:
        """Put a text into a channel; among parts a preface is a part of its own."""
        content, tagged_text = holder.get(self.key), self._tagged(holder)
        if tagged_text is not None:
            return {**holder, self.key: TEXT.place(tagged_text, text, channel)}
        if channel == "thinking":
            return self._with_reasoning(holder, text)
        if isinstance(content, list):
            return {**holder, self.key: placed_in_parts(content, text, channel)}
        if channel == "preface" and content:
            return {**holder, self.key: f"{text}\n\n{content}"}
        return {**holder, self.key: text}

    def answer(self, holder: Mapping[str, Any], text: str) -> dict[str, Any]:
        """Put another response in the place of this one and of its reasoning."""
        content = holder.get(self.key)
        given = placed_in_parts(content, text, "inline") if isinstance(content, list) else text
        answered = {**holder, self.key: given}
        for name in REASONING_FIELDS:
            if not isinstance(answered.get(name), str):
                continue
            if self.lasting:
                answered[name] = None
            else:
                del answered[name]
        return answered

    def _tagged(self, holder: Mapping[str, Any]) -> str | None:
        """Return the response's text where reasoning stands in tags within it."""
        content = holder.get(self.key)
        if not isinstance(content, str) or holder.get(reasoning_field(holder)):
            return None
        return content if thought_of(content).opening else None

    def _with_reasoning(self, holder: Mapping[str, Any], text: str) -> dict[str, Any]:
        """Set the reasoning field where it stands, else right before the response."""
        used = reasoning_field(holder)
        if used in holder or self.key not in holder:
            existing = holder.get(used)
            return {**holder, used: f"{text}\n\n{existing}" if existing else text}
        placed: dict[str, Any] = {}
        for name, value in holder.items():
            if name == self.key:
                placed[used] = text
            placed[name] = value
        return placed


def reasoning_field(holder: Mapping[str, Any]) -> str:
    """Return the field that holds the reasoning, or would: the first that does, is, or could be."""
    given = [
        name for name in REASONING_FIELDS if name in holder and _is_reasoning(name, holder[name])
    ]
    return next((name for name in given if holder[name]), given[0] if given else REASONING_FIELD)


def placed_in_parts(parts: list[Any], text: str, channel: Channel) -> list[Any]:
    """Return parts with a text before them, or in the place of those that are text."""
    if channel == "preface":
        return [{"type": "text", "text": f"{text}\n\n"}, *parts]
    others = [part for part in parts if part.get("type") != "text"]
    return [{"type": "text", "text": text}, *others]


def is_text(part: Mapping[str, Any]) -> bool:
    """Say whether a part is text and nothing else."""
    return part.keys() == {"type", "text"} and part["type"] == "text"


def is_bare_text(parts: Sequence[Mapping[str, Any]]) -> bool:
    """Say whether parts are a single text, which says as much alone."""
    return len(parts) == 1 and is_text(parts[0])


def _is_reasoning(name: str, value: Any) -> bool:
    return name in REASONING_FIELDS and isinstance(value, str | None)
