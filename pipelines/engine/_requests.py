"""Asks answered: from the ledger, by who asks the same just now, else by a model, patiently."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from whyset.errors import RunStopped
from whyset.generators import Ask, Model, Reply, Role
from whyset.models import RETRYABLE_ERRORS, ModelAccessDenied, ModelUnavailable, Prices, RetryPolicy

from ..ledger._ledger import Ledger
from ._budget import Budget
from ._concurrency import AdaptiveConcurrency
from ._stop import StopSignal

_OUTAGE_FAILURES = 8
"""So many asks failing at once, and none answered meanwhile, are the provider's trouble and not
theirs; fewer where fewer may be in flight, but never less than `_MIN_FAILURES`."""

_MIN_FAILURES = 3

_FREE_RETRIES = 100
"""So many, and one for every answer, is the run's budget of retries: a provider that fails more
often than it answers is not worked against all weekend ("Handling Overload", Site Reliability
Engineering, 2016, has the idea, with tighter figures for interactive work)."""

_THROTTLED_ATTEMPTS_FACTOR = 5
"""So many times the attempts has an ask that only comes at a bad moment, while others are
answered; not endless ones, since an ask may be too large for a limit that it will never fit."""


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
        traffic: What was sent and received so far.
    """

    def __init__(
        self,
        models: Mapping[Role, Model],
        ledger: Ledger,
        halt: StopSignal,
        *,
        concurrency: int,
        retries: RetryPolicy,
        prices: Prices,
        budget: Budget | None = None,
    ) -> None:
        self.traffic = RequestStats()
        self._prices = prices
        self._budget = budget
        self._models = models
        self._ledger = ledger
        self._halt = halt
        self._limit = AdaptiveConcurrency(concurrency, halt, longest_pause=retries.max_retry_after)
        self._retries = retries
        self._asked: dict[str, asyncio.Future[Reply]] = {}
        self._failing = 0
        self._last_answer: float | None = None
        self._given_up_in_a_row = 0
        self._retries_spent = 0
        self._outage = max(_MIN_FAILURES, min(_OUTAGE_FAILURES, concurrency))
        # As many as are in flight may meet one and the same moment of trouble.
        self._unreachable_after = max(_MIN_FAILURES, concurrency)

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
        if (known := self._ledger.reply(key)) is not None:
            self.traffic.replayed += 1
            return known
        if (asked := self._asked.get(key)) is not None:
            # Shielded: one row's cancellation must not take the reply from another.
            return await asyncio.shield(asked)
        promise = self._asked[key] = asyncio.get_running_loop().create_future()
        try:
            reply = await self._ask_with_retries(model, ask, key)
        except asyncio.CancelledError:
            promise.cancel()
            raise
        except BaseException as error:
            promise.set_exception(error)
            promise.exception()  # seen by the rows that wait for it, if any does
            raise
        finally:
            del self._asked[key]
        promise.set_result(reply)
        return reply

    async def _ask_with_retries(self, model: Model, ask: Ask, key: str) -> Reply:
        # A slot is held while waiting to ask again, too: that is what slows a run down when the
        # provider asks it to.
        async with self._limit.slot():
            failed, since = 0, 0.0
            try:
                while True:
                    try:
                        reply = await self._ask_within_budget(model, ask, key)
                    except RETRYABLE_ERRORS as error:
                        if not failed:
                            self._failing += 1
                            since = time.monotonic()
                        failed += 1
                        if self._is_hopeless(failed, since, error):
                            raise
                        wait = self._retries.compute_wait(failed, error.retry_after)
                    except ModelAccessDenied as error:
                        self._halt.trigger(error)  # before the slot is free for another such ask
                        raise
                    else:
                        return reply
                    self.traffic.retried += 1
                    await self._halt.wait(wait)
            finally:
                self._failing -= bool(failed)

    async def _ask_within_budget(self, model: Model, ask: Ask, key: str) -> Reply:
        """Ask once, within the budget where there is one."""
        if self._budget is None:
            reply = await self._attempt(model, ask, key)
            cost = self._prices.cost(model.name, reply.usage)
        else:
            try:
                async with self._budget.reserve(model.name, ask) as reservation:
                    reply = await self._attempt(model, ask, key)
                    cost = reservation.settle(reply.usage)
            except RunStopped as stopped:
                self._halt.trigger(stopped)
                raise
        self.traffic.charge(cost)
        return reply

    async def _attempt(self, model: Model, ask: Ask, key: str) -> Reply:
        """Ask once, when the provider has room, record the reply and learn from it."""
        sent_in = await self._limit.wait_for_capacity(ask)
        self.traffic.in_flight += 1
        try:
            reply = replace_surrogates(await model.aanswer(ask))
        except RETRYABLE_ERRORS as error:
            if error.is_throttled:
                self._limit.record_throttle(sent_in)
                if error.retry_after is not None:
                    self._limit.pause(error.retry_after)
            raise
        finally:
            self.traffic.in_flight -= 1
            self.traffic.limit = self._limit.value
        # Before anything else that could fail: it is paid for.
        self._ledger.put_reply(key, ask, model.name, reply)
        self._last_answer = time.monotonic()
        self._given_up_in_a_row = 0
        self.traffic.answered += 1
        self._limit.record_reply(reply)
        return reply

    def _is_hopeless(self, failed: int, since: float, error: ModelUnavailable) -> bool:
        """Say whether to give an ask up after it failed once more; end the run where all are.

        While others are answered it has its attempts, more of them where the provider only wants
        to be asked less. In an outage, where many fail that were
        answered before, attempts are not counted: the run waits as long as the policy allows, and
        then ends, since quarantining every row would help nobody.

        Args:
            failed: How often it has failed.
            since: When it first failed.
            error: What it failed with.
        """
        last = self._last_answer
        if self._failing >= self._outage and last is not None and last < since:
            if time.monotonic() - last < self._retries.max_outage:
                return False
            self._halt.trigger(provider_unreachable(str(error)))
            return True
        self._retries_spent += not error.is_throttled
        if self._retries_spent > _FREE_RETRIES + self.traffic.answered:
            said = str(error).rstrip(".")
            self._halt.trigger(RunStopped(f"The provider fails more often than it answers: {said}"))
            return True
        patience = _THROTTLED_ATTEMPTS_FACTOR if error.is_throttled and last is not None else 1
        if failed < self._retries.attempts * patience:
            return False
        self._given_up_in_a_row += 1
        if self._given_up_in_a_row >= self._unreachable_after:
            self._halt.trigger(provider_unreachable(str(error)))
        return True


def provider_unreachable(last: str) -> RunStopped:
    """Return what ends a run whose provider does not answer."""
    return RunStopped(f"The provider does not answer: {last.rstrip('.')}")


def replace_surrogates(reply: Reply) -> Reply:
    """Return the reply with half a surrogate pair replaced: no UTF-8 file could hold it."""
    try:
        reply.text.encode()
    except UnicodeEncodeError:
        text = reply.text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return replace(reply, text=text)
    return reply
