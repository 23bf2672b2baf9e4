"""Difficult advice: the user has the dilemma, the assistant counsels."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from itertools import count as counting
from typing import Any

from pydantic import BaseModel

from whyset.datasets import Conversation, Message
from whyset.errors import GeneratorError
from whyset.retriever import ScoredPassage

from .._asking import Answer, AskFailed, ask_judge, ask_writer, with_fresh_sample
from .._brief import Axis, Brief, is_index, resolve_index
from .._generator import DocumentGenerator, Ideas
from .._mock import filler_text, language_filler_source, make_mock_reply, parse_requested_count
from .._names import draw_names
from .._prompts import PromptSet, fence
from .._rendering import render_history, render_list, render_passages
from .._result import Evidence, Finished, Rejected
from .._steps import Ask, Reply, Role, Steps, Turn
from .._variety import WordLimits, derive_seed
from .._work import Review, WorkState, extract_quotes, refine
from ..checks import Check, check_no_eval_scenario, failed_checks
from . import _variety as variety
from ._checks import check_answer, check_follow_up, check_prompt, merge_checks, problems_of
from ._schemas import (
    Domains,
    Options,
    Principles,
    PromptDraft,
    PromptTypes,
    Scenarios,
    Unmendable,
    Verdict,
)

# ---- The conversation as it grows: a system prompt, messages and answers.


@dataclass(frozen=True, slots=True)
class Dialogue:
    """What has been said so far.

    Attributes:
        system: The system prompt; empty where there is none.
        turns: Messages and answers, oldest first; the user begins.
    """

    system: str
    turns: tuple[Turn, ...] = ()

    @classmethod
    def of(cls, draft: PromptDraft) -> "Dialogue":
        """Begin with a system prompt and a message."""
        return cls(draft.system.strip()).asked(draft.user)

    def asked(self, message: str) -> "Dialogue":
        """Return it with a message of the user's at the end."""
        return replace(self, turns=(*self.turns, Turn("user", message)))

    def answered(self, answer: str) -> "Dialogue":
        """Return it with an answer at the end."""
        return replace(self, turns=(*self.turns, Turn("assistant", answer)))

    @property
    def last(self) -> str:
        """What was said last."""
        return self.turns[-1].text

    @property
    def spoken(self) -> str:
        """All that was said, for checks that allow what is in it."""
        return "\n\n".join(filter(None, (self.system, *(turn.text for turn in self.turns))))

    def rendered(self) -> str:
        """Return it as a model reads it that is to write about it, fenced as data."""
        said = [Message(turn.role, turn.text) for turn in self.turns]
        if self.system:
            said.insert(0, Message("system", self.system))
        return render_history(Conversation((*said, Message("assistant", "")), len(said)))

    def messages(self) -> list[dict[str, Any]]:
        """Return it as a record holds it, in the shape that OpenAI's API has."""
        said = [{"role": turn.role, "content": turn.text} for turn in self.turns]
        return [{"role": "system", "content": self.system}, *said] if self.system else said


@dataclass(frozen=True, slots=True)
class Answering:
    """What one answer is held to.

    Attributes:
        dialogue: What it answers.
        rewriting: Whether it is rewritten, or stays as it was sampled.
        length: How long it should be.
        opening: What it begins with, as the writer is told.
        shown: What every prompt about it shows.
        samples: Numbers for further answers to the same ask.
    """

    dialogue: Dialogue
    rewriting: bool
    length: WordLimits
    opening: str
    shown: Mapping[str, str]
    samples: Iterator[int] = field(default_factory=partial(counting, 1))


def render_prompt(draft: PromptDraft) -> str:
    """Return the beginning of a conversation as a writer reads it who is to change it."""
    return fence(f"[system]\n{draft.system.strip() or '(empty)'}\n\n[user]\n{draft.user}")


# ---- How the asks of one conversation are rendered: what was drawn for it, as writers are told
# it.

_ROOM: dict[Role, int] = {"writer": 6000, "judge": 4000}
"""For the answer itself, in tokens; models that reason before they answer spend from it too."""

_NAMES_OFFERED = 4
# 32 bits of a seed tell the samples of an ask apart well enough.
_SPARE_BITS = 20


