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
from collections.abc import Collection, Mapping
from contextlib import aclosing
from functools import partial

from whyset.generators import Ask
from whyset.models import (
    RETRYABLE,
    BatchingModel,
    BatchStatus,
    BatchTooLarge,
    BatchUnknown,
    ModelRefused,
    UnusableReply,
)

from ._answering import Traffic, unreachable
from ._batchaccount import BatchAccount
from ._batchbook import Batch, BatchBook, require_none_underway
from ._batchpolicy import BatchPolicy
from ._collecting import Collector, Failures
from ._ledger import Ledger
from ._patience import Patience

_FIRST_LOOK = 1.0
_SLOWER = 1.5
_AT_ONCE = 64


class Post:
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
        traffic: Traffic,
        account: BatchAccount,
        patience: Patience,
        policy: BatchPolicy,
    ) -> None:
        self.book = BatchBook(ledger)
        self._models = models
        self._ledger = ledger
        self._traffic = traffic
        self._patience = patience
        self._collector = Collector(models, ledger, traffic, account, patience, poll=policy.poll)
        self._policy = policy
        self._newest: dict[str, str] = {}

    def underway(self) -> list[Batch]:
        """Return the batches whose results are yet to come."""
        return self.book.underway(self._models)

    async def collect(self) -> Failures:
        """Collect everything that is underway, also what an earlier process left behind.

        Raises:
            ModelRefused: The provider turns every request down.
            RunStopped: The run is to end, or the provider does not answer.
            RunError: The provider does not know a batch.
        """
        found = [batch if batch.id else await self._find(batch) for batch in self.underway()]
        return await self._collector.collect([batch for batch in found if batch is not None])

    async def collect_ended(self) -> None:
        """Collect what has ended, and wait for nothing else.

        Raises:
            ModelRefused: The provider turns every request down.
            RunStopped: The provider does not answer.
            RunError: Something has not ended, or the provider does not know it.
        """
        ended = []
        for batch in self.underway():
            found = batch if batch.id else await self._find(batch, patient=False)
            if found is not None and found.id:
                found = await self._collector.look(found)
                if found.state == "ended":
                    ended.append(found)
        await self._collector.collect(ended)
        require_none_underway(self._ledger, self._models)

    async def send(self, asks: Mapping[str, Ask], model: BatchingModel, *, wave: int) -> Failures:
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
            if number % _AT_ONCE == 0:
                await asyncio.sleep(0)  # serialising is work: signals have their turn
            try:
                request = model.batches.request(key, ask)
            except UnusableReply as error:
                failures[key] = error
                continue
            full = len(part) >= self._policy.requests or size + len(request) > self._policy.size
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
            newest = await self._newest_of(model)
            self._patience.check()
            batch = self.book.intend(
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
                self.book.withdraw(batch)
                if len(part) == 1:
                    return {key: UnusableReply(str(error)) for key in part}
                entries, half = list(part.items()), len(part) // 2
                failures = await self._create(dict(entries[:half]), asks, model, wave)
                return failures | await self._create(dict(entries[half:]), asks, model, wave)
            except (ModelRefused, UnusableReply):
                # An answer, and a clear one. After any other error the intent stays, for whoever
                # comes next to look for what became of it.
                self.book.withdraw(batch)
                raise
            except RETRYABLE as error:
                if (found := await self._find(batch)) is not None:
                    self._created(found, model)
                    return {}
                failed += 1
                if failed >= self._patience.retries.attempts:
                    raise unreachable(str(error)) from error
                wait = self._patience.retries.wait(failed, error.retry_after)
            else:
                self._created(self.book.seen(batch, status), model)
                return {}
            await self._patience.pause(wait)

    def _created(self, batch: Batch, model: BatchingModel) -> None:
        self._newest[model.identity] = batch.id
        self._traffic.in_flight += batch.requests

    async def _newest_of(self, model: BatchingModel) -> str:
        """Return the provider's newest batch, or one that was: an older one serves as well."""
        if model.identity not in self._newest:
            self._newest[model.identity] = await self._patience.call(partial(_newest, model))
        return self._newest[model.identity]

    async def _find(self, batch: Batch, *, patient: bool = True) -> Batch | None:
        """Find out what became of an intent; withdraw it where no batch did.

        Args:
            batch: The intent.
            patient: Whether to wait for batches that could be it; else it is returned as it is.

        Returns:
            The batch with its id, or `None` where it was never created.
        """
        model, keys = self._models[batch.identity], self.book.steps(batch).keys()
        others = {each.id for each in self.book.all()}
        clock = asyncio.get_running_loop()
        until, wait = clock.time() + self._policy.settling, min(_FIRST_LOOK, self._policy.poll)
        while True:
            undecided = False
            for status in await self._patience.call(partial(_since, model, batch.newest)):
                if status.id in others or status.archived or status.requests != batch.requests:
                    continue
                if not status.ended:
                    undecided = True
                elif await self._patience.call(partial(_holds, model, status.id, keys)):
                    return self.book.seen(batch, status)
                else:
                    others.add(status.id)
            if undecided and not patient:
                return batch
            if not undecided and clock.time() >= until:
                self.book.withdraw(batch)
                return None
            await self._patience.pause(wait)
            wait = min(wait * _SLOWER, self._policy.poll)


async def _newest(model: BatchingModel) -> str:
    async with aclosing(model.batches.recent()) as recent:
        async for status in recent:
            return status.id
    return ""


async def _since(model: BatchingModel, batch: str) -> list[BatchStatus]:
    """Return the batches newer than one; all where that is gone."""
    found: list[BatchStatus] = []
    async with aclosing(model.batches.recent()) as recent:
        async for status in recent:
            if status.id == batch:
                break
            found.append(status)
    return found


async def _holds(model: BatchingModel, batch: str, keys: Collection[str]) -> bool:
    """Say whether a batch of as many asks holds these; one foreign key suffices to deny it."""
    seen = False
    try:
        async with aclosing(model.batches.results(batch)) as results:
            async for result in results:
                if result.key not in keys:
                    return False
                seen = True
    except BatchUnknown:
        return False  # deleted meanwhile
    return seen
