"""Asks handed over in message batches, so that none is paid twice, whatever happens in between.

A batch is intended in the ledger, then created, then its id recorded. A process that is killed in
between, or whose connection breaks, does not know whether the batch exists, and cannot look it up:
its name is the provider's choice. So the intent records which batch was the provider's newest
before. Ours can only be among those that are newer, that this ledger does not know, and that hold
as many requests. Which asks a batch holds shows in its results alone, once it has ended: until then
such a one is waited for. It is ours if its keys are those of the intent. If none is, the batch was
not created, and its asks are sent again.

What this cannot see is a batch that the provider begins to list only after it was looked for. So
the search goes on for a while after a creation whose outcome is unknown.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from whyset.errors import RunError
from whyset.generators import Ask, Reply, Usage
from whyset.models import (
    RETRYABLE_ERRORS,
    BatchingModel,
    BatchNotFound,
    BatchResult,
    BatchStatus,
    BatchTooLarge,
    ModelAccessDenied,
    ModelError,
    ModelUnavailable,
    Prices,
    RetryPolicy,
    UnusableReply,
)

from ..ledger._batches import COLLECTED, LOST, Batch, BatchTable, require_no_pending_batches
from ..ledger._ledger import Ledger
from ._budget import Budget, Reservation
from ._requests import RequestStats, provider_unreachable, replace_surrogates
from ._stop import StopSignal

# ---- Calls to a provider made again after passing faults, as long as the run goes on.

T = TypeVar("T")


class Retrier:
    """Waits that end with the run.

    Args:
        halt: What ends them.
        retries: When and how often a call is made again.
    """

    def __init__(self, halt: StopSignal, retries: RetryPolicy) -> None:
        self._halt = halt
        self.retries = retries

    def raise_if_stopped(self) -> None:
        """Return while the run goes on.

        Raises:
            RunStopped: It is to end.
        """
        self._halt.raise_if_stopped()

    async def call(self, function: Callable[[], Awaitable[T]]) -> T:
        """Return what a call returns in the end.

        Raises:
            RunStopped: The run is to end, or the provider does not answer.
            ModelError: What no further attempt would mend.
        """
        failed = 0
        while True:
            self._halt.raise_if_stopped()
            try:
                return await function()
            except RETRYABLE_ERRORS as error:
                failed += 1
                if failed >= self.retries.attempts:
                    raise provider_unreachable(str(error)) from error
                wait = self.retries.compute_wait(failed, error.retry_after)
            await self.pause(wait)

    async def pause(self, seconds: float) -> None:
        """Wait so many seconds.

        Raises:
            RunStopped: The run is to end.
        """
        await self._halt.wait(seconds)
        self._halt.raise_if_stopped()


# ---- What asks in batches cost, and which of them a budget allows.

_MIN_SHARE = 10


class BatchBudget:
    """The money of a run by batch.

    Args:
        traffic: Where dollars are counted.
        prices: What replies cost.
        budget: What must not be exceeded.
    """

    def __init__(self, traffic: RequestStats, prices: Prices, budget: Budget | None) -> None:
        self._traffic = traffic
        self._prices = prices
        self._budget = budget
        self._reserved: dict[str, Reservation] = {}

    def reserve(self, asks: Mapping[str, tuple[str, Ask]]) -> set[str]:
        """Put aside what asks could cost, in their order, as far as the budget goes.

        A reply mostly takes a small part of what is put aside for it, so that what did not fit
        into one wave may fit into the next. That ends with waves of a few asks that take an hour
        each: where not a tenth of what is asked fits, the run ends.

        Args:
            asks: By key, each with its model's name.

        Returns:
            The keys of those that may be sent.

        Raises:
            RunStopped: Too few may be.
        """
        if self._budget is None:
            return set(asks)
        for key, (model, ask) in asks.items():
            reservation = self._budget.try_reserve(model, ask)
            if reservation is None:
                if len(self._reserved) * _MIN_SHARE < len(asks):
                    self.release()
                    raise self._budget.exhausted_error(model, ask)
                break
            self._reserved[key] = reservation
        return set(self._reserved)

    def charge(self, key: str, model: str, usage: Usage) -> None:
        """Count what a reply took.

        Raises:
            RunError: There is a budget, and the model has no price.
        """
        if self._budget is None:
            cost = self._prices.cost(model, usage, batch=True)
        elif (reservation := self._reserved.pop(key, None)) is not None:
            cost = reservation.settle(usage)
        else:  # sent by an earlier process
            cost = self._budget.cost(model, usage)
            self._budget.spent += cost
        self._traffic.charge(cost)

    def release(self) -> None:
        """Give back what is put aside for asks that were not answered."""
        while self._reserved:
            self._reserved.popitem()[1].release()


# ---- Results of message batches into the ledger: by key, never by position, and each reply once.

_FIRST_POLL = 1.0
_POLL_BACKOFF = 1.5

Failures = dict[str, ModelError]
"""Ask key → what befell the ask."""


class BatchCollector:
    """Waits for batches to end and records what came of them.

    Args:
        models: Who was asked, by identity.
        ledger: Where replies are recorded.
        traffic: Where they are counted.
        account: Where their cost is.
        patience: How faults of the provider are waited out.
        poll: The longest time between two looks at a batch, in seconds.
    """

    def __init__(
        self,
        models: Mapping[str, BatchingModel],
        ledger: Ledger,
        traffic: RequestStats,
        account: BatchBudget,
        patience: Retrier,
        *,
        poll: float,
    ) -> None:
        self._models = models
        self._ledger = ledger
        self._book = BatchTable(ledger)
        self._traffic = traffic
        self._account = account
        self._patience = patience
        self._poll = poll

    async def collect(self, batches: Sequence[Batch]) -> Failures:
        """Wait until batches have ended and record their replies; return what else came of asks.

        Raises:
            ModelRefused: The provider turns every ask down; what it answered is recorded.
            RunStopped: The run is to end, or the provider does not answer.
            RunError: The provider does not know a batch.
        """
        failures: Failures = {}
        waiting = list(batches)
        self._traffic.in_flight = sum(batch.requests for batch in waiting)
        wait = min(_FIRST_POLL, self._poll)
        while True:
            for batch in tuple(waiting):
                known = await self.refresh(batch)
                if not known.is_final and known.state != "ended":
                    continue
                waiting.remove(batch)
                if not known.is_final:
                    failures |= await self._read(known)
                self._traffic.in_flight -= batch.requests
            if not waiting:
                return failures
            await self._patience.pause(wait)
            wait = min(wait * _POLL_BACKOFF, self._poll)

    async def refresh(self, batch: Batch) -> Batch:
        """Ask how a batch is doing, and record the answer.

        Raises:
            RunStopped: The run is to end, or the provider does not answer.
            RunError: The provider does not know the batch.
        """
        retrieve = self._models[batch.identity].batches.retrieve
        try:
            status: BatchStatus = await self._patience.call(partial(retrieve, batch.id))
        except BatchNotFound as error:
            raise self._not_found_error(batch) from error
        known = self._book.record_status(batch, status)
        return self._book.record_end(known, LOST) if status.is_archived else known

    async def _read(self, batch: Batch) -> Failures:
        """Record the replies in a batch that has ended; return what else is in it."""
        steps = self._book.read_steps(batch)
        missing = set(steps)
        failures: Failures = {}

        def take(result: BatchResult) -> None:
            if result.key not in missing:
                return  # of nobody, or once more after the results broke off
            missing.remove(result.key)
            if isinstance(result.outcome, Reply):
                if self._ledger.reply(result.key) is not None:
                    return  # recorded by a process that did not come to the end of them
                reply, step = replace_surrogates(result.outcome), steps[result.key]
                self._ledger.put_reply(result.key, step, batch.model, reply, batched=True)
                self._account.charge(result.key, batch.model, reply.usage)
                self._traffic.answered += 1
            else:
                failures[result.key] = result.outcome

        async def read() -> None:
            results = self._models[batch.identity].batches.results(batch.id)
            async with aclosing(results):
                async for result in results:
                    take(result)
            if missing:
                raise _IncompleteResults(
                    f"{batch.model}: {len(missing):,} of {batch.requests:,} results of the "
                    f"message batch {batch.id} are missing."
                )

        try:
            await self._patience.call(read)
        except BatchNotFound as error:
            raise self._not_found_error(batch) from error
        except Exception as error:
            if not isinstance(error.__cause__, _IncompleteResults):
                raise
            # Read to the end, time and again: they will not come any more.
            failures |= dict.fromkeys(missing, error.__cause__)
        self._book.record_end(batch, COLLECTED)
        for failure in failures.values():
            if isinstance(failure, ModelAccessDenied):
                raise failure
        return failures

    def _not_found_error(self, batch: Batch) -> RunError:
        return RunError(
            f"{batch.model}: the provider does not know the message batch {batch.id}, which holds "
            f"{batch.requests:,} asks of this run. Was it created with a key of another "
            "workspace, run the same command with that one. Was it deleted, what it answered is "
            f"lost: whyset.pipelines.forget_batch(ledger, {batch.id!r}) has its asks sent again"
        )


class _IncompleteResults(ModelUnavailable):
    """The results came to their end and were not all there."""


# ---- How message batches are made and looked after.


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """How message batches are made and looked after.

    Anthropic takes batches of 100,000 requests and 256 MB. An eighth of the latter is enough: a
    batch is held in memory several times over while it is sent, and eight cost no more than one.

    Attributes:
        max_rows: How many rows are underway at most, which is also the size of a wave. Each is held
            in memory with its passages and its next ask, some 20 kB.
        max_requests: How many requests a batch holds at most.
        max_bytes: How many bytes they take at most, serialised as they are sent.
        poll_seconds: The longest time between two looks at a batch, in seconds.
        settle_seconds: How long a batch is looked for that may have been created, in seconds.
    """

    max_rows: int = 20_000
    max_requests: int = 100_000
    max_bytes: int = 32_000_000
    poll_seconds: float = 30.0
    settle_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what nobody could follow."""
        for name in ("max_rows", "max_requests", "max_bytes"):
            if getattr(self, name) < 1:
                raise RunError(f"a batch policy's {name} is at least 1, not {getattr(self, name)}")
        for name in ("poll_seconds", "settle_seconds"):
            if not getattr(self, name) >= 0:
                raise RunError(f"{name} must be 0 seconds or more, not {getattr(self, name)}")


