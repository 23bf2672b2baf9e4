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
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import aclosing
from functools import partial

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
    UnusableReply,
)

from .._config import BatchPolicy
from ..ledger._batches import COLLECTED, LOST, Batch, BatchTable, require_no_pending_batches
from ..ledger._ledger import Ledger
from ._requests import RequestStats, replace_surrogates
from ._retry import Retrier

Failures = dict[str, ModelError]
"""Ask key → what befell the ask."""

_FIRST_POLL = 1.0
_POLL_BACKOFF = 1.5
_YIELD_EVERY = 64


class BatchJobs:
    """The batches of a run at the provider: creates them, and records what comes of them.

    Args:
        models: Who is asked, by identity.
        ledger: Where replies and batches are recorded.
        stats: Where asks are counted.
        charge: Called with the key, the model's name and the usage of every reply.
        retrier: Calls the provider again after passing faults.
        policy: How batches are made and looked after.
    """

    def __init__(
        self,
        models: Mapping[str, BatchingModel],
        ledger: Ledger,
        stats: RequestStats,
        charge: Callable[[str, str, Usage], None],
        retrier: Retrier,
        policy: BatchPolicy,
    ) -> None:
        self._models = models
        self._ledger = ledger
        self._table = BatchTable(ledger)
        self._stats = stats
        self._charge = charge
        self._retrier = retrier
        self._policy = policy
        self._newest: dict[str, str] = {}

    async def collect(self) -> Failures:
        """Collect everything that is underway, also what an earlier process left behind.

        Raises:
            ModelAccessDenied: The provider turns every request down.
            RunStopped: The run is to end, or the provider does not answer.
            RunError: The provider does not know a batch.
        """
        pending = self._table.list_pending(self._models)
        found = [batch if batch.id else await self._find(batch) for batch in pending]
        return await self._wait_for([batch for batch in found if batch is not None])

    async def collect_ended(self) -> None:
        """Collect what has ended, and wait for nothing else.

        Raises:
            ModelAccessDenied: The provider turns every request down.
            RunStopped: The provider does not answer.
            RunError: Something has not ended, or the provider does not know it.
        """
        ended = []
        for batch in self._table.list_pending(self._models):
            found = batch if batch.id else await self._find(batch, patient=False)
            if found is not None and found.id:
                found = await self._refresh(found)
                if found.state == "ended":
                    ended.append(found)
        await self._wait_for(ended)
        require_no_pending_batches(self._ledger, self._models)

    async def submit(self, asks: Mapping[str, Ask], model: BatchingModel, *, wave: int) -> Failures:
        """Hand asks over, in as few batches as they fit in; return those that fit in none.

        Raises:
            ModelAccessDenied: The provider turns every request down.
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
        """Create a batch, or several where the provider takes none so large."""
        attempt = partial(self._attempt_create, part, asks, model, wave)
        try:
            batch = await self._retrier.call(attempt)
        except BatchTooLarge as error:
            if len(part) == 1:
                return {key: UnusableReply(str(error)) for key in part}
            entries, half = list(part.items()), len(part) // 2
            failures = await self._create(dict(entries[:half]), asks, model, wave)
            return failures | await self._create(dict(entries[half:]), asks, model, wave)
        self._newest[model.identity] = batch.id
        self._stats.in_flight += batch.requests
        return {}

    async def _attempt_create(
        self, part: Mapping[str, bytes], asks: Mapping[str, Ask], model: BatchingModel, wave: int
    ) -> Batch:
        newest = await self._find_newest(model)
        self._retrier.raise_if_stopped()
        intent = self._table.record_intent(
            wave=wave,
            model=model.name,
            identity=model.identity,
            newest=newest,
            size=sum(map(len, part.values())),
            steps={key: asks[key].step for key in part},
        )
        try:
            status = await model.batches.create(list(part.values()))
        except (BatchTooLarge, ModelAccessDenied, UnusableReply):
            # An answer, and a clear one. After any other error the intent stays, for whoever
            # comes next to look for what became of it.
            self._table.delete(intent)
            raise
        except RETRYABLE_ERRORS:
            if (found := await self._find(intent)) is None:
                raise
            return found
        return self._table.record_status(intent, status)

    async def _find_newest(self, model: BatchingModel) -> str:
        """Return the provider's newest batch, or one that was: an older one serves as well."""
        if model.identity not in self._newest:
            self._newest[model.identity] = await self._retrier.call(
                partial(_fetch_newest_id, model)
            )
        return self._newest[model.identity]

    async def _find(self, batch: Batch, *, patient: bool = True) -> Batch | None:
        """Find out what became of an intent; withdraw it where no batch did."""
        model, keys = self._models[batch.identity], self._table.read_steps(batch).keys()
        others = {each.id for each in self._table.list_batches()}
        clock = asyncio.get_running_loop()
        until, wait = (
            clock.time() + self._policy.settle_seconds,
            min(_FIRST_POLL, self._policy.poll_seconds),
        )
        while True:
            undecided = False
            for status in await self._retrier.call(
                partial(_fetch_newer_batches, model, batch.newest)
            ):
                if status.id in others or status.is_archived or status.requests != batch.requests:
                    continue
                if not status.is_ended:
                    undecided = True
                elif await self._retrier.call(partial(_contains_asks, model, status.id, keys)):
                    return self._table.record_status(batch, status)
                else:
                    others.add(status.id)
            if undecided and not patient:
                return batch
            if not undecided and clock.time() >= until:
                self._table.delete(batch)
                return None
            await self._retrier.pause(wait)
            wait = min(wait * _POLL_BACKOFF, self._policy.poll_seconds)

    async def _wait_for(self, batches: Sequence[Batch]) -> Failures:
        """Wait until batches have ended and record their replies; return what else came of asks."""
        failures: Failures = {}
        waiting = list(batches)
        self._stats.in_flight = sum(batch.requests for batch in waiting)
        wait = min(_FIRST_POLL, self._policy.poll_seconds)
        while True:
            for batch in tuple(waiting):
                known = await self._refresh(batch)
                if not known.is_final and known.state != "ended":
                    continue
                waiting.remove(batch)
                if not known.is_final:
                    failures |= await self._read(known)
                self._stats.in_flight -= batch.requests
            if not waiting:
                return failures
            await self._retrier.pause(wait)
            wait = min(wait * _POLL_BACKOFF, self._policy.poll_seconds)

    async def _refresh(self, batch: Batch) -> Batch:
        """Ask how a batch is doing, and record the answer."""
        retrieve = self._models[batch.identity].batches.retrieve
        try:
            status: BatchStatus = await self._retrier.call(partial(retrieve, batch.id))
        except BatchNotFound as error:
            raise self._not_found_error(batch) from error
        known = self._table.record_status(batch, status)
        return self._table.record_end(known, LOST) if status.is_archived else known

    async def _read(self, batch: Batch) -> Failures:
        """Record the replies in a batch that has ended; return what else is in it."""
        steps = self._table.read_steps(batch)
        missing = set(steps)
        failures: Failures = {}

        def take(result: BatchResult) -> None:
            if result.key not in missing:
                return  # for no row of this run, or once more after the results broke off
            missing.remove(result.key)
            if isinstance(result.outcome, Reply):
                if self._ledger.reply(result.key) is not None:
                    return  # recorded by a process that did not come to the end of them
                reply, step = replace_surrogates(result.outcome), steps[result.key]
                self._ledger.put_reply(result.key, step, batch.model, reply, batched=True)
                self._charge(result.key, batch.model, reply.usage)
                self._stats.answered += 1
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
            await self._retrier.call(read)
        except BatchNotFound as error:
            raise self._not_found_error(batch) from error
        except Exception as error:
            if not isinstance(error.__cause__, _IncompleteResults):
                raise
            # Read to the end, time and again: they will not come any more.
            failures |= dict.fromkeys(missing, error.__cause__)
        self._table.record_end(batch, COLLECTED)
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
