"""What every way to a result has in common: passages, asks, checks, evidence, and how it ends."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from whyset.errors import GeneratorError
from whyset.retriever import FetchScope, Grounding, ScoredPassage

from ._asking import AskFailed, PointedVerdict, ask_judge, request_passages
from ._brief import Brief
from ._result import NO_ORIGINAL, Evidence, Finished, Quote, Rejected
from ._steps import Ask, Fetch, Find, Role, Steps, Tool, Turn
from ._text import find_quotations, is_verbatim_in
from .checks import Check, fail_check, failed_checks, pass_check

if TYPE_CHECKING:
    from ._prompts import PromptSet


# ---- The passages a document rests on: those it is about, and those that stand around them.


@dataclass(frozen=True, slots=True)
class PassageContext:
    """What a document rests on.

    Attributes:
        focus: The passages it is about; none where it is about the whole.
        surrounding: What stands around them, which it must not contradict.
        document: The whole constitution.
    """

    focus: tuple[ScoredPassage, ...]
    surrounding: tuple[ScoredPassage, ...]
    document: Grounding

    @property
    def visible(self) -> tuple[ScoredPassage, ...]:
        """Every passage that a writer sees outside of the whole text."""
        return (*self.focus, *self.surrounding)

    @property
    def headings(self) -> frozenset[str]:
        """Every heading of the constitution."""
        return frozenset(h for found in self.document.passages for h in found.passage.path)


# ---- What the extractive writer is asked for: sentences of passages, quoted word for word.


class ExtractedQuote(BaseModel):
    """A sentence and the id of the passage it stands in."""

    passage: str
    text: str


class Extract(BaseModel):
    """What the extractive writer answers."""

    quotes: list[ExtractedQuote]


def ask_extractive_writer(step: str, found: Grounding) -> Steps[tuple[Quote, ...]]:
    """Return the steps that quote what was found.

    Args:
        step: The step's name, which ends in `/extract`.
        found: The passages to quote from, with what they should bear on.

    Raises:
        Unanswered: No usable answer came.
    """
    ask = Ask("writer", step, "", "\n".join(found.queries), 0, grounding=found)
    extract = yield from ask_judge(ask, Extract)
    return tuple(Quote(quote.passage, quote.text) for quote in extract.quotes)


def check_verbatim(quotes: Iterable[Quote], passages: Iterable[ScoredPassage]) -> Check:
    """Every quotation must be a slice of the passage it is said to stand in."""
    texts = {scored.passage.id: scored.passage.plain for scored in passages}
    for quote in quotes:
        if quote.passage_id not in texts or quote.text not in texts[quote.passage_id]:
            return fail_check("quotations", f"not in passage {quote.passage_id}: {quote.text!r}")
    return pass_check("quotations")


# ---- What is shown of passages, and what of a text is quoted from them.


def extract_quotes(text: str, passages: Sequence[ScoredPassage]) -> tuple[Quote, ...]:
    """Return the quotations of a text that stand in a passage, with the passage's id."""
    return attribute_quotations(find_quotations(text), passages)


def attribute_quotations(
    texts: Iterable[str], passages: Sequence[ScoredPassage]
) -> tuple[Quote, ...]:
    """Return those of the texts that stand in a passage, with the id of the first such."""
    found = ((find_source_passage(text, passages), text) for text in texts)
    return tuple(Quote(source.passage.id, text) for source, text in found if source)


def find_source_passage(quotation: str, passages: Iterable[ScoredPassage]) -> ScoredPassage | None:
    """Return the first passage in which, as it is shown, a quotation stands word for word."""
    for found in passages:
        if any(is_verbatim_in(quotation, shown) for shown in passage_texts(found)):
            return found
    return None


def passage_texts(found: ScoredPassage) -> tuple[str, ...]:
    """Return what a writer is shown of a passage: its text and the sentence that introduces it."""
    passage = found.passage
    return (passage.plain, passage.context) if passage.context else (passage.plain,)


def join_passage_texts(passages: Iterable[ScoredPassage]) -> str:
    """Return all that a writer is shown of passages, for checks that allow what is in it."""
    parts = ((*passage_texts(found), *found.passage.path) for found in passages)
    return "\n".join(part for shown in parts for part in shown)


