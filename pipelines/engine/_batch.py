"""The batch engine: all rows go to their next ask, the asks go out together, again and again."""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from whyset.datasets import BadRow
from whyset.errors import ModelError, RunError, RunStopped
from whyset.generators import (
    Ask,
    Fetch,
    Find,
    Finished,
    Generator,
    Item,
    Rejected,
    Reply,
    StepsResult,
    Usage,
)
from whyset.models import BatchingModel
from whyset.retriever import Grounding

from .._config import RunConfig
from .._pipeline import Pipeline
from ..ledger._batches import describe_batches
from ..ledger._ledger import Ledger
from ._batch_client import BatchClient
from ._budget import open_budget
from ._record import RowPass, RowRecord, RowResult
from ._requests import RequestStats
from ._retry import unreachable_error
from ._stop import StopSignal
from ._threads import Prefetcher, RetrievalBatcher

_CHUNK = 256
_YIELD_EVERY = 64


class RowTask:
    """The steps of one row, suspended wherever they wait for an answer.

    Attributes:
        request: What they wait for; `None` once they have ended.
        ask_key: The key of the ask that they wait for, where that is to be sent.
        ended: What they ended in.
        result: What became of the row, once they have ended and its record is made.
    """

    __slots__ = ("_steps", "_usage", "ask_key", "ended", "request", "result", "row")

    def __init__(self, row: Item, generator: Generator) -> None:
        """Set out: the steps run to the first thing they want."""
        self.row = row
        self.ask_key = ""
        self.ended: StepsResult[Finished | Rejected] | None = None
        self.result: RowResult | None = None
        self.request: Ask | Find | Fetch | None = None
        self._usage = Usage()
        self._steps = generator.steps(row)
        self._advance(None)

    def send(self, answer: Reply | Grounding) -> None:
        """Go on, with what the steps wanted, to the next thing they want."""
        if isinstance(answer, Reply):
            self._usage += answer.usage
        self._advance(answer)

    def fail(self, error: ModelError) -> None:
        """End here: what the steps want is not to be had."""
        self._steps.close()
        self.request = None
        self.result = RowResult(self.row, RowRecord.for_unanswered(error))

    def _advance(self, answer: Reply | Grounding | None) -> None:
        self.ask_key = ""
        try:
            self.request = next(self._steps) if answer is None else self._steps.send(answer)
        except StopIteration as end:
            self.request = None
            self.ended = StepsResult(end.value, self._usage)


