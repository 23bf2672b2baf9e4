"""Stories of fictional AIs that act admirably, told from inside."""

import re
from dataclasses import replace

from pydantic import BaseModel

from .._asking import AskFailed, ItemRejected, ask_model, is_usable_text
from .._brief import Axis, Brief, resolve_index
from .._generator import DocumentGenerator, Ideas
from .._mock import filler_text, language_filler_source, parse_requested_count
from .._prompts import fence
from .._rendering import render_list, render_overused, render_subject
from .._result import Finished, Rejected
from .._steps import Ask, Role, Steps
from .._variety import render_name_pool
from .._work import Review, WorkState
from ..checks import CheckContext
from ._checks import CHECKS, LIMITS, PART_CHECKS, PREMISE_CHECKS
from ._schemas import Dilemmas, Findings, Opening, Options, Premises, Verdict
from ._variety import (
    DILEMMAS,
    Assignment,
    assign_axes,
    axes,
    has_numbered_dilemma,
    name_seed,
    typical_words,
    validate_subject,
)

# In tokens. Models that reason before they answer spend from it too.
_JUDGE_MAX_TOKENS = 4000
_LIST_MAX_TOKENS = 6000
_TEXT_MAX_TOKENS = 6000
_MAX_TOKENS_PER_WORD = 2
_TOKENS_PER_WORD = 1.35