class WorkState:
    """One row's or document's way to its result. Good for one only.

    Attributes:
        evidence: What the result rests on so far.
        draft: The last text a writer returned.
    """

    def __init__(self, evidence: Evidence, prompts: "PromptSet") -> None:
        """Set out.

        Args:
            evidence: What there is to begin with; see `Generator.evidence`.
            prompts: The generator's.
        """
        self.evidence = evidence
        self.draft: str | None = None
        self._prompts = prompts

    @property
    def passages(self) -> tuple[ScoredPassage, ...]:
        """Every passage gathered, in the order in which they came."""
        return self.evidence.passages

    def find(self, texts: Sequence[str], *, k: int) -> Steps[Grounding]:
        """Find passages by meaning and put those not yet held behind those that are."""
        return self._add_passages(Find(tuple(texts), k=k))

    def fetch(self, ids: Sequence[str], *, scope: FetchScope = "section") -> Steps[Grounding]:
        """Fetch passages by name and put those not yet held behind those that are."""
        return self._add_passages(Fetch(tuple(ids), scope))

    def render_ask(
        self,
        role: Role,
        name: str,
        *,
        max_tokens: int,
        run: Mapping[str, str] | None = None,
        row: Mapping[str, str] | None = None,
        schema: "type[BaseModel] | None" = None,
        sample: int = 0,
        turns: tuple[Turn, ...] = (),
        tools: tuple[Tool, ...] = (),
    ) -> Ask:
        """Render the prompt of a name into an ask.

        Args:
            role: Who should answer.
            name: Such as `write`.
            max_tokens: The room for the answer.
            run: Values that are the same for every row of the run.
            row: Values of the row's own.
            schema: What the answer must parse as.
            sample: Tells apart several answers wanted to the same question.
            turns: What was said before.
            tools: What the model has at hand.

        Raises:
            GeneratorError: There is no such prompt, or values are missing.
        """
        prompt = self._prompts[name]
        system, user = prompt.render(run or {}, row or {})
        return Ask(
            role,
            prompt.step,
            system,
            user,
            max_tokens,
            schema=schema,
            sample=sample,
            turns=turns,
            tools=tools,
        )

    def update_evidence(self, **changes: Any) -> None:
        """Replace parts of the evidence, such as `checks`, `verdict`, `quotes` or `note`."""
        self.evidence = replace(self.evidence, **changes)

    def add_settings(self, **settings: Any) -> None:
        """Add to the settings that provenance shows, such as the variety of a document."""
        self.evidence = replace(self.evidence, settings={**self.evidence.settings, **settings})

    def finish(
        self, outcome: str, columns: Mapping[str, Any], *, original: Any = NO_ORIGINAL
    ) -> Finished:
        """End well; see `Finished`."""
        return Finished(outcome, columns, original, self.evidence)

    def reject(self, *reasons: str, detail: str) -> Rejected:
        """End in quarantine, for reasons of one word each."""
        return Rejected(reasons, detail, self.evidence, self.draft)

    def reject_failed_ask(self, unanswered: AskFailed) -> Rejected:
        """End in quarantine because an ask got no usable answer."""
        return self.reject(unanswered.reason, detail=str(unanswered))

    def reject_failed_checks(self, checks: Iterable[Check]) -> Rejected:
        """End in quarantine for those of the checks that failed."""
        found = failed_checks(checks)
        reasons = (f"check:{check.name}" for check in found)
        return self.reject(*reasons, detail="; ".join(check.detail for check in found))

    def _add_passages(self, wanted: Find | Fetch) -> Steps[Grounding]:
        found = yield from request_passages(wanted)
        held = {scored.passage.id for scored in self.evidence.passages}
        new = [scored for scored in found.passages if scored.passage.id not in held]
        self.evidence = replace(
            self.evidence,
            groundings=(*self.evidence.groundings, found),
            passages=(*self.evidence.passages, *new),
        )
        return found


# ---- The loops that texts go through: review, then revise or sample anew, until one passes.


