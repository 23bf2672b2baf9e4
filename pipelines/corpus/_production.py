"""Documents in waves: ideas, without near-duplicates, then documents, without near-duplicates.

Everything is decided in the order of the plan, whatever order answers come in, so that the seed
and the replies alone determine the result.
"""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import Any, Literal

from whyset.constitution import estimate_tokens
from whyset.datasets import PROVENANCE_COLUMN, build_quarantine_line, loads, require_provenance
from whyset.errors import BudgetExhausted
from whyset.generators import IDEAS, Brief, DocumentGenerator, Finished, IdeaStage, Rejected, Steps
from whyset.generators.checks import EvalScenario, check_no_eval_scenario

from ..engine._engine import Engine
from ..engine._record import QUARANTINED, RowRecord, RowResult
from ..engine._threads import WorkerThread
from ..plan import Context, Plan, derive_attempt_seed
from ._dedup import Deduplicator, ExistingDocument, Fingerprint, NearDuplicate
from ._overuse import IDEAS as KNOWN_IDEAS
from ._overuse import OveruseTracker, extract_texts, iter_texts

NEAR_DUPLICATE = "near_duplicate"
NO_IDEA = "no_idea"
HOLDOUT_CHECK = "check:no_eval_scenario"

_COMPARED_TOGETHER = 32
"""Documents that are compared in one go: enough to embed them well, few enough to come out soon."""

Stage = Literal["idea", "document"]
"""How far an attempt came."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt at a document.

    Attributes:
        slot: The document's number in the plan.
        context: What it is written from.
        stage: How far it came.
        brief: What was asked for.
        outcome: The generator's word for what it wrote; `quarantined` where it was rejected.
        line: The document as it is to be written; `None` where it was rejected.
        number: Its line in the output, from 1; 0 where it was rejected.
        tokens: How many tokens it has, estimated.
        reasons: Why it was rejected: one word each, to be counted.
        detail: The same for a person.
        known: What else the quarantine file records of it.
        is_abandoned: Whether nothing more is tried for this document.
        is_reused: Whether its result was made in an earlier run.
    """

    slot: int
    context: Context
    stage: Stage
    brief: Brief
    outcome: str
    line: bytes | None = None
    number: int = 0
    tokens: int = 0
    reasons: tuple[str, ...] = ()
    detail: str = ""
    known: Mapping[str, Any] | None = None
    is_abandoned: bool = False
    is_reused: bool = False

    @property
    def is_accepted(self) -> bool:
        """Whether the document is in the output."""
        return self.line is not None

    def quarantine_line(self) -> bytes:
        """Return the line of the quarantine file: the brief, and why it was rejected."""
        known: dict[str, Any] = {} if self.known is None else {"whyset": dict(self.known)}
        return build_quarantine_line(
            self.slot,
            self.reasons,
            self.brief.columns,
            stage=self.stage,
            detail=self.detail,
            **known,
        )


@dataclass(frozen=True, slots=True)
class _OpenContext:
    """A context to be worked on in a wave: all its documents at first, later one of them."""

    context: Context
    slots: tuple[int, ...]
    attempt: int = 0
    avoid: tuple[str, ...] = ()  # ideas that must not be taken up again


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A document to be written, and what the generator has found out for its axes."""

    opened: _OpenContext
    brief: Brief
    found: Mapping[str, str]


class ContextStage(IdeaStage):
    """An idea for each draft at the first attempt, one at every later one."""

    def __init__(self, generator: DocumentGenerator, *, count: int) -> None:
        super().__init__(generator, count=count)
        self._later = IdeaStage(generator, count=1)

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one context."""
        return self._later.steps(item) if item.attempt else super().steps(item)


def make_brief(
    plan: Plan,
    context: Context,
    slot: int,
    *,
    attempt: int = 0,
    avoid: Mapping[str, tuple[str, ...]] | None = None,
) -> Brief:
    """Return what is asked for at an attempt at a document."""
    return Brief(
        slot,
        passages=context.passages,
        variety=context.variety,
        draft=slot - context.slots[0],
        seed=derive_attempt_seed(plan, slot, attempt),
        attempt=attempt,
        avoid=avoid or {},
    )


