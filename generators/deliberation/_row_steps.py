"""The steps of one row, in the order of the method: appraise, find, write, check, judge, revise."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from whyset.constitution import estimate_tokens
from whyset.datasets import Row, part_columns, with_deliberation, with_response
from whyset.retriever import Grounding

from .._asking import judged, written
from .._prompts import PromptSet, fence
from .._quotes import quotes_of
from .._rendering import render_conversation, render_list, render_passages, render_response
from .._result import Evidence, Finished, Rejected
from .._reviewing import Review, judgement, reviewed
from .._steps import Ask, Role, Steps
from ..checks import Check, failed_checks
from ._checking import check_deliberation, check_repair, check_row_kept, length_bounds
from ._gathering import Gathering
from ._opinions import Appraisal, Verdict
from ._options import Options

# Room for the answer itself, in tokens, on top of what a response of this length may need; models
# that reason before they answer spend from it too.
_ROOM: Mapping[Role, int] = {"writer": 6000, "judge": 4000}


class RowSteps(Gathering):
    """One row's way through the method."""

    def __init__(self, row: Row, options: Options, evidence: Evidence, prompts: PromptSet) -> None:
        super().__init__(row, options, evidence, prompts)
        self._original = row

    def _work(self, found: Grounding) -> Steps[Finished | Rejected]:
        appraisal = yield from self._appraise()
        self.note(appraisal=appraisal.model_dump())
        if appraisal.verdict == "nothing_at_stake":
            return self._untouched("nothing at stake")
        if appraisal.verdict == "conflict":
            ended = yield from self._resolve(appraisal)
            if ended:
                return ended
        if appraisal.considerations:
            yield from self.find(appraisal.considerations, k=self._options.k)
        draft = yield from self._write(appraisal)
        ended_as = yield from reviewed(
            self,
            draft,
            review=self._review,
            revise=self._revise,
            revisions=self._options.max_revisions,
        )
        return ended_as if isinstance(ended_as, Rejected) else self._finished(ended_as)

    def _appraise(self) -> Steps[Appraisal]:
        return judged(self._ask("judge", "appraise"), Appraisal)

    def _resolve(self, appraisal: Appraisal) -> Steps[Finished | Rejected | None]:
        """Do with a conflicting response what was chosen; `None` where there is a better one now.

        What is put in its place is appraised as strictly.
        """
        if self._options.on_conflict == "keep":
            return self._untouched("conflict, kept as asked")
        if self._options.on_conflict == "quarantine":
            return self.rejected("conflict", detail=appraisal.reason)
        if self._row.conversation.response.tool_calls:
            return self.rejected(
                "conflict", detail=f"tool calls cannot be repaired: {appraisal.reason}"
            )
        repaired = yield from written(self._ask("writer", "repair", finding=appraisal.reason))
        self.draft = repaired
        checks = self._check_repair(repaired)
        if failed_checks(checks):
            return self.failed(checks)
        self._row = with_response(self._row, repaired)
        again = yield from self._appraise()
        if again.verdict == "conflict":
            return self.rejected(
                "conflict", detail=f"still a conflict after repair: {again.reason}"
            )
        return None

    def _write(self, appraisal: Appraisal) -> Steps[str]:
        considerations = render_list(appraisal.considerations)
        return written(self._ask("writer", "write", considerations=considerations))

    def _revise(self, draft: str, review: Review) -> Steps[str]:
        problems = render_list(review.problems)
        return written(self._ask("writer", "revise", draft=fence(draft), problems=problems))

    def _review(self, draft: str) -> Steps[Review]:
        """Check a draft; only one that passes every check is worth the judge."""
        checks = (*self._check_text(draft), *self._check_row(draft))
        self.note(checks=checks, quotes=quotes_of(draft, self.passages), verdict=None)
        failed = Review.of_checks(checks)
        if failed.reasons:
            return failed
        ask = self._ask("judge", "judge", draft=fence(draft))
        return (yield from judgement(self, ask, Verdict))

    def _check_text(self, draft: str) -> list[Check]:
        return check_deliberation(
            draft,
            conversation=self._row.conversation,
            passages=self.evidence.passages,
            title=self.evidence.groundings[0].title,
            channel=self._options.channel,
            cite=self._options.cite,
            instructions=self._ask("writer", "write", considerations="").system,
        )

    def _check_repair(self, repaired: str) -> list[Check]:
        return check_repair(
            repaired,
            conversation=self._row.conversation,
            passages=self.evidence.passages,
            title=self.evidence.groundings[0].title,
        )

    def _check_row(self, draft: str) -> list[Check]:
        return check_row_kept(
            self._original,
            self._placed(draft),
            channel=self._options.channel,
            repaired=self._repaired,
        )

    def _finished(self, draft: str) -> Finished:
        original = part_columns(self._original)
        finished = self.finished(
            "repaired" if self._repaired else "rewritten",
            self._placed(draft),
            original=original.content,
        )
        added = self._options.channel == "thinking"
        reasoning = original.reasoning if self._repaired or added else None
        return replace(finished, original_reasoning=reasoning)

    def _placed(self, draft: str) -> dict[str, Any]:
        return with_deliberation(self._row, draft, self._options.channel)

    @property
    def _repaired(self) -> bool:
        return self._row is not self._original

    def _ask(self, role: Role, name: str, **values: str) -> Ask:
        """Render a step's prompt for the row as it now stands."""
        conversation = self._row.conversation
        return self.ask(
            role,
            name,
            max_tokens=_ROOM[role] + 2 * estimate_tokens(conversation.response.text),
            run={"channel": self._options.channel, "cite": self._options.cite},
            row={
                "passages": render_passages(self.passages),
                "conversation": render_conversation(conversation),
                "response": render_response(conversation.response),
                "length": length_bounds(conversation.response.text, self._options.channel).about,
                **values,
            },
        )