@dataclass(frozen=True, slots=True)
class Review:
    """What speaks against a draft.

    Attributes:
        reasons: One word each, to be counted: `check:length`, `judge:grounded`. None: it passes.
        problems: Sentences that a writer can act on.
    """

    reasons: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @classmethod
    def from_checks(cls, checks: Sequence[Check]) -> "Review":
        """Return what the failed ones among checks come to."""
        failed = failed_checks(checks)
        return cls(
            tuple(f"check:{check.name}" for check in failed),
            tuple(check.detail for check in failed),
        )

    @classmethod
    def from_verdict(cls, verdict: PointedVerdict) -> "Review":
        """Return what a verdict comes to; problems without a fault are advice, not taken up."""
        faults = verdict.faults
        return cls(
            tuple(f"judge:{name}" for name in faults),
            (*verdict.problems, *faults.values()) if faults else (),
        )

    def prepend_problems(self, problems: Sequence[str]) -> "Review":
        """Return the review with problems that somebody else has found ahead of its own."""
        return replace(self, problems=(*problems, *self.problems))


def judge_draft(working: WorkState, ask: Ask, schema: type[PointedVerdict]) -> Steps[Review]:
    """Return the steps that have a judge look at a draft; its verdict goes into the evidence.

    Raises:
        Unanswered: No verdict came.
    """
    verdict = yield from ask_judge(ask, schema)
    working.update_evidence(verdict=verdict.model_dump())
    return Review.from_verdict(verdict)


def refine(
    state: WorkState,
    draft: str,
    *,
    review: Callable[[str], Steps[Review]],
    revise: Callable[[str, Review], Steps[str]],
    max_revisions: int,
) -> Steps[str | Rejected]:
    """Return the steps that lead a draft to a text that passes its review, or to a rejection.

    Args:
        state: Whose draft it is; its evidence should hold the last checks and verdict.
        draft: What a writer returned.
        review: Returns the steps of a review: checks first, since only what passes them is worth
            a judge.
        revise: Returns the steps of a revision.
        max_revisions: How often at most.
    """
    state.draft = draft
    found = yield from review(draft)
    for _ in range(max_revisions):
        if not found.reasons:
            break
        draft = state.draft = yield from revise(draft, found)
        found = yield from review(draft)
    return _reject(state, found) if found.reasons else draft


def rejection_sample(
    state: WorkState,
    *,
    sample: Callable[[int], Steps[str]],
    review: Callable[[str], Steps[Review]],
    max_samples: int,
) -> Steps[str | Rejected]:
    """Return the steps that sample texts until one passes its review, or to a rejection.

    An ask that gets no usable answer costs its sample alone: a provider may decline one and not
    the next.

    Args:
        state: Whose texts they are; the number of the one that passes is settled in it.
        sample: Returns the steps of the sample of a number, from 0.
        review: Returns the steps of a review, as for `refine`.
        max_samples: How many at most.
    """
    found = Review()
    for number in range(max_samples):
        try:
            text = state.draft = yield from sample(number)
            found = yield from review(text)
        except AskFailed as unanswered:
            found = Review((unanswered.reason,), (str(unanswered),))
        if not found.reasons:
            state.add_settings(sample=number)
            return text
    return _reject(state, found)


def _reject(working: WorkState, found: Review) -> Rejected:
    return working.reject(*found.reasons, detail="; ".join(found.problems))


# ---- Gathering the passages that a probe rests on.


def validate_probe_subject(brief: Brief) -> None:
    """A probe must be about something.

    Raises:
        GeneratorError: The brief names no passage and no subject.
    """
    if not (brief.passages or brief.about.strip()):
        raise GeneratorError(
            f"brief {brief.line}: a probe needs a subject: name passages or say what it is about"
        )


def gather_probe_context(working: WorkState, brief: Brief, *, k: int) -> Steps[PassageContext]:
    """Return the steps that gather passages into the evidence.

    Args:
        working: Whose evidence.
        brief: What names the passages, or says what to look for.
        k: How many passages are found for a subject in words.
    """
    whole = yield from request_passages(Fetch((), "document"))
    if brief.passages:
        yield from working.fetch(brief.passages, scope="passages")
    else:
        yield from working.find((brief.about,), k=k)
    focus = working.passages
    if focus:
        yield from working.fetch([found.passage.id for found in focus], scope="section")
    return PassageContext(focus, working.passages[len(focus) :], whole)
