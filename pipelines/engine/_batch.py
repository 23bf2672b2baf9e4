"""The batch engine: all rows go to their next ask, the asks go out together, again and again."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace

from whyset.datasets import BadRow
from whyset.errors import RunError, RunStopped
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
from whyset.models import RETRYABLE_ERRORS, BatchingModel, Prices, RetryPolicy
from whyset.retriever import Grounding

from .._assembly import Pipeline
from ..ledger._batches import BatchTable, describe_batches
from ..ledger._ledger import Ledger
from ._batch_jobs import (
    DEFAULT_BATCH_POLICY,
    BatchBudget,
    BatchPolicy,
    BatchSubmitter,
    Failures,
    Retrier,
)
from ._budget import Budget
from ._live import RowResult
from ._record import RowRecord, row_key
from ._requests import RequestStats, provider_unreachable
from ._stop import StopSignal
from ._threads import Prefetcher, RetrievalBatcher

# ---- A row on its way through its steps, suspended wherever it waits for an answer.


class RowTask:
    """The steps of one row, which whoever holds it drives.

    Attributes:
        key: What the row's record is kept under.
        request: What it waits for; `None` once it has ended.
        sent_key: The key of the ask that it waits for, where that has been sent.
        outcome: What the steps ended in.
        result: What became of the row, once it has ended and its record is made.
    """

    __slots__ = ("_steps", "_usage", "key", "outcome", "request", "result", "row", "sent_key")

    def __init__(self, row: Item, key: str, generator: Generator) -> None:
        """Set out: the steps run to the first thing they want."""
        self.row = row
        self.key = key
        self.sent_key = ""
        self.outcome: StepsResult[Finished | Rejected] | None = None
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

    def fail(self, reason: str, detail: str) -> None:
        """End here: what the steps want is not to be had."""
        self._steps.close()
        self.request = None
        self.result = RowResult(self.row, RowRecord.for_unanswered(reason, detail))

    def _advance(self, answer: Reply | Grounding | None) -> None:
        self.sent_key = ""
        try:
            self.request = next(self._steps) if answer is None else self._steps.send(answer)
        except StopIteration as end:
            self.request = None
            self.outcome = StepsResult(end.value, self._usage)


_CHUNK = 256
_YIELD_EVERY = 64
_UNREACHABLE_AFTER = 16


class BatchEngine:
    """Drives the steps of rows by message batches: one engine for one run, of one or more passes.

    Rows, record and ledger are those of `LiveEngine`: what one begins the other can finish.

    Attributes:
        traffic: What was sent and received so far.
    """

    def __init__(
        self,
        crew: Pipeline,
        ledger: Ledger,
        *,
        retries: RetryPolicy = RetryPolicy(),
        policy: BatchPolicy = DEFAULT_BATCH_POLICY,
        prices: Prices | None = None,
        budget: Budget | None = None,
    ) -> None:
        """Make an engine.

        Args:
            crew: Who works; its models take batches, or are extractive.
            ledger: Where batches, replies and finished rows are recorded.
            retries: When a call to the provider is made again, and in how many waves an ask is
                sent that was not answered.
            policy: How batches are made and looked after.
            prices: What replies cost; the list that ships with whyset where none is given.
            budget: What must not be exceeded, at the prices of batches.

        Raises:
            RunError: A model takes no batches.
        """
        self._crew = crew
        self._ledger = ledger
        self._halt = StopSignal()
        self._window = policy.max_rows
        self.traffic = RequestStats()
        self._patience = Retrier(self._halt, retries)
        self._account = BatchBudget(self.traffic, prices or Prices.load(), budget)
        self._models = require_batching_models(crew)
        self._post = BatchSubmitter(
            self._models, ledger, self.traffic, self._account, self._patience, policy
        )
        self._unanswerable: Failures = {}
        self._failed: Counter[str] = Counter()
        self._sent: set[str] = set()
        self._vain_waves = 0

    def stop(self) -> None:
        """Send no more and wait for nothing; the run then raises `RunStopped`.

        What is in batches at the provider stays there, and the next run collects it.
        """
        self._halt.trigger(RunStopped("Stopped"))

    async def run(
        self, rows: Iterable[Item | BadRow], *, generator: Generator | None = None
    ) -> AsyncGenerator[RowResult, None]:
        """Yield every row in the order of the input, done or bad.

        Memory is bounded by the window. Close the generator (`contextlib.aclosing`) if you leave
        it.

        Args:
            rows: What to work on.
            generator: Whose steps these are, where not the crew's own.

        Raises:
            RunStopped: `stop` was called, or the provider does not answer.
            ModelRefused: The provider turns every ask down.
            WhysetError: The ledger, the retriever or the input failed.
        """
        crew = self._crew if generator is None else replace(self._crew, generator=generator)
        finder = RetrievalBatcher(crew.retriever)
        reader = Prefetcher(rows)
        source = aiter(reader)
        try:
            async with aclosing(self._run(source, finder, crew)) as results:
                async for done in results:
                    yield done
        except RunStopped as stopped:
            left = self._post.list_pending()
            if not left:
                raise
            raise RunStopped(
                f"{str(stopped).rstrip('.')}; {describe_batches(left)} may yet be answered at the provider, "
                "and --batch collects them"
            ) from stopped
        finally:
            reader.close()
            await finder.aclose()

    async def _run(
        self, source: AsyncIterator[Item | BadRow], finder: RetrievalBatcher, crew: Pipeline
    ) -> AsyncGenerator[RowResult, None]:
        identity = crew.identity
        self._sort_failures(await self._post.collect())
        held: deque[RowResult | RowTask] = deque()
        wave = max((batch.wave for batch in self._post.table.list_batches()), default=0)
        last_fault, ended = "", False
        while True:
            while not ended and len(held) < self._window:
                rows = await self._read_rows(source, min(_CHUNK, self._window - len(held)))
                ended = not rows
                fresh = [self._start_row(row, crew.generator, identity) for row in rows]
                held.extend(fresh)
                await self._advance([each for each in fresh if isinstance(each, RowTask)], finder)
                for done in _pop_finished(held):
                    last_fault = _unavailable_detail(done) or last_fault
                    yield done
            if not held:
                break
            wave += 1
            waiting = [each for each in held if isinstance(each, RowTask) and each.result is None]
            await self._send_wave(waiting, wave)
            for start in range(0, len(waiting), _CHUNK):
                await self._advance(waiting[start : start + _CHUNK], finder)
                for done in _pop_finished(held):
                    last_fault = _unavailable_detail(done) or last_fault
                    yield done
        if last_fault and not (self.traffic.answered or self.traffic.replayed):
            raise provider_unreachable(last_fault)

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

        self._halt.raise_if_stopped()
        taking = asyncio.create_task(take())
        halted = asyncio.create_task(self._halt.wait())
        try:
            await asyncio.wait({taking, halted}, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                self._halt.raise_if_stopped()
            return await taking
        finally:
            taking.cancel()
            halted.cancel()
            await asyncio.gather(taking, halted, return_exceptions=True)

    def _start_row(
        self, row: Item | BadRow, generator: Generator, identity: str
    ) -> RowResult | RowTask:
        if isinstance(row, BadRow):
            return RowResult(row, RowRecord.for_unreadable(row))
        key = row_key(row, identity)
        if (held := self._ledger.row(key)) is not None:
            return RowResult(row, RowRecord.from_bytes(held), is_reused=True)
        return RowTask(row, key, generator)

    async def _advance(self, journeys: Sequence[RowTask], finder: RetrievalBatcher) -> None:
        """Take rows to their end, or to the next ask that no reply is known to."""
        while journeys:
            finding: list[tuple[RowTask, Find | Fetch]] = []
            for number, journey in enumerate(journeys):
                if number % _YIELD_EVERY == 0:
                    await asyncio.sleep(0)  # rendering prompts is work: signals have their turn
                    self._halt.raise_if_stopped()
                await self._advance_row(journey)
                if isinstance(journey.request, Find | Fetch):
                    finding.append((journey, journey.request))
            found = await asyncio.gather(*[finder.find(wanted) for _, wanted in finding])
            for (journey, _), grounding in zip(finding, found, strict=True):
                journey.send(grounding)
            journeys = [journey for journey, _ in finding]

    async def _advance_row(self, journey: RowTask) -> None:
        while isinstance(ask := journey.request, Ask):
            model = self._crew.models[ask.role]
            if model.is_extractive:
                journey.send(await model.aanswer(ask))
                continue
            key = journey.sent_key or ask.key(model.identity)
            if (reply := self._ledger.reply(key)) is not None:
                self.traffic.replayed += key not in self._sent
                journey.send(reply)
            elif (error := self._unanswerable.get(key)) is not None:
                passing = isinstance(error, RETRYABLE_ERRORS)
                journey.fail(
                    RowRecord.UNAVAILABLE if passing else RowRecord.TURNED_DOWN, str(error)
                )
            else:
                journey.sent_key = key
                return
        if journey.outcome is not None:
            record = RowRecord.from_result(journey.outcome, models=self._crew.model_names)
            self._ledger.put_row(journey.key, record.to_bytes())
            journey.result = RowResult(journey.row, record)

    async def _send_wave(self, journeys: Sequence[RowTask], wave: int) -> None:
        """Send what rows ask, each ask once, and have every reply in the ledger."""
        if self._vain_waves:
            await self._patience.pause(self._patience.retries.compute_wait(self._vain_waves, None))
        wanted: dict[str, tuple[BatchingModel, Ask]] = {}
        for journey in journeys:
            assert isinstance(journey.request, Ask)
            model = self._models[self._crew.models[journey.request.role].identity]
            wanted.setdefault(journey.sent_key, (model, journey.request))
        self._sent = self._account.reserve(
            {key: (model.name, ask) for key, (model, ask) in wanted.items()}
        )
        asks: dict[str, dict[str, Ask]] = defaultdict(dict)
        for key, (model, ask) in wanted.items():
            if key in self._sent:
                asks[model.identity][key] = ask
        answered = self.traffic.answered
        failures: Failures = {}
        for identity, each in asks.items():
            failures |= await self._post.submit(each, self._models[identity], wave=wave)
        failures |= await self._post.collect()
        self._account.release()
        self._vain_waves = 0 if self.traffic.answered > answered else self._vain_waves + 1
        self._sort_failures(failures)

    def _sort_failures(self, failures: Failures) -> None:
        """Tell asks that are sent again with the next wave from those that are given up.

        Raises:
            RunStopped: Many are given up and nobody is answered: quarantining every row would
                help nobody.
        """
        given_up = 0
        for key, error in failures.items():
            if isinstance(error, RETRYABLE_ERRORS):
                self._failed[key] += 1
                if self._failed[key] < self._patience.retries.attempts:
                    self.traffic.retried += 1
                    continue
                given_up += 1
                vain = self._vain_waves >= self._patience.retries.attempts
                if vain and given_up >= _UNREACHABLE_AFTER:
                    raise provider_unreachable(str(error))
            self._unanswerable[key] = error


def require_batching_models(crew: Pipeline) -> dict[str, BatchingModel]:
    """Return the models that take batches, by identity.

    Raises:
        RunError: A model is neither such a one nor extractive.
    """
    models: dict[str, BatchingModel] = {}
    for model in crew.models.values():
        if isinstance(model, BatchingModel):
            models[model.identity] = model
        elif not model.is_extractive:
            raise RunError(
                f"{model.name} takes no message batches: leave --batch out, or name a model of a "
                "provider that has them, such as anthropic:claude-opus-5-5"
            )
    return models


async def collect_ended_batches(
    crew: Pipeline,
    ledger: Ledger,
    *,
    retries: RetryPolicy,
    policy: BatchPolicy,
    prices: Prices | None = None,
) -> None:
    """Collect the batches that earlier processes left behind, before asking live.

    Raises:
        RunError: One has not ended: the asks in it would be paid twice.
        ModelRefused: The provider turns every request down.
        RunStopped: The provider does not answer.
    """
    models = {
        model.identity: model for model in crew.models.values() if isinstance(model, BatchingModel)
    }
    if not BatchTable(ledger).list_pending(models):
        return
    patience = Retrier(StopSignal(), retries)
    traffic = RequestStats()
    account = BatchBudget(traffic, prices or Prices.load(), None)
    await BatchSubmitter(models, ledger, traffic, account, patience, policy).collect_ended()


def _pop_finished(held: "deque[RowResult | RowTask]") -> Iterator[RowResult]:
    """Take the rows that have ended from the front, up to the first that has not."""
    while held:
        first = held[0]
        done = first.result if isinstance(first, RowTask) else first
        if done is None:
            return
        held.popleft()
        yield done


def _unavailable_detail(done: RowResult) -> str:
    return done.record.detail if done.record.reasons == (RowRecord.UNAVAILABLE,) else ""