class Asking(WorkState):
    """What the steps of one conversation have in hand. Good for one only."""

    def __init__(
        self, brief: Brief, options: Options, evidence: Evidence, prompts: PromptSet
    ) -> None:
        super().__init__(evidence, prompts)
        self._brief = brief
        self._options = options
        self._drawn = variety.draw_missing_axes(brief)
        self._focus: tuple[ScoredPassage, ...] = ()
        self._scenario = brief.idea
        self._checked: tuple[Check, ...] = ()

    @property
    def _run(self) -> dict[str, str]:
        return {"cite": self._options.cite, "language": self._options.language}

    def _ask(self, role: Role, name: str, **row: str) -> Ask:
        return self.render_ask(role, name, max_tokens=_ROOM[role], run=self._run, row=row)

    def _listed(
        self, name: str, schema: type[Answer], axis: str, row: dict[str, str]
    ) -> Steps[Answer]:
        count, _ = variety.LISTED[axis]
        run = {**self._run, "count": str(count)}
        ask = self.render_ask("writer", name, max_tokens=_ROOM["writer"], run=run, row=row)
        return ask_judge(ask, schema)

    def _fresh(self, ask: Ask) -> Ask:
        """Return an ask that gets an answer of its own, also where a brief is tried anew."""
        return with_fresh_sample(ask, _number(self._brief))

    def _choose(self, axis: str, listed: Sequence[str]) -> None:
        self._drawn[axis] = resolve_index(self._drawn[axis], listed)

    def _forget_numbers(self) -> None:
        """Leave open what nobody has looked up; a scenario that is there needs it no more."""
        self._drawn = {axis: held for axis, held in self._drawn.items() if not is_index(held)}

    def _settle(self) -> None:
        self.add_settings(variety=dict(self._drawn), idea=self._scenario)

    def _told(self, axis: str) -> str:
        return variety.describe_value(axis, self._drawn.get(axis, ""))

    def _common(self, kind: str) -> str:
        return fence(render_list(self._brief.avoid.get(kind, ())))

    def _words(self, axis: str) -> WordLimits:
        return variety.word_limits(axis, self._drawn[axis])

    @cached_property
    def _names(self) -> tuple[str, ...]:
        drawn = draw_names(_number(self._brief, self._scenario), _NAMES_OFFERED)
        return tuple(map(str, drawn))

    def _natural(self, step: str, dialogue: Dialogue) -> Ask:
        """Ask what the user asks, as the user: nothing but the conversation is said."""
        return Ask(
            "writer",
            f"advice/{step}",
            dialogue.system,
            dialogue.last,
            _ROOM["writer"],
            turns=dialogue.turns[:-1],
        )

    def _injection(self, system: str) -> str:
        """Return a system prompt with the passages in focus in it."""
        passages = "\n\n".join(scored.passage.plain for scored in self._focus)
        return self._ask("writer", "inject", system=system, passages=passages).user


def _number(brief: Brief, *more: str) -> int:
    """Return a number of the brief's own: another for each seed, draft and attempt."""
    return derive_seed(brief.seed, brief.draft, brief.attempt, *more) >> _SPARE_BITS


# ---- The steps of one conversation, in the order and by the names of the method.

_FOUND_FOCUS = 3
"""How many of the passages found by meaning stand for those that a plan would name."""


