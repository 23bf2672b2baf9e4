"""The engine that a run is done with, within its budget, and what it has cost so far."""

import gc
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Protocol

from whyset.datasets import BadRow
from whyset.errors import RunError, RunStopped
from whyset.generators import Generator, Item
from whyset.models import Prices, RetryPolicy

from ._batch import BatchEngine, collect_ended
from ._batchpolicy import BatchPolicy
from ._budget import Budget
from ._crew import Crew
from ._ledger import Ledger, Spent
from ._live import Done, LiveEngine

Engine = LiveEngine | BatchEngine


class Runs(Protocol):
    """What goes through rows, as every engine does."""

    def run(
        self, rows: Iterable[Item | BadRow], *, generator: Generator | None = None
    ) -> AsyncGenerator[Done, None]:
        """Yield every row in the order of the input; see `LiveEngine.run`."""


@dataclass(frozen=True, slots=True)
class Means:
    """How a run asks.

    Attributes:
        concurrency: How many asks are in flight at most.
        retries: When a failed ask is sent again.
        batch: Whether to ask by message batches.
        policy: How batches are made and looked after.
        budget: The most that may be spent, in dollars, earlier runs on the same ledger included.
        prices: What replies cost.
    """

    concurrency: int
    retries: RetryPolicy
    batch: bool
    policy: BatchPolicy
    budget: Decimal | None
    prices: Prices

    async def open_engine(self, crew: Crew, ledger: Ledger, *, durable: bool) -> Engine:
        """Open an engine; a live one once what earlier batches have to say is collected.

        Args:
            crew: Who works.
            ledger: Where replies are recorded.
            durable: Whether the ledger outlives the process.

        Raises:
            RunError: No budget can be kept to, or no message batches be made.
            ModelRefused: The provider turns every ask down.
        """
        if not self.batch:
            await collect_ended(
                crew, ledger, retries=self.retries, policy=self.policy, prices=self.prices
            )
        if self.batch and not durable:
            raise RunError(
                "message batches take up to a day, and without -o FILE nothing would be kept of "
                "what they cost: name an output with -o, or leave --batch out"
            )
        budget = self._open_budget(crew, ledger)
        if self.batch:
            return BatchEngine(
                crew,
                ledger,
                retries=self.retries,
                policy=self.policy,
                prices=self.prices,
                budget=budget,
            )
        return LiveEngine(
            crew,
            ledger,
            concurrency=self.concurrency,
            retries=self.retries,
            prices=self.prices,
            budget=budget,
        )

    def _open_budget(self, crew: Crew, ledger: Ledger) -> Budget | None:
        """Return the budget less what the ledger says was spent; `None` where there is none."""
        if self.budget is None:
            return None
        models = [model.name for model in crew.models.values() if not model.extractive]
        costs = [spent.cost for spent in spent_on(ledger, self.prices)]
        if None in costs:
            raise RunError(
                "replies in this run's ledger come from a model without a price, so no budget can "
                "be kept to: name its price in a file with --prices, or leave --budget out"
            )
        spent = sum((cost for cost in costs if cost is not None), Decimal(0))
        return Budget(self.budget, self.prices, models, spent=spent, batch=self.batch)


class Reins:
    """What holds a run's engine, and stops it, even if it is only opened later."""

    def __init__(self) -> None:
        self._engine: Engine | None = None
        self._stopping = False

    def stop(self) -> None:
        """Let asks in flight finish and send no more."""
        self._stopping = True
        if self._engine is not None:
            self._engine.stop()

    @asynccontextmanager
    async def engine(
        self,
        means: Means,
        crew: Crew,
        ledger: Ledger,
        *,
        durable: bool,
        told: Callable[[str], str],
    ) -> AsyncIterator[Engine]:
        """Open an engine for the work within; the crew is closed behind it.

        Args:
            means: See `Means.open_engine`, also for what it raises.
            crew: Who works.
            ledger: Where replies are recorded.
            durable: Whether the ledger outlives the process.
            told: Makes of the reason for which the work stopped what the error says.

        Raises:
            RunStopped: The work stopped; every reply so far is on the disk.
        """
        try:
            engine = self._engine = await means.open_engine(crew, ledger, durable=durable)
            if self._stopping:
                engine.stop()
            yield engine
        except RunStopped as reason:
            ledger.flush()
            raise RunStopped(told(str(reason))) from reason
        finally:
            self._engine = None
            await crew.aclose()


def spent_on(ledger: Ledger, prices: Prices) -> tuple[Spent, ...]:
    """Return what all replies in a ledger took, by step and model."""
    return tuple(ledger.spent(prices.cost, batch_price=partial(prices.cost, batch=True)))


@contextmanager
def sparing_the_collector() -> Iterator[None]:
    """Keep what exists already out of the sight of Python's collector of cycles.

    The vendors' packages hold some 240,000 objects that it would look through again and again as
    rows come and go: a fifth of a run's time, measured.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
