"""What every way of working on a row has in common: finding, and ending before it is worked on."""

from abc import ABC, abstractmethod

from whyset.datasets import Row
from whyset.retriever import Grounding

from .._asking import Unanswered
from .._prompts import PromptSet
from .._rendering import query_texts
from .._result import Evidence, Finished, Rejected
from .._steps import Steps
from .._working import Working
from ._options import Options


class Gathering(Working, ABC):
    """One row's way to its result. Good for one row only."""

    def __init__(self, row: Row, options: Options, evidence: Evidence, prompts: PromptSet) -> None:
        super().__init__(evidence, prompts)
        self._row = row
        self._options = options

    def steps(self) -> Steps[Finished | Rejected]:
        """Return the steps; an ask that gets no usable answer ends them in a rejection."""
        try:
            found = yield from self.find(query_texts(self._row.conversation), k=self._options.k)
            if found.relevance < self._options.settle_below:
                self.note(passages=())
                return self._untouched("settled by retrieval: nothing at stake")
            return (yield from self._work(found))
        except Unanswered as unanswered:
            return self.unanswered(unanswered)

    @abstractmethod
    def _work(self, found: Grounding) -> Steps[Finished | Rejected]:
        """Return the steps of a row on which the constitution may have something to say."""

    def _untouched(self, note: str) -> Finished:
        self.note(note=note)
        return self.finished("untouched", self._row.columns, original=None)