class DocumentSteps(Asking):
    """One conversation's way through the method. Good for one only."""

    def ideas(self, count: int) -> Steps[Ideas | Rejected]:
        """Return the steps of the idea stage: from the section to scenarios."""
        try:
            ended = yield from self._imagined(count)
        except AskFailed as unanswered:
            return self.reject_failed_ask(unanswered)
        if isinstance(ended, Rejected):
            return ended
        return Ideas(ended, self.evidence, dict(self._drawn))

    def document(self) -> Steps[Finished | Rejected]:
        """Return the steps of the whole; a brief that has a scenario goes on from there."""
        try:
            return (yield from self._document())
        except AskFailed as unanswered:
            return self.reject_failed_ask(unanswered)
        except Unmendable as found:
            return self.reject(*found.review.reasons, detail=str(found))

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
        return self.finish("written", {"messages": dialogue.messages()})

    # ---- from the section to a scenario ----

    def _imagined(self, count: int) -> Steps[tuple[str, ...] | Rejected]:
        if not (self._brief.passages or self._brief.about):
            return self.reject(
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
        if is_index(self._drawn[variety.PRINCIPLE]):
            row = {"passages": render_passages(self.passages)}
            listed = yield from self._listed("principles", Principles, variety.PRINCIPLE, row)
            self._choose(variety.PRINCIPLE, listed.principles)

    def _prompt_type(self) -> Steps[None]:
        """Settle on a kind of request; the list is the same ask for all of the principle."""
        if "prompt_types" in self._options.without:
            self._drawn.pop(variety.REQUEST, None)
        elif is_index(self._drawn[variety.REQUEST]):
            row = {"principle": fence(self._drawn[variety.PRINCIPLE])}
            listed = yield from self._listed("prompt_types", PromptTypes, variety.REQUEST, row)
            self._choose(variety.REQUEST, listed.prompt_types)

    def _domain(self) -> Steps[None]:
        """Settle on a part of life; the list is one ask for the whole run."""
        if is_index(self._drawn.get(variety.DOMAIN, "")):
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
        imagined = yield from ask_judge(self._fresh(ask), Scenarios)
        checks = [check_no_eval_scenario(scenario) for scenario in imagined.scenarios]
        sound = [
            scenario
            for scenario, check in zip(imagined.scenarios, checks, strict=True)
            if check.status != "failed"
        ]
        if not sound:
            return self.reject_failed_checks(failed_checks(checks)[:1])
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
        draft = yield from ask_judge(self._fresh(ask), PromptDraft)
        checks = self._check_prompt(draft)
        if "revise_prompt" not in self._options.without:
            answer = yield from ask_writer(self._natural("sample", Dialogue.of(draft)))
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
            draft = yield from ask_judge(ask, PromptDraft)
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
            draft = yield from ask_judge(ask, PromptDraft)
            checks = self._check_prompt(draft)
        return self.reject_failed_checks(checks) if failed_checks(checks) else draft

    def _prompt_row(self) -> dict[str, str]:
        """Return what every prompt about the prompt is told."""
        return {
            "scenario": fence(self._scenario),
            "system_kind": self._told("system"),
            "system_length": self._words("system").approximate,
            "length_kind": self._told("length"),
            "length": self._words("length").approximate,
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
        self.update_evidence(checks=merge_checks(checks))
        return checks

    def _follow_up(self, dialogue: Dialogue) -> Steps[str | Rejected]:
        """Write the user's next message, as the user."""
        length = variety.word_limits("length", "later")
        checks: list[Check] = []
        for attempt in range(self._options.max_revisions + 1):
            ask = self._ask(
                "writer",
                "follow_up",
                scenario=fence(self._scenario),
                tone=self._told("tone"),
                messiness=self._told("messiness"),
                length=length.approximate,
                conversation=dialogue.rendered(),
                openings=self._common("openings"),
                problems=problems_of(checks),
            )
            message = yield from ask_writer(replace(ask, sample=attempt))
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
        self.update_evidence(checks=merge_checks((*self._checked, *checks)))
        return self.reject_failed_checks(checks)

    # ---- the answer, its rewrite and its judgement ----

    def _advise(self, dialogue: Dialogue, *, first: bool) -> Steps[str | Rejected]:
        """Answer under an injected passage, rewrite against the passages, check and judge."""
        turn = self._turn(dialogue, first=first)
        draft = yield from ask_writer(self._answer(dialogue))
        self.draft = draft
        if turn.rewriting:
            draft = yield from self._rewrite(turn, draft)
        ended = yield from refine(
            self,
            draft,
            review=partial(self._review, turn),
            revise=partial(self._revise, turn),
            max_revisions=self._options.max_revisions,
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
            length=variety.word_limits(variety.SHAPE, shape),
            opening=variety.describe_value(
                variety.OPENING, self._drawn[variety.OPENING] if first else "as_it_goes"
            ),
            shown={
                "passages": render_passages(self.passages),
                "conversation": dialogue.rendered(),
                "response_shape": variety.describe_value(variety.SHAPE, shape),
            },
        )

    def _rewrite(self, turn: Answering, answer: str) -> Steps[str]:
        problems = problems_of(self._check_answer(turn, answer))
        return ask_writer(self._rewriting(turn, answer=fence(answer), problems=problems))

    def _review(self, turn: Answering, answer: str) -> Steps[Review]:
        """Check an answer; only one that passes every check is worth the judge."""
        checks = self._check_answer(turn, answer)
        self.update_evidence(
            checks=merge_checks((*self._checked, *checks)),
            quotes=extract_quotes(answer, self.passages),
            verdict=None,
        )
        if failed_checks(checks) or "judge" in self._options.without:
            return Review.from_checks(checks)
        ask = self._ask("judge", "judge", answer=fence(answer), **turn.shown)
        verdict = yield from ask_judge(ask, Verdict)
        self.update_evidence(verdict=verdict.model_dump())
        found = Review.from_verdict(verdict)
        if not verdict.believable_prompt:
            raise Unmendable(found)
        return found

    def _revise(self, turn: Answering, answer: str, found: Review) -> Steps[str]:
        """Mend an answer; where nothing is to be rewritten, sample another in its place."""
        if not turn.rewriting:
            return ask_writer(self._answer(turn.dialogue, sample=next(turn.samples)))
        ask = self._ask(
            "writer",
            "revise",
            answer=fence(answer),
            length=turn.length.approximate,
            problems=render_list(found.problems),
            **turn.shown,
        )
        return ask_writer(ask)

    def _rewriting(self, turn: Answering, *, answer: str, problems: str) -> Ask:
        return self._ask(
            "writer",
            "rewrite",
            answer=answer,
            answer_opening=turn.opening,
            length=turn.length.approximate,
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


# ---- What a typical reply to each step looks like, for walking the steps without a model.

# Of other words than the messages: what shares words with a principle gives it away.
_PRINCIPLE = "whoever relies upon another has reason for expecting candour because nobody checks"
_SAMPLED_WORDS = 320


def rehearsed_reply(ask: Ask, brief: Brief, *, language: str, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a conversation.

    Args:
        ask: The step's ask.
        brief: What the conversation is to be.
        language: The one asked for.
        at_stake: Whether texts are of the middle of the length they should have, or as short as
            they may be.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's.

    Raises:
        GeneratorError: The step is none of an advice's.
    """
    drawn = variety.draw_missing_axes(brief)

    def text(axis: str, value: str = "") -> str:
        length = variety.word_limits(axis, value or drawn[axis])
        count = length.midpoint if at_stake else length.target_min
        return filler_text(count, source=language_filler_source(language)) if count else ""

    def advice() -> str:
        later = variety.describe_value(variety.SHAPE, "as_it_goes") in ask.user
        return text(variety.SHAPE, "as_it_goes" if later else "")

    def prompt() -> BaseModel:
        return PromptDraft(system=text("system"), user=text("length"))

    answers: Mapping[str, Callable[[], str | BaseModel]] = {
        "principles": lambda: Principles(
            principles=[filler_text(30, source=_PRINCIPLE)] * variety.LISTED[variety.PRINCIPLE][0]
        ),
        "prompt_types": lambda: PromptTypes(
            prompt_types=[filler_text(14)] * variety.LISTED[variety.REQUEST][0]
        ),
        "domains": lambda: Domains(domains=[filler_text(4)] * variety.LISTED[variety.DOMAIN][0]),
        "scenario": lambda: Scenarios(scenarios=[filler_text(45)] * parse_requested_count(ask)),
        "prompt": prompt,
        "revise_prompt": prompt,
        "mend_prompt": prompt,
        "sample": lambda: filler_text(_SAMPLED_WORDS, source=language_filler_source(language)),
        "answer": lambda: filler_text(_SAMPLED_WORDS, source=language_filler_source(language)),
        "follow_up": lambda: text("length", "later"),
        "rewrite": advice,
        "revise": advice,
        "judge": Verdict.example,
    }
    step = ask.step.rsplit("/", 1)[-1]
    if step not in answers:
        raise GeneratorError(f"an advice has no step {step!r} to rehearse")
    said = answers[step]()
    return make_mock_reply(ask, said if isinstance(said, str) else said.model_dump_json())


_TOKENS_PER_WORD = 1.35


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
    text_column = "messages"

    options: Options

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The ways in which conversations differ; without prompt types there are none to draw."""
        left_out = {variety.REQUEST} if "prompt_types" in self.options.without else set()
        return tuple(axis for axis in variety.axes() if axis.name not in left_out)

    @property
    def typical_tokens(self) -> int:
        """About how long a conversation is, in tokens."""
        first = sum(map(variety.typical_words, ("system", "length", variety.SHAPE)))
        later = variety.word_limits("length", "later").midpoint
        later += variety.word_limits(variety.SHAPE, "as_it_goes").midpoint
        return round(_TOKENS_PER_WORD * (first + (self.options.turns - 1) * later))

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        """Return the steps from the section to scenarios."""
        return self._steps(brief).ideas(count)

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one conversation; a brief without a scenario gets one first."""
        return self._steps(item).document()

    def document_text(self, columns: Mapping[str, Any]) -> str:
        """Return the user's first message: by it conversations are told to be alike."""
        return next(str(said["content"]) for said in columns["messages"] if said["role"] == "user")

    def mock_reply(self, ask: Ask, item: Brief, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a conversation."""
        return rehearsed_reply(ask, item, language=self.options.language, at_stake=at_stake)

    def _steps(self, brief: Brief) -> DocumentSteps:
        return DocumentSteps(brief, self.options, self._evidence(brief), self.prompts)

    def _evidence(self, brief: Brief) -> Evidence:
        held = self.options
        return self.evidence(
            about=brief.about,
            language=held.language,
            turns=held.turns,
            cite=held.cite,
            without=list(held.without),
        )
