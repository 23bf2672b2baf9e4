"""A whole run: rows in, rows and quarantine out, a manifest beside them, an account at the end."""

import asyncio
import gc
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

from whyset.datasets import (
    STDIN,
    BadRow,
    DatasetError,
    LineWriter,
    Row,
    read_rows,
    read_stream,
)
from whyset.models import Prices, RetryPolicy

from ._answering import Traffic
from ._batch import BatchEngine, collect_ended
from ._batchpolicy import DEFAULT_POLICY, BatchPolicy
from ._budget import Budget
from ._crew import Crew
from ._errors import RunError, RunStopped
from ._estimate import SAMPLE, estimate
from ._files import RunFiles
from ._forecast import Estimate
from ._foretold import keep_estimate, read_estimate
from ._keeping import write_record
from ._ledger import Ledger, Spent
from ._live import LiveEngine
from ._manifest import manifest_record
from ._summary import Summary, Tally


@dataclass(slots=True)
class Run:
    """A generator over a dataset. Run again after an interruption, it goes on where it stopped.

    Attributes:
        files: Where to read and write.
        crew: Who works.
        concurrency: How many asks are in flight at most.
        retries: When a failed ask is sent again.
        batch: Whether to ask by message batches, at their price; what was begun so can be
            finished live, and the other way round.
        batch_policy: How batches are made and looked after.
        budget: The most that may be spent, in dollars, earlier runs on the same ledger included.
        prices: What replies cost; the list that ships with whyset where none is given.
        on_row: Called after every row with the counts so far.
        on_quarantine: Called with every line for the quarantine.
    """

    files: RunFiles
    crew: Crew
    concurrency: int = 16
    retries: RetryPolicy = RetryPolicy()
    batch: bool = False
    batch_policy: BatchPolicy = DEFAULT_POLICY
    budget: Decimal | None = None
    prices: Prices | None = None
    on_row: Callable[[Tally, Traffic], None] = lambda tally, traffic: None
    on_quarantine: Callable[[bytes], None] = lambda line: None
    _engine: LiveEngine | BatchEngine | None = field(default=None, init=False, repr=False)
    _tally: Tally = field(default_factory=Tally, init=False, repr=False)
    _stopping: bool = field(default=False, init=False, repr=False)

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

        async def interruptible() -> Summary:
            try:
                with _on_signals(self.stop):
                    return await self.aexecute()
            except asyncio.CancelledError:
                raise RunStopped(
                    self._told("Stopped at once, without waiting for asks in flight")
                ) from None

        return asyncio.run(interruptible())

    async def aexecute(self) -> Summary:
        """Do it in the running event loop; as `execute`, but signals are left to the caller."""
        began, started = time.monotonic(), datetime.now(UTC)
        prices = self.prices or Prices.load()
        tally = self._tally = Tally()
        self._stopping = False
        with ExitStack() as stack:
            stack.enter_context(_sparing_the_collector())
            ledger = stack.enter_context(Ledger(self.files.ledger))
            for path in self.files.leftovers():
                path.unlink(missing_ok=True)
            output = stack.enter_context(LineWriter(self.files.output))
            quarantine = (
                stack.enter_context(LineWriter(self.files.quarantine))
                if self.files.quarantine
                else None
            )
            try:
                if not self.batch:
                    await collect_ended(
                        self.crew,
                        ledger,
                        retries=self.retries,
                        policy=self.batch_policy,
                        prices=prices,
                    )
                engine = self._engine = self._open_engine(ledger, prices)
                if self._stopping:
                    engine.stop()
                await self._write_rows(engine, output, quarantine)
            except RunStopped as stopped:
                ledger.flush()
                raise RunStopped(self._told(str(stopped))) from stopped
            finally:
                self._engine = None
                await self.crew.aclose()
            spent = _spent(ledger, prices)
            seconds = time.monotonic() - began
            foretold = read_estimate(self.files.estimate, crew=self.crew.identity, batch=self.batch)
            summary = Summary(tally, spent, engine.traffic, seconds, self.files, foretold)
            self._commit(output, quarantine)
            if self.files.manifest is not None:
                record = manifest_record(
                    summary,
                    self.crew,
                    started=started,
                    finished=datetime.now(UTC),
                    prices_of=prices.dated.isoformat(),
                )
                write_record(self.files.manifest, record)
        return summary

    def stop(self) -> None:
        """Let asks in flight finish and send no more; `execute` then raises `RunStopped`.

        Batches in flight are not waited for: the next run collects them.
        """
        self._stopping = True
        if self._engine is not None:
            self._engine.stop()

    def estimate(self, *, sample: int = SAMPLE, seed: int = 0) -> Estimate:
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
        path = self.files.ledger
        known = Ledger(path) if path is not None and path.exists() else nullcontext()
        with known as ledger:
            estimated = estimate(
                self.crew,
                _rows(self.files.source),
                self.prices or Prices.load(),
                ledger=ledger,
                sample=sample,
                seed=seed,
            )
        if self.files.estimate is not None:
            keep_estimate(self.files.estimate, estimated, crew=self.crew.identity)
        return estimated

    def _open_engine(self, ledger: Ledger, prices: Prices) -> LiveEngine | BatchEngine:
        budget = self._open_budget(ledger, prices)
        if not self.batch:
            return LiveEngine(
                self.crew,
                ledger,
                concurrency=self.concurrency,
                retries=self.retries,
                prices=prices,
                budget=budget,
            )
        if self.files.ledger is None:
            raise RunError(
                "message batches take up to a day, and without -o FILE nothing would be kept of "
                "what they cost: name an output with -o, or leave --batch out"
            )
        return BatchEngine(
            self.crew,
            ledger,
            retries=self.retries,
            policy=self.batch_policy,
            prices=prices,
            budget=budget,
        )

    def _open_budget(self, ledger: Ledger, prices: Prices) -> Budget | None:
        """Return the budget less what the ledger says was spent; `None` where there is none."""
        if self.budget is None:
            return None
        models = [model.name for model in self.crew.models.values() if not model.extractive]
        costs = [spent.cost for spent in _spent(ledger, prices)]
        if None in costs:
            raise RunError(
                "replies in this run's ledger come from a model without a price, so no budget can "
                "be kept to: name its price in a file with --prices, or leave --budget out"
            )
        spent = sum((cost for cost in costs if cost is not None), Decimal(0))
        return Budget(self.budget, prices, models, spent=spent, batch=self.batch)

    async def _write_rows(
        self, engine: LiveEngine | BatchEngine, output: LineWriter, quarantine: LineWriter | None
    ) -> None:
        async with aclosing(engine.run(_rows(self.files.source))) as results:
            async for done in results:
                self._tally.add(done)
                if done.record.line is not None:
                    output.write(done.record.line)
                else:
                    line = done.record.quarantine_line(done.row)
                    self.on_quarantine(line)
                    if quarantine is not None:
                        quarantine.write(line)
                self.on_row(self._tally, engine.traffic)

    def _commit(self, output: LineWriter, quarantine: LineWriter | None) -> None:
        """Put the new files in place of those of an earlier run.

        Its manifest goes first and the new one comes last: where there is one, it speaks of the
        files beside it, even if this process is killed in between.
        """
        if self.files.manifest is not None:
            self.files.manifest.unlink(missing_ok=True)
        if quarantine is not None:
            quarantine.commit(keep_empty=False)
        output.commit()

    def _told(self, reason: str) -> str:
        done = f"{self._tally.rows:,} {'row' if self._tally.rows == 1 else 'rows'}"
        if self.files.ledger is None:
            return f"{reason}. {done} came out; no other reply is kept of a run without -o FILE."
        return (
            f"{reason}. {done} came out; every reply so far is in {self.files.ledger}. Run the "
            "same command again to go on: nothing that was answered is asked again."
        )


