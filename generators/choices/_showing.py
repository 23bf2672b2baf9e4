"""A pair as models are shown it: by name to the writer, without names to the one who appraises."""

from dataclasses import dataclass

from whyset.datasets import Conversation, Message, Pair

from .._rendering import query_texts, render_conversation, spoken_text
from .._words import count_words


@dataclass(frozen=True, slots=True)
class Case:
    """A pair, and the order in which its sides are shown to whoever must not know which is which.

    Attributes:
        pair: The pair.
        chosen_first: Whether the chosen side comes first; it depends on the row alone, and is as
            likely as not, so that neither place nor name can sway an appraisal.
    """

    pair: Pair
    chosen_first: bool

    @classmethod
    def of(cls, pair: Pair, *, digest: str) -> "Case":
        """Draw the order from a row's digest: hex digits."""
        return cls(pair, int(digest[:8], 16) % 2 == 0)

    @property
    def prompt(self) -> str:
        """What both sides answer, fenced as data."""
        pair = self.pair
        return render_conversation(Conversation(pair.prompt, len(pair.prompt), pair.offered))

    @property
    def named(self) -> dict[str, str]:
        """Both sides by their names, fenced as data."""
        return {"chosen": _side(self.pair.chosen), "rejected": _side(self.pair.rejected)}

    @property
    def unnamed(self) -> dict[str, str]:
        """Both sides as the first and the second, fenced as data."""
        named = self.named
        return {place: named[name] for place, name in self.order.items()}

    @property
    def order(self) -> dict[str, str]:
        """Which one was shown first and which second, for who must know."""
        first, second = ("chosen", "rejected") if self.chosen_first else ("rejected", "chosen")
        return {"first": first, "second": second}

    @property
    def chosen_was(self) -> str:
        """In which place the chosen side was shown: `first` or `second`."""
        return "first" if self.chosen_first else "second"

    @property
    def spoken(self) -> str:
        """All that the row holds, for checks that allow what is in it."""
        pair = self.pair
        messages = (*pair.prompt, *pair.chosen, *pair.rejected)
        return spoken_text(Conversation(messages, 0, pair.offered))

    @property
    def queries(self) -> tuple[str, ...]:
        """What passages are found by: the last turns and what either side says, each apart."""
        texts = [
            text
            for side in (self.pair.chosen, self.pair.rejected)
            for text in query_texts(_answered(self.pair, side))
        ]
        return tuple(dict.fromkeys(texts))

    @property
    def words(self) -> int:
        """How long the longer of the two is, in words."""
        sides = (self.pair.chosen, self.pair.rejected)
        return max(sum(count_words(message.text) for message in side) for side in sides)


def _answered(pair: Pair, side: tuple[Message, ...]) -> Conversation:
    """Return one side as a conversation whose response is its last one that says something."""
    messages = (*pair.prompt, *side)
    at = [n for n, message in enumerate(messages) if message.role == "assistant"]
    return Conversation(messages, at[-1], pair.offered)


def _side(messages: tuple[Message, ...]) -> str:
    return render_conversation(Conversation(messages, len(messages)))
