"""Stories of fictional AIs that act admirably, told from inside."""

import re
from collections.abc import Mapping
from dataclasses import replace

from whyset.errors import GeneratorError

from .._asking import AskFailed, ask_judge, ask_model, ask_writer, is_usable_text, with_fresh_sample
from .._brief import Axis, Brief, resolve_index
from .._generator import DocumentGenerator, Ideas
from .._mock import filler_text, language_filler_source, make_mock_reply, parse_requested_count
from .._prompts import PromptSet, fence
from .._rendering import render_list, render_overused, render_passages, render_subject
from .._result import Evidence, Finished, Rejected
from .._steps import Ask, Reply, Role, Steps
from .._variety import render_name_pool
from .._work import Review, WorkState, judge_draft, refine
from ._checks import Rules
from ._schemas import Dilemmas, Findings, Opening, Options, Premises, Step, Verdict
from ._variety import (
    DILEMMAS,
    assign_axes,
    axes,
    has_numbered_dilemma,
    name_seed,
    typical_words,
    validate_subject,
)

# ---- Stories that a base model goes on with: what it is given, and where its text ends.

_PARAGRAPH = "\n\n"
# What the anthology puts behind each story; what comes after it is the next one.
_END = re.compile(r"^[ \t*_]*the end[ \t\r.!*_]*$", re.IGNORECASE | re.MULTILINE)


def ask_continuation(ask: Ask) -> Steps[str]:
    """Ask for what comes behind an opening; return it up to the end of the story.

    A base model often does not stop where the story does. A text that was cut off is taken all
    the same where the story's end stands in it: what was cut off is the next one. It is not asked
    for again with more room: another continuation is as good and costs less.

    Args:
        ask: Its text ends with a paragraph; what comes back begins with one.

    Raises:
        Unanswered: There is no complete story in the answer.
    """
    reply = yield from ask_model(ask)
    end = _END.search(reply.text)
    text = (reply.text[: end.start()] if end else reply.text).strip()
    if reply.stop_reason not in ("complete", "truncated"):
        reason = "refused" if reply.stop_reason == "refused" else "unusable_reply"
        raise AskFailed(reason, f"{ask.step}: {reply.detail or reply.stop_reason}")
    if reply.stop_reason == "truncated" and not end:
        raise AskFailed("truncated", f"{ask.step}: no end of the story within its room")
    if not is_usable_text(text):
        raise AskFailed("unusable_reply", f"{ask.step}: an empty continuation")
    return text


def join_continuation(beginning: str, continuation: str) -> str:
    """Return a story of its beginning and what comes behind it."""
    return beginning.strip() + _PARAGRAPH + continuation.strip()


def end_paragraph(text: str) -> str:
    """Return a text such that what comes next is a new paragraph."""
    return text.rstrip() + _PARAGRAPH


# ---- The steps of one story, in the order of the method.

# In tokens. Models that reason before they answer spend from it too.
_JUDGE_ROOM = 4000
_LIST_ROOM = 6000
_TEXT_ROOM = 6000
_MAX_TOKENS_PER_WORD = 2


