"""The steps of one pair, in the order of the method: appraise, find, write, check, judge, revise.

They are those of a deliberation, with one thing more: whoever appraises is not told which of the
two was chosen.
"""

from collections.abc import Mapping
from typing import Any

from whyset.constitution import estimate_tokens
from whyset.datasets import Row

from .._asking import Unanswered, judged, written
from .._prompts import PromptSet, fence
from .._quotes import quotes_of
from .._rendering import render_list, render_passages
from .._result import Evidence, Finished, Rejected
from .._reviewing import Review, judgement, reviewed
from .._steps import Ask, Role, Steps
from .._working import Working
from ._checking import Rules, length_bounds
from ._opinions import Appraisal, Verdict
from ._options import Options, Step
from ._showing import Case

# In tokens, on top of what a text of this length may need; models that reason before they answer
# spend from it too.
_ROOM: Mapping[Role, int] = {"writer": 4000, "judge": 4000}


class RowSteps(Working):
    """One pair's way through the method. Good for one only."""

    def __init__(
        self, row: Row, case: Case, options: Options, evidence: Evidence, prompts: PromptSet
    ) -> None:
        super().__init__(evidence, prompts)
        self._row = row
        self._case = case
        self._options = options
        self._bounds = length_bounds(case.words)

    def steps(self) -> Steps[Finished | Rejected]:
        """Return the steps; an ask that gets no usable answer ends them in a rejection."""
        try:
            found = yield from self.find(self._case.queries, k=self._options.k)
            if found.relevance < self._options.settle_below:
                self.note(passages=())
                return self._untouched("settled by retrieval: nothing at stake")
            return (yield from self._work())
        except Unanswered as unanswered:
            return self.unanswered(unanswered)

    def _work(self) -> Steps[Finished | Rejected]:
        appraisal = yield from self._appraise()
        if ended := self._settled(appraisal):
            return ended
        yield from self._find(appraisal)
        draft = yield from self._write(appraisal)
        ended_as = yield from reviewed(
            self,
            draft,
            review=self._review,
            revise=self._revise,
            revisions=0 if self._without("revise") else self._options.max_revisions,
        )
        if isinstance(ended_as, Rejected):
            return ended_as
        return self.finished("explained", {**self._row.columns, self._options.column: ended_as})

    def _appraise(self) -> Steps[Appraisal]:
        """Have the two compared by somebody who does not know which one was chosen."""
        appraisal = yield from judged(
            self._ask("judge", "appraise", **self._case.unnamed), Appraisal
        )
        self.note(appraisal={**appraisal.model_dump(), "chosen_was": self._case.chosen_was})
        return appraisal

    def _settled(self, appraisal: Appraisal) -> Finished | Rejected | None:
        """Return how a pair ends that gets no rationale; `None` where the chosen one is better."""
        if appraisal.verdict == "nothing_at_stake":
            return self._untouched("nothing at stake")
        if appraisal.verdict == "level":
            return self._untouched("level: the constitution prefers neither")
        if appraisal.verdict == self._case.chosen_was:
            return None
        if self._options.on_conflict == "keep":
            return self._untouched("conflict, kept as asked")
        whose = "both responses" if appraisal.verdict == "neither" else "the chosen response"
        detail = f"against {whose} (the chosen was shown {self._case.chosen_was}): "
        return self.rejected("conflict", detail=detail + appraisal.reason)

    def _find(self, appraisal: Appraisal) -> Steps[None]:
        """Find what bears on the considerations: it often lies elsewhere than what sounds alike."""
        if appraisal.considerations and not self._without("find"):
            yield from self.find(appraisal.considerations, k=self._options.k)

    def _write(self, appraisal: Appraisal) -> Steps[str]:
        found = (appraisal.difference, *appraisal.considerations)
        return written(self._writing(considerations=render_list(found)))

    def _review(self, draft: str) -> Steps[Review]:
        """Check a rationale; only one that passes every check is worth the judge."""
        checks = self._rules.check(draft)
        self.note(checks=tuple(checks), quotes=quotes_of(draft, self.passages), verdict=None)
        failed = Review.of_checks(checks)
        if failed.reasons or self._without("judge"):
            return failed
        ask = self._ask("judge", "judge", draft=fence(draft), **self._case.named)
        return (yield from judgement(self, ask, Verdict))

    def _revise(self, draft: str, review: Review) -> Steps[str]:
        problems = render_list(review.problems)
        return written(
            self._ask("writer", "revise", draft=fence(draft), problems=problems, **self._given)
        )

    @property
    def _given(self) -> dict[str, str]:
        return {**self._case.named, "length": self._bounds.about}

    @property
    def _rules(self) -> Rules:
        return Rules(
            self._bounds,
            self._options,
            self.evidence.groundings[0].title,
            self.passages,
            self._case.spoken,
            self._writing(considerations="").system,
        )

    def _writing(self, considerations: str) -> Ask:
        return self._ask(
            "writer",
            "write",
            considerations=considerations,
            **self._case.order,
            **self._given,
        )

    def _untouched(self, note: str) -> Finished:
        self.note(note=note)
        return self.finished("untouched", self._row.columns)

    def _without(self, step: Step) -> bool:
        return step in self._options.without

    def _ask(self, role: Role, name: str, **values: Any) -> Ask:
        return self.ask(
            role,
            name,
            max_tokens=_ROOM[role] + 2 * estimate_tokens(values.get("draft", "")),
            run={"cite": self._options.cite, "language": self._options.language},
            row={
                "passages": render_passages(self.passages),
                "conversation": self._case.prompt,
                **values,
            },
        )
