"""Estimating a corpus: what the ledger holds is gone through again, the rest is rehearsed."""

import asyncio
import math
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial

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
    Usage,
)
from whyset.models import Prices

from .._pipeline import Pipeline
from ..engine._record import RowRecord, RowResult, row_key
from ..estimate._cost import ConfidenceInterval, Estimate, Forecast, ForecastIntervals, StepForecast
from ..estimate._estimate import LedgerReader, estimate_run
from ..plan import Context, Plan, derive_attempt_seed
from ._production import ContextStage, Production

DEFAULT_CORPUS_SAMPLE = 200
"""How many documents are walked where nothing else is said: every check is made on each of them,
in several ways, which takes a good part of a minute."""


def estimate_corpus(
    plan: Plan,
    contexts: Sequence[Context],
    crew: Pipeline,
    generator: DocumentGenerator,
    prices: Prices,
    *,
    ledger: LedgerReader | None,
    replay: Callable[["ReplayEngine"], Production],
    sample: int,
    seed: int,
    rejected: float,
) -> Estimate:
    """Say what a corpus would take from here on; nothing is sent.

    Ideas and documents are estimated apart, as `estimate_run` does it, and added up. What is excluded
    from later waves is not known yet, and left out.

    Args:
        plan: What is to be written.
        contexts: The plan's.
        crew: Who would work.
        generator: Who would write.
        prices: What replies cost.
        ledger: The run's ledger where there is one; it is only read.
        replay: Opens the production on an engine that knows the ledger alone.
        sample: How many documents to walk; 0 walks all.
        seed: What the sample is drawn with.
        rejected: Which share of attempts is assumed to be rejected.

    Raises:
        PlanError: The share is none.
        WhysetError: See `estimate_run`.
    """
    if not 0 <= rejected < 1:
        raise PlanError(f"the share of rejected attempts is 0 or more and below 1, not {rejected}")
    engine = ReplayEngine(crew, ledger)
    ended = _replay_ledger(replay(engine)) if ledger is not None else frozenset()
    stage = ContextStage(generator, count=plan.drafts)
    left = [context for context in contexts if not ended.issuperset(context.slots)]
    estimates = []
    if generator.has_ideas:
        begun = {brief.line for brief in engine.documents.waiting}
        if engine.ideas.waiting:
            begun |= {brief.line for brief in engine.ideas.latest}
        exact = {brief.line: brief for brief in engine.ideas.waiting}
        fresh = [
            exact.get(context.slots[0]) or _make_brief(plan, context, context.slots[0])
            for context in left
            if not begun.issuperset(set(context.slots) - ended)
        ]
        estimates.append(
            estimate_run(
                replace(crew, generator=stage),
                [*engine.ideas.known, *fresh],
                prices,
                ledger=ledger,
                sample=sample,
                seed=seed,
                has_shared_asks=True,
            )
        )
    exact = {brief.line: brief for brief in engine.documents.waiting}
    todo = [
        exact.get(slot) or _make_brief(plan, context, slot)
        for context in left
        for slot in context.slots
        if slot not in ended
    ]
    documents = estimate_run(
        replace(crew, generator=_DocumentStage(generator, stage)),
        [*engine.documents.known, *todo],
        prices,
        ledger=ledger,
        sample=sample,
        seed=seed,
        has_shared_asks=True,
    )
    again = sum(rejected**attempt for attempt in range(plan.attempts))
    together = _add_estimates([*estimates, documents], again, documents)
    return replace(together, rows=plan.documents, finished=plan.documents - len(todo))


@dataclass(slots=True)
class _StageRecord:
    """What one stage has gone through.

    Attributes:
        known: The briefs whose results are in the ledger.
        latest: Those of the latest pass.
        waiting: Those of the latest pass whose results are not.
    """

    known: list[Brief] = field(default_factory=list)
    latest: list[Brief] = field(default_factory=list)
    waiting: list[Brief] = field(default_factory=list)


class ReplayEngine:
    """Goes through rows as far as a ledger knows what became of them, and then is spent.

    Attributes:
        ideas: The idea stage's passes.
        documents: The others.
    """

    def __init__(self, crew: Pipeline, ledger: LedgerReader | None) -> None:
        self.ideas = _StageRecord()
        self.documents = _StageRecord()
        self._crew = crew
        self._ledger = ledger

    async def run(
        self, rows: Iterable[Item | BadRow], *, generator: Generator | None = None
    ) -> AsyncGenerator[RowResult, None]:
        """Yield what is known, up to the first row that is not.

        Raises:
            BudgetSpent: There is such a row.
        """
        crew = self._crew if generator is None else replace(self._crew, generator=generator)
        stage = self.documents if generator is None else self.ideas
        identity = crew.identity
        briefs = [row for row in rows if isinstance(row, Brief)]
        stage.latest = []
        for place, brief in enumerate(briefs):
            held = self._ledger.row(row_key(brief, identity)) if self._ledger else None
            if held is None:
                stage.waiting = briefs[place:]
                raise BudgetExhausted("The ledger knows no more")
            stage.known.append(brief)
            stage.latest.append(brief)
            yield RowResult(brief, RowRecord.from_bytes(held), is_reused=True)