# What a typical answer has, in words.
_DILEMMA_WORDS = 45
_PREMISE_WORDS = 120
_PROBLEMS = 4
_PROBLEM_WORDS = 40
_HEADNOTE_WORDS = 85
_BEGINNING_WORDS = 135


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
    recorded_options = ("language", "base", "without")

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
        story = self._begin(brief)
        return story.work.conclude(story.ideas(count))

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one story; a brief without a premise gets one first.

        Raises:
            GeneratorError: The brief has no subject, or an axis or length that does not exist.
        """
        story = self._begin(item)
        return story.work.conclude(story.steps())

    def typical_answer(self, ask: Ask, item: Brief, *, at_stake: bool) -> str | BaseModel:
        """Return a typical answer; at stake is whether the reader finds something to rewrite."""
        source = language_filler_source(self.options.language)
        words = assign_axes(item).bounds.midpoint

        def texts(length: int, count: int) -> list[str]:
            # One word more each, since what is said twice counts once.
            return [filler_text(length + more, source=source) for more in range(count)]

        match ask.name:
            case "dilemmas":
                return Dilemmas(dilemmas=texts(_DILEMMA_WORDS, DILEMMAS))
            case "premise":
                return Premises(premises=texts(_PREMISE_WORDS, parse_requested_count(ask)))
            case "draft" | "rewrite":
                return filler_text(words, source=source)
            case "review":
                return Findings(
                    problems=[filler_text(_PROBLEM_WORDS)] * _PROBLEMS if at_stake else []
                )
            case "opening":
                return Opening(
                    title=filler_text(4, source=source),
                    headnote=filler_text(_HEADNOTE_WORDS, source=source),
                    beginning=filler_text(_BEGINNING_WORDS, source=source),
                )
            case "continue":
                return filler_text(max(words - _BEGINNING_WORDS, 1), source=source)
            case _:
                return super().typical_answer(ask, item, at_stake=at_stake)

    def _begin(self, brief: Brief) -> "_Story":
        validate_subject(brief)
        assignment = assign_axes(brief)
        length = _MAX_TOKENS_PER_WORD * assignment.bounds.max_words
        work = self.begin(
            run={"language": self.options.language, "names": str(self.options.names)},
            max_tokens={"writer": _TEXT_MAX_TOKENS + length, "judge": _JUDGE_MAX_TOKENS},
            variety=dict(assignment.variety),
            about=brief.about,
        )
        return _Story(brief, assignment, self.options, work)


class _Story:
    """One story's way: dilemma → premise → draft → review → rewrite → judge.

    With a base model: dilemma → premise → opening → continuations, which checks and judge filter.
    """

    def __init__(
        self, brief: Brief, assignment: Assignment, options: Options, work: WorkState
    ) -> None:
        self.work = work
        self._brief = brief
        self._assignment = assignment
        self._options = options
        self._premise = brief.idea.strip()
        # A base model writes stories and nothing else.
        self._author: Role = "judge" if options.base else "writer"

    def ideas(self, count: int) -> Steps[Ideas]:
        yield from self._prepare()
        premises = yield from self._write_premises(count)
        self._record()
        return Ideas(premises, self.work.evidence, self._assignment.variety)

    def steps(self) -> Steps[Finished]:
        yield from self._prepare()
        if not self._premise:
            (self._premise,) = yield from self._write_premises(1)
            self._show()
        self._record()
        text = yield from (self._continue() if self._options.base else self._write())
        return self.work.finish("written", {"text": text})

    # ---- passages → dilemma → premise ----

    def _prepare(self) -> Steps[None]:
        if self._brief.passages:
            yield from self.work.fetch(self._brief.passages, scope="section")
        else:
            subject = self._brief.about.strip() or self._brief.idea
            yield from self.work.find((subject,), k=self._options.k)
        if has_numbered_dilemma(self._assignment):
            # The ask is the same for every story of the same passages, so it is paid once.
            listed = yield from self.work.ask_judge(
                "dilemmas",
                Dilemmas,
                role=self._author,
                max_tokens=_LIST_MAX_TOKENS,
                run={"count": str(DILEMMAS)},
            )
            dilemma = resolve_index(self._assignment.dilemma, listed.dilemmas)
            self._assignment = self._assignment.with_dilemma(dilemma)
        self._show()

    def _write_premises(self, count: int) -> Steps[tuple[str, ...]]:
        """Ask for premises; those that could only become a story which fails are left out."""
        listed = yield from self.work.ask_judge(
            "premise",
            Premises,
            {"count": str(count), "people": self._names(self._options.names * count)},
            role=self._author,
            max_tokens=_LIST_MAX_TOKENS,
            sample=2 * self._brief.attempt,
        )
        context = self._context
        reviews = {
            premise: Review.from_checks(PREMISE_CHECKS.run(premise, context))
            for premise in listed.premises
        }
        sound = [premise for premise, review in reviews.items() if not review.reasons]
        if not sound:
            self._record()
            self.work.draft = listed.premises[0]
            raise reviews[listed.premises[0]].rejection
        return tuple(sound[:count])

    # ---- draft → review → rewrite → judge ----

    def _write(self) -> Steps[str]:
        draft = yield from self.work.ask_writer(
            "draft", {"premise": fence(self._premise)}, sample=self._brief.attempt
        )
        self.work.draft = draft
        if not {"review", "rewrite"} & self.work.without:
            draft = yield from self._rewrite_as_reviewed(draft)
        return (
            yield from self.work.refine(
                draft,
                review=self._judge,
                revise=self._rewrite,
                max_revisions=self._options.max_revisions,
                step="rewrite",
            )
        )

    def _rewrite_as_reviewed(self, draft: str) -> Steps[str]:
        """Have a fresh reader, who knows nothing of premise and instructions, list problems.

        They are mended in one go with what the checks find.
        """
        findings = yield from self.work.ask_judge("review", Findings, {"story": fence(draft)})
        self.work.update_evidence(appraisal=findings.model_dump())
        if not findings.problems:
            return draft
        failed = Review.from_checks(CHECKS.run(draft, self._context))
        return (yield from self._rewrite(draft, failed.prepend_problems(findings.problems)))

    def _rewrite(self, story: str, review: Review) -> Steps[str]:
        problems = render_list(review.problems)
        return self.work.ask_writer("rewrite", {"story": fence(story), "problems": problems})

    def _judge(self, story: str) -> Steps[Review]:
        self.work.draft = story
        checks = CHECKS.run(story, self._context)
        return self.work.review(checks, Verdict, {"story": fence(story)})

    # ---- with a base model: opening → continuations ----

    def _continue(self) -> Steps[str]:
        """Sample continuations of an opening until one passes; none is rewritten.

        That they read as people write is what a base model is asked for.
        """
        opening = yield from self._open()
        self.work.add_settings(opening=opening.model_dump())
        review = Review()
        faults: list[str] = []
        for number in range(self._options.continuations):
            try:
                text = yield from ask_continuation(self._render_continuation(opening, number))
            except AskFailed as failed:
                review = Review(failed.reasons, (str(failed),))
            else:
                story = join_continuation(opening.beginning, text)
                review = yield from self._judge(story)
                if not review.reasons:
                    self.work.add_settings(continuation=number + 1)
                    return story
            faults.append(f"continuation {number + 1}: {'; '.join(review.problems)}")
        raise ItemRejected(*review.reasons, detail=" | ".join(faults))

    def _open(self) -> Steps[Opening]:
        """Ask for an opening; once more where no continuation could mend what is wrong with it."""
        review = Review()
        for time in range(2):
            opening = yield from self.work.ask_judge(
                "opening",
                Opening,
                {"premise": fence(self._premise)},
                max_tokens=_LIST_MAX_TOKENS,
                sample=2 * (2 * self._brief.attempt + time),
            )
            self.work.draft = opening.beginning
            checks = PART_CHECKS.run(opening.beginning, self._context)
            self.work.update_evidence(checks=tuple(checks))
            review = Review.from_checks(checks)
            if not review.reasons:
                return opening
        raise review.rejection

    def _render_continuation(self, opening: Opening, number: int) -> Ask:
        room = _MAX_TOKENS_PER_WORD * self._assignment.bounds.max_words
        ask = self.work.render("writer", "continue", opening.model_dump(), max_tokens=room)
        number += self._brief.attempt * self._options.continuations
        return replace(ask, user=end_paragraph(ask.user), is_completion=True, sample=number)

    # ---- what the steps share ----

    def _show(self) -> None:
        self.work.show(
            about=render_subject(self._brief),
            dilemma=fence(self._assignment.dilemma),
            assignment=fence(str(self._assignment)),
            people=self._names(self._options.names),
            avoid=render_overused(self._brief),
            length=str(self._assignment.bounds),
        )

    def _names(self, count: int) -> str:
        """Return names on offer: others for every story."""
        used = frozenset(self._brief.avoid.get("names", ()))
        return render_name_pool(name_seed(self._brief, self._premise), count, used)

    def _record(self) -> None:
        premise = {"idea": self._premise} if self._premise else {}
        self.work.add_settings(variety=dict(self._assignment.variety), **premise)

    @property
    def _context(self) -> CheckContext:
        prompts = ("opening", "continue") if self._options.base else ("draft",)
        passages = self.work.passages
        return CheckContext(
            conversation=self._brief.about,
            limits=self._assignment.bounds,
            language=self._options.language,
            title=self.work.title,
            passages=passages,
            sources=[found.passage.plain for found in passages],
            instructions="\n".join(map(self.work.instructions, prompts)),
            max_people=self._options.names,
            people=f"{self._names(self._options.names)}\n{self._premise}",
            overused=self._brief.avoid,
            style=LIMITS,
        )


# ---- Texts of base models: how an opening ends, and where a continuation does. ----

_PARAGRAPH = "\n\n"
# What the anthology puts behind each story; what comes after it is the next one.
_END = re.compile(r"^[ \t*_]*the end[ \t\r.!*_]*$", re.IGNORECASE | re.MULTILINE)


def ask_continuation(ask: Ask) -> Steps[str]:
    """Ask for what comes behind an opening; return it up to the end of the story.

    A base model often does not stop where the story does. A text that was cut off is taken all
    the same where the story's end stands in it: what was cut off is the next one. It is not asked
    for again with more room: another continuation is as good and costs less.

    Raises:
        AskFailed: There is no complete story in the answer.
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
