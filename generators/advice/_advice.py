"""Difficult advice: the user has the dilemma, the assistant counsels."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import count as counting
from typing import Any

from pydantic import BaseModel

from whyset.retriever import ScoredPassage

from .._asking import Answer, ItemRejected, ask_writer
from .._brief import Axis, Brief, is_index, resolve_index
from .._generator import DocumentGenerator, Ideas
from .._mock import filler_text, language_filler_source, parse_requested_count
from .._names import draw_names
from .._prompts import fence
from .._rendering import render_list, render_passages
from .._result import Finished, Rejected
from .._steps import Ask, Role, Steps
from .._variety import WordLimits, derive_seed
from .._work import Review, WorkState, extract_quotes
from ..checks import Check, check_no_eval_scenario, failed_checks
from . import _variety as variety
from ._checks import check_answer, check_follow_up, check_prompt, merge_checks, problems_of
from ._dialogue import Dialogue, render_prompt
from ._schemas import (
    Domains,
    Options,
    Principles,
    PromptDraft,
    PromptTypes,
    Scenarios,
    Verdict,
)

_MAX_TOKENS: dict[Role, int] = {"writer": 6000, "judge": 4000}
"""For the answer itself, in tokens; models that reason before they answer spend from it too."""

_NAMES_OFFERED = 4
_FOUND_FOCUS = 3
"""How many of the passages found by meaning stand for those that a plan would name."""

# 32 bits of a seed tell the samples of an ask apart well enough.
_SPARE_BITS = 20
_TOKENS_PER_WORD = 1.35

# What typical answers have. The principle is in other words than the messages: what shares words
# with a principle gives it away.
_PRINCIPLE = "whoever relies upon another has reason for expecting candour because nobody checks"
_SAMPLED_WORDS = 320


class Advice(DocumentGenerator):
    """Writes conversations in which a user has a hard choice and the assistant counsels.

    The method is the difficult advice of "Teaching Claude Why" (Anthropic, 2026): scenarios are
    led from the constitution's sections over principles and kinds of requests to prompts, the
    prompt is revised after a sampled answer, and the answer, sampled under an injected passage
    that is taken away again, is rewritten against the passages. What a plan draws keeps the
    defects of published corpora out: ten domains for half of all cases, one shape for most
    answers.
    """

    name = "advice"
    version = "1"
    summary = "conversations in which the user has a hard choice"
    outcomes = {"written": "a conversation that passed every check and the judge"}
    options_class = Options
    verdicts = (Verdict,)
    recorded_options = ("language", "turns", "cite", "without")
    text_column = "messages"

    options: Options

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The ways in which conversations differ; without prompt types there are none to draw."""
        omitted = {variety.REQUEST} if "prompt_types" in self.options.without else set()
        return tuple(axis for axis in variety.axes() if axis.name not in omitted)

    @property
    def typical_tokens(self) -> int:
        """About how long a conversation is, in tokens."""
        first = sum(map(variety.typical_words, ("system", "length", variety.SHAPE)))
        later = variety.word_limits("length", "later").midpoint
        later += variety.word_limits(variety.SHAPE, "as_it_goes").midpoint
        return round(_TOKENS_PER_WORD * (first + (self.options.turns - 1) * later))

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        """Return the steps from the section to scenarios."""
        advice = self._begin(brief)
        return advice.work.conclude(advice.ideas(count))

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one conversation; a brief without a scenario gets one first."""
        advice = self._begin(item)
        return advice.work.conclude(advice.steps())

    def document_text(self, columns: Mapping[str, Any]) -> str:
        """Return the user's first message: near-duplicates are found by it."""
        return next(str(said["content"]) for said in columns["messages"] if said["role"] == "user")

    def typical_answer(self, ask: Ask, item: Brief, *, at_stake: bool) -> str | BaseModel:
        """Return a typical answer; its texts are as short as they may be if nothing is at stake."""
        drawn = variety.draw_missing_axes(item)
        source = language_filler_source(self.options.language)

        def text(axis: str, value: str = "") -> str:
            limits = variety.word_limits(axis, value or drawn[axis])
            count = limits.midpoint if at_stake else limits.target_min
            return filler_text(count, source=source) if count else ""

        match ask.name:
            case "principles":
                count, _ = variety.LISTED[variety.PRINCIPLE]
                return Principles(principles=[filler_text(30, source=_PRINCIPLE)] * count)
            case "prompt_types":
                count, _ = variety.LISTED[variety.REQUEST]
                return PromptTypes(prompt_types=[filler_text(14)] * count)
            case "domains":
                count, _ = variety.LISTED[variety.DOMAIN]
                return Domains(domains=[filler_text(4)] * count)
            case "scenario":
                return Scenarios(scenarios=[filler_text(45)] * parse_requested_count(ask))
            case "prompt" | "revise_prompt" | "mend_prompt":
                return PromptDraft(system=text("system"), user=text("length"))
            case "sample" | "answer":
                return filler_text(_SAMPLED_WORDS, source=source)
            case "follow_up":
                return text("length", "later")
            case "rewrite" | "revise":
                later = variety.describe_value(variety.SHAPE, "as_it_goes") in ask.user
                return text(variety.SHAPE, "as_it_goes" if later else "")
            case _:
                return super().typical_answer(ask, item, at_stake=at_stake)

    def _begin(self, brief: Brief) -> "_Advice":
        drawn = variety.draw_missing_axes(brief)
        work = self.begin(
            run={"cite": self.options.cite, "language": self.options.language},
            max_tokens=_MAX_TOKENS,
            about=brief.about,
        )
        return _Advice(brief, drawn, self.options, work)