class DocumentSteps(WorkState):
    """One story's way through the method. Good for one only."""

    def __init__(
        self, brief: Brief, options: Options, evidence: Evidence, prompts: PromptSet
    ) -> None:
        super().__init__(evidence, prompts)
        self._brief = brief
        self._options = options
        self._assignment = assign_axes(brief)
        self._premise = brief.idea.strip()
        self._rules: Rules
        # A base model writes stories and nothing else.
        self._author: Role = "judge" if options.base else "writer"

    def ideas(self, count: int) -> Steps[Ideas | Rejected]:
        """Return the steps of the idea stage, which ends in premises."""
        try:
            yield from self._gather()
            yield from self._dilemma()
            premises = yield from self._premises(count)
        except AskFailed as unanswered:
            return self.reject_failed_ask(unanswered)
        if isinstance(premises, Rejected):
            return premises
        self._settle()
        return Ideas(premises, self.evidence, self._assignment.variety)

    def document(self) -> Steps[Finished | Rejected]:
        """Return the steps of a story; where its brief has no premise, one is had first."""
        try:
            yield from self._gather()
            yield from self._dilemma()
            if not self._premise:
                premises = yield from self._premises(1)
                if isinstance(premises, Rejected):
                    return premises
                (self._premise,) = premises
            self._settle()
            self._rules = self._draw_up_rules()
            if self._options.base:
                ended = yield from self._continue()
            else:
                ended = yield from self._write()
        except AskFailed as unanswered:
            return self.reject_failed_ask(unanswered)
        if isinstance(ended, Rejected):
            return ended
        return self.finish("written", {"text": ended})

    # ---- dilemma → premise

    def _gather(self) -> Steps[None]:
        """Gather the passages: those of the brief with their sections, or those on its subject."""
        if self._brief.passages:
            yield from self.fetch(self._brief.passages, scope="section")
        else:
            subject = self._brief.about.strip() or self._brief.idea
            yield from self.find((subject,), k=self._options.k)

    def _dilemma(self) -> Steps[None]:
        """Find out what a dilemma drawn by number stands for.

        The ask is the same for every story of the same passages, so it is paid once.
        """
        if not has_numbered_dilemma(self._assignment):
            return
        ask = self.render_ask(
            self._author,
            "dilemmas",
            run={"count": str(DILEMMAS), "language": self._options.language},
            row={"passages": render_passages(self.passages)},
            max_tokens=_LIST_ROOM,
        )
        listed = yield from ask_judge(ask, Dilemmas)
        dilemma = resolve_index(self._assignment.dilemma, listed.dilemmas)
        self._assignment = self._assignment.with_dilemma(dilemma)

    def _premises(self, count: int) -> Steps[tuple[str, ...] | Rejected]:
        """Ask for premises; those that could only become a story which fails are left out."""
        people = self._names(self._options.names * count)
        ask = self._ask(self._author, "premise", _LIST_ROOM, count=str(count), people=people)
        listed = yield from ask_judge(with_fresh_sample(ask, self._brief.attempt), Premises)
        rules = self._draw_up_rules()
        faults = {
            premise: Review.from_checks(rules.check_premise(premise)) for premise in listed.premises
        }
        sound = [premise for premise, found in faults.items() if not found.reasons]
        if not sound:
            self._settle()
            self.draft = listed.premises[0]
            first = faults[listed.premises[0]]
            return self.reject(*first.reasons, detail="; ".join(first.problems))
        return tuple(sound[:count])

    # ---- draft → review → rewrite → judge

    def _write(self) -> Steps[str | Rejected]:
        draft = yield from self._draft()
        findings = yield from self._review(draft)
        draft = yield from self._rewrite(draft, findings)
        return (
            yield from refine(
                self,
                draft,
                review=self._judge,
                revise=self._mend,
                max_revisions=0 if self._without("rewrite") else self._options.max_revisions,
            )
        )

    def _draft(self) -> Steps[str]:
        ask = self._ask("writer", "draft", self._text_room, premise=fence(self._premise))
        return ask_writer(replace(ask, sample=self._brief.attempt))

    def _review(self, draft: str) -> Steps[Findings]:
        """Have a fresh reader, who knows nothing of premise and instructions, list problems.

        Where nobody would mend them, nobody is asked for them.
        """
        self.draft = draft
        if self._without("review") or self._without("rewrite"):
            return Findings(problems=[])
        findings = yield from ask_judge(
            self._ask("judge", "review", _JUDGE_ROOM, story=fence(draft)), Findings
        )
        self.update_evidence(appraisal=findings.model_dump())
        return findings

    def _rewrite(self, draft: str, findings: Findings) -> Steps[str]:
        """Mend what the reader found, and in the same go what the checks find."""
        if self._without("rewrite") or not findings.problems:
            return draft
        failed = Review.from_checks(self._rules.check(draft))
        return (yield from self._mend(draft, failed.prepend_problems(findings.problems)))

    def _judge(self, story: str) -> Steps[Review]:
        """Check a story; only one that passes every check is worth the judge."""
        self.draft = story
        checks = self._rules.check(story)
        self.update_evidence(checks=tuple(checks), verdict=None)
        failed = Review.from_checks(checks)
        if failed.reasons or self._without("judge"):
            return failed
        ask = self._ask("judge", "judge", _JUDGE_ROOM, story=fence(story))
        return (yield from judge_draft(self, ask, Verdict))

    def _mend(self, story: str, found: Review) -> Steps[str]:
        problems = render_list(found.problems)
        return ask_writer(
            self._ask("writer", "rewrite", self._text_room, story=fence(story), problems=problems)
        )

    # ---- with a base model: opening → continuations, filtered by the checks and the judge

    def _continue(self) -> Steps[str | Rejected]:
        """Sample continuations of an opening until one passes; nobody rewrites them.

        That they read as people write is what a base model is asked for.
        """
        opening = yield from self._open()
        if isinstance(opening, Rejected):
            return opening
        self.add_settings(opening=opening.model_dump())
        found = Review()
        faults: list[str] = []
        for sample in range(self._options.continuations):
            try:
                text = yield from ask_continuation(self._continuation(opening, sample))
            except AskFailed as unanswered:
                found = Review((unanswered.reason,), (str(unanswered),))
            else:
                story = join_continuation(opening.beginning, text)
                found = yield from self._judge(story)
                if not found.reasons:
                    self.add_settings(continuation=sample + 1)
                    return story
            faults.append(f"continuation {sample + 1}: {'; '.join(found.problems)}")
        return self.reject(*found.reasons, detail=" | ".join(faults))

    def _open(self) -> Steps[Opening | Rejected]:
        """Ask for an opening; once more where no continuation could mend what is wrong with it."""
        ask = self._ask("judge", "opening", _LIST_ROOM, premise=fence(self._premise))
        found = Review()
        for time in range(2):
            opening = yield from ask_judge(
                with_fresh_sample(ask, 2 * self._brief.attempt + time), Opening
            )
            self.draft = opening.beginning
            checks = self._rules.check_part(opening.beginning)
            self.update_evidence(checks=tuple(checks))
            found = Review.from_checks(checks)
            if not found.reasons:
                return opening
        return self.reject(*found.reasons, detail="; ".join(found.problems))

    def _continuation(self, opening: Opening, sample: int) -> Ask:
        ask = self.render_ask(
            "writer", "continue", row=opening.model_dump(), max_tokens=self._story_tokens
        )
        sample += self._brief.attempt * self._options.continuations
        return replace(ask, user=end_paragraph(ask.user), is_completion=True, sample=sample)

    # ---- what the steps share

    def _ask(self, role: Role, name: str, room: int, **values: str) -> Ask:
        return self.render_ask(
            role, name, run=self._run, row={**self._row, **values}, max_tokens=room
        )

    @property
    def _run(self) -> Mapping[str, str]:
        return {"language": self._options.language, "names": str(self._options.names)}

    @property
    def _row(self) -> Mapping[str, str]:
        return {
            "passages": render_passages(self.passages),
            "about": render_subject(self._brief),
            "dilemma": fence(self._assignment.dilemma),
            "assignment": fence(str(self._assignment)),
            "people": self._names(self._options.names),
            "avoid": render_overused(self._brief),
            "length": str(self._assignment.bounds),
        }

    def _draw_up_rules(self) -> Rules:
        told = ("opening", "continue") if self._options.base else ("draft",)
        row = {**self._row, **dict.fromkeys(("premise", *Opening.model_fields), "")}
        instructions = "\n".join(self._prompts[name].render(self._run, row)[0] for name in told)
        return Rules(
            self._assignment.bounds,
            self._options,
            title=self.evidence.groundings[0].title,
            passages=self.passages,
            names=f"{self._names(self._options.names)}\n{self._premise}",
            about=self._brief.about,
            avoid=self._brief.avoid,
            instructions=instructions,
        )

    def _names(self, count: int) -> str:
        """Return names on offer: others for every story."""
        used = frozenset(self._brief.avoid.get("names", ()))
        return render_name_pool(name_seed(self._brief, self._premise), count, used)

    @property
    def _story_tokens(self) -> int:
        return _MAX_TOKENS_PER_WORD * self._assignment.bounds.max_words

    @property
    def _text_room(self) -> int:
        return _TEXT_ROOM + self._story_tokens

    def _without(self, step: Step) -> bool:
        return step in self._options.without

    def _settle(self) -> None:
        premise = {"idea": self._premise} if self._premise else {}
        self.add_settings(variety=dict(self._assignment.variety), **premise)


