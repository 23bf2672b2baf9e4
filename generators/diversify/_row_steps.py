"""The steps of one row, in order: draw, write, check, judge, revise, place, and respond on request.

"The same chats with irrelevant tools and varied system prompts added, user turn fixed": the
environment is what is written; the conversation is what it is laid around.
"""

from collections.abc import Iterable
from dataclasses import replace
from functools import partial

from whyset.constitution import estimate_tokens
from whyset.datasets import Message, Row, part_columns, with_response

from .._asking import Unanswered, judged
from .._conversing import Unaskable, natural_ask, require_askable, responded, system_message
from .._prompts import PromptSet, fence
from .._rendering import query_texts, render_list, render_passages, render_response
from .._result import Evidence, Finished, Rejected
from .._reviewing import Review, judgement, reviewed, sampled
from .._row_checks import check_row_kept
from .._showing import show_after, show_before, show_conversation, show_system
from .._steps import Ask, Role, Steps
from .._working import Working
from ..checks import Check, failed_checks
from ._capacity import Capacity, capacity_of
from ._checking import check_environment, check_response
from ._opinions import Environment, ResponseVerdict, StandingVerdict, Verdict
from ._options import Options
from ._placing import Placed, place
from ._showing import show_hand, show_own_tools, show_tools
from ._variety import Hand, deal

_ROOM: dict[Role, int] = {"writer": 8000, "judge": 4000}
"""For the answer itself, in tokens; models that reason before they answer spend from it too."""


