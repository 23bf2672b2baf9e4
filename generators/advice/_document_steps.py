"""The steps of one conversation, in the order and by the names of the method.

Section → principles → prompt types → scenario → system prompt and user turn → the prompt revised
after a sampled answer → answer under an injected passage → rewrite against the passages → judged.
"""

from dataclasses import replace
from functools import partial

from .._asking import Unanswered, judged, written
from .._axes import is_numbered
from .._document import Ideas
from .._prompts import fence
from .._quotes import quotes_of
from .._rendering import render_list, render_passages
from .._result import Finished, Rejected
from .._reviewing import Review, reviewed
from .._steps import Ask, Steps
from ..checks import Check, check_no_eval_scenario, failed_checks
from . import _variety as variety
from ._asks import Asking
from ._checking import check_answer, check_follow_up, check_prompt, problems_of, together
from ._conversation import Answering, Dialogue, render_prompt
from ._opinions import Domains, Principles, PromptDraft, PromptTypes, Scenarios, Unmendable, Verdict

_FOUND_FOCUS = 3
"""How many of the passages found by meaning stand for those that a plan would name."""


class DocumentSteps(Asking):
    """One conversation's way through the method. Good for one only."""

    def ideas(self, count: int) -> Steps[Ideas | Rejected]:
        """Return the steps of the idea stage: from the section to scenarios."""
        try:
            ended = yield from self._imagined(count)
        except Unanswered as unanswered:
            return self.unanswered(unanswered)
        if isinstance(ended, Rejected):
            return ended
        return Ideas(ended, self.evidence, dict(self._drawn))

    def document(self) -> Steps[Finished | Rejected]:
        """Return the steps of the whole; a brief that has a scenario goes on from there."""
        try:
            return (yield from self._document())
        except Unanswered as unanswered:
            return self.unanswered(unanswered)
        except Unmendable as found:
            return self.rejected(*found.review.reasons, detail=str(found))

    def _document(self) -> Steps[Finished | Rejected]:
        if self._scenario:
            yield from self._section()
            yield from self._principle()
            self._forget_numbers()
        else:
            ended = yield from self._imagined(1)
            if isinstance(ended, Rejected):
                return ended
            self._scenario = ended[0]
        self._settle()
        yield from self.find((self._scenario,), k=self._options.k)
        draft = yield from self._prompt()
        if isinstance(draft, Rejected):
            return draft
        dialogue = Dialogue.of(draft)
        for number in range(self._options.turns):
            if number:
                message = yield from self._follow_up(dialogue)
                if isinstance(message, Rejected):
                    return message
                dialogue = dialogue.asked(message)
            answer = yield from self._advise(dialogue, first=not number)
            if isinstance(answer, Rejected):
                return answer
            dialogue = dialogue.answered(answer)
        return self.finished("written", {"messages": dialogue.messages()})

    # ---- from the section to a scenario ----

    def _imagined(self, count: int) -> Steps[tuple[str, ...] | Rejected]:
        if not (self._brief.passages or self._brief.about):
            return self.rejected(
                "no_subject", detail="the brief names neither passages nor what it is about"
            )
        yield from self._section()
        yield from self._principle()
        yield from self._prompt_type()
        yield from self._domain()
        self._settle()
        return (yield from self._scenarios(count))

    def _section(self) -> Steps[None]:
        """Gather what the conversation is about: the passages in focus, then their section."""
        brief = self._brief
        if brief.passages:
            found = yield from self.fetch(brief.passages, scope="section")
            self._focus = found.passages[: len(set(brief.passages))]
        else:
            subject = brief.about or brief.idea
            found = yield from self.find((subject,), k=self._options.k)
            self._focus = found.passages[:_FOUND_FOCUS]

    def _principle(self) -> Steps[None]:
        """Settle on one principle; the list is the same ask for all briefs about the passages."""
        if is_numbered(self._drawn[variety.PRINCIPLE]):
            row = {"passages": render_passages(self.passages)}
            listed = yield from self._listed("principles", Principles, variety.PRINCIPLE, row)
            self._choose(variety.PRINCIPLE, listed.principles)

    def _prompt_type(self) -> Steps[None]:
        """Settle on a kind of request; the list is the same ask for all of the principle."""
        if "prompt_types" in self._options.without:
            self._drawn.pop(variety.REQUEST, None)
        elif is_numbered(self._drawn[variety.REQUEST]):
            row = {"principle": fence(self._drawn[variety.PRINCIPLE])}
            listed = yield from self._listed("prompt_types", PromptTypes, variety.REQUEST, row)
            self._choose(variety.REQUEST, listed.prompt_types)

    def _domain(self) -> Steps[None]:
        """Settle on a part of life; the list is one ask for the whole run."""
        if is_numbered(self._drawn.get(variety.DOMAIN, "")):
            listed = yield from self._listed("domains", Domains, variety.DOMAIN, {})
            self._choose(variety.DOMAIN, listed.domains)

    def _scenarios(self, count: int) -> Steps[tuple[str, ...] | Rejected]:
        # What was drawn is not to be avoided as well, however common: quotas see to it.
        avoid = [
            f"{kind}: {common}"
            for kind, values in self._brief.avoid.items()
            if kind not in {"names", "openings", *self._drawn}
            for common in values
        ]
        ask = self._ask(
            "writer",
            "scenario",
            passages=render_passages(self.passages),
            principle=fence(self._drawn[variety.PRINCIPLE]),
            request=fence(self._told(variety.REQUEST)),
            domain=fence(self._told(variety.DOMAIN)),
            stakes=self._told("stakes"),
            response_shape=self._told(variety.SHAPE),
            avoid=fence(render_list(avoid)),
            count=str(count),
        )
        imagined = yield from judged(self._fresh(ask), Scenarios)
        checks = [check_no_eval_scenario(scenario) for scenario in imagined.scenarios]
        sound = [
            scenario
            for scenario, check in zip(imagined.scenarios, checks, strict=True)
            if check.status != "failed"
        ]
        if not sound:
            return self.failed(failed_checks(checks)[:1])
        return tuple(sound[:count])

    # ---- system prompt and user turn ----

    def _prompt(self) -> Steps[PromptDraft | Rejected]:
        """Write the prompt, revise it after a sampled answer, and mend what checks find."""
        row = self._prompt_row()
        ask = self._ask(
            "writer",
            "prompt",
            names=", ".join(self._names),
            openings=self._common("openings"),
            worn_names=self._common("names"),
            tone=self._told("tone"),
            messiness=self._told("messiness"),
            **row,
        )
        draft = yield from judged(self._fresh(ask), PromptDraft)
        checks = self._check_prompt(draft)
        if "revise_prompt" not in self._options.without:
            answer = yield from written(self._natural("sample", Dialogue.of(draft)))
            ask = self._ask(
                "writer",
                "revise_prompt",
                principle=fence(self._drawn[variety.PRINCIPLE]),
                tone=self._told("tone"),
                messiness=self._told("messiness"),
                prompt=render_prompt(draft),
                answer=fence(answer),
                problems=problems_of(checks),
                **row,
            )
            draft = yield from judged(ask, PromptDraft)
            checks = self._check_prompt(draft)
        for _ in range(self._options.max_revisions):
            if not failed_checks(checks):
                break
            ask = self._ask(
                "writer",
                "mend_prompt",
                prompt=render_prompt(draft),
                problems=problems_of(checks),
                **row,
            )
            draft = yield from judged(ask, PromptDraft)
            checks = self._check_prompt(draft)
        return self.failed(checks) if failed_checks(checks) else draft

    def _prompt_row(self) -> dict[str, str]:
        """Return what every prompt about the prompt is told."""
        return {
            "scenario": fence(self._scenario),
            "system_kind": self._told("system"),
            "system_length": self._words("system").about,
            "length_kind": self._told("length"),
            "length": self._words("length").about,
        }

    def _check_prompt(self, draft: PromptDraft) -> list[Check]:
        self.draft = draft.user
        checks = check_prompt(
            draft,
            principle=self._drawn[variety.PRINCIPLE],
            passages=self.passages,
            names=self._names,
            length=self._words("length"),
            system_length=self._words("system"),
            avoid=self._brief.avoid,
            language=self._options.language,
        )
        self._checked = tuple(checks)
        self.note(checks=together(checks))
        return checks

    def _follow_up(self, dialogue: Dialogue) -> Steps[str | Rejected]:
        """Write the user's next message, as the user."""
        length = variety.words("length", "later")
        checks: list[Check] = []
        for attempt in range(self._options.max_revisions + 1):
            ask = self._ask(
                "writer",
                "follow_up",
                scenario=fence(self._scenario),
                tone=self._told("tone"),
                messiness=self._told("messiness"),
                length=length.about,
                conversation=dialogue.rendered(),
                openings=self._common("openings"),
                problems=problems_of(checks),
            )
            message = yield from written(replace(ask, sample=attempt))
            self.draft = message
            checks = check_follow_up(
                message,
                conversation=dialogue.spoken,
                avoid=self._brief.avoid,
                length=length,
                language=self._options.language,
            )
            if not failed_checks(checks):
                self._checked += tuple(checks)
                return message
        self.note(checks=together((*self._checked, *checks)))
        return self.failed(checks)

    # ---- the answer, its rewrite and its judgement ----

    def _advise(self, dialogue: Dialogue, *, first: bool) -> Steps[str | Rejected]:
        """Answer under an injected passage, rewrite against the passages, check and judge."""
        turn = self._turn(dialogue, first=first)
        draft = yield from written(self._answer(dialogue))
        self.draft = draft
        if turn.rewriting:
            draft = yield from self._rewrite(turn, draft)
        ended = yield from reviewed(
            self,
            draft,
            review=partial(self._review, turn),
            revise=partial(self._revise, turn),
            revisions=self._options.max_revisions,
        )
        self._checked = self.evidence.checks
        return ended

    def _turn(self, dialogue: Dialogue, *, first: bool) -> Answering:
        """Return what one answer is held to; what was drawn is for the first alone."""
        rewriting = "rewrite" not in self._options.without
        shape = self._drawn[variety.SHAPE] if first else "as_it_goes"
        if not rewriting:
            shape = "as_it_came"
        return Answering(
            dialogue,
            rewriting=rewriting,
            length=variety.words(variety.SHAPE, shape),
            opening=variety.told(
                variety.OPENING, self._drawn[variety.OPENING] if first else "as_it_goes"
            ),
            shown={
                "passages": render_passages(self.passages),
                "conversation": dialogue.rendered(),
                "response_shape": variety.told(variety.SHAPE, shape),
            },
        )

    def _rewrite(self, turn: Answering, answer: str) -> Steps[str]:
        problems = problems_of(self._check_answer(turn, answer))
        return written(self._rewriting(turn, answer=fence(answer), problems=problems))

    def _review(self, turn: Answering, answer: str) -> Steps[Review]:
        """Check an answer; only one that passes every check is worth the judge."""
        checks = self._check_answer(turn, answer)
        self.note(
            checks=together((*self._checked, *checks)),
            quotes=quotes_of(answer, self.passages),
            verdict=None,
        )
        if failed_checks(checks) or "judge" in self._options.without:
            return Review.of_checks(checks)
        ask = self._ask("judge", "judge", answer=fence(answer), **turn.shown)
        verdict = yield from judged(ask, Verdict)
        self.note(verdict=verdict.model_dump())
        found = Review.of_verdict(verdict)
        if not verdict.believable_prompt:
            raise Unmendable(found)
        return found

    def _revise(self, turn: Answering, answer: str, found: Review) -> Steps[str]:
        """Mend an answer; where nothing is to be rewritten, sample another in its place."""
        if not turn.rewriting:
            return written(self._answer(turn.dialogue, sample=next(turn.samples)))
        ask = self._ask(
            "writer",
            "revise",
            answer=fence(answer),
            length=turn.length.about,
            problems=render_list(found.problems),
            **turn.shown,
        )
        return written(ask)

    def _rewriting(self, turn: Answering, *, answer: str, problems: str) -> Ask:
        return self._ask(
            "writer",
            "rewrite",
            answer=answer,
            answer_opening=turn.opening,
            length=turn.length.about,
            openings=self._common("openings"),
            problems=problems,
            **turn.shown,
        )

    def _answer(self, dialogue: Dialogue, *, sample: int = 0) -> Ask:
        """Ask for the answer, the passages in focus injected into the system prompt."""
        ask = replace(self._natural("answer", dialogue), sample=sample)
        if "inject" in self._options.without:
            return ask
        return replace(ask, system=self._injection(dialogue.system))

    def _check_answer(self, turn: Answering, answer: str) -> list[Check]:
        injected: tuple[str, ...] = ()
        if "inject" not in self._options.without:
            injected = (self._injection(""), render_passages(self._focus))
        return check_answer(
            answer,
            conversation=turn.dialogue.spoken,
            passages=self.passages,
            injected=injected,
            title=self.evidence.groundings[0].title,
            names=self._names,
            avoid=self._brief.avoid,
            length=turn.length,
            language=self._options.language,
            cite=self._options.cite,
            instructions=self._rewriting(turn, answer="", problems="").system,
        )
