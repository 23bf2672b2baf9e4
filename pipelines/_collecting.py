"""Results of message batches into the ledger: by key, never by position, and each reply once."""

from collections.abc import Mapping, Sequence
from contextlib import aclosing
from functools import partial

from whyset.errors import RunError
from whyset.generators import Reply
from whyset.models import (
    BatchingModel,
    BatchResult,
    BatchStatus,
    BatchUnknown,
    ModelError,
    ModelRefused,
    ModelUnavailable,
)

from ._answering import Traffic, writable
from ._batchaccount import BatchAccount
from ._batchbook import COLLECTED, LOST, Batch, BatchBook
from ._ledger import Ledger
from ._patience import Patience

_FIRST_LOOK = 1.0
_SLOWER = 1.5

Failures = dict[str, ModelError]
"""Ask key → what befell the ask."""


class Collector:
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
        traffic: Traffic,
        account: BatchAccount,
        patience: Patience,
        *,
        poll: float,
    ) -> None:
        self._models = models
        self._ledger = ledger
        self._book = BatchBook(ledger)
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
        wait = min(_FIRST_LOOK, self._poll)
        while True:
            for batch in tuple(waiting):
                known = await self.look(batch)
                if not known.over and known.state != "ended":
                    continue
                waiting.remove(batch)
                if not known.over:
                    failures |= await self._read(known)
                self._traffic.in_flight -= batch.requests
            if not waiting:
                return failures
            await self._patience.pause(wait)
            wait = min(wait * _SLOWER, self._poll)

    async def look(self, batch: Batch) -> Batch:
        """Ask how a batch is doing, and record the answer.

        Raises:
            RunStopped: The run is to end, or the provider does not answer.
            RunError: The provider does not know the batch.
        """
        retrieve = self._models[batch.identity].batches.retrieve
        try:
            status: BatchStatus = await self._patience.call(partial(retrieve, batch.id))
        except BatchUnknown as error:
            raise self._unknown(batch) from error
        known = self._book.seen(batch, status)
        return self._book.close(known, LOST) if status.archived else known

    async def _read(self, batch: Batch) -> Failures:
        """Record the replies in a batch that has ended; return what else is in it."""
        steps = self._book.steps(batch)
        missing = set(steps)
        failures: Failures = {}

        def take(result: BatchResult) -> None:
            if result.key not in missing:
                return  # of nobody, or once more after the results broke off
            missing.remove(result.key)
            if isinstance(result.outcome, Reply):
                if self._ledger.reply(result.key) is not None:
                    return  # recorded by a process that did not come to the end of them
                reply, step = writable(result.outcome), steps[result.key]
                self._ledger.put_reply(result.key, step, batch.model, reply, batched=True)
                self._account.book(result.key, batch.model, reply.usage)
                self._traffic.answered += 1
            else:
                failures[result.key] = result.outcome

        async def read() -> None:
            results = self._models[batch.identity].batches.results(batch.id)
            async with aclosing(results):
                async for result in results:
                    take(result)
            if missing:
                raise _Incomplete(
                    f"{batch.model}: {len(missing):,} of {batch.requests:,} results of the "
                    f"message batch {batch.id} are missing."
                )

        try:
            await self._patience.call(read)
        except BatchUnknown as error:
            raise self._unknown(batch) from error
        except Exception as error:
            if not isinstance(error.__cause__, _Incomplete):
                raise
            # Read to the end, time and again: they will not come any more.
            failures |= dict.fromkeys(missing, error.__cause__)
        self._book.close(batch, COLLECTED)
        for failure in failures.values():
            if isinstance(failure, ModelRefused):
                raise failure
        return failures

    def _unknown(self, batch: Batch) -> RunError:
        return RunError(
            f"{batch.model}: the provider does not know the message batch {batch.id}, which holds "
            f"{batch.requests:,} asks of this run. Was it created with a key of another "
            "workspace, run the same command with that one. Was it deleted, what it answered is "
            f"lost: whyset.pipelines.forget_batch(ledger, {batch.id!r}) has its asks sent again"
        )


class _Incomplete(ModelUnavailable):
    """The results came to their end and were not all there."""
