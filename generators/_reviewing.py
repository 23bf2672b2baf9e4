"""The loop that all writing goes through: review, revise, until it passes or patience ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ._asking import judged
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
    if found.reasons:
        return working.rejected(*found.reasons, detail="; ".join(found.problems))
    return draft
