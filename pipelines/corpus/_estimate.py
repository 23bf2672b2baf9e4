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
from whyset.errors import BudgetSpent, PlanError
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

from .._assembly import Crew
from ..engine._live import Done
from ..engine._record import RowRecord, row_key
from ..estimate._cost import Estimate, Forecast, Range, Ranges, StepForecast
from ..estimate._estimate import Known, estimate
from ..plan import Context, Plan, attempt_seed
from ._production import ContextStage, Production

CORPUS_SAMPLE = 200
"""How many documents are walked where nothing else is said: every check is made on each of them,
in several ways, which takes a good part of a minute."""


def estimate_corpus(
    plan: Plan,
    contexts: Sequence[Context],
    crew: Crew,
    generator: DocumentGenerator,
    prices: Prices,
    *,
    ledger: Known | None,
    replay: Callable[["LedgerEngine"], Production],
    sample: int,
    seed: int,
    rejected: float,
) -> Estimate:
    """Say what a corpus would take from here on; nothing is sent.

    Ideas and documents are estimated apart, as `estimate` does it, and added up. What is excluded
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
        WhysetError: See `estimate`.
    """
    if not 0 <= rejected < 1:
        raise PlanError(f"the share of rejected attempts is 0 or more and below 1, not {rejected}")
    engine = LedgerEngine(crew, ledger)
    ended = _replayed(replay(engine)) if ledger is not None else frozenset()
    stage = ContextStage(generator, count=plan.drafts)
    left = [context for context in contexts if not ended.issuperset(context.slots)]
    estimates = []
    if generator.has_ideas:
        begun = {brief.line for brief in engine.documents.waiting}
        if engine.ideas.waiting:
            begun |= {brief.line for brief in engine.ideas.latest}
        exact = {brief.line: brief for brief in engine.ideas.waiting}
        fresh = [
            exact.get(context.slots[0]) or _brief(plan, context, context.slots[0])
            for context in left
            if not begun.issuperset(set(context.slots) - ended)
        ]
        estimates.append(
            estimate(
                replace(crew, generator=stage),
                [*engine.ideas.known, *fresh],
                prices,
                ledger=ledger,
                sample=sample,
                seed=seed,
                shared=True,
            )
        )
    exact = {brief.line: brief for brief in engine.documents.waiting}
    todo = [
        exact.get(slot) or _brief(plan, context, slot)
        for context in left
        for slot in context.slots
        if slot not in ended
    ]
    documents = estimate(
        replace(crew, generator=_AfterIdeas(generator, stage)),
        [*engine.documents.known, *todo],
        prices,
        ledger=ledger,
        sample=sample,
        seed=seed,
        shared=True,
    )
    again = sum(rejected**attempt for attempt in range(plan.attempts))
    together = _together([*estimates, documents], again, documents)
    return replace(together, rows=plan.documents, finished=plan.documents - len(todo))


@dataclass(slots=True)
class _Pass:
    """What one stage has gone through.

    Attributes:
        known: The briefs whose results are in the ledger.
        latest: Those of the latest pass.
        waiting: Those of the latest pass whose results are not.
    """

    known: list[Brief] = field(default_factory=list)
    latest: list[Brief] = field(default_factory=list)
    waiting: list[Brief] = field(default_factory=list)


class LedgerEngine:
    """Goes through rows as far as a ledger knows what became of them, and then is spent.

    Attributes:
        ideas: The idea stage's passes.
        documents: The others.
    """

    def __init__(self, crew: Crew, ledger: Known | None) -> None:
        self.ideas = _Pass()
        self.documents = _Pass()
        self._crew = crew
        self._ledger = ledger

    async def run(
        self, rows: Iterable[Item | BadRow], *, generator: Generator | None = None
    ) -> AsyncGenerator[Done, None]:
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
                raise BudgetSpent("The ledger knows no more")
            stage.known.append(brief)
            stage.latest.append(brief)
            yield Done(brief, RowRecord.from_bytes(held), reused=True)


class _AfterIdeas(Generator):
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

    def rehearse(self, ask: Ask, item: Brief, *, at_stake: bool = True) -> Reply:
        """Return the generator's typical answer."""
        return self._generator.rehearse(ask, item, at_stake=at_stake)

    def _unseen(self, item: Brief) -> Steps[Finished | Rejected]:
        steps = self._stage.steps(item)
        sent = None
        while True:
            try:
                wanted = next(steps) if sent is None else steps.send(sent)
            except StopIteration as end:
                result: Finished | Rejected = end.value
                return result
            sent = self._stage.rehearse(wanted, item) if isinstance(wanted, Ask) else (yield wanted)


def _replayed(production: Production) -> frozenset[int]:
    """Go through what the ledger holds; return the documents that are written or given up."""

    async def ended() -> frozenset[int]:
        over: set[int] = set()
        try:
            async with aclosing(production.run()) as attempts:
                async for attempt in attempts:
                    if attempt.accepted or attempt.given_up:
                        over.add(attempt.slot)
        except BudgetSpent:
            pass
        return frozenset(over)

    # In a thread of its own: whoever asks for an estimate may be in an event loop.
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(ended())).result()


def _brief(plan: Plan, context: Context, slot: int) -> Brief:
    return Brief(
        slot,
        passages=context.passages,
        variety=context.variety,
        draft=slot - context.slots[0],
        seed=attempt_seed(plan, slot, 0),
    )


def _together(estimates: Sequence[Estimate], again: float, documents: Estimate) -> Estimate:
    """Add estimates up, each ask so often as attempts are expected."""
    add = partial(_sum, again=again)
    so_far = [each.as_so_far for each in estimates]
    known = [each for each in so_far if each is not None]
    return replace(
        documents,
        least=add([each.least for each in estimates]),
        most=add([each.most for each in estimates]),
        as_so_far=add(known) if documents.as_so_far is not None else None,
    )


def _sum(forecasts: Sequence[Forecast], *, again: float) -> Forecast:
    steps = tuple(_times(step, again) for each in forecasts for step in each.steps)
    total = Forecast(steps)
    if all(each.ranges is None for each in forecasts):
        return total
    ranges = {
        name: _added([_range(each, name) for each in forecasts], again)
        for name in ("asks", "prompt_tokens", "output_tokens", "live", "batch")
    }
    return Forecast(steps, Ranges(**ranges))


def _times(step: StepForecast, again: float) -> StepForecast:
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


def _range(forecast: Forecast, name: str) -> Range | None:
    """Return where a total lies; on a point where every row was walked."""
    if forecast.ranges is not None:
        held: Range | None = getattr(forecast.ranges, name)
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
    return None if total is None else Range(float(total), float(total))


def _added(ranges: Sequence[Range | None], again: float) -> Range | None:
    """Return where a sum lies: errors that are independent add up by their squares."""
    held = [each for each in ranges if each is not None]
    if len(held) < len(ranges):
        return None
    middle = sum((each.low + each.high) / 2 for each in held) * again
    error = math.hypot(*((each.high - each.low) / 2 for each in held)) * again
    return Range(max(middle - error, 0.0), middle + error)
