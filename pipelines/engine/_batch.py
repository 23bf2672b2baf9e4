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
    Driven,
    Fetch,
    Find,
    Finished,
    Generator,
    Item,
    Rejected,
    Reply,
    Usage,
)
from whyset.models import RETRYABLE, BatchingModel, Prices, RetryPolicy
from whyset.retriever import Grounding

from .._assembly import Crew
from ..ledger._batches import BatchBook, told
from ..ledger._ledger import Ledger
from ._batch_jobs import DEFAULT_POLICY, BatchAccount, BatchPolicy, Failures, Patience, Post
from ._budget import Budget
from ._live import Done
from ._record import RowRecord, row_key
from ._requests import Traffic, unreachable
from ._stop import Halt
from ._threads import Finder, ReadAhead

# ---- A row on its way through its steps, suspended wherever it waits for an answer.


class Journey:
    """The steps of one row, which whoever holds it drives.

    Attributes:
        key: What the row's record is kept under.
        wants: What it waits for; `None` once it has ended.
        asked: The key of the ask that it waits for, where that has been sent.
        driven: What the steps ended in.
        done: What became of the row, once it has ended and its record is made.
    """

    __slots__ = ("_steps", "_usage", "asked", "done", "driven", "key", "row", "wants")

    def __init__(self, row: Item, key: str, generator: Generator) -> None:
        """Set out: the steps run to the first thing they want."""
        self.row = row
        self.key = key
        self.asked = ""
        self.driven: Driven[Finished | Rejected] | None = None
        self.done: Done | None = None
        self.wants: Ask | Find | Fetch | None = None
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
        self.wants = None
        self.done = Done(self.row, RowRecord.unanswered(reason, detail))

    def _advance(self, answer: Reply | Grounding | None) -> None:
        self.asked = ""
        try:
            self.wants = next(self._steps) if answer is None else self._steps.send(answer)
        except StopIteration as end:
            self.wants = None
            self.driven = Driven(end.value, self._usage)


_CHUNK = 256
_AT_ONCE = 64
_UNREACHABLE_AFTER = 16