DEFAULT_BATCH_POLICY = BatchPolicy()


_FIRST_SEARCH = 1.0
_SEARCH_BACKOFF = 1.5
_YIELD_EVERY = 64


class BatchSubmitter:
    """Sends asks in batches and collects what comes of them.

    Args:
        models: Who is asked, by identity.
        ledger: Where replies and batches are recorded.
        traffic: Where asks are counted.
        account: Where their cost is.
        patience: How faults of the provider are waited out.
        policy: How batches are made and looked after.
    """

    def __init__(
        self,
        models: Mapping[str, BatchingModel],
        ledger: Ledger,
        traffic: RequestStats,
        account: BatchBudget,
        patience: Retrier,
        policy: BatchPolicy,
    ) -> None:
        self.table = BatchTable(ledger)
        self._models = models
        self._ledger = ledger
        self._traffic = traffic
        self._patience = patience
        self._collector = BatchCollector(
            models, ledger, traffic, account, patience, poll=policy.poll_seconds
        )
        self._policy = policy
        self._newest: dict[str, str] = {}

    def list_pending(self) -> list[Batch]:
        """Return the batches whose results are yet to come."""
        return self.table.list_pending(self._models)

    async def collect(self) -> Failures:
        """Collect everything that is underway, also what an earlier process left behind.

        Raises:
            ModelRefused: The provider turns every request down.
            RunStopped: The run is to end, or the provider does not answer.
            RunError: The provider does not know a batch.
        """
        found = [batch if batch.id else await self._find(batch) for batch in self.list_pending()]
        return await self._collector.collect([batch for batch in found if batch is not None])

    async def collect_ended(self) -> None:
        """Collect what has ended, and wait for nothing else.

        Raises:
            ModelRefused: The provider turns every request down.
            RunStopped: The provider does not answer.
            RunError: Something has not ended, or the provider does not know it.
        """
        ended = []
        for batch in self.list_pending():
            found = batch if batch.id else await self._find(batch, patient=False)
            if found is not None and found.id:
                found = await self._collector.refresh(found)
                if found.state == "ended":
                    ended.append(found)
        await self._collector.collect(ended)
        require_no_pending_batches(self._ledger, self._models)

    async def submit(self, asks: Mapping[str, Ask], model: BatchingModel, *, wave: int) -> Failures:
        """Hand asks over, in as few batches as they fit in; return those that fit in none.

        Args:
            asks: By their key.
            model: Who is asked.
            wave: The number of the wave.

        Raises:
            ModelRefused: The provider turns every request down.
            UnusableReply: It turned a batch as such down.
            RunStopped: The run is to end, or the provider does not answer.
        """
        failures: Failures = {}
        part: dict[str, bytes] = {}
        size = 0
        for number, (key, ask) in enumerate(asks.items()):
            if number % _YIELD_EVERY == 0:
                await asyncio.sleep(0)  # serialising is work: signals have their turn
            try:
                request = model.batches.build_request(key, ask)
            except UnusableReply as error:
                failures[key] = error
                continue
            full = (
                len(part) >= self._policy.max_requests
                or size + len(request) > self._policy.max_bytes
            )
            if part and full:
                failures |= await self._create(part, asks, model, wave)
                part, size = {}, 0
            part[key] = request
            size += len(request) + 1  # with a comma
        if part:
            failures |= await self._create(part, asks, model, wave)
        return failures

    async def _create(
        self, part: Mapping[str, bytes], asks: Mapping[str, Ask], model: BatchingModel, wave: int
    ) -> Failures:
        """Create a batch; return what cannot be in any."""
        failed = 0
        while True:
            newest = await self._find_newest(model)
            self._patience.raise_if_stopped()
            batch = self.table.record_intent(
                wave=wave,
                model=model.name,
                identity=model.identity,
                newest=newest,
                size=sum(map(len, part.values())),
                steps={key: asks[key].step for key in part},
            )
            try:
                status = await model.batches.create(list(part.values()))
            except BatchTooLarge as error:
                self.table.delete(batch)
                if len(part) == 1:
                    return {key: UnusableReply(str(error)) for key in part}
                entries, half = list(part.items()), len(part) // 2
                failures = await self._create(dict(entries[:half]), asks, model, wave)
                return failures | await self._create(dict(entries[half:]), asks, model, wave)
            except (ModelAccessDenied, UnusableReply):
                # An answer, and a clear one. After any other error the intent stays, for whoever
                # comes next to look for what became of it.
                self.table.delete(batch)
                raise
            except RETRYABLE_ERRORS as error:
                if (found := await self._find(batch)) is not None:
                    self._created(found, model)
                    return {}
                failed += 1
                if failed >= self._patience.retries.attempts:
                    raise provider_unreachable(str(error)) from error
                wait = self._patience.retries.compute_wait(failed, error.retry_after)
            else:
                self._created(self.table.record_status(batch, status), model)
                return {}
            await self._patience.pause(wait)

    def _created(self, batch: Batch, model: BatchingModel) -> None:
        self._newest[model.identity] = batch.id
        self._traffic.in_flight += batch.requests

    async def _find_newest(self, model: BatchingModel) -> str:
        """Return the provider's newest batch, or one that was: an older one serves as well."""
        if model.identity not in self._newest:
            self._newest[model.identity] = await self._patience.call(
                partial(_fetch_newest_id, model)
            )
        return self._newest[model.identity]

    async def _find(self, batch: Batch, *, patient: bool = True) -> Batch | None:
        """Find out what became of an intent; withdraw it where no batch did.

        Args:
            batch: The intent.
            patient: Whether to wait for batches that could be it; else it is returned as it is.

        Returns:
            The batch with its id, or `None` where it was never created.
        """
        model, keys = self._models[batch.identity], self.table.read_steps(batch).keys()
        others = {each.id for each in self.table.list_batches()}
        clock = asyncio.get_running_loop()
        until, wait = (
            clock.time() + self._policy.settle_seconds,
            min(_FIRST_SEARCH, self._policy.poll_seconds),
        )
        while True:
            undecided = False
            for status in await self._patience.call(
                partial(_fetch_newer_batches, model, batch.newest)
            ):
                if status.id in others or status.is_archived or status.requests != batch.requests:
                    continue
                if not status.is_ended:
                    undecided = True
                elif await self._patience.call(partial(_contains_asks, model, status.id, keys)):
                    return self.table.record_status(batch, status)
                else:
                    others.add(status.id)
            if undecided and not patient:
                return batch
            if not undecided and clock.time() >= until:
                self.table.delete(batch)
                return None
            await self._patience.pause(wait)
            wait = min(wait * _SEARCH_BACKOFF, self._policy.poll_seconds)


async def _fetch_newest_id(model: BatchingModel) -> str:
    async with aclosing(model.batches.list_recent()) as recent:
        async for status in recent:
            return status.id
    return ""


async def _fetch_newer_batches(model: BatchingModel, batch: str) -> list[BatchStatus]:
    """Return the batches newer than one; all where that is gone."""
    found: list[BatchStatus] = []
    async with aclosing(model.batches.list_recent()) as recent:
        async for status in recent:
            if status.id == batch:
                break
            found.append(status)
    return found


async def _contains_asks(model: BatchingModel, batch: str, keys: Collection[str]) -> bool:
    """Say whether a batch of as many asks holds these; one foreign key suffices to deny it."""
    seen = False
    try:
        async with aclosing(model.batches.results(batch)) as results:
            async for result in results:
                if result.key not in keys:
                    return False
                seen = True
    except BatchNotFound:
        return False  # deleted meanwhile
    return seen
