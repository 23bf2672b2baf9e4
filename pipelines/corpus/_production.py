"""Documents in waves: ideas, the new ones of them, documents, the new ones of those; again.

Everything is decided in the order of the plan, whatever order answers come in, so that the seed
and the replies alone say what comes of it.
"""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
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

# ---- The values: attempts at the documents of a plan, and what became of them.

NEAR_DUPLICATE = "near_duplicate"
NO_IDEA = "no_idea"
HOLDOUT_CHECK = "check:no_eval_scenario"

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
        tokens: How many tokens it says, estimated.
        reasons: Why it was rejected: one word each, to be counted.
        detail: The same for a person.
        known: What else the quarantine tells of it.
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
        """Return the line of the quarantine file: the brief, and why it came to nothing."""
        known: dict[str, Any] = {} if self.known is None else {"whyset": dict(self.known)}
        return build_quarantine_line(
            self.slot,
            self.reasons,
            self.brief.columns,
            stage=self.stage,
            detail=self.detail,
            **known,
        )


_COMPARED_TOGETHER = 32
"""Documents that are compared in one go: enough to embed them well, few enough to come out soon."""


@dataclass(frozen=True, slots=True)
class _OpenContext:
    """A context to be worked on in a wave: all its documents at first, later one of them.

    Attributes:
        context: The context.
        slots: The documents.
        attempt: How often they were tried before.
        avoid: Ideas that they must not take up again.
    """

    context: Context
    slots: tuple[int, ...]
    attempt: int = 0
    avoid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A document to be written.

    Attributes:
        open: What it comes of.
        brief: What is asked for.
        found: Axis → value, as the generator has found it out.
    """

    open: _OpenContext
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


class Production:
    """Makes the documents of a plan.

    Args:
        plan: What is to be made.
        contexts: The plan's.
        generator: Who writes.
        engine: Who asks.
        deduplicator: What tells near-duplicates among documents.
        idea_deduplicator: The same among ideas.
        existing: Documents of other corpora that must not be repeated.
        held_out: Scenarios that no document may resemble.
        on_answer: Called with every context or document that comes back from the engine.
    """

    def __init__(
        self,
        plan: Plan,
        contexts: Sequence[Context],
        generator: DocumentGenerator,
        engine: Engine,
        *,
        novelty: Deduplicator,
        idea_novelty: Deduplicator,
        existing: Iterable[ExistingDocument] = (),
        held_out: Sequence[EvalScenario] = (),
        on_answer: Callable[[Stage, RowResult], None] = lambda stage, done: None,
    ) -> None:
        self.habits = OveruseTracker(plan)
        self._plan = plan
        self._generator = generator
        self._stage = ContextStage(generator, count=plan.drafts)
        self._engine = engine
        self._novelty = novelty
        self._idea_novelty = idea_novelty
        self._existing = existing
        self._held_out = held_out
        self._on_answer = on_answer
        self._fresh = deque(_OpenContext(context, context.slots) for context in contexts)
        self._again: deque[_OpenContext] = deque()
        self._lines: dict[int, int] = {}
        self._worker = WorkerThread("whyset-novelty")

    async def run(self) -> AsyncGenerator[Attempt, None]:
        """Yield every attempt in the order of the waves, within a wave in that of the plan.

        Raises:
            BudgetSpent: The next ask could exceed the budget; what came out before it was yielded.
            RunStopped: See `LiveEngine.run`, also for the rest.
        """
        try:
            await self._compare_with_existing()
            while wave := self._next_wave():
                async with aclosing(self._wave(wave)) as attempts:
                    async for attempt in attempts:
                        yield attempt
        finally:
            self._worker.close()

    async def _compare_with_existing(self) -> None:
        documents: list[tuple[str, str]] = []
        ideas: list[tuple[str, str]] = []

        async def take() -> None:
            for novelty, held in ((self._novelty, documents), (self._idea_novelty, ideas)):
                texts = [text for _, text in held]
                prints = await self._worker.call(partial(novelty.compute_fingerprints, texts))
                for (label, _), fingerprint in zip(held, prints, strict=True):
                    novelty.add(label, fingerprint)
                held.clear()

        for existing in self._existing:
            documents.append((existing.label, existing.text))
            if existing.idea:
                ideas.append((existing.label, existing.idea))
            if len(documents) == _COMPARED_TOGETHER:
                await take()
        await take()

    def _next_wave(self) -> list[_OpenContext]:
        """Take what is tried again, then what is new, as much as a wave holds."""
        wave: list[_OpenContext] = []
        room = self._plan.wave
        for waiting in (self._again, self._fresh):
            while waiting and (room >= len(waiting[0].slots) or not wave):
                taken = waiting.popleft()
                wave.append(taken)
                room -= len(taken.slots)
        return wave

    async def _wave(self, wave: Sequence[_OpenContext]) -> AsyncGenerator[Attempt, None]:
        briefs = {slot: self._brief(opened, slot) for opened in wave for slot in opened.slots}
        candidates: list[_Candidate] = []
        async with aclosing(self._ideas(wave, briefs)) as found:
            async for each in found:
                if isinstance(each, Attempt):
                    yield each
                else:
                    candidates.append(each)
        async with aclosing(self._documents(candidates)) as written:
            async for attempt in written:
                yield attempt

    def _brief(self, opened: _OpenContext, slot: int) -> Brief:
        context, plan = opened.context, self._plan
        avoid = self.habits.exclusions(context.variety)
        if opened.avoid:
            avoid[KNOWN_IDEAS] = opened.avoid
        return Brief(
            slot,
            passages=context.passages,
            variety=context.variety,
            draft=slot - context.slots[0],
            seed=derive_attempt_seed(plan, slot, opened.attempt),
            attempt=opened.attempt,
            avoid=avoid,
        )

    async def _ideas(
        self, wave: Sequence[_OpenContext], briefs: Mapping[int, Brief]
    ) -> AsyncGenerator[Attempt | _Candidate, None]:
        """Yield what is to be written, and what was rejected before it could be."""
        if not self._generator.has_ideas:
            for opened in wave:
                for slot in opened.slots:
                    yield _Candidate(opened, briefs[slot], {})
            return
        by_line = {opened.slots[0]: opened for opened in wave}
        candidates: list[_Candidate] = []
        contexts = [briefs[line] for line in by_line]
        running = self._engine.run(contexts, generator=self._stage)
        async with aclosing(running) as results:
            async for done in results:
                self._on_answer("idea", done)
                opened = by_line[done.row.line]
                for each in self._split_context(opened, done, briefs):
                    if isinstance(each, Attempt):
                        yield each
                    else:
                        candidates.append(each)
        texts = [candidate.brief.idea for candidate in candidates]
        prints = await self._worker.call(partial(self._idea_novelty.compute_fingerprints, texts))
        for candidate, fingerprint in zip(candidates, prints, strict=True):
            like = self._idea_novelty.find_duplicate(fingerprint)
            if like is None:
                self._idea_novelty.add(str(candidate.brief.line), fingerprint)
                yield candidate
            else:
                yield self._reject_duplicate("idea", candidate, like)

    def _split_context(
        self, opened: _OpenContext, done: RowResult, briefs: Mapping[int, Brief]
    ) -> Iterator[Attempt | _Candidate]:
        """Yield what came of a context: a candidate or a rejection for each of its documents."""
        texts: list[str] = []
        found: dict[str, str] = {}
        if done.record.line is not None:
            columns = loads(done.record.line)
            texts, found = columns[IDEAS], columns["variety"]
            self.habits.record_meanings(opened.context.variety, found)
        for place, slot in enumerate(opened.slots):
            brief = replace(briefs[slot], variety={**opened.context.variety, **found})
            candidate = _Candidate(opened, brief, found)
            if place < len(texts):
                idea = " ".join(str(texts[place]).split())
                yield replace(candidate, brief=replace(brief, idea=idea))
            elif done.record.line is None:
                yield self._reject("idea", candidate, done)
            else:
                detail = f"{len(texts)} of {len(opened.slots)} ideas came"
                lacking = RowRecord(QUARANTINED, reasons=(NO_IDEA,), detail=detail)
                yield self._reject("idea", candidate, replace(done, record=lacking))

    async def _documents(self, candidates: Sequence[_Candidate]) -> AsyncGenerator[Attempt, None]:
        by_line = {candidate.brief.line: candidate for candidate in candidates}
        running = self._engine.run([candidate.brief for candidate in candidates])
        waiting: list[RowResult] = []
        spent: BudgetExhausted | None = None
        async with aclosing(running) as results:
            try:
                async for done in results:
                    self._on_answer("document", done)
                    waiting.append(done)
                    if len(waiting) == _COMPARED_TOGETHER:
                        for attempt in await self._accept_or_reject(waiting, by_line):
                            yield attempt
                        waiting.clear()
            except BudgetExhausted as error:
                spent = error
        for attempt in await self._accept_or_reject(waiting, by_line):
            yield attempt
        if spent is not None:
            raise spent

    async def _accept_or_reject(
        self, written: Sequence[RowResult], by_line: Mapping[int, _Candidate]
    ) -> list[Attempt]:
        """Say of documents that came out which are accepted, each beside those before it."""
        columns = [_document_columns(done) for done in written]
        texts = [self._generator.document_text(held) for held in columns if held is not None]
        prints = iter(await self._worker.call(partial(self._novelty.compute_fingerprints, texts)))
        return [
            self._reject("document", by_line[done.row.line], done)
            if held is None
            else self._accept_unless_duplicate(by_line[done.row.line], done, held, next(prints))
            for done, held in zip(written, columns, strict=True)
        ]

    def _accept_unless_duplicate(
        self, candidate: _Candidate, done: RowResult, columns: dict[str, Any], text: Fingerprint
    ) -> Attempt:
        assert done.record.line is not None
        known = {**require_provenance(loads(done.record.line)), "draft": columns}
        if self._held_out:
            told = "\n\n".join(iter_texts(columns))
            check = check_no_eval_scenario(told, scenarios=self._held_out)
            if check.status == "failed":
                record = RowRecord(
                    QUARANTINED,
                    reasons=(HOLDOUT_CHECK,),
                    detail=check.detail,
                    quarantine_fields=known,
                )
                return self._reject("document", candidate, replace(done, record=record))
        like = self._novelty.find_duplicate(text)
        if like is not None:
            return self._reject_duplicate("document", candidate, like, done=done, known=known)
        slot = candidate.brief.line
        number = len(self._lines) + 1
        self._lines[slot] = number
        self._novelty.add(str(slot), text)
        spoken = extract_texts(self._generator, columns)
        self.habits.add(spoken, candidate.found)
        return Attempt(
            slot,
            candidate.open.context,
            "document",
            candidate.brief,
            done.record.outcome,
            line=done.record.line,
            number=number,
            tokens=sum(map(estimate_tokens, spoken)),
            is_reused=done.is_reused,
        )

    def _reject_duplicate(
        self,
        stage: Stage,
        candidate: _Candidate,
        like: NearDuplicate,
        *,
        done: RowResult | None = None,
        known: Mapping[str, Any] | None = None,
    ) -> Attempt:
        where = self._describe_place(like.key)
        detail = f"the {stage} is too much like {where} ({like.score:g} by {like.measure})"
        record = RowRecord(
            QUARANTINED, reasons=(NEAR_DUPLICATE,), detail=detail, quarantine_fields=known
        )
        reused = done is not None and done.is_reused
        avoid = [candidate.brief.idea]
        return self._reject(
            stage, candidate, RowResult(candidate.brief, record, reused), avoid=avoid
        )

    def _describe_place(self, key: str) -> str:
        """Return where a text stands: the label of another corpus, or a line of this one."""
        if not key.isdigit():
            return key
        number = self._lines.get(int(key))
        return f"document {key} of the plan" if number is None else f"line {number} of the output"

    def _reject(
        self, stage: Stage, candidate: _Candidate, done: RowResult, *, avoid: Sequence[str] = ()
    ) -> Attempt:
        opened, slot, record = candidate.open, candidate.brief.line, done.record
        if stage == "document" and self._generator.has_ideas:
            self._idea_novelty.remove(str(slot))
        given_up = opened.attempt + 1 >= self._plan.attempts
        if not given_up:
            known = tuple(dict.fromkeys([*opened.avoid, *filter(None, avoid)]))
            self._again.append(_OpenContext(opened.context, (slot,), opened.attempt + 1, known))
        return Attempt(
            slot,
            opened.context,
            stage,
            candidate.brief,
            QUARANTINED,
            reasons=record.reasons,
            detail=record.detail,
            known=record.quarantine_fields,
            is_abandoned=given_up,
            is_reused=done.is_reused,
        )


def _document_columns(done: RowResult) -> dict[str, Any] | None:
    """Return the columns of a document that came out, provenance left out."""
    if done.record.line is None:
        return None
    columns: dict[str, Any] = loads(done.record.line)
    columns.pop(PROVENANCE_COLUMN, None)
    return columns