# ---- The steps of one conversation, by the names of the method. ----


@dataclass(frozen=True, slots=True)
class _Turn:
    """One answer, before it is written.

    Attributes:
        dialogue: What it answers.
        rewritten: Whether it is rewritten, or stays as it was sampled.
        length: How long it should be.
        opening: What it begins with, in words for the writer.
        shown: What every prompt about it shows.
        samples: Numbers for further answers to the same ask.
    """

    dialogue: Dialogue
    rewritten: bool
    length: WordLimits
    opening: str
    shown: Mapping[str, str]
    samples: Iterator[int] = field(default_factory=partial(counting, 1))


class _Advice:
    """One conversation's way.

    principle → prompt type → domain → scenario → prompt → sample → revise prompt → answer → rewrite
    → check → judge → revise, and again for each further message.
    """

    def __init__(
        self, brief: Brief, drawn: dict[str, str], options: Options, work: WorkState
    ) -> None:
        self.work = work
        self._brief = brief
        self._drawn = drawn
        self._options = options
        self._focus: tuple[ScoredPassage, ...] = ()
        self._scenario = brief.idea
        self._checks: tuple[Check, ...] = ()

    def ideas(self, count: int) -> Steps[Ideas]:
        scenarios = yield from self._imagine(count)
        return Ideas(scenarios, self.work.evidence, dict(self._drawn))

    def steps(self) -> Steps[Finished]:
        if self._scenario:
            yield from self._gather()
            yield from self._choose_principle()
            # A scenario that is there needs no request or domain; what is still a number stays
            # open.
            self._drawn = {axis: v for axis, v in self._drawn.items() if not is_index(v)}
        else:
            (self._scenario,) = yield from self._imagine(1)
        self._record()
        yield from self.work.find((self._scenario,), k=self._options.k)
        dialogue = Dialogue.begin((yield from self._write_prompt()))
        for number in range(self._options.turns):
            if number:
                dialogue = dialogue.ask((yield from self._follow_up(dialogue)))
            answer = yield from self._advise(self._begin_turn(dialogue, first=not number))
            dialogue = dialogue.answer(answer)
        return self.work.finish("written", {"messages": dialogue.messages()})

    # ---- passages → principle → prompt type → domain → scenario ----

    def _imagine(self, count: int) -> Steps[tuple[str, ...]]:
        if not (self._brief.passages or self._brief.about):
            raise ItemRejected(
                "no_subject", detail="the brief names neither passages nor what it is about"
            )
        yield from self._gather()
        yield from self._choose_principle()
        yield from self._choose_prompt_type()
        yield from self._choose_domain()
        self._record()
        return (yield from self._write_scenarios(count))

    def _gather(self) -> Steps[None]:
        """Gather what the conversation is about: the passages in focus, then their section."""
        brief = self._brief
        if brief.passages:
            found = yield from self.work.fetch(brief.passages, scope="section")
            self._focus = found.passages[: len(set(brief.passages))]
        else:
            subject = brief.about or brief.idea
            found = yield from self.work.find((subject,), k=self._options.k)
            self._focus = found.passages[:_FOUND_FOCUS]

    def _choose_principle(self) -> Steps[None]:
        """Settle on one principle; the list is the same ask for all briefs about the passages."""
        if is_index(self._drawn[variety.PRINCIPLE]):
            listed = yield from self._list("principles", Principles, variety.PRINCIPLE, {})
            self._choose(variety.PRINCIPLE, listed.principles)

    def _choose_prompt_type(self) -> Steps[None]:
        """Settle on a kind of request; the list is the same ask for all of the principle."""
        if "prompt_types" in self.work.without:
            self._drawn.pop(variety.REQUEST, None)
        elif is_index(self._drawn[variety.REQUEST]):
            values = {"principle": fence(self._drawn[variety.PRINCIPLE])}
            listed = yield from self._list("prompt_types", PromptTypes, variety.REQUEST, values)
            self._choose(variety.REQUEST, listed.prompt_types)

    def _choose_domain(self) -> Steps[None]:
        """Settle on a part of life; the list is one ask for the whole run."""
        if is_index(self._drawn.get(variety.DOMAIN, "")):
            listed = yield from self._list("domains", Domains, variety.DOMAIN, {})
            self._choose(variety.DOMAIN, listed.domains)

    def _list(
        self, name: str, schema: type[Answer], axis: str, values: Mapping[str, str]
    ) -> Steps[Answer]:
        count, _ = variety.LISTED[axis]
        return self.work.ask_judge(name, schema, values, role="writer", run={"count": str(count)})

    def _choose(self, axis: str, listed: Sequence[str]) -> None:
        self._drawn[axis] = resolve_index(self._drawn[axis], listed)

    def _write_scenarios(self, count: int) -> Steps[tuple[str, ...]]:
        # What was drawn is not to be avoided as well, however common: quotas see to it.
        avoid = [
            f"{kind}: {common}"
            for kind, values in self._brief.avoid.items()
            if kind not in {"names", "openings", *self._drawn}
            for common in values
        ]
        listed = yield from self.work.ask_judge(
            "scenario",
            Scenarios,
            {
                "principle": fence(self._drawn[variety.PRINCIPLE]),
                "request": fence(self._describe(variety.REQUEST)),
                "domain": fence(self._describe(variety.DOMAIN)),
                "stakes": self._describe("stakes"),
                "response_shape": self._describe(variety.SHAPE),
                "avoid": fence(render_list(avoid)),
                "count": str(count),
            },
            role="writer",
            sample=self._sample,
        )
        checks = {scenario: check_no_eval_scenario(scenario) for scenario in listed.scenarios}
        sound = [scenario for scenario in listed.scenarios if checks[scenario].status != "failed"]
        if not sound:
            self.work.require(failed_checks(checks.values())[:1])
        return tuple(sound[:count])

    # ---- prompt: the system prompt and the user's message ----

    def _write_prompt(self) -> Steps[PromptDraft]:
        """Write the prompt, revise it after a sampled answer, and mend what checks find."""
        tone = {"tone": self._describe("tone"), "messiness": self._describe("messiness")}
        values = {
            "names": ", ".join(self._names),
            "openings": self._overused("openings"),
            "worn_names": self._overused("names"),
            **tone,
        }
        draft = yield from self._ask_prompt("prompt", values, sample=self._sample)
        checks = self._check_prompt(draft)
        if "revise_prompt" not in self.work.without:
            sampled = yield from ask_writer(self._render_turn("sample", Dialogue.begin(draft)))
            values = {
                "principle": fence(self._drawn[variety.PRINCIPLE]),
                "prompt": render_prompt(draft),
                "answer": fence(sampled),
                "problems": problems_of(checks),
                **tone,
            }
            draft = yield from self._ask_prompt("revise_prompt", values)
            checks = self._check_prompt(draft)
        for _ in range(self._options.max_revisions):
            if not failed_checks(checks):
                break
            values = {"prompt": render_prompt(draft), "problems": problems_of(checks)}
            draft = yield from self._ask_prompt("mend_prompt", values)
            checks = self._check_prompt(draft)
        self.work.require(checks)
        return draft

    def _ask_prompt(
        self, name: str, values: Mapping[str, str], *, sample: int = 0
    ) -> Steps[PromptDraft]:
        shown = {
            "scenario": fence(self._scenario),
            "system_kind": self._describe("system"),
            "system_length": self._word_limits("system").approximate,
            "length_kind": self._describe("length"),
            "length": self._word_limits("length").approximate,
        }
        return self.work.ask_judge(
            name, PromptDraft, {**shown, **values}, role="writer", sample=sample
        )

    def _check_prompt(self, draft: PromptDraft) -> list[Check]:
        self.work.draft = draft.user
        checks = check_prompt(
            draft,
            principle=self._drawn[variety.PRINCIPLE],
            passages=self.work.passages,
            names=self._names,
            length=self._word_limits("length"),
            system_length=self._word_limits("system"),
            avoid=self._brief.avoid,
            language=self._options.language,
        )
        self._checks = tuple(checks)
        self.work.update_evidence(checks=merge_checks(checks))
        return checks

    def _follow_up(self, dialogue: Dialogue) -> Steps[str]:
        """Write the user's next message, as the user."""
        length = variety.word_limits("length", "later")
        checks: list[Check] = []
        for attempt in range(self._options.max_revisions + 1):
            values = {
                "scenario": fence(self._scenario),
                "tone": self._describe("tone"),
                "messiness": self._describe("messiness"),
                "length": length.approximate,
                "conversation": dialogue.render(),
                "openings": self._overused("openings"),
                "problems": problems_of(checks),
            }
            message = yield from self.work.ask_writer("follow_up", values, sample=attempt)
            self.work.draft = message
            checks = check_follow_up(
                message,
                conversation=dialogue.spoken,
                avoid=self._brief.avoid,
                length=length,
                language=self._options.language,
            )
            if not failed_checks(checks):
                self._checks += tuple(checks)
                return message
        self.work.update_evidence(checks=merge_checks((*self._checks, *checks)))
        raise Review.from_checks(checks).rejection

    # ---- answer → rewrite → check → judge → revise ----

    def _begin_turn(self, dialogue: Dialogue, *, first: bool) -> _Turn:
        """Return what one answer is to be; what was drawn is for the first alone."""
        rewritten = "rewrite" not in self.work.without
        shape = self._drawn[variety.SHAPE] if first else "as_it_goes"
        if not rewritten:
            shape = "as_it_came"
        opening = self._drawn[variety.OPENING] if first else "as_it_goes"
        return _Turn(
            dialogue,
            rewritten=rewritten,
            length=variety.word_limits(variety.SHAPE, shape),
            opening=variety.describe_value(variety.OPENING, opening),
            shown={
                "passages": render_passages(self.work.passages),
                "conversation": dialogue.render(),
                "response_shape": variety.describe_value(variety.SHAPE, shape),
            },
        )

    def _advise(self, turn: _Turn) -> Steps[str]:
        """Answer under injected passages, rewrite against the passages, check and judge."""
        draft = yield from ask_writer(self._render_answer(turn.dialogue))
        self.work.draft = draft
        if turn.rewritten:
            draft = yield from self._rewrite(turn, draft)
        answer = yield from self.work.refine(
            draft,
            review=partial(self._review, turn),
            revise=partial(self._revise, turn),
            max_revisions=self._options.max_revisions,
        )
        self._checks = self.work.evidence.checks
        return answer

    def _render_answer(self, dialogue: Dialogue, *, sample: int = 0) -> Ask:
        """Render the conversation itself, the passages in focus injected into its system prompt."""
        ask = replace(self._render_turn("answer", dialogue), sample=sample)
        if "inject" in self.work.without:
            return ask
        return replace(ask, system=self._inject(dialogue.system))

    def _inject(self, system: str) -> str:
        passages = "\n\n".join(scored.passage.plain for scored in self._focus)
        return self.work.render_text("inject", {"system": system, "passages": passages})

    def _rewrite(self, turn: _Turn, answer: str) -> Steps[str]:
        problems = problems_of(self._check_answer(turn, answer))
        return self.work.ask_writer(
            "rewrite",
            {
                "answer": fence(answer),
                "answer_opening": turn.opening,
                "length": turn.length.approximate,
                "openings": self._overused("openings"),
                "problems": problems,
                **turn.shown,
            },
        )

    def _review(self, turn: _Turn, answer: str) -> Steps[Review]:
        """Check an answer; only one that passes every check is worth the judge."""
        work = self.work
        checks = self._check_answer(turn, answer)
        work.update_evidence(
            checks=merge_checks((*self._checks, *checks)),
            quotes=extract_quotes(answer, work.passages),
            verdict=None,
        )
        failed = Review.from_checks(checks)
        if failed.reasons or "judge" in work.without:
            return failed
        verdict = yield from work.ask_judge(
            "judge", Verdict, {"answer": fence(answer), **turn.shown}
        )
        work.update_evidence(verdict=verdict.model_dump())
        review = Review.from_verdict(verdict)
        if not verdict.believable_prompt:
            # No other answer could mend that.
            raise review.rejection
        return review

    def _revise(self, turn: _Turn, answer: str, review: Review) -> Steps[str]:
        """Mend an answer; where nothing is to be rewritten, sample another in its place."""
        if not turn.rewritten:
            return ask_writer(self._render_answer(turn.dialogue, sample=next(turn.samples)))
        return self.work.ask_writer(
            "revise",
            {
                "answer": fence(answer),
                "length": turn.length.approximate,
                "problems": render_list(review.problems),
                **turn.shown,
            },
        )

    def _check_answer(self, turn: _Turn, answer: str) -> list[Check]:
        injected: tuple[str, ...] = ()
        if "inject" not in self.work.without:
            injected = (self._inject(""), render_passages(self._focus))
        return check_answer(
            answer,
            conversation=turn.dialogue.spoken,
            passages=self.work.passages,
            injected=injected,
            title=self.work.title,
            names=self._names,
            avoid=self._brief.avoid,
            length=turn.length,
            language=self._options.language,
            cite=self._options.cite,
            instructions=self.work.instructions("rewrite"),
        )

    # ---- what the steps share ----

    def _render_turn(self, name: str, dialogue: Dialogue) -> Ask:
        """Ask what the user asks, as the user: nothing but the conversation is said."""
        return Ask(
            "writer",
            f"advice/{name}",
            dialogue.system,
            dialogue.last,
            self.work.max_tokens["writer"],
            turns=dialogue.turns[:-1],
        )

    @property
    def _sample(self) -> int:
        """The sample of an ask that gets an answer of its own, also where a brief is tried anew."""
        return 2 * _number(self._brief)

    def _describe(self, axis: str) -> str:
        return variety.describe_value(axis, self._drawn.get(axis, ""))

    def _word_limits(self, axis: str) -> WordLimits:
        return variety.word_limits(axis, self._drawn[axis])

    def _overused(self, kind: str) -> str:
        return fence(render_list(self._brief.avoid.get(kind, ())))

    @cached_property
    def _names(self) -> tuple[str, ...]:
        drawn = draw_names(_number(self._brief, self._scenario), _NAMES_OFFERED)
        return tuple(map(str, drawn))

    def _record(self) -> None:
        self.work.add_settings(variety=dict(self._drawn), idea=self._scenario)


def _number(brief: Brief, *more: str) -> int:
    """Return a number of the brief's own: another for each seed, draft and attempt."""
    return derive_seed(brief.seed, brief.draft, brief.attempt, *more) >> _SPARE_BITS
