"""An item's way to its result: passages, asks, the loops of revision, evidence, and how it ends."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel

from whyset.retriever import FetchScope, Grounding, ScoredPassage

from ._asking import (
    Answer,
    AskFailed,
    ItemRejected,
    PointedVerdict,
    ask_judge,
    ask_writer,
    request_passages,
)
from ._rendering import passage_texts, render_passages
from ._result import NO_ORIGINAL, Evidence, Finished, Quote, Rejected
from ._steps import Ask, Fetch, Find, Role, Steps
from ._text import find_quotations, is_verbatim_in
from .checks import Check, fail_check, failed_checks, pass_check

if TYPE_CHECKING:
    from ._prompts import PromptSet

Result = TypeVar("Result")


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
    def from_checks(cls, checks: Iterable[Check]) -> "Review":
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
        """Return the review with problems that another reader has found ahead of its own."""
        return replace(self, problems=(*problems, *self.problems))

    @property
    def rejection(self) -> ItemRejected:
        """What a draft that fails it ends in, to be raised."""
        return ItemRejected(*self.reasons, detail="; ".join(self.problems))


class WorkState:
    """One row's or document's way to its result. Good for one only; see `Generator.begin`.

    Attributes:
        evidence: What the result rests on so far.
        draft: The last text a writer returned.
        max_tokens: The room for an answer, by who answers.
        without: The steps that are left out.
    """

    def __init__(
        self,
        evidence: Evidence,
        prompts: "PromptSet",
        *,
        run: Mapping[str, str] | None = None,
        max_tokens: Mapping[Role, int] | None = None,
        without: Collection[str] = (),
    ) -> None:
        """Set out.

        Args:
            evidence: What there is to begin with; see `Generator.evidence`.
            prompts: The generator's.
            run: Values of prompts that are the same for every item of the run.
            max_tokens: The room for an answer, by who answers.
            without: The steps that are left out.
        """
        self.evidence = evidence
        self.draft: str | None = None
        self.max_tokens = max_tokens or {}
        self.without = frozenset(without)
        self._prompts = prompts
        self._run_values = dict(run or {})
        self._shown: dict[str, str] = {}

    # ---- passages ----

    @property
    def passages(self) -> tuple[ScoredPassage, ...]:
        """Every passage gathered, in the order in which they came."""
        return self.evidence.passages

    @property
    def title(self) -> str:
        """The constitution's title; it is known once something was found or fetched."""
        return self.evidence.groundings[0].title

    def find(self, texts: Sequence[str], *, k: int) -> Steps[Grounding]:
        """Find passages by meaning; new ones are put behind those that are there."""
        return self._add_passages(Find(tuple(texts), k=k))

    def fetch(self, ids: Sequence[str], *, scope: FetchScope = "section") -> Steps[Grounding]:
        """Fetch passages by name; new ones are put behind those that are there."""
        return self._add_passages(Fetch(tuple(ids), scope))

    def _add_passages(self, wanted: Find | Fetch) -> Steps[Grounding]:
        found = yield from request_passages(wanted)
        known = {scored.passage.id for scored in self.evidence.passages}
        new = [scored for scored in found.passages if scored.passage.id not in known]
        self.evidence = replace(
            self.evidence,
            groundings=(*self.evidence.groundings, found),
            passages=(*self.evidence.passages, *new),
        )
        return found

    # ---- asks ----

    def show_run(self, **values: str) -> None:
        """Set values of prompts that are the same for every item, once they are known."""
        self._run_values |= values

    def show(self, **values: str) -> None:
        """Set values of the item's own that every prompt from now on may show."""
        self._shown |= values

    def ask_writer(
        self,
        name: str,
        values: Mapping[str, str] | None = None,
        *,
        max_tokens: int | None = None,
        sample: int = 0,
    ) -> Steps[str]:
        """Ask a writer for a text; arguments as of `render`.

        Raises:
            AskFailed: No complete answer came.
        """
        return ask_writer(self.render("writer", name, values, max_tokens=max_tokens, sample=sample))

    def ask_judge(
        self,
        name: str,
        schema: type[Answer],
        values: Mapping[str, str] | None = None,
        *,
        role: Role = "judge",
        max_tokens: int | None = None,
        sample: int = 0,
        run: Mapping[str, str] | None = None,
    ) -> Steps[Answer]:
        """Ask for an answer by a schema; other arguments as of `render`.

        Raises:
            AskFailed: No complete answer came, or none that fits the schema.
        """
        ask = self.render(role, name, values, max_tokens=max_tokens, sample=sample, run=run)
        return ask_judge(ask, schema)

    def render(
        self,
        role: Role,
        name: str,
        values: Mapping[str, str] | None = None,
        *,
        max_tokens: int | None = None,
        sample: int = 0,
        run: Mapping[str, str] | None = None,
    ) -> Ask:
        """Render a prompt into an ask.

        It may show what is the same for the whole run, what `show` has set, `passages`, which are
        those gathered so far, and the values that are given here.

        Args:
            role: Who should answer.
            name: The prompt's, such as `write`.
            values: More values of the item's own.
            max_tokens: The room for the answer, where it is not that of the role.
            sample: Tells apart several answers wanted to the same question.
            run: More values that are the same for every item of the run.

        Raises:
            GeneratorError: There is no such prompt, or values are missing.
        """
        prompt = self._prompts[name]
        row = {**self._shown, **(values or {})}
        if "passages" not in row and "passages" in prompt.variables():
            row["passages"] = render_passages(self.passages)
        system, user = prompt.render({**self._run_values, **(run or {})}, row)
        room = self.max_tokens[role] if max_tokens is None else max_tokens
        return Ask(role, prompt.step, system, user, room, sample=sample)

    def render_text(self, name: str, values: Mapping[str, str] | None = None) -> str:
        """Render a prompt that becomes part of another text and is never asked itself."""
        _, text = self._prompts[name].render(self._run_values, values or {})
        return text

    def instructions(self, name: str, run: Mapping[str, str] | None = None) -> str:
        """Return what a prompt says to every item of the run, for the check that none comes back.

        Args:
            name: The prompt's.
            run: Values that replace those of the run.
        """
        return self._prompts[name].render_system({**self._run_values, **(run or {})})

    # ---- drafts: checked, judged, revised or sampled again until one passes ----

    def review(
        self,
        checks: Sequence[Check],
        verdict: type[PointedVerdict],
        values: Mapping[str, str],
        *,
        step: str = "judge",
        quotes: Iterable[Quote] = (),
        max_tokens: int | None = None,
    ) -> Steps[Review]:
        """Return the steps of a review: only a text that passes every check is worth the judge.

        Checks, quotations and verdict go into the evidence. The judge is not asked where the step
        is left out.

        Args:
            checks: What the checks found.
            verdict: What the judge answers.
            values: What the judge's prompt shows, the text above all.
            step: The name of the judge's prompt.
            quotes: What the text quotes.
            max_tokens: The room for the answer, where it is not that of the role.

        Raises:
            AskFailed: No verdict came.
        """
        self.update_evidence(checks=tuple(checks), quotes=tuple(quotes), verdict=None)
        failed = Review.from_checks(checks)
        if failed.reasons or step in self.without:
            return failed
        answer = yield from self.ask_judge(step, verdict, values, max_tokens=max_tokens)
        self.update_evidence(verdict=answer.model_dump())
        return Review.from_verdict(answer)

    def refine(
        self,
        draft: str,
        *,
        review: Callable[[str], Steps[Review]],
        revise: Callable[[str, Review], Steps[str]],
        max_revisions: int,
        step: str = "revise",
    ) -> Steps[str]:
        """Return the steps that lead a draft to a text that passes its review.

        Args:
            draft: What a writer returned.
            review: Returns the steps of a review; see `WorkState.review`.
            revise: Returns the steps of a revision.
            max_revisions: How often at most; not at all where the step is left out.
            step: What the step of revising is called.

        Raises:
            ItemRejected: The last revision does not pass either.
        """
        self.draft = draft
        found = yield from review(draft)
        for _ in range(0 if step in self.without else max_revisions):
            if not found.reasons:
                break
            draft = self.draft = yield from revise(draft, found)
            found = yield from review(draft)
        if found.reasons:
            raise found.rejection
        return draft

    def rejection_sample(
        self,
        *,
        sample: Callable[[int], Steps[str]],
        review: Callable[[str], Steps[Review]],
        max_samples: int,
    ) -> Steps[str]:
        """Return the steps that sample texts until one passes its review.

        An ask that gets no usable answer costs its sample alone: a provider may decline one and
        not the next. The number of the sample that passes goes into the settings.

        Args:
            sample: Returns the steps of the sample of a number, from 0.
            review: Returns the steps of a review, as for `refine`.
            max_samples: How many at most.

        Raises:
            ItemRejected: None of them passes.
        """
        found = Review()
        for number in range(max_samples):
            try:
                text = self.draft = yield from sample(number)
                found = yield from review(text)
            except AskFailed as failed:
                found = Review(failed.reasons, (str(failed),))
            if not found.reasons:
                self.add_settings(sample=number)
                return text
        raise found.rejection

    # ---- evidence, and the end ----

    def update_evidence(self, **changes: Any) -> None:
        """Replace parts of the evidence, such as `checks`, `verdict`, `quotes` or `note`."""
        self.evidence = replace(self.evidence, **changes)

    def add_settings(self, **settings: Any) -> None:
        """Add to the settings that provenance shows, such as the variety of a document."""
        self.evidence = replace(self.evidence, settings={**self.evidence.settings, **settings})

    def require(self, checks: Iterable[Check]) -> None:
        """End in quarantine if a check failed that no revision could pass.

        Raises:
            ItemRejected: One failed.
        """
        if (found := Review.from_checks(checks)).reasons:
            raise found.rejection

    def conclude(self, steps: Steps[Result]) -> Steps[Result | Rejected]:
        """Return the steps to their result; an `ItemRejected` on the way ends in quarantine."""
        try:
            return (yield from steps)
        except ItemRejected as rejected:
            return self.reject(*rejected.reasons, detail=str(rejected))

    def finish(
        self,
        outcome: str,
        columns: Mapping[str, Any],
        *,
        original: Any = NO_ORIGINAL,
        original_reasoning: Any = None,
        note: str = "",
    ) -> Finished:
        """End well, with a note where the outcome alone does not say why; see `Finished`."""
        if note:
            self.update_evidence(note=note)
        return Finished(outcome, columns, original, self.evidence, original_reasoning)

    def reject(self, *reasons: str, detail: str) -> Rejected:
        """End in quarantine, for reasons of one word each."""
        return Rejected(reasons, detail, self.evidence, self.draft)


# ---- Quotations: which passage a text quotes, and the extractive writer, who does nothing else.


class ExtractedQuote(BaseModel):
    """A sentence and the id of the passage it stands in."""

    passage: str
    text: str


class Extract(BaseModel):
    """What the extractive writer answers."""

    quotes: list[ExtractedQuote]


def ask_extractive_writer(step: str, found: Grounding) -> Steps[tuple[Quote, ...]]:
    """Return the steps that quote what was found.

    Raises:
        AskFailed: No usable answer came.
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


@dataclass(frozen=True, slots=True)
class PassageContext:
    """The passages that a document rests on.

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
