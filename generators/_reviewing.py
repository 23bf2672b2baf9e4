"""The loops that texts go through: review, then revise or sample anew, until one passes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ._asking import Unanswered, judged
from ._opinions import PointedVerdict
from ._result import Rejected
from ._steps import Ask, Steps
from ._working import Working
from .checks import Check, failed_checks


@dataclass(frozen=True, slots=True)
class Review:
    """What speaks against a draft.

    Attributes:
        reasons: One word each, to be counted: `check:length`, `judge:grounded`. None: it passes.
        problems: Sentences that a writer can act on.
    """

    reasons: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @classmethod
    def of_checks(cls, checks: Sequence[Check]) -> "Review":
        """Return what the failed ones among checks come to."""
        failed = failed_checks(checks)
        return cls(
            tuple(f"check:{check.name}" for check in failed),
            tuple(check.detail for check in failed),
        )

    @classmethod
    def of_verdict(cls, verdict: PointedVerdict) -> "Review":
        """Return what a verdict comes to; problems without a fault are advice, not taken up."""
        faults = verdict.faults
        return cls(
            tuple(f"judge:{name}" for name in faults),
            (*verdict.problems, *faults.values()) if faults else (),
        )

    def after(self, problems: Sequence[str]) -> "Review":
        """Return the review with problems that somebody else has found ahead of its own."""
        return replace(self, problems=(*problems, *self.problems))


def judgement(working: Working, ask: Ask, schema: type[PointedVerdict]) -> Steps[Review]:
    """Return the steps that have a judge look at a draft; its verdict goes into the evidence.

    Raises:
        Unanswered: No verdict came.
    """
    verdict = yield from judged(ask, schema)
    working.note(verdict=verdict.model_dump())
    return Review.of_verdict(verdict)


def reviewed(
    working: Working,
    draft: str,
    *,
    review: Callable[[str], Steps[Review]],
    revise: Callable[[str, Review], Steps[str]],
    revisions: int,
) -> Steps[str | Rejected]:
    """Return the steps that lead a draft to a text that passes its review, or to a rejection.

    Args:
        working: Whose draft it is; its evidence should hold the last checks and verdict.
        draft: What a writer returned.
        review: Returns the steps of a review: checks first, since only what passes them is worth
            a judge.
        revise: Returns the steps of a revision.
        revisions: How often at most.
    """
    working.draft = draft
    found = yield from review(draft)
    for _ in range(revisions):
        if not found.reasons:
            break
        draft = working.draft = yield from revise(draft, found)
        found = yield from review(draft)
    return _rejected(working, found) if found.reasons else draft


def sampled(
    working: Working,
    *,
    sample: Callable[[int], Steps[str]],
    review: Callable[[str], Steps[Review]],
    samples: int,
) -> Steps[str | Rejected]:
    """Return the steps that sample texts until one passes its review, or to a rejection.

    An ask that gets no usable answer costs its sample alone: a provider may decline one and not
    the next.

    Args:
        working: Whose texts they are; the number of the one that passes is settled in it.
        sample: Returns the steps of the sample of a number, from 0.
        review: Returns the steps of a review, as for `reviewed`.
        samples: How many at most.
    """
    found = Review()
    for number in range(samples):
        try:
            text = working.draft = yield from sample(number)
            found = yield from review(text)
        except Unanswered as unanswered:
            found = Review((unanswered.reason,), (str(unanswered),))
        if not found.reasons:
            working.settle(sample=number)
            return text
    return _rejected(working, found)


def _rejected(working: Working, found: Review) -> Rejected:
    return working.rejected(*found.reasons, detail="; ".join(found.problems))
