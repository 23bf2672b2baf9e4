"""The dry run of a corpus: what the ledger has is replayed, the rest gets mock replies."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from whyset.datasets import BadRow
from whyset.errors import BudgetExhausted, PlanError
from whyset.generators import (
    IDEAS,
    Ask,
    Brief,
    DocumentGenerator,
    Finished,
    Generator,
    Item,
    Rejected,
    Reply,
    Steps,
)
from whyset.models import Prices
from whyset.retriever import Grounding

from .._pipeline import Pipeline
from ..engine._record import RowRecord, RowResult, row_key
from ..estimate._cost import Estimate, add_forecasts
from ..estimate._estimate import LedgerReader, estimate_run
from ..plan import Context, Plan
from ._production import ContextStage, Production, make_brief

DEFAULT_CORPUS_SAMPLE = 200
"""How many documents are simulated where nothing else is said: every check is made on each of
them, in several ways, which takes a good part of a minute."""


def estimate_corpus(
    plan: Plan,
    contexts: Sequence[Context],
    pipeline: Pipeline,
    generator: DocumentGenerator,
    prices: Prices,
    *,
    ledger: LedgerReader | None,
    replay: Callable[["ReplayEngine"], Production],
    sample: int,
    seed: int,
    rejected: float,
) -> Estimate:
    """Estimate what a corpus would take from here on; nothing is sent.

    Ideas and documents are estimated apart, as `estimate_run` does it, and added up. What is
    excluded from later waves is not known yet, and left out. `replay` opens the production on an
    engine that knows the ledger alone; for the rest see `CorpusRun.estimate`.

    Raises:
        PlanError: The share is not one.
        WhysetError: See `estimate_run`.
    """
    if not 0 <= rejected < 1:
        raise PlanError(f"the share of rejected attempts is 0 or more and below 1, not {rejected}")

    def estimate(stage: Generator, briefs: Sequence[Brief]) -> Estimate:
        return estimate_run(
            replace(pipeline, generator=stage),
            briefs,
            prices,
            ledger=ledger,
            sample=sample,
            seed=seed,
            has_shared_asks=True,
        )

    engine = ReplayEngine(pipeline, ledger)
    ended = _replay_ledger(replay(engine)) if ledger is not None else frozenset()
    stage = ContextStage(generator, count=plan.drafts)
    left = [context for context in contexts if not ended.issuperset(context.slots)]
    estimates = []
    if generator.has_ideas:
        ideas = engine.ideas
        begun = {brief.line for brief in engine.documents.waiting}
        if ideas.waiting:
            begun |= {brief.line for brief in ideas.latest}
        waiting = {brief.line: brief for brief in ideas.waiting}
        fresh = [
            waiting.get(context.slots[0]) or make_brief(plan, context, context.slots[0])
            for context in left
            if not begun.issuperset(set(context.slots) - ended)
        ]
        estimates.append(estimate(stage, [*ideas.known, *fresh]))
    waiting = {brief.line: brief for brief in engine.documents.waiting}
    todo = [
        waiting.get(slot) or make_brief(plan, context, slot)
        for context in left
        for slot in context.slots
        if slot not in ended
    ]
    documents = estimate(_DocumentStage(generator, stage), [*engine.documents.known, *todo])
    estimates.append(documents)
    attempts = sum(rejected**attempt for attempt in range(plan.attempts))
    projected = [each.projected for each in estimates if each.projected is not None]
    return replace(
        documents,
        rows=plan.documents,
        finished=plan.documents - len(todo),
        least=add_forecasts([each.least for each in estimates], scale=attempts),
        most=add_forecasts([each.most for each in estimates], scale=attempts),
        projected=add_forecasts(projected, scale=attempts)
        if documents.projected is not None
        else None,
    )


@dataclass(slots=True)
class _StageRecord:
    """What a replay has gone through of one stage: `known` is in the ledger, `waiting` is not."""

    known: list[Brief] = field(default_factory=list)
    latest: list[Brief] = field(default_factory=list)  # those known of the latest pass
    waiting: list[Brief] = field(default_factory=list)


class ReplayEngine:
    """Goes through rows as far as a ledger has their results, and then has spent its budget."""

    def __init__(self, pipeline: Pipeline, ledger: LedgerReader | None) -> None:
        self.ideas = _StageRecord()
        self.documents = _StageRecord()
        self._pipeline = pipeline
        self._ledger = ledger

    async def run(
        self, rows: Iterable[Item | BadRow], *, generator: Generator | None = None
    ) -> AsyncGenerator[RowResult, None]:
        """Yield what is known, up to the first row that is not.

        Raises:
            BudgetExhausted: There is such a row.
        """
        pipeline, stage = self._pipeline, self.documents
        if generator is not None:
            pipeline, stage = replace(pipeline, generator=generator), self.ideas
        identity = pipeline.identity
        briefs = [row for row in rows if isinstance(row, Brief)]
        stage.latest = []
        for place, brief in enumerate(briefs):
            record = self._ledger.row(row_key(brief, identity)) if self._ledger else None
            if record is None:
                stage.waiting = briefs[place:]
                raise BudgetExhausted("The ledger knows no more")
            stage.known.append(brief)
            stage.latest.append(brief)
            yield RowResult(brief, RowRecord.from_bytes(record), is_reused=True)


class _DocumentStage(Generator):
    """The steps of documents alone: those of their ideas are left to mock replies, uncounted."""

    def __init__(self, generator: DocumentGenerator, stage: ContextStage) -> None:
        self._generator = generator
        self._stage = stage

    @property
    def identity(self) -> str:
        """The generator's: what is in the ledger is found."""
        return self._generator.identity

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one document."""
        if self._generator.has_ideas and not item.idea:
            ended = yield from self._mock_ideas(item)
            if isinstance(ended, Rejected):
                return ended
            idea, *_ = ended.columns[IDEAS]
            variety = {**item.variety, **ended.columns["variety"]}
            item = replace(item, idea=idea, variety=variety)
        return (yield from self._generator.steps(item))

    def mock_reply(self, ask: Ask, item: Brief, *, at_stake: bool = True) -> Reply:
        """Return the generator's typical answer."""
        return self._generator.mock_reply(ask, item, at_stake=at_stake)

    def _mock_ideas(self, item: Brief) -> Steps[Finished | Rejected]:
        steps = self._stage.steps(item)
        sent: Reply | Grounding | None = None
        while True:
            try:
                question = next(steps) if sent is None else steps.send(sent)
            except StopIteration as end:
                result: Finished | Rejected = end.value
                return result
            if isinstance(question, Ask):
                sent = self._stage.mock_reply(question, item)
            else:
                sent = yield question


def _replay_ledger(production: Production) -> frozenset[int]:
    """Go through what the ledger has; return the documents that are written or given up."""

    async def replay() -> frozenset[int]:
        ended: set[int] = set()
        try:
            async with aclosing(production.run()) as attempts:
                async for attempt in attempts:
                    if attempt.is_accepted or attempt.is_abandoned:
                        ended.add(attempt.slot)
        except BudgetExhausted:
            pass
        return frozenset(ended)

    # In a thread of its own: whoever wants an estimate may be in an event loop.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(replay())).result()
