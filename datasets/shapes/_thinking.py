"""Reasoning in a text: `<think>` tags before the answer, where a shape has no field for it."""

import re
from dataclasses import dataclass

from .._conversation import Message

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