class BatchEngine:
    """Drives the steps of rows by message batches: one engine for one run, of one or more passes.

    Rows, record and ledger are those of `LiveEngine`: what one begins the other can finish.

    Attributes:
        traffic: What was sent and received so far.
    """

    def __init__(
        self,
        crew: Crew,
        ledger: Ledger,
        *,
        retries: RetryPolicy = RetryPolicy(),
        policy: BatchPolicy = DEFAULT_POLICY,
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
        self._halt = Halt()
        self._window = policy.window
        self.traffic = Traffic()
        self._patience = Patience(self._halt, retries)
        self._account = BatchAccount(self.traffic, prices or Prices.load(), budget)
        self._models = batching_models(crew)
        self._post = Post(self._models, ledger, self.traffic, self._account, self._patience, policy)
        self._unanswerable: Failures = {}
        self._failed: Counter[str] = Counter()
        self._sent: set[str] = set()
        self._vain_waves = 0

    def stop(self) -> None:
        """Send no more and wait for nothing; the run then raises `RunStopped`.

        What is in batches at the provider stays there, and the next run collects it.
        """
        self._halt.call(RunStopped("Stopped"))

    async def run(
        self, rows: Iterable[Item | BadRow], *, generator: Generator | None = None
    ) -> AsyncGenerator[Done, None]:
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
        finder = Finder(crew.retriever)
        reader = ReadAhead(rows)
        source = aiter(reader)
        try:
            async with aclosing(self._run(source, finder, crew)) as results:
                async for done in results:
                    yield done
        except RunStopped as stopped:
            left = self._post.underway()
            if not left:
                raise
            raise RunStopped(
                f"{str(stopped).rstrip('.')}; {told(left)} may yet be answered at the provider, "
                "and --batch collects them"
            ) from stopped
        finally:
            reader.close()
            await finder.aclose()

    async def _run(
        self, source: AsyncIterator[Item | BadRow], finder: Finder, crew: Crew
    ) -> AsyncGenerator[Done, None]:
        identity = crew.identity
        self._judge(await self._post.collect())
        held: deque[Done | Journey] = deque()
        wave = max((batch.wave for batch in self._post.book.all()), default=0)
        last_fault, ended = "", False
        while True:
            while not ended and len(held) < self._window:
                rows = await self._take(source, min(_CHUNK, self._window - len(held)))
                ended = not rows
                fresh = [self._set_out(row, crew.generator, identity) for row in rows]
                held.extend(fresh)
                await self._advance([each for each in fresh if isinstance(each, Journey)], finder)
                for done in _leaving(held):
                    last_fault = _fault(done) or last_fault
                    yield done
            if not held:
                break
            wave += 1
            waiting = [each for each in held if isinstance(each, Journey) and each.done is None]
            await self._wave(waiting, wave)
            for start in range(0, len(waiting), _CHUNK):
                await self._advance(waiting[start : start + _CHUNK], finder)
                for done in _leaving(held):
                    last_fault = _fault(done) or last_fault
                    yield done
        if last_fault and not (self.traffic.answered or self.traffic.replayed):
            raise unreachable(last_fault)

    async def _take(self, source: AsyncIterator[Item | BadRow], count: int) -> list[Item | BadRow]:
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

        self._halt.check()
        taking = asyncio.create_task(take())
        halted = asyncio.create_task(self._halt.wait())
        try:
            await asyncio.wait({taking, halted}, return_when=asyncio.FIRST_COMPLETED)
            if not taking.done():
                self._halt.check()
            return await taking
        finally:
            taking.cancel()
            halted.cancel()
            await asyncio.gather(taking, halted, return_exceptions=True)

    def _set_out(self, row: Item | BadRow, generator: Generator, identity: str) -> Done | Journey:
        if isinstance(row, BadRow):
            return Done(row, RowRecord.unreadable(row))
        key = row_key(row, identity)
        if (held := self._ledger.row(key)) is not None:
            return Done(row, RowRecord.from_bytes(held), reused=True)
        return Journey(row, key, generator)

    async def _advance(self, journeys: Sequence[Journey], finder: Finder) -> None:
        """Take rows to their end, or to the next ask that no reply is known to."""
        while journeys:
            finding: list[tuple[Journey, Find | Fetch]] = []
            for number, journey in enumerate(journeys):
                if number % _AT_ONCE == 0:
                    await asyncio.sleep(0)  # rendering prompts is work: signals have their turn
                    self._halt.check()
                await self._go_on(journey)
                if isinstance(journey.wants, Find | Fetch):
                    finding.append((journey, journey.wants))
            found = await asyncio.gather(*[finder.find(wanted) for _, wanted in finding])
            for (journey, _), grounding in zip(finding, found, strict=True):
                journey.send(grounding)
            journeys = [journey for journey, _ in finding]

    async def _go_on(self, journey: Journey) -> None:
        while isinstance(ask := journey.wants, Ask):
            model = self._crew.models[ask.role]
            if model.extractive:
                journey.send(await model.aanswer(ask))
                continue
            key = journey.asked or ask.key(model.identity)
            if (reply := self._ledger.reply(key)) is not None:
                self.traffic.replayed += key not in self._sent
                journey.send(reply)
            elif (error := self._unanswerable.get(key)) is not None:
                passing = isinstance(error, RETRYABLE)
                journey.fail(
                    RowRecord.UNAVAILABLE if passing else RowRecord.TURNED_DOWN, str(error)
                )
            else:
                journey.asked = key
                return
        if journey.driven is not None:
            record = RowRecord.of(journey.driven, models=self._crew.model_names)
            self._ledger.put_row(journey.key, record.to_bytes())
            journey.done = Done(journey.row, record)

    async def _wave(self, journeys: Sequence[Journey], wave: int) -> None:
        """Send what rows ask, each ask once, and have every reply in the ledger."""
        if self._vain_waves:
            await self._patience.pause(self._patience.retries.wait(self._vain_waves, None))
        wanted: dict[str, tuple[BatchingModel, Ask]] = {}
        for journey in journeys:
            assert isinstance(journey.wants, Ask)
            model = self._models[self._crew.models[journey.wants.role].identity]
            wanted.setdefault(journey.asked, (model, journey.wants))
        self._sent = self._account.afford(
            {key: (model.name, ask) for key, (model, ask) in wanted.items()}
        )
        asks: dict[str, dict[str, Ask]] = defaultdict(dict)
        for key, (model, ask) in wanted.items():
            if key in self._sent:
                asks[model.identity][key] = ask
        answered = self.traffic.answered
        failures: Failures = {}
        for identity, each in asks.items():
            failures |= await self._post.send(each, self._models[identity], wave=wave)
        failures |= await self._post.collect()
        self._account.release()
        self._vain_waves = 0 if self.traffic.answered > answered else self._vain_waves + 1
        self._judge(failures)

    def _judge(self, failures: Failures) -> None:
        """Tell asks that are sent again with the next wave from those that are given up.

        Raises:
            RunStopped: Many are given up and nobody is answered: quarantining every row would
                help nobody.
        """
        given_up = 0
        for key, error in failures.items():
            if isinstance(error, RETRYABLE):
                self._failed[key] += 1
                if self._failed[key] < self._patience.retries.attempts:
                    self.traffic.retried += 1
                    continue
                given_up += 1
                vain = self._vain_waves >= self._patience.retries.attempts
                if vain and given_up >= _UNREACHABLE_AFTER:
                    raise unreachable(str(error))
            self._unanswerable[key] = error


def batching_models(crew: Crew) -> dict[str, BatchingModel]:
    """Return the models that take batches, by identity.

    Raises:
        RunError: A model is neither such a one nor extractive.
    """
    models: dict[str, BatchingModel] = {}
    for model in crew.models.values():
        if isinstance(model, BatchingModel):
            models[model.identity] = model
        elif not model.extractive:
            raise RunError(
                f"{model.name} takes no message batches: leave --batch out, or name a model of a "
                "provider that has them, such as anthropic:claude-opus-5-5"
            )
    return models


async def collect_ended(
    crew: Crew,
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
    if not BatchBook(ledger).underway(models):
        return
    patience = Patience(Halt(), retries)
    traffic = Traffic()
    account = BatchAccount(traffic, prices or Prices.load(), None)
    await Post(models, ledger, traffic, account, patience, policy).collect_ended()


def _leaving(held: "deque[Done | Journey]") -> Iterator[Done]:
    """Take the rows that have ended from the front, up to the first that has not."""
    while held:
        first = held[0]
        done = first.done if isinstance(first, Journey) else first
        if done is None:
            return
        held.popleft()
        yield done


def _fault(done: Done) -> str:
    return done.record.detail if done.record.reasons == (RowRecord.UNAVAILABLE,) else ""
