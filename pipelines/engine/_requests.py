"""Asks answered: from the ledger, with whoever asks the same just now, else by a model."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from whyset.errors import RunStopped
from whyset.generators import Ask, Model, Reply, Role
from whyset.models import RETRYABLE_ERRORS, ModelAccessDenied

from .._config import RunConfig
from ..ledger._ledger import Ledger
from ._budget import open_budget
from ._concurrency import AdaptiveConcurrency
from ._retry import OutageRule
from ._stop import StopSignal


@dataclass(slots=True)
class RequestStats:
    """What a run has sent and received so far; counts of this process only.

    Attributes:
        answered: Replies that models gave.
        replayed: Replies taken from the ledger instead.
        retried: Asks sent again after a passing fault.
        in_flight: Asks sent and not answered yet.
        limit: How many may be in flight now.
        cost: What the replies have cost; `None` as soon as one came from an unpriced model.
    """

    answered: int = 0
    replayed: int = 0
    retried: int = 0
    in_flight: int = 0
    limit: int = 0
    cost: Decimal | None = Decimal(0)

    def charge(self, cost: Decimal | None) -> None:
        """Add the cost of a reply, `None` where it has no price."""
        self.cost = None if self.cost is None or cost is None else self.cost + cost


class ModelClient:
    """Answers the asks of all rows of a run.

    Attributes:
        stats: What was sent and received so far.
    """

    def __init__(
        self,
        models: Mapping[Role, Model],
        ledger: Ledger,
        config: RunConfig,
        stop_signal: StopSignal,
    ) -> None:
        self.stats = RequestStats()
        self._models = models
        self._ledger = ledger
        self._prices = config.prices
        self._budget = open_budget(models.values(), ledger, config)
        self._retries = config.retries
        self._stop_signal = stop_signal
        self._concurrency = AdaptiveConcurrency(
            config.concurrency, stop_signal, max_pause=config.retries.max_retry_after
        )
        self._outage = OutageRule(config, stop_signal)
        self._pending: dict[str, asyncio.Future[Reply]] = {}

    async def answer(self, ask: Ask) -> Reply:
        """Return the reply to an ask.

        Raises:
            ModelUnavailable: The provider did not answer, however often it was asked.
            UnusableReply: The provider turned this ask down.
            RunStopped: The run is to end, and the ask was not sent.
            WhysetError: No other ask would fare better.
        """
        model = self._models[ask.role]
        if model.is_extractive:
            # Free, and the same every time: to record it would cost more than to do it again.
            return await model.aanswer(ask)
        key = ask.key(model.identity)
        if (recorded := self._ledger.reply(key)) is not None:
            self.stats.replayed += 1
            return recorded
        if (pending := self._pending.get(key)) is not None:
            # Shielded: one row's cancellation must not take the reply from another.
            return await asyncio.shield(pending)
        shared = self._pending[key] = asyncio.get_running_loop().create_future()
        try:
            reply = await self._ask_with_retries(model, ask, key)
        except asyncio.CancelledError:
            shared.cancel()
            raise
        except BaseException as error:
            shared.set_exception(error)
            shared.exception()  # seen by the rows that wait for it, if any does
            raise
        finally:
            del self._pending[key]
        shared.set_result(reply)
        return reply

    async def _ask_with_retries(self, model: Model, ask: Ask, key: str) -> Reply:
        # A slot is held while waiting to ask again, too: that is what slows a run down when the
        # provider asks it to.
        async with self._concurrency.slot():
            with self._outage.track() as failures:
                while True:
                    try:
                        return await self._ask_within_budget(model, ask, key)
                    except RETRYABLE_ERRORS as error:
                        if self._outage.is_hopeless(failures, error):
                            raise
                        wait = self._retries.compute_wait(failures.count, error.retry_after)
                    except ModelAccessDenied as error:
                        self._stop_signal.trigger(error)  # before another such ask has the slot
                        raise
                    self.stats.retried += 1
                    await self._stop_signal.wait(wait)

    async def _ask_within_budget(self, model: Model, ask: Ask, key: str) -> Reply:
        if self._budget is None:
            reply = await self._send(model, ask, key)
            self.stats.charge(self._prices.cost(model.name, reply.usage))
            return reply
        try:
            async with self._budget.reserve(model.name, ask) as reservation:
                reply = await self._send(model, ask, key)
                self.stats.charge(reservation.settle(reply.usage))
        except RunStopped as stopped:
            self._stop_signal.trigger(stopped)
            raise
        return reply

    async def _send(self, model: Model, ask: Ask, key: str) -> Reply:
        """Ask once, when the provider has room, record the reply and learn from it."""
        sent_in = await self._concurrency.wait_for_capacity(ask)
        self.stats.in_flight += 1
        try:
            reply = replace_surrogates(await model.aanswer(ask))
        except RETRYABLE_ERRORS as error:
            if error.is_throttled:
                self._concurrency.record_throttle(sent_in)
                if error.retry_after is not None:
                    self._concurrency.pause(error.retry_after)
            raise
        finally:
            self.stats.in_flight -= 1
            self.stats.limit = self._concurrency.value
        # Before anything else that could fail: it is paid for.
        self._ledger.put_reply(key, ask, model.name, reply)
        self.stats.answered += 1
        self._outage.record_answer()
        self._concurrency.record_reply(reply)
        return reply


def replace_surrogates(reply: Reply) -> Reply:
    """Return the reply with half a surrogate pair replaced: no UTF-8 file could hold it."""
    try:
        reply.text.encode()
    except UnicodeEncodeError:
        text = reply.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return replace(reply, text=text)
    return reply