# ---- What a typical reply to each step looks like, for walking the steps without a model.

_DILEMMA_WORDS = 45
_PREMISE_WORDS = 120
_PROBLEMS = 4
_PROBLEM_WORDS = 40
_HEADNOTE_WORDS = 85
_BEGINNING_WORDS = 135


def rehearsed_reply(ask: Ask, brief: Brief, *, language: str, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a story.

    Args:
        ask: The step's ask.
        brief: What the story is to be.
        language: The one asked for.
        at_stake: Whether the reader finds something to mend, so that the story is rewritten.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's.

    Raises:
        GeneratorError: The step is none of a story's.
    """
    source = language_filler_source(language)
    words = assign_axes(brief).bounds.midpoint
    match ask.step.rsplit("/", 1)[-1]:
        case "dilemmas":
            # One word more each, since what is said twice counts once.
            said = [filler_text(_DILEMMA_WORDS + more, source=source) for more in range(DILEMMAS)]
            text = Dilemmas(dilemmas=said).model_dump_json()
        case "premise":
            said = [
                filler_text(_PREMISE_WORDS + more, source=source)
                for more in range(parse_requested_count(ask))
            ]
            text = Premises(premises=said).model_dump_json()
        case "draft" | "rewrite":
            text = filler_text(words, source=source)
        case "review":
            problems = [filler_text(_PROBLEM_WORDS)] * _PROBLEMS if at_stake else []
            text = Findings(problems=problems).model_dump_json()
        case "judge":
            text = Verdict.example().model_dump_json()
        case "opening":
            text = Opening(
                title=filler_text(4, source=source),
                headnote=filler_text(_HEADNOTE_WORDS, source=source),
                beginning=filler_text(_BEGINNING_WORDS, source=source),
            ).model_dump_json()
        case "continue":
            text = filler_text(max(words - _BEGINNING_WORDS, 1), source=source)
        case other:
            raise GeneratorError(f"a story has no step {other!r} to rehearse")
    return make_mock_reply(ask, text)


_TOKENS_PER_WORD = 1.35


class Story(DocumentGenerator):
    """Writes short stories in which an AI that does not exist comes through a hard choice.

    The method is that of the stories of "Teaching Claude Why" (Anthropic, 2026): the decision and
    the inner state are narrated, boundaries, self-criticism and equanimity included. Scene,
    character, dilemma and register are drawn, not asked for. With the option `base`, the writer
    goes on with an opening instead of following instructions.
    """

    name = "story"
    version = "1"
    summary = "stories of fictional AIs, told from within"
    outcomes = {"written": "a story that passed every check and the judge"}
    options_class = Options
    verdicts = (Verdict,)

    options: Options

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The ways in which stories differ."""
        return axes()

    @property
    def typical_tokens(self) -> int:
        """About how long a story is, in tokens."""
        return round(typical_words() * _TOKENS_PER_WORD)

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        """Return the steps that lead to premises.

        Raises:
            GeneratorError: The brief has no subject, or an axis or length that does not exist.
        """
        return self._steps(brief).ideas(count)

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one story; a brief without a premise gets one first.

        Raises:
            GeneratorError: The brief has no subject, or an axis or length that does not exist.
        """
        return self._steps(item).document()

    def mock_reply(self, ask: Ask, item: Brief, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a story."""
        return rehearsed_reply(ask, item, language=self.options.language, at_stake=at_stake)

    def _steps(self, brief: Brief) -> DocumentSteps:
        validate_subject(brief)
        evidence = self.evidence(
            variety=dict(assign_axes(brief).variety),
            about=brief.about,
            language=self.options.language,
            base=self.options.base,
            without=list(self.options.without),
        )
        return DocumentSteps(brief, self.options, evidence, self.prompts)
