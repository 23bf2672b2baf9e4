"""The live engine: rows go through their steps side by side, results come out in order."""

import asyncio
from collections.abc import AsyncGenerator, Iterable
from dataclasses import dataclass, replace
from typing import Any

from whyset.datasets import BadRow
from whyset.errors import RunStopped
from whyset.generators import Generator, Item, arun_steps
from whyset.models import ModelUnavailable, Prices, RetryPolicy, UnusableReply

from .._assembly import Pipeline
from ..ledger._batches import require_no_pending_batches
from ..ledger._ledger import Ledger
from ._budget import Budget
from ._record import RowRecord, row_key
from ._requests import ModelClient, RequestStats, provider_unreachable
from ._stop import StopSignal
from ._threads import Prefetcher, RetrievalBatcher

_ROWS_PER_ASK = 4
_MIN_ROWS = 64


@dataclass(frozen=True, slots=True)
class RowResult:
    """A row that came out of the engine.

    Attributes:
        row: The row as it was read.
        record: What became of it.
        is_reused: Whether that happened in an earlier run.
    """

    row: Item | BadRow
    record: RowRecord
    is_reused: bool = False


@dataclass(frozen=True, slots=True)
class _PassContext:
    """One going through of rows, by one generator."""

    crew: Pipeline
    identity: str
    finder: RetrievalBatcher


class LiveEngine:
    """Drives the steps of rows over live models: one engine for one run, of one or more passes.

    What one pass has learned of the provider holds for the next. After a pass that was stopped or
    left, there is none.

    Attributes:
        traffic: What was sent and received so far.
    """

    def __init__(
        self,
        crew: Pipeline,
        ledger: Ledger,
        *,
        concurrency: int = 16,
        retries: RetryPolicy = RetryPolicy(),
        prices: Prices | None = None,
        budget: Budget | None = None,
    ) -> None:
        """Make an engine.

        Args:
            crew: Who works.
            ledger: Where replies and finished rows are recorded as they come.
            concurrency: How many asks are in flight at most.
            retries: When an ask that met a passing fault is sent again.
            prices: What replies cost; the list that ships with whyset where none is given.
            budget: What must not be exceeded.
        """
        self._crew = crew
        self._ledger = ledger
        self._halt = StopSignal()
        self._answerer = ModelClient(
            crew.models,
            ledger,
            self._halt,
            concurrency=concurrency,
            retries=retries,
            prices=prices or Prices.load(),
            budget=budget,
        )
        # A row that waits long holds up those behind it; with this many underway, the asks in
        # flight do not run out meanwhile.
        self._window = max(_ROWS_PER_ASK * concurrency, _MIN_ROWS)

    @property
    def traffic(self) -> RequestStats:
        """What was sent and received so far."""
        return self._answerer.traffic

    def stop(self) -> None:
        """Let asks in flight finish and send no more; the run then raises `RunStopped`."""
        self._halt.trigger(RunStopped("Stopped"))

    async def run(
        self, rows: Iterable[Item | BadRow], *, generator: Generator | None = None
    ) -> AsyncGenerator[RowResult, None]:
        """Yield every row in the order of the input, done or bad.

        Memory is bounded: a few rows for each ask in flight are held, whatever the input's size.
        When the run ends early, replies to asks in flight are awaited and recorded first; when it
        is cancelled, they are not. Close the generator (`contextlib.aclosing`) if you leave it.

        Args:
            rows: What to work on.
            generator: Whose steps these are, where not the crew's own.

        Raises:
            RunStopped: `stop` was called, or the provider does not answer.
            ModelRefused: The provider turns every ask down.
            RunError: Asks of this run are in message batches; asked here, they would be paid twice.
            WhysetError: The ledger, the retriever or the input failed.
        """
        identities = {model.identity for model in self._crew.models.values()}
        require_no_pending_batches(self._ledger, identities)
        underway: asyncio.Queue[asyncio.Task[RowResult] | RowResult | None] = asyncio.Queue()
        room = asyncio.Semaphore(self._window)
        tasks: set[asyncio.Task[RowResult]] = set()
        finder = RetrievalBatcher(self._crew.retriever)
        crew = self._crew if generator is None else replace(self._crew, generator=generator)
        this = _PassContext(crew, crew.identity, finder)
        reader = Prefetcher(rows)

        async def feed() -> None:
            try:
                async for row in reader:
                    await room.acquire()
                    if isinstance(row, BadRow):
                        underway.put_nowait(RowResult(row, RowRecord.for_unreadable(row)))
                    elif (known := self._find_recorded(row, this)) is not None:
                        underway.put_nowait(known)
                    else:
                        task = asyncio.create_task(self._done(row, this))
                        tasks.add(task)
                        underway.put_nowait(task)
            except Exception as error:
                self._halt.trigger(error)
            underway.put_nowait(None)

        # Whatever is waited for below, a halt ends the waiting.
        halted = asyncio.create_task(self._halt.wait())
        halted.add_done_callback(lambda _: underway.put_nowait(None))
        feeder = asyncio.create_task(feed())
        last_fault, ended = "", False
        try:
            while (next_ := await underway.get()) is not None:
                if isinstance(next_, asyncio.Task) and not next_.done():
                    ends: set[asyncio.Task[Any]] = {next_, halted}
                    await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
                if self._halt.reason is not None:
                    break
                if isinstance(next_, asyncio.Task):
                    tasks.remove(next_)
                    done = next_.result()
                else:
                    done = next_
                room.release()
                if done.record.reasons == (RowRecord.UNAVAILABLE,):
                    last_fault = done.record.detail
                yield done
            if self._halt.reason is not None:
                raise self._halt.reason
            if last_fault and not (self.traffic.answered or self.traffic.replayed):
                raise provider_unreachable(last_fault)
            ended = True
        finally:
            feeder.cancel()
            halted.cancel()
            reader.close()
            if not ended:
                self.stop()
            await self._drain(tasks, finder)

    async def _drain(self, tasks: set[asyncio.Task[RowResult]], finder: RetrievalBatcher) -> None:
        """Wait for rows underway; on being cancelled here or before, give them up instead."""
        current = asyncio.current_task()
        if current is not None and current.cancelling():
            for task in tasks:
                task.cancel()
        try:
            # A gathering that is cancelled cancels what it has gathered.
            await asyncio.gather(*tasks, return_exceptions=True)
        finally:
            await finder.aclose()

    def _find_recorded(self, row: Item, this: _PassContext) -> RowResult | None:
        """Return a row that was done earlier, with what became of it."""
        held = self._ledger.row(row_key(row, this.identity))
        return None if held is None else RowResult(row, RowRecord.from_bytes(held), is_reused=True)

    async def _done(self, row: Item, this: _PassContext) -> RowResult:
        try:
            return await self._work(row, this)
        except RunStopped:
            raise
        except Exception as error:
            # What befalls a single row is a record by now: this would befall every other, too.
            self._halt.trigger(error)
            raise

    async def _work(self, row: Item, this: _PassContext) -> RowResult:
        self._halt.raise_if_stopped()
        try:
            driven = await arun_steps(
                this.crew.generator.steps(row), self._answerer.answer, this.finder.find
            )
        except UnusableReply as error:
            return RowResult(row, RowRecord.for_unanswered(RowRecord.TURNED_DOWN, str(error)))
        except ModelUnavailable as error:
            return RowResult(row, RowRecord.for_unanswered(RowRecord.UNAVAILABLE, str(error)))
        record = RowRecord.from_result(driven, models=this.crew.model_names)
        self._ledger.put_row(row_key(row, this.identity), record.to_bytes())
        return RowResult(row, record)
