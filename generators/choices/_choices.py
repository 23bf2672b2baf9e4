"""Deliberation for choices: why the chosen response of a pair is better than the rejected one."""

from whyset.datasets import Row, UnusableRecord, pair_of

from .._generator import Generator
from .._result import Finished, Rejected
from .._steps import Ask, Reply, Steps
from ._options import Options
from ._rehearsing import rehearsed_reply
from ._row_steps import RowSteps
from ._showing import Case


class Choices(Generator):
    """Gives a preference pair its rationale, grounded in passages.

    The steps are those of the deliberation rewrite of "Teaching Claude Why" (Anthropic, 2026),
    turned from an action to a preference: a fresh reader sees both responses and the relevant
    passages, and the preference does not change. A pair that the constitution has nothing to say
    about passes through untouched; one whose preference it does not share is never given a reason.
    """

    name = "choices"
    version = "1"
    summary = "says why the chosen response of a preference pair is better than the rejected one"
    outcomes = {
        "explained": "the pair carries the reasons for its preference",
        "untouched": "nothing at stake between the two, or kept as asked",
    }
    options_class = Options

    options: Options

    @property
    def adds(self) -> tuple[str, ...]:
        """The column that the rationale goes to."""
        return (self.options.column,)

    def steps(self, row: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row; one that holds no pair is rejected without an ask."""
        evidence = self.evidence(
            column=self.options.column,
            cite=self.options.cite,
            language=self.options.language,
            without=list(self.options.without),
        )
        if self.options.column in row.columns:
            return _ended(
                Rejected(
                    ("column_taken",),
                    f"the row already has a column {self.options.column!r}: choose another for the "
                    "rationale (option column), or work on the rows as they were before it",
                    evidence,
                )
            )
        try:
            case = Case.of(pair_of(row), digest=row.digest)
        except UnusableRecord as unusable:
            return _ended(Rejected(("no_pair",), str(unusable), evidence))
        return RowSteps(row, case, self.options, evidence, self.prompts).steps()

    def rehearse(self, ask: Ask, row: Row, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a choice."""
        case = Case.of(pair_of(row), digest=row.digest)
        return rehearsed_reply(ask, case, language=self.options.language, at_stake=at_stake)


def _ended(result: Rejected) -> Steps[Finished | Rejected]:
    """Return steps that ask nothing."""
    yield from ()
    return result
