"""The passages a document rests on: those it is about, and those that stand around them."""

from dataclasses import dataclass

from whyset.retriever import Grounding, ScoredPassage


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a document rests on.

    Attributes:
        focus: The passages it is about; none where it is about the whole.
        around: What stands around them, which it must not contradict.
        whole: The whole constitution.
    """

    focus: tuple[ScoredPassage, ...]
    around: tuple[ScoredPassage, ...]
    whole: Grounding

    @property
    def shown(self) -> tuple[ScoredPassage, ...]:
        """Every passage that a writer sees outside of the whole text."""
        return (*self.focus, *self.around)

    @property
    def headings(self) -> frozenset[str]:
        """Every heading of the constitution."""
        return frozenset(h for found in self.whole.passages for h in found.passage.path)
