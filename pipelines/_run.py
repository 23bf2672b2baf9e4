"""A whole run: rows in, rows and quarantine out, a manifest beside them, an account at the end."""

import gc
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import ExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Protocol

from whyset.datasets import (
    DEFAULT_SELECTION,
    PROVENANCE_COLUMN,
    BadRow,
    DatasetError,
    Selection,
    Shape,
    UnsupportedConversion,
    convert_row,
    dumps,
    loads,
    read_rows,
)
from whyset.errors import RunError, RunStopped
from whyset.generators import Generator, Item
from whyset.models import Prices, RetryPolicy

from ._assembly import Pipeline
from ._files import RunFiles, RunWriter, open_run_writer, write_json
from ._report import RunCounts, Summary, manifest_record
from .engine._batch import BatchEngine, collect_ended_batches
from .engine._batch_jobs import DEFAULT_BATCH_POLICY, BatchPolicy
from .engine._budget import Budget
from .engine._live import LiveEngine, RowResult
from .engine._record import QUARANTINED, RowRecord
from .engine._requests import RequestStats
from .engine._stop import render_stop_message, run_with_signals
from .estimate._cost import Estimate, load_estimate, save_estimate
from .estimate._estimate import DEFAULT_SAMPLE, estimate_run
from .ledger._ledger import Ledger, StepCost

# ---- The engine that a run is done with, within its budget, and what it has cost so far.

Engine = LiveEngine | BatchEngine


class RowEngine(Protocol):
    """What goes through rows, as every engine does."""

    def run(
        self, rows: Iterable[Item | BadRow], *, generator: Generator | None = None
    ) -> AsyncGenerator[RowResult, None]:
        """Yield every row in the order of the input; see `LiveEngine.run`."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """How a run asks.

    Attributes:
        concurrency: How many asks are in flight at most.
        retries: When a failed ask is sent again.
        batch: Whether to ask by message batches.
        batch_policy: How batches are made and looked after.
        budget: The most that may be spent, in dollars, earlier runs on the same ledger included.
        prices: What replies cost.
    """

    concurrency: int
    retries: RetryPolicy
    batch: bool
    batch_policy: BatchPolicy
    budget: Decimal | None
    prices: Prices

    async def open_engine(self, crew: Pipeline, ledger: Ledger, *, durable: bool) -> Engine:
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
            await collect_ended_batches(
                crew, ledger, retries=self.retries, policy=self.batch_policy, prices=self.prices
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
                policy=self.batch_policy,
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

    def _open_budget(self, crew: Pipeline, ledger: Ledger) -> Budget | None:
        """Return the budget less what the ledger says was spent; `None` where there is none."""
        if self.budget is None:
            return None
        models = [model.name for model in crew.models.values() if not model.is_extractive]
        costs = [spent.cost for spent in summarize_costs(ledger, self.prices)]
        if None in costs:
            raise RunError(
                "replies in this run's ledger come from a model without a price, so no budget can "
                "be kept to: name its price in a file with --prices, or leave --budget out"
            )
        spent = sum((cost for cost in costs if cost is not None), Decimal(0))
        return Budget(self.budget, self.prices, models, spent=spent, batch=self.batch)


class EngineHandle:
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
    async def open_engine(
        self,
        means: RunConfig,
        crew: Pipeline,
        ledger: Ledger,
        *,
        durable: bool,
        told: Callable[[str], str],
    ) -> AsyncIterator[Engine]:
        """Open an engine for the work within; the crew is closed behind it.

        Args:
            means: See `RunConfig.open_engine`, also for what it raises.
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


def summarize_costs(ledger: Ledger, prices: Prices) -> tuple[StepCost, ...]:
    """Return what all replies in a ledger took, by step and model."""
    return tuple(ledger.cost_by_step(prices.cost, batch_price=partial(prices.cost, batch=True)))


