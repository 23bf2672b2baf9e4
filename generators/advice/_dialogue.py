"""The conversation as it grows: a system prompt, messages and answers."""

from dataclasses import dataclass, replace
from typing import Any

from whyset.datasets import Conversation, Message

from .._prompts import fence
from .._rendering import render_history
from .._steps import Turn
from ._schemas import PromptDraft


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What has been said so far.

    Attributes:
        system: The system prompt; empty where there is none.
        turns: Messages and answers, oldest first; the user begins.
    """

    system: str
    turns: tuple[Turn, ...] = ()

    @classmethod
    def begin(cls, draft: PromptDraft) -> "Dialogue":
        """Begin with a system prompt and a message."""
        return cls(draft.system.strip()).ask(draft.user)

    def ask(self, message: str) -> "Dialogue":
        """Return it with a message of the user's at the end."""
        return replace(self, turns=(*self.turns, Turn("user", message)))

    def answer(self, answer: str) -> "Dialogue":
        """Return it with an answer at the end."""
        return replace(self, turns=(*self.turns, Turn("assistant", answer)))

    @property
    def last(self) -> str:
        """What was said last."""
        return self.turns[-1].text

    @property
    def spoken(self) -> str:
        """All that was said, for checks that allow what is in it."""
        return "\n\n".join(filter(None, (self.system, *(turn.text for turn in self.turns))))

    def render(self) -> str:
        """Return it as a model reads it that is to write about it, fenced as data."""
        said = [Message(turn.role, turn.text) for turn in self.turns]
        if self.system:
            said.insert(0, Message("system", self.system))
        return render_history(Conversation((*said, Message("assistant", "")), len(said)))

    def messages(self) -> list[dict[str, Any]]:
        """Return it as a record holds it, in the shape that OpenAI's API has."""
        said = [{"role": turn.role, "content": turn.text} for turn in self.turns]
        return [{"role": "system", "content": self.system}, *said] if self.system else said


def render_prompt(draft: PromptDraft) -> str:
    """Return the beginning of a conversation as a writer reads it who is to change it."""
    return fence(f"[system]\n{draft.system.strip() or '(empty)'}\n\n[user]\n{draft.user}")
