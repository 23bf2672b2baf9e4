"""What every way of working on a row has in common: finding, gathering evidence, ending."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import replace

from whyset.datasets import Row
from whyset.retriever import Grounding

from .._asking import Unanswered, grounded
from .._rendering import query_texts
from .._result import Evidence, Finished, Rejected
from .._steps import Find, Steps
from ..checks import Check
from ._options import Options


class Gathering(ABC):
    """One row's way to its result; the evidence is gathered as it goes. Good for one row only."""

    def __init__(self, row: Row, options: Options, evidence: Evidence) -> None:
        self._row = row
        self._options = options
        self._evidence = evidence
        self._draft: str | None = None

    def steps(self) -> Steps[Finished | Rejected]:
        """Return the steps; an ask that gets no usable answer ends them in a rejection."""
        try:
            found = yield from self._find(query_texts(self._row.conversation))
            if found.relevance < self._options.settle_below:
                self._evidence = replace(self._evidence, passages=())
                return self._untouched("settled by retrieval: nothing at stake")
            return (yield from self._work(found))
        except Unanswered as unanswered:
            return self._rejected(unanswered.reason, detail=str(unanswered))

    @abstractmethod
    def _work(self, found: Grounding) -> Steps[Finished | Rejected]:
        """Return the steps of a row on which the constitution may have something to say."""

    def _find(self, texts: tuple[str, ...]) -> Steps[Grounding]:
        """Find passages and put those not yet held behind those that are."""
        found = yield from grounded(Find(texts, k=self._options.k))
        held = {scored.passage.id for scored in self._evidence.passages}
        new = [scored for scored in found.passages if scored.passage.id not in held]
        self._evidence = replace(
            self._evidence,
            groundings=(*self._evidence.groundings, found),
            passages=(*self._evidence.passages, *new),
        )
        return found

    def _untouched(self, note: str) -> Finished:
        evidence = replace(self._evidence, note=note)
        return Finished("untouched", self._row.columns, None, evidence)

    def _rejected(self, *reasons: str, detail: str) -> Rejected:
        return Rejected(reasons, detail, self._evidence, self._draft)

    def _failed(self, checks: Sequence[Check]) -> Rejected:
        reasons = (f"check:{check.name}" for check in checks)
        return self._rejected(*reasons, detail="; ".join(check.detail for check in checks))


def failed_checks(checks: Sequence[Check]) -> tuple[Check, ...]:
    """Return the checks that failed; a skipped one has neither failed nor passed."""
    return tuple(check for check in checks if check.status == "failed")