@contextmanager
def freeze_gc() -> Iterator[None]:
    """Keep what exists already out of the sight of Python's collector of cycles.

    The vendors' packages hold some 240,000 objects that it would look through again and again as
    rows come and go: a fifth of a run's time, measured.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


# ---- Finished rows in another shape than they came in.

SHAPE_REASON = "shape"
"""Why a row is quarantined that the shape cannot hold."""


def convert_result(done: RowResult, to: Shape) -> RowResult:
    """Return a finished row written in a shape, or quarantined where that cannot hold it.

    The ledger keeps the row as it is: another run may write it in another shape, and asks nobody.
    """
    line = done.record.line
    if line is None:
        return done
    columns = loads(line)
    provenance = columns.pop(PROVENANCE_COLUMN, None)
    try:
        converted = convert_row(columns, to=to)
    except (UnsupportedConversion, DatasetError) as error:
        record = RowRecord(
            QUARANTINED,
            done.record.usage,
            reasons=(SHAPE_REASON,),
            detail=str(error),
            quarantine_fields={"finished": columns, PROVENANCE_COLUMN: provenance},
        )
        return replace(done, record=record)
    return replace(
        done, record=replace(done.record, line=dumps({**converted, PROVENANCE_COLUMN: provenance}))
    )


@dataclass(slots=True)
class Run:
    """A generator over a dataset. Run again after an interruption, it goes on where it stopped.

    Attributes:
        files: Where to read and write.
        pipeline: Who works.
        concurrency: How many asks are in flight at most.
        retries: When a failed ask is sent again.
        batch: Whether to ask by message batches, at their price; what was begun so can be
            finished live, and the other way round.
        batch_policy: How batches are made and looked after.
        budget: The most that may be spent, in dollars, earlier runs on the same ledger included.
        prices: What replies cost; the list that ships with whyset where none is given.
        selection: What of each row is worked on.
        output_shape: The shape that finished rows are written in; each in its own where none is given.
        on_row: Called after every row with the counts so far.
        on_quarantine: Called with every line for the quarantine.
    """

    files: RunFiles
    pipeline: Pipeline
    concurrency: int = 16
    retries: RetryPolicy = RetryPolicy()
    batch: bool = False
    batch_policy: BatchPolicy = DEFAULT_BATCH_POLICY
    budget: Decimal | None = None
    prices: Prices | None = None
    selection: Selection = DEFAULT_SELECTION
    output_shape: Shape | None = None
    on_row: Callable[[RunCounts, RequestStats], None] = lambda tally, traffic: None
    on_quarantine: Callable[[bytes], None] = lambda line: None
    _tally: RunCounts = field(default_factory=RunCounts, init=False, repr=False)
    _engine_handle: EngineHandle = field(default_factory=EngineHandle, init=False, repr=False)

    def execute(self) -> Summary:
        """Do it, in an event loop of its own.

        The first SIGINT or SIGTERM lets asks in flight finish, the second ends the run at once
        (where this is the main thread).

        Raises:
            DatasetError: The input cannot be read or the output not written.
            RunError: The ledger cannot be used.
            RunStopped: A signal came, or the provider does not answer; the output is not written.
            ModelRefused: The provider turns every ask down.
        """
        return run_with_signals(self.aexecute, self.stop, self._render_stop)

    async def aexecute(self) -> Summary:
        """Do it in the running event loop; as `execute`, but signals are left to the caller."""
        began, started = time.monotonic(), datetime.now(UTC)
        prices = self.prices or Prices.load()
        tally = self._tally = RunCounts(self.pipeline.generator.outcomes)
        reins = self._engine_handle = EngineHandle()
        with ExitStack() as stack:
            stack.enter_context(freeze_gc())
            ledger = stack.enter_context(Ledger(self.files.ledger))
            self.files.remove_partial_files()
            written = stack.enter_context(
                open_run_writer(self.files, self.files.source, on_quarantine=self.on_quarantine)
            )
            means = RunConfig(
                self.concurrency, self.retries, self.batch, self.batch_policy, self.budget, prices
            )
            durable = self.files.ledger is not None
            async with reins.open_engine(
                means, self.pipeline, ledger, durable=durable, told=self._render_stop
            ) as engine:
                await self._write_rows(engine, written)
            spent = summarize_costs(ledger, prices)
            seconds = time.monotonic() - began
            foretold = load_estimate(
                self.files.estimate, crew=self.pipeline.identity, batch=self.batch
            )
            summary = Summary(tally, spent, engine.traffic, seconds, self.files, foretold)
            written.commit()
            if self.files.manifest is not None:
                record = manifest_record(
                    summary,
                    self.pipeline,
                    started=started,
                    finished=datetime.now(UTC),
                    prices_of=prices.dated.isoformat(),
                    selection=self.selection,
                    to=self.output_shape,
                )
                write_json(self.files.manifest, record)
        return summary

    def stop(self) -> None:
        """Let asks in flight finish and send no more; `execute` then raises `RunStopped`.

        Batches in flight are not waited for: the next run collects them.
        """
        self._engine_handle.stop()

    def estimate(self, *, sample: int = DEFAULT_SAMPLE, seed: int = 0) -> Estimate:
        """Say what the run would ask and cost from here on; nothing is sent.

        What was said is kept beside the output, and told again when the run has ended.

        Args:
            sample: How many rows to walk, drawn at random; 0 walks all.
            seed: What the sample is drawn with.

        Raises:
            DatasetError: The input cannot be read.
            RunError: Another process works on this run, or its ledger cannot be read.
            WhysetError: See `whyset.pipelines.estimate`.
        """
        with Ledger.open_existing(self.files.ledger) as ledger:
            estimated = estimate_run(
                self.pipeline,
                read_rows(self.files.source, selection=self.selection),
                self.prices or Prices.load(),
                ledger=ledger,
                sample=sample,
                seed=seed,
            )
        if self.files.estimate is not None:
            save_estimate(self.files.estimate, estimated, crew=self.pipeline.identity)
        return estimated

    async def _write_rows(self, engine: Engine, written: RunWriter) -> None:
        rows = read_rows(self.files.source, selection=self.selection)
        async with aclosing(engine.run(rows)) as results:
            async for done in results:
                if self.output_shape is not None:
                    done = convert_result(done, self.output_shape)
                self._tally.add(done)
                if done.record.line is not None:
                    written.write(done.record.line)
                else:
                    written.write_quarantine(done.record.quarantine_line(done.row))
                self.on_row(self._tally, engine.traffic)

    def _render_stop(self, reason: str) -> str:
        done = f"{self._tally.rows:,} {'row' if self._tally.rows == 1 else 'rows'}"
        return render_stop_message(reason, done, self.files.ledger)