class BatchEngine:
    """Drives the steps of rows by message batches: one engine for one run, of one or more passes.

    Rows, record and ledger are those of `LiveEngine`: what one begins the other can finish.
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
            pipeline: Who works; its models take batches, or are extractive.
            ledger: Where batches, replies and finished rows are recorded.
            config: How it asks; a budget holds at the prices of batches.
            stop_signal: Ends the run early; its own where none is given.

        Raises:
            RunError: A model takes no batches, or no budget can be kept to.
        """
        config = replace(config or RunConfig(), batch=True)
        self._pipeline = pipeline
        self._ledger = ledger
        self._window = config.batch_policy.max_rows
        self._stop_signal = stop_signal or StopSignal()
        budget = open_budget(pipeline.models.values(), ledger, config)
        self._models = require_batching_models(pipeline)
        self._client = BatchClient(self._models, ledger, config, budget, self._stop_signal)

    @property
    def stats(self) -> RequestStats:
        """What was sent and received so far."""
        return self._client.stats

    def stop(self) -> None:
        """Send no more and wait for nothing; the run then raises `RunStopped`.

        What is in batches at the provider stays there, and the next run collects it.
        """
        self._stop_signal.trigger(RunStopped("Stopped"))

    async def run(
        self, rows: Iterable[Item | BadRow], *, generator: Generator | None = None
    ) -> AsyncGenerator[RowResult, None]:
        """Yield every row in the order of the input, done or bad.

        Memory is bounded by the window. Close the generator (`contextlib.aclosing`) if you leave
        it.

        Args:
            rows: What to work on.
            generator: Whose steps these are, where not the pipeline's own.

        Raises:
            RunStopped: `stop` was called, or the provider does not answer.
            ModelAccessDenied: The provider turns every ask down.
            WhysetError: The ledger, the retriever or the input failed.
        """
        row_pass = RowPass(self._pipeline, self._ledger, generator)
        batcher = RetrievalBatcher(self._pipeline.retriever)
        reader = Prefetcher(rows)
        try:
            async with aclosing(self._run(aiter(reader), batcher, row_pass)) as results:
                async for done in results:
                    yield done
        except RunStopped as stopped:
            left = self._client.list_pending()
            if not left:
                raise
            raise RunStopped(
                f"{str(stopped).rstrip('.')}; {describe_batches(left)} may still be answered at "
                "the provider, and --batch collects them"
            ) from stopped
        finally:
            reader.close()
            await batcher.aclose()

    async def _run(
        self, source: AsyncIterator[Item | BadRow], batcher: RetrievalBatcher, row_pass: RowPass
    ) -> AsyncGenerator[RowResult, None]:
        await self._client.collect()
        underway: deque[RowResult | RowTask] = deque()
        last_fault, is_read = "", False
        while True:
            while not is_read and len(underway) < self._window:
                rows = await self._read_rows(source, min(_CHUNK, self._window - len(underway)))
                is_read = not rows
                started = [_start_row(row, row_pass) for row in rows]
                underway.extend(started)
                fresh = [each for each in started if isinstance(each, RowTask)]
                await self._advance(fresh, batcher, row_pass)
                for done in _pop_finished(underway):
                    last_fault = done.unavailable_detail or last_fault
                    yield done
            if not underway:
                break
            waiting = [
                each for each in underway if isinstance(each, RowTask) and each.result is None
            ]
            await self._send_wave(waiting)
            for start in range(0, len(waiting), _CHUNK):
                await self._advance(waiting[start : start + _CHUNK], batcher, row_pass)
                for done in _pop_finished(underway):
                    last_fault = done.unavailable_detail or last_fault
                    yield done
        if last_fault and not (self.stats.answered or self.stats.replayed):
            raise unreachable_error(last_fault)

    async def _read_rows(
        self, source: AsyncIterator[Item | BadRow], count: int
    ) -> list[Item | BadRow]:
        """Read so many rows, fewer only at the end of the input.

        Raises:
            RunStopped: The run is to end; a pipe that nobody writes to does not hold it up.
        """

        async def take() -> list[Item | BadRow]:
            taken = []
            async for row in source:
                taken.append(row)
                if len(taken) == count:
                    break
            return taken

        self._stop_signal.raise_if_stopped()
        taking = asyncio.create_task(take())
        stopped = asyncio.create_task(self._stop_signal.wait())
        try:
            await asyncio.wait({taking, stopped}, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                self._stop_signal.raise_if_stopped()
            return await taking
        finally:
            taking.cancel()
            stopped.cancel()
            await asyncio.gather(taking, stopped, return_exceptions=True)

    async def _advance(
        self, tasks: Sequence[RowTask], batcher: RetrievalBatcher, row_pass: RowPass
    ) -> None:
        """Take rows to their end, or to the next ask that no reply is known to."""
        while tasks:
            finding: list[tuple[RowTask, Find | Fetch]] = []
            for number, task in enumerate(tasks):
                if number % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)  # rendering prompts is work: signals have their turn
                    self._stop_signal.raise_if_stopped()
                await self._answer_known(task)
                if task.ended is not None:
                    task.result = row_pass.finish(task.row, task.ended)
                elif isinstance(task.request, Find | Fetch):
                    finding.append((task, task.request))
            found = await asyncio.gather(*[batcher.find(wanted) for _, wanted in finding])
            for (task, _), grounding in zip(finding, found, strict=True):
                task.send(grounding)
            tasks = [task for task, _ in finding]

    async def _answer_known(self, task: RowTask) -> None:
        """Answer a row's asks as long as that takes no sending."""
        while isinstance(ask := task.request, Ask):
            model = self._pipeline.models[ask.role]
            if model.is_extractive:
                task.send(await model.aanswer(ask))
                continue
            key = task.ask_key or ask.key(model.identity)
            answer = self._client.find_answer(key)
            if isinstance(answer, Reply):
                task.send(answer)
            elif answer is not None:
                task.fail(answer)
            else:
                task.ask_key = key
                return

    async def _send_wave(self, tasks: Sequence[RowTask]) -> None:
        """Send what rows ask, each ask once, and have every reply in the ledger."""
        asks: dict[str, tuple[BatchingModel, Ask]] = {}
        for task in tasks:
            assert isinstance(task.request, Ask)
            model = self._models[self._pipeline.models[task.request.role].identity]
            asks.setdefault(task.ask_key, (model, task.request))
        await self._client.answer_wave(asks)


def _start_row(row: Item | BadRow, row_pass: RowPass) -> RowResult | RowTask:
    if isinstance(row, BadRow):
        return RowResult(row, RowRecord.for_unreadable(row))
    return row_pass.find(row) or RowTask(row, row_pass.pipeline.generator)


def _pop_finished(underway: "deque[RowResult | RowTask]") -> Iterator[RowResult]:
    """Take the rows that have ended from the front, up to the first that has not."""
    while underway:
        first = underway[0]
        done = first.result if isinstance(first, RowTask) else first
        if done is None:
            return
        underway.popleft()
        yield done


def require_batching_models(pipeline: Pipeline) -> dict[str, BatchingModel]:
    """Return the models that take batches, by identity.

    Raises:
        RunError: A model is neither such a one nor extractive.
    """
    for model in pipeline.models.values():
        if not (isinstance(model, BatchingModel) or model.is_extractive):
            raise RunError(
                f"{model.name} takes no message batches: leave --batch out, or name a model of a "
                "provider that has them, such as anthropic:claude-opus-5-5"
            )
    return _batching_models(pipeline)


async def collect_ended_batches(
    pipeline: Pipeline, ledger: Ledger, config: RunConfig, stop_signal: StopSignal
) -> None:
    """Collect the batches that earlier processes left behind, before asking live.

    Raises:
        RunError: One has not ended: the asks in it would be paid twice.
        ModelAccessDenied: The provider turns every request down.
        RunStopped: The run is to end, or the provider does not answer.
    """
    client = BatchClient(_batching_models(pipeline), ledger, config, None, stop_signal)
    if client.list_pending():
        await client.collect_ended()


def _batching_models(pipeline: Pipeline) -> dict[str, BatchingModel]:
    models = pipeline.models.values()
    return {model.identity: model for model in models if isinstance(model, BatchingModel)}