class RowSteps(Working):
    """One row's way through the method. Good for one only."""

    def __init__(self, row: Row, options: Options, evidence: Evidence, prompts: PromptSet) -> None:
        super().__init__(evidence, prompts)
        self._row = row
        self._options = options
        self._capacity: Capacity = capacity_of(row, options)
        self._hand: Hand = deal(row, options, self._capacity)
        self._environment_checks: tuple[Check, ...] = ()

    def steps(self) -> Steps[Finished | Rejected]:
        """Return the steps; an ask that gets no usable answer ends them in a rejection."""
        try:
            return (yield from self._work())
        except Unanswered as unanswered:
            return self.unanswered(unanswered)
        except Unaskable as unaskable:
            return self.rejected(unaskable.reason, detail=str(unaskable))

    def _work(self) -> Steps[Finished | Rejected]:
        if ended := self._draw():
            return ended
        if self._options.respond or self._hand.argues:
            yield from self.find(query_texts(self._row.conversation), k=self._options.k)
        draft = yield from self._write()
        environment = yield from reviewed(
            self,
            draft,
            review=self._review,
            revise=self._revise,
            revisions=self._options.max_revisions,
        )
        if isinstance(environment, Rejected):
            return environment
        placed = self._place(Environment.model_validate_json(environment))
        if not self._options.respond:
            return self._finished(placed.row, responded=False)
        answered = yield from self._respond(placed)
        if isinstance(answered, Rejected):
            return answered
        return self._finished(answered, responded=True)

    # ---- draw ----

    def _draw(self) -> Finished | Rejected | None:
        """Settle what the row is dealt; end where nothing can be given to it."""
        if self._options.respond:
            require_askable(self._row)
        can = self._capacity
        if not (can.tools or can.system):
            if can.refused:
                return self.rejected("no_place", detail=can.refused)
            self.note(note="its system prompt is kept as asked, and no tools are given")
            return self.finished("untouched", self._row.columns, original=None)
        if can.refused:
            self.note(note=can.refused)
        self.settle(variety=dict(self._hand.variety), persona=self._hand.persona or None)
        return None

    # ---- write, check, judge, revise ----

    def _write(self) -> Steps[str]:
        written = yield from judged(self._ask("writer", "environment"), Environment)
        return written.model_dump_json()

    def _revise(self, draft: str, review: Review) -> Steps[str]:
        ask = self._ask(
            "writer", "revise", draft=fence(draft), problems=render_list(review.problems)
        )
        mended = yield from judged(ask, Environment)
        return mended.model_dump_json()

    def _review(self, draft: str) -> Steps[Review]:
        """Check an environment; only one that passes every check is worth the judge."""
        environment = Environment.model_validate_json(draft)
        checks = check_environment(
            environment,
            conversation=self._row.conversation,
            hand=self._hand,
            language=self._options.language,
            instructions=self._ask("writer", "environment").system,
        )
        self._environment_checks = tuple(checks)
        self.note(checks=self._environment_checks, verdict=None)
        if failed_checks(checks) or "judge" in self._options.without:
            return Review.of_checks(checks)
        return (yield from self._judge(self._place(environment)))

    def _judge(self, placed: Placed) -> Steps[Review]:
        shown = show_hand(self._hand)
        ask = self.ask(
            "judge",
            "judge",
            max_tokens=self._room("judge"),
            run=self._run,
            row={
                "passages": render_passages(self.passages),
                "system": show_system(placed.system),
                "tools": show_tools(placed.new),
                "conversation": show_conversation(self._row.conversation, with_prompt=False),
                "system_kind": shown["system_kind"],
                "wrong": shown["wrong"],
            },
        )
        return judgement(self, ask, Verdict if self._options.respond else StandingVerdict)

    # ---- place ----

    def _place(self, environment: Environment) -> Placed:
        return place(self._row, environment, self._hand, extends=self._capacity.extends)

    # ---- respond ----

    def _respond(self, placed: Placed) -> Steps[Row | Rejected]:
        """Sample responses until one passes; `Rejected` where none does."""
        response = yield from sampled(
            self,
            sample=partial(self._sample, placed),
            review=partial(self._assess, placed, self.evidence.verdict),
            samples=self._options.samples,
        )
        if isinstance(response, Rejected):
            return response
        return with_response(placed.row, response)

    def _sample(self, placed: Placed, sample: int) -> Steps[str]:
        conversation = placed.row.conversation
        ask = natural_ask(
            "diversify/respond",
            conversation,
            system=placed.system,
            tools=conversation.offered,
            max_tokens=self._room("writer"),
            sample=sample,
        )
        return responded(ask)

    def _assess(self, placed: Placed, environment_verdict: object, response: str) -> Steps[Review]:
        """Check a response, then have a judge find its action right and fit for the environment."""
        self.note(checks=self._environment_checks, verdict=environment_verdict)
        checks = check_response(
            response,
            conversation=self._row.conversation,
            environment=(placed.system, *(tool.description for tool in placed.new)),
            passages=self.passages,
            title=self.evidence.groundings[0].title,
            language=self._options.language,
        )
        self._note_checks(checks)
        if failed_checks(checks) or "judge" in self._options.without:
            return Review.of_checks(checks)
        conversation = placed.row.conversation
        ask = self.ask(
            "judge",
            "judge_response",
            max_tokens=self._room("judge"),
            row={
                "passages": render_passages(self.passages),
                "system": show_system(placed.system),
                "tools": show_tools(conversation.offered),
                "conversation": show_before(conversation),
                "response": render_response(Message("assistant", response)),
                "after": show_after(conversation),
            },
        )
        verdict = yield from judged(ask, ResponseVerdict)
        self.note(verdict={"environment": environment_verdict, "response": verdict.model_dump()})
        return Review.of_verdict(verdict)

    # ---- what all of it has in common ----

    def _finished(self, changed: Row, *, responded: bool) -> Finished | Rejected:
        own = system_message(self._row.conversation)
        kept = check_row_kept(
            self._row,
            changed,
            responded=responded,
            surrounded=True,
            extended=own.text if own and self._keeps_own_prompt else "",
        )
        self._note_checks(kept)
        if failed_checks(kept):
            return self.failed(kept)
        if own and not self._keeps_own_prompt:
            self.settle(original_system=own.text)
        original = part_columns(self._row)
        done = self.finished(
            "diversified", changed.columns, original=original.content if responded else None
        )
        return replace(done, original_reasoning=original.reasoning if responded else None)

    @property
    def _keeps_own_prompt(self) -> bool:
        return self._capacity.extends or not self._hand.writes_system

    @property
    def _run(self) -> dict[str, str]:
        return {
            "respond": "yes" if self._options.respond else "",
            "language": self._options.language,
        }

    def _room(self, role: Role) -> int:
        return _ROOM[role] + 2 * estimate_tokens(self._row.conversation.response.text)

    def _note_checks(self, more: Iterable[Check]) -> None:
        self.note(checks=(*self.evidence.checks, *more))

    def _ask(self, role: Role, name: str, **values: str) -> Ask:
        row = {
            "conversation": show_conversation(
                self._row.conversation, with_prompt=self._keeps_own_prompt
            ),
            "own_tools": show_own_tools(self._row.conversation.offered),
            **show_hand(self._hand),
            **values,
        }
        return self.ask(role, name, max_tokens=self._room(role), run=self._run, row=row)
