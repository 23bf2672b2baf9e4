"""The live engine: rows go through their steps side by side, results come out in order."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from typing import Any

from whyset.datasets import BadRow
from whyset.errors import ModelUnavailable, RunStopped, UnusableReply
from whyset.generators import Generator, Item, arun_steps

from .._config import RunConfig
from .._pipeline import Pipeline
from ..ledger._batches import require_no_pending_batches
from ..ledger._ledger import Ledger
from ._record import RowPass, RowRecord, RowResult
from ._requests import ModelClient, RequestStats
from ._retry import unreachable_error
from ._stop import StopSignal
from ._threads import Prefetcher, RetrievalBatcher

_ROWS_PER_ASK = 4
_MIN_ROWS = 64


class LiveEngine:
    """Drives the steps of rows over live models: one engine for one run, of one or more passes.

    What one pass has learned of the provider holds for the next. After a pass that was stopped or
    left, there is none.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        ledger: Ledger,
        config: RunConfig | None = None,
        stop_signal: StopSignal | None = None,
    ) -> None:
        """Make an engine.

        Args:
            pipeline: Who works.
            ledger: Where replies and finished rows are recorded as they come.
            config: How it asks.
            stop_signal: Ends the run early; its own where none is given.

        Raises:
            RunError: No budget can be kept to.
        """
        config = config or RunConfig()
        self._pipeline = pipeline
        self._ledger = ledger
        self._stop_signal = stop_signal or StopSignal()
        self._client = ModelClient(pipeline.models, ledger, config, self._stop_signal)
        # A row that waits long holds up those behind it; with this many underway, the asks in
        # flight do not run out meanwhile.
        self._window = max(_ROWS_PER_ASK * config.concurrency, _MIN_ROWS)

    @property
    def stats(self) -> RequestStats:
        """What was sent and received so far."""
        return self._client.stats

    def stop(self) -> None:
        """Let asks in flight finish and send no more; the run then raises `RunStopped`."""
        self._stop_signal.trigger(RunStopped("Stopped"))

    async def run(
        self, rows: Iterable[Item | BadRow], *, generator: Generator | None = None
    ) -> AsyncGenerator[RowResult, None]:
        """Yield every row in the order of the input, done or bad.

        Memory is bounded: a few rows for each ask in flight are held, whatever the input's size.
        When the run ends early, replies to asks in flight are awaited and recorded first; when it
        is cancelled, they are not. Close the generator (`contextlib.aclosing`) if you leave it.

        Args:
            rows: What to work on.
            generator: Whose steps these are, where not the pipeline's own.

        Raises:
            RunStopped: `stop` was called, or the provider does not answer.
            ModelAccessDenied: The provider turns every ask down.
            RunError: Asks of this run are in message batches; asked here, they would be paid twice.
            WhysetError: The ledger, the retriever or the input failed.
        """
        require_no_pending_batches(
            self._ledger, {model.identity for model in self._pipeline.models.values()}
        )
        underway: asyncio.Queue[asyncio.Task[RowResult] | RowResult | None] = asyncio.Queue()
        room = asyncio.Semaphore(self._window)
        tasks: set[asyncio.Task[RowResult]] = set()
        row_pass = RowPass(self._pipeline, self._ledger, generator)
        batcher = RetrievalBatcher(self._pipeline.retriever)
        reader = Prefetcher(rows)

        async def feed() -> None:
            try:
                async for row in reader:
                    await room.acquire()
                    if isinstance(row, BadRow):
                        underway.put_nowait(RowResult(row, RowRecord.for_unreadable(row)))
                    elif (known := row_pass.find(row)) is not None:
                        underway.put_nowait(known)
                    else:
                        task = asyncio.create_task(self._work(row, row_pass, batcher))
                        tasks.add(task)
                        underway.put_nowait(task)
            except Exception as error:
                self._stop_signal.trigger(error)
            underway.put_nowait(None)

        # Whatever is waited for below, the stop signal ends the waiting.
        stopped = asyncio.create_task(self._stop_signal.wait())
        stopped.add_done_callback(lambda _: underway.put_nowait(None))
        feeder = asyncio.create_task(feed())
        last_fault, is_complete = "", False
        try:
            while (next_ := await underway.get()) is not None:
                if isinstance(next_, asyncio.Task) and not next_.done():
                    ends: set[asyncio.Task[Any]] = {next_, stopped}
                    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                if self._stop_signal.reason is not None:
                    break
                if isinstance(next_, asyncio.Task):
                    tasks.remove(next_)
                    done = next_.result()
                else:
                    done = next_
                room.release()
                last_fault = done.unavailable_detail or last_fault
                yield done
            if self._stop_signal.reason is not None:
                raise self._stop_signal.reason
            if last_fault and not (self.stats.answered or self.stats.replayed):
                raise unreachable_error(last_fault)
            is_complete = True
        finally:
            feeder.cancel()
            stopped.cancel()
            reader.close()
            if not is_complete:
                self.stop()
            await self._drain(tasks, batcher)

    async def _work(self, row: Item, row_pass: RowPass, batcher: RetrievalBatcher) -> RowResult:
        """Take a row through its steps."""
        try:
            self._stop_signal.raise_if_stopped()
            steps = row_pass.pipeline.generator.steps(row)
            ended = await arun_steps(steps, self._client.answer, batcher.find)
            return row_pass.finish(row, ended)
        except (UnusableReply, ModelUnavailable) as error:
            return RowResult(row, RowRecord.for_unanswered(error))
        except RunStopped:
            raise
        except Exception as error:
            # What befalls a single row is a record by now: this would befall every other, too.
            self._stop_signal.trigger(error)
            raise

    async def _drain(self, tasks: set[asyncio.Task[RowResult]], batcher: RetrievalBatcher) -> None:
        """Wait for rows underway; on being cancelled here or before, give them up instead."""
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            for task in tasks:
                task.cancel()
        try:
            # A gathering that is cancelled cancels what it has gathered.
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await batcher.aclose()