class _DocumentStage(Generator):
    """The steps of documents alone: what idea they are written from is rehearsed unseen."""

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
            ended = yield from self._unseen(item)
            if isinstance(ended, Rejected):
                return ended
            idea, *_ = ended.columns[IDEAS]
            variety = {**item.variety, **ended.columns["variety"]}
            item = replace(item, idea=idea, variety=variety)
        return (yield from self._generator.steps(item))

    def mock_reply(self, ask: Ask, item: Brief, *, at_stake: bool = True) -> Reply:
        """Return the generator's typical answer."""
        return self._generator.mock_reply(ask, item, at_stake=at_stake)

    def _unseen(self, item: Brief) -> Steps[Finished | Rejected]:
        steps = self._stage.steps(item)
        sent = None
        while True:
            try:
                wanted = next(steps) if sent is None else steps.send(sent)
            except StopIteration as end:
                result: Finished | Rejected = end.value
                return result
            sent = (
                self._stage.mock_reply(wanted, item) if isinstance(wanted, Ask) else (yield wanted)
            )


def _replay_ledger(production: Production) -> frozenset[int]:
    """Go through what the ledger holds; return the documents that are written or given up."""

    async def ended() -> frozenset[int]:
        over: set[int] = set()
        try:
            async with aclosing(production.run()) as attempts:
                async for attempt in attempts:
                    if attempt.is_accepted or attempt.is_abandoned:
                        over.add(attempt.slot)
        except BudgetExhausted:
            pass
        return frozenset(over)

    # In a thread of its own: whoever asks for an estimate may be in an event loop.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(ended())).result()


def _make_brief(plan: Plan, context: Context, slot: int) -> Brief:
    return Brief(
        slot,
        passages=context.passages,
        variety=context.variety,
        draft=slot - context.slots[0],
        seed=derive_attempt_seed(plan, slot, 0),
    )


def _add_estimates(estimates: Sequence[Estimate], again: float, documents: Estimate) -> Estimate:
    """Add estimates up, each ask so often as attempts are expected."""
    add = partial(_add_forecasts, again=again)
    so_far = [each.projected for each in estimates]
    known = [each for each in so_far if each is not None]
    return replace(
        documents,
        least=add([each.least for each in estimates]),
        most=add([each.most for each in estimates]),
        projected=add(known) if documents.projected is not None else None,
    )


def _add_forecasts(forecasts: Sequence[Forecast], *, again: float) -> Forecast:
    steps = tuple(_scale_step(step, again) for each in forecasts for step in each.steps)
    total = Forecast(steps)
    if all(each.intervals is None for each in forecasts):
        return total
    ranges = {
        name: _add_intervals([_total_interval(each, name) for each in forecasts], again)
        for name in ("asks", "prompt_tokens", "output_tokens", "live", "batch")
    }
    return Forecast(steps, ForecastIntervals(**ranges))


def _scale_step(step: StepForecast, again: float) -> StepForecast:
    usage = step.usage
    exact = Decimal(str(again))
    return replace(
        step,
        asks=round(step.asks * again),
        usage=Usage(
            round(usage.input_tokens * again),
            round(usage.output_tokens * again),
            round(usage.cache_read_tokens * again),
            round(usage.cache_write_tokens * again),
        ),
        live=None if step.live is None else step.live * exact,
        batch=None if step.batch is None else step.batch * exact,
    )


def _total_interval(forecast: Forecast, name: str) -> ConfidenceInterval | None:
    """Return where a total lies; on a point where every row was walked."""
    if forecast.intervals is not None:
        held: ConfidenceInterval | None = getattr(forecast.intervals, name)
        return held
    usage = forecast.usage
    read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    totals = {
        "asks": forecast.asks,
        "prompt_tokens": read,
        "output_tokens": usage.output_tokens,
        "live": forecast.live,
        "batch": forecast.batch,
    }
    total = totals[name]
    return None if total is None else ConfidenceInterval(float(total), float(total))


def _add_intervals(
    ranges: Sequence[ConfidenceInterval | None], again: float
) -> ConfidenceInterval | None:
    """Return where a sum lies: errors that are independent add up by their squares."""
    held = [each for each in ranges if each is not None]
    if len(held) < len(ranges):
        return None
    middle = sum((each.low + each.high) / 2 for each in held) * again
    error = math.hypot(*((each.high - each.low) / 2 for each in held)) * again
    return ConfidenceInterval(max(middle - error, 0.0), middle + error)