class Production:
    """Makes the documents of a plan: none like an existing one, none like a scenario held out."""

    def __init__(
        self,
        plan: Plan,
        contexts: Sequence[Context],
        generator: DocumentGenerator,
        engine: Engine,
        *,
        deduplicator: Deduplicator,
        idea_deduplicator: Deduplicator,
        existing: Iterable[ExistingDocument] = (),
        holdout: Sequence[EvalScenario] = (),
        on_answer: Callable[[Stage, RowResult], None] = lambda stage, done: None,
    ) -> None:
        self.overuse = OveruseTracker(plan)
        self._plan = plan
        self._generator = generator
        self._stage = ContextStage(generator, count=plan.drafts)
        self._engine = engine
        self._deduplicator = deduplicator
        self._idea_deduplicator = idea_deduplicator
        self._existing = existing
        self._holdout = holdout
        self._on_answer = on_answer
        self._fresh = deque(_OpenContext(context, context.slots) for context in contexts)
        self._again: deque[_OpenContext] = deque()
        self._lines: dict[int, int] = {}
        # Embedding would hold up the event loop.
        self._worker = WorkerThread("whyset-dedup")

    async def run(self) -> AsyncGenerator[Attempt, None]:
        """Yield every attempt in the order of the waves, within a wave in that of the plan.

        Raises:
            BudgetExhausted: The next ask could exceed the budget; what came out before it was
                yielded.
            RunStopped: See `LiveEngine.run`, also for the rest.
        """
        try:
            await self._add_existing()
            while wave := self._next_wave():
                async with aclosing(self._run_wave(wave)) as attempts:
                    async for attempt in attempts:
                        yield attempt
        finally:
            self._worker.close()

    async def _add_existing(self) -> None:
        """Add the documents and ideas of other corpora to what new ones are compared with."""
        existing = iter(self._existing)
        while batch := list(islice(existing, _COMPARED_TOGETHER)):
            ideas = [(each.label, each.idea) for each in batch if each.idea]
            for deduplicator, texts in (
                (self._deduplicator, [(each.label, each.text) for each in batch]),
                (self._idea_deduplicator, ideas),
            ):
                prints = await self._compute_fingerprints(deduplicator, [text for _, text in texts])
                for (label, _), fingerprint in zip(texts, prints, strict=True):
                    deduplicator.add(label, fingerprint)

    async def _compute_fingerprints(
        self, deduplicator: Deduplicator, texts: Sequence[str]
    ) -> list[Fingerprint]:
        return await self._worker.call(partial(deduplicator.compute_fingerprints, texts))

    def _next_wave(self) -> list[_OpenContext]:
        """Take what is tried again, then what is new, as much as fits into a wave."""
        wave: list[_OpenContext] = []
        room = self._plan.wave
        for waiting in (self._again, self._fresh):
            while waiting and (room >= len(waiting[0].slots) or not wave):
                opened = waiting.popleft()
                wave.append(opened)
                room -= len(opened.slots)
        return wave

    async def _run_wave(self, wave: Sequence[_OpenContext]) -> AsyncGenerator[Attempt, None]:
        candidates: list[_Candidate] = []
        async with aclosing(self._find_ideas(wave)) as found:
            async for each in found:
                if isinstance(each, Attempt):
                    yield each
                else:
                    candidates.append(each)
        async with aclosing(self._write_documents(candidates)) as attempts:
            async for attempt in attempts:
                yield attempt

    def _make_brief(self, opened: _OpenContext, slot: int) -> Brief:
        avoid = self.overuse.exclusions(opened.context.variety)
        if opened.avoid:
            avoid[KNOWN_IDEAS] = opened.avoid
        return make_brief(self._plan, opened.context, slot, attempt=opened.attempt, avoid=avoid)

    async def _find_ideas(
        self, wave: Sequence[_OpenContext]
    ) -> AsyncGenerator[Attempt | _Candidate, None]:
        """Yield what is to be written, and what was rejected before it could be."""
        briefs = {slot: self._make_brief(opened, slot) for opened in wave for slot in opened.slots}
        if not self._generator.has_ideas:
            for opened in wave:
                for slot in opened.slots:
                    yield _Candidate(opened, briefs[slot], {})
            return
        by_line = {opened.slots[0]: opened for opened in wave}
        candidates: list[_Candidate] = []
        contexts = [briefs[line] for line in by_line]
        async with aclosing(self._engine.run(contexts, generator=self._stage)) as results:
            async for done in results:
                self._on_answer("idea", done)
                opened = by_line[done.row.line]
                for each in self._split_context(opened, done, briefs):
                    if isinstance(each, Attempt):
                        yield each
                    else:
                        candidates.append(each)
        ideas = [candidate.brief.idea for candidate in candidates]
        prints = await self._compute_fingerprints(self._idea_deduplicator, ideas)
        for candidate, fingerprint in zip(candidates, prints, strict=True):
            duplicate = self._idea_deduplicator.find_duplicate(fingerprint)
            if duplicate is None:
                self._idea_deduplicator.add(str(candidate.brief.line), fingerprint)
                yield candidate
            else:
                yield self._reject_duplicate("idea", candidate, duplicate)

    def _split_context(
        self, opened: _OpenContext, done: RowResult, briefs: Mapping[int, Brief]
    ) -> Iterator[Attempt | _Candidate]:
        """Yield a candidate or a rejection for each document of a context."""
        texts: list[str] = []
        found: dict[str, str] = {}
        record = done.record
        if record.line is not None:
            columns = loads(record.line)
            texts, found = columns[IDEAS], columns["variety"]
            self.overuse.record_meanings(opened.context.variety, found)
            detail = f"{len(texts)} of {len(opened.slots)} ideas came"
            record = RowRecord(QUARANTINED, reasons=(NO_IDEA,), detail=detail)
        for place, slot in enumerate(opened.slots):
            brief = replace(briefs[slot], variety={**opened.context.variety, **found})
            candidate = _Candidate(opened, brief, found)
            if place < len(texts):
                idea = " ".join(str(texts[place]).split())
                yield replace(candidate, brief=replace(brief, idea=idea))
            else:
                yield self._reject("idea", candidate, replace(done, record=record))

    async def _write_documents(
        self, candidates: Sequence[_Candidate]
    ) -> AsyncGenerator[Attempt, None]:
        by_line = {candidate.brief.line: candidate for candidate in candidates}
        waiting: list[RowResult] = []
        exhausted: BudgetExhausted | None = None
        briefs = [candidate.brief for candidate in candidates]
        async with aclosing(self._engine.run(briefs)) as results:
            try:
                async for done in results:
                    self._on_answer("document", done)
                    waiting.append(done)
                    if len(waiting) == _COMPARED_TOGETHER:
                        for attempt in await self._accept_or_reject(waiting, by_line):
                            yield attempt
                        waiting.clear()
            except BudgetExhausted as error:
                exhausted = error
        for attempt in await self._accept_or_reject(waiting, by_line):
            yield attempt
        if exhausted is not None:
            raise exhausted

    async def _accept_or_reject(
        self, results: Sequence[RowResult], by_line: Mapping[int, _Candidate]
    ) -> list[Attempt]:
        """Decide which documents are accepted, each beside those before it."""
        columns = [_document_columns(done) for done in results]
        texts = [self._generator.document_text(each) for each in columns if each is not None]
        prints = iter(await self._compute_fingerprints(self._deduplicator, texts))
        return [
            self._reject("document", by_line[done.row.line], done)
            if document is None
            else self._accept_unless_duplicate(by_line[done.row.line], done, document, next(prints))
            for done, document in zip(results, columns, strict=True)
        ]

    def _accept_unless_duplicate(
        self, candidate: _Candidate, done: RowResult, columns: dict[str, Any], text: Fingerprint
    ) -> Attempt:
        assert done.record.line is not None
        known = {**require_provenance(loads(done.record.line)), "draft": columns}
        if self._holdout:
            check = check_no_eval_scenario(
                "\n\n".join(iter_texts(columns)), scenarios=self._holdout
            )
            if check.status == "failed":
                record = RowRecord(
                    QUARANTINED,
                    reasons=(HOLDOUT_CHECK,),
                    detail=check.detail,
                    quarantine_fields=known,
                )
                return self._reject("document", candidate, replace(done, record=record))
        if (duplicate := self._deduplicator.find_duplicate(text)) is not None:
            return self._reject_duplicate(
                "document", candidate, duplicate, known=known, is_reused=done.is_reused
            )
        slot = candidate.brief.line
        self._lines[slot] = len(self._lines) + 1
        self._deduplicator.add(str(slot), text)
        texts = extract_texts(self._generator, columns)
        self.overuse.add(texts, candidate.found)
        return Attempt(
            slot,
            candidate.opened.context,
            "document",
            candidate.brief,
            done.record.outcome,
            line=done.record.line,
            number=self._lines[slot],
            tokens=sum(map(estimate_tokens, texts)),
            is_reused=done.is_reused,
        )

    def _reject_duplicate(
        self,
        stage: Stage,
        candidate: _Candidate,
        duplicate: NearDuplicate,
        *,
        known: Mapping[str, Any] | None = None,
        is_reused: bool = False,
    ) -> Attempt:
        where = self._describe_place(duplicate.key)
        score = f"{duplicate.score:g} by {duplicate.measure}"
        record = RowRecord(
            QUARANTINED,
            reasons=(NEAR_DUPLICATE,),
            detail=f"the {stage} is a near-duplicate of {where} ({score})",
            quarantine_fields=known,
        )
        done = RowResult(candidate.brief, record, is_reused)
        return self._reject(stage, candidate, done, avoid=candidate.brief.idea)

    def _describe_place(self, key: str) -> str:
        """Return where a text stands: the label of another corpus, or a line of this one."""
        if not key.isdigit():
            return key
        number = self._lines.get(int(key))
        return f"document {key} of the plan" if number is None else f"line {number} of the output"

    def _reject(
        self, stage: Stage, candidate: _Candidate, done: RowResult, *, avoid: str = ""
    ) -> Attempt:
        opened, slot, record = candidate.opened, candidate.brief.line, done.record
        if stage == "document" and self._generator.has_ideas:
            self._idea_deduplicator.remove(str(slot))
        is_abandoned = opened.attempt + 1 >= self._plan.attempts
        if not is_abandoned:
            ideas = tuple(dict.fromkeys([*opened.avoid, *filter(None, [avoid])]))
            self._again.append(_OpenContext(opened.context, (slot,), opened.attempt + 1, ideas))
        return Attempt(
            slot,
            opened.context,
            stage,
            candidate.brief,
            QUARANTINED,
            reasons=record.reasons,
            detail=record.detail,
            known=record.quarantine_fields,
            is_abandoned=is_abandoned,
            is_reused=done.is_reused,
        )


def _document_columns(done: RowResult) -> dict[str, Any] | None:
    """Return the columns of a document that came out, provenance left out."""
    if done.record.line is None:
        return None
    columns: dict[str, Any] = loads(done.record.line)
    columns.pop(PROVENANCE_COLUMN, None)
    return columns