def _spent(ledger: Ledger, prices: Prices) -> tuple[Spent, ...]:
    return tuple(ledger.spent(prices.cost, batch_price=partial(prices.cost, batch=True)))


def _rows(source: str) -> Iterator[Row | BadRow]:
    if source != STDIN:
        yield from read_rows(source)
        return
    # A stream of our own: were Python's to be closed at exit while the reading thread waits in
    # it for a line that never comes, the interpreter would abort.
    try:
        with os.fdopen(os.dup(0), "rb") as stream:
            yield from read_stream(stream, name="standard input")
    except OSError as error:
        raise DatasetError(f"standard input: cannot be read: {error.strerror or error}") from error


@contextmanager
def _sparing_the_collector() -> Iterator[None]:
    """Keep what exists already out of the sight of Python's collector of cycles.

    The vendors' packages hold some 240,000 objects that it would look through again and again as
    rows come and go: a fifth of a run's time, measured.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextmanager
def _on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """On SIGINT and SIGTERM call `stop`; on a second one end the current task."""
    loop = asyncio.get_running_loop()
    current = asyncio.current_task()
    seen = 0

    def interrupt() -> None:
        nonlocal seen
        seen += 1
        if seen == 1:
            stop()
        elif current is not None:
            current.cancel()

    handled = []
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, interrupt)
        except (ValueError, RuntimeError):
            continue  # not the main thread: whoever called keeps the handlers that are there
        handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
