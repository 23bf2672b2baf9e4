"""The steps of one probe, in the order of the method.

Fact → question in both phrasings → reference answer with its words → checks → judge → control.
"""

from collections.abc import Mapping

from .._asking import Unanswered, afresh, judged
from .._brief import Brief
from .._briefing import render_about, render_avoided
from .._document import Ideas
from .._grounds import Grounds
from .._prompts import PromptSet, fence
from .._quotes import passage_with
from .._rendering import render_list, render_passages
from .._result import Evidence, Finished, Rejected
from .._reviewing import Review, judgement, reviewed
from .._steps import Ask, Role, Steps
from .._working import Working
from ._checking import Rules
from ._control import chosen_letter, fills
from ._grounds import gather
from ._opinions import Comparison, ControlAnswer, FactList, Posed, Reference, Verdict, Written
from ._options import Options, Step
from ._record import choices_of, columns_of, quotes_in, target_of
from ._rendering import render_posed, render_question, render_reference, render_written
from ._variety import assign, drawn

# In tokens; models that reason before they answer spend from it too.
_ROOM = 6000
_PER_FACT = 300


class ProbeSteps(Working):
    """One probe's way through the method. Good for one only."""

    def __init__(
        self, brief: Brief, options: Options, evidence: Evidence, prompts: PromptSet
    ) -> None:
        super().__init__(evidence, prompts)
        self._brief = brief
        self._options = options
        self._assignment = assign(brief)
        self._fact = brief.idea
        self._grounds: Grounds
        self._rules: Rules

    def facts(self, count: int) -> Steps[Ideas | Rejected]:
        """Return the steps of the idea stage: facts, each for one probe."""
        try:
            yield from self._gather()
            texts = yield from self._find_facts(count)
        except Unanswered as unanswered:
            return self.unanswered(unanswered)
        self._settle()
        return Ideas(texts, self.evidence, self._assignment.variety)

    def probe(self) -> Steps[Finished | Rejected]:
        """Return the steps of a probe; where its brief has no fact, one is found first."""
        try:
            yield from self._gather()
            if not self._fact:
                self._fact = (yield from self._find_facts(1))[0]
            self._settle()
            posed = yield from self._pose()
            reference = yield from self._refer(posed)
            ended = yield from reviewed(
                self,
                Written.of(posed, reference).model_dump_json(),
                review=self._check_and_judge,
                revise=self._revise,
                revisions=self._options.max_revisions,
            )
            if isinstance(ended, Rejected):
                return ended
            item = Written.model_validate_json(ended)
            guessable = yield from self._control(item)
        except Unanswered as unanswered:
            return self.unanswered(unanswered)
        if guessable and self._assignment.kind == "recall":
            detail = "answered by somebody who had not seen the passages: it measures nothing"
            return self.rejected("guessable", detail=detail)
        return self.finished("written", self._columns(item, guessable))

    # ---- fact → question → reference

    def _gather(self) -> Steps[None]:
        self._grounds = grounds = yield from gather(self, self._brief, k=self._options.k)
        if not grounds.focus:
            raise Unanswered("nothing_found", "no passage bears on the subject")
        self._rules = Rules(
            self._assignment,
            self._options,
            title=grounds.whole.title,
            headings=grounds.headings,
            focus=grounds.focus,
            shown=grounds.shown,
            asked=self._brief.about,
            avoid=self._brief.avoid,
        )

    def _find_facts(self, count: int) -> Steps[tuple[str, ...]]:
        """Find facts; one whose words do not stand in the passages is none."""
        ask = self._ask("writer", "fact", room=_ROOM + _PER_FACT * count, count=str(count))
        listed = yield from judged(afresh(ask, self._brief.attempt), FactList)
        facts = [
            str(fact) for fact in listed.facts if passage_with(fact.quote, self._grounds.focus)
        ]
        if not facts:
            told = "; ".join(repr(fact.quote) for fact in listed.facts[:count])
            raise Unanswered("check:quotations", f"no passage has the words of the fact: {told}")
        return tuple(dict.fromkeys(facts))[:count]

    def _pose(self) -> Steps[Posed]:
        return judged(afresh(self._ask("writer", "question"), self._brief.attempt), Posed)

    def _refer(self, posed: Posed) -> Steps[Reference]:
        shown = render_posed(posed, self._assignment)
        return judged(self._ask("writer", "reference", question=shown), Reference)

    # ---- checks → judge → control

    def _check_and_judge(self, draft: str) -> Steps[Review]:
        """Check a probe; only one that passes every check is worth the judge."""
        item = Written.model_validate_json(draft)
        checks = self._rules.check(item)
        quotes = quotes_in(item, self._grounds.focus)
        self.note(checks=tuple(checks), quotes=quotes, verdict=None)
        failed = Review.of_checks(checks)
        if failed.reasons or self._without("judge"):
            return failed
        shown = render_written(item, self._assignment)
        return (yield from judgement(self, self._ask("judge", "judge", probe=shown), Verdict))

    def _revise(self, draft: str, found: Review) -> Steps[str]:
        item = Written.model_validate_json(draft)
        ask = self._ask(
            "writer",
            "revise",
            probe=render_written(item, self._assignment),
            problems=render_list(found.problems),
        )
        mended = yield from judged(ask, Written)
        return mended.model_dump_json()

    def _control(self, item: Written) -> Steps[bool | None]:
        """Have somebody answer who sees no passage; `None` where nobody was asked.

        Of a belief there is no right answer to guess.
        """
        if self._without("control") or self._assignment.kind == "open_ended":
            return None
        choices = self._choices(item)
        question = render_question(item.named, choices)
        said = yield from judged(self._ask("judge", "control", question=question), ControlAnswer)
        target = target_of(self._assignment, item, choices)
        if choices:
            return not said.guessed and chosen_letter(said.answer, choices) == target
        if self._assignment.format == "cloze":
            return fills(said.answer, list(target))
        ask = self._ask(
            "judge",
            "compare",
            question=question,
            reference=render_reference(item),
            answer=fence(said.answer),
        )
        compared = yield from judged(ask, Comparison)
        return compared.right

    # ---- what the steps share

    def _ask(self, role: Role, name: str, *, room: int = _ROOM, **values: str) -> Ask:
        return self.ask(role, name, run=self._run(), row={**self._row(), **values}, max_tokens=room)

    def _run(self) -> Mapping[str, str]:
        return {
            "constitution": self._grounds.whole.title,
            "model_name": self._options.model_name,
            "language": self._options.language,
        }

    def _row(self) -> Mapping[str, str]:
        around = self._grounds.around
        return {
            "passages": render_passages(self._grounds.focus),
            "context": render_passages(around) if around else "",
            "about": render_about(self._brief),
            "assignment": fence(str(self._assignment)),
            "fact": fence(self._fact),
            "avoid": render_avoided(self._brief),
        }

    def _columns(self, item: Written, guessable: bool | None) -> dict[str, object]:
        return columns_of(
            self._assignment,
            item,
            grounds=self._grounds,
            quotes=self.evidence.quotes,
            options=self._options,
            place=drawn(self._brief, "place"),
            guessable=guessable,
        )

    def _choices(self, item: Written) -> tuple[str, ...]:
        return choices_of(
            self._assignment,
            item,
            language=self._options.language,
            place=drawn(self._brief, "place"),
        )

    def _without(self, step: Step) -> bool:
        return step in self._options.without

    def _settle(self) -> None:
        settings = {"variety": self._assignment.variety, "about": self._brief.about}
        self.settle(**settings, **({"idea": self._fact} if self._fact else {}))
