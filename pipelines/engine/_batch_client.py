"""Asks answered in waves of message batches: within the budget, and again where they failed."""

from collections import Counter, defaultdict
from collections.abc import Mapping

from whyset.generators import Ask, Reply, Usage
from whyset.models import RETRYABLE_ERRORS, BatchingModel, ModelError, Prices

from .._config import RunConfig
from ..ledger._batches import Batch, BatchTable
from ..ledger._ledger import Ledger
from ._batch_jobs import BatchJobs, Failures
from ._budget import Budget, Reservation
from ._requests import RequestStats
from ._retry import Retrier, unreachable_error
from ._stop import StopSignal

_UNREACHABLE_AFTER = 16
_MIN_SHARE = 10


class BatchClient:
    """Answers the asks of all rows of a run, as `ModelClient` does, many at once.

    Attributes:
        stats: What was sent and received so far.
    """

    def __init__(
        self,
        models: Mapping[str, BatchingModel],
        ledger: Ledger,
        config: RunConfig,
        budget: Budget | None,
        stop_signal: StopSignal,
    ) -> None:
        self.stats = RequestStats()
        self._models = models
        self._ledger = ledger
        self._table = BatchTable(ledger)
        self._retrier = Retrier(config.retries, stop_signal)
        self._costs = BatchCosts(self.stats, config.prices, budget)
        self._jobs = BatchJobs(
            models, ledger, self.stats, self._costs.charge, self._retrier, config.batch_policy
        )
        self._unanswerable: Failures = {}
        self._failed: Counter[str] = Counter()
        self._sent: set[str] = set()
        self._vain_waves = 0
        self._wave = 0

    def list_pending(self) -> list[Batch]:
        """Return the batches whose results are yet to come."""
        return self._table.list_pending(self._models)

    def find_answer(self, key: str) -> Reply | ModelError | None:
        """Return the reply to an ask, or why there will be none; `None` where it is to be sent."""
        if (reply := self._ledger.reply(key)) is not None:
            self.stats.replayed += key not in self._sent
            return reply
        return self._unanswerable.get(key)

    async def collect(self) -> None:
        """Collect what an earlier process left behind; see `BatchJobs.collect`."""
        self._sort_failures(await self._jobs.collect())
        self._wave = max((batch.wave for batch in self._table.list_batches()), default=0)

    async def collect_ended(self) -> None:
        """Collect what has ended, and wait for nothing else; see `BatchJobs.collect_ended`."""
        await self._jobs.collect_ended()

    async def answer_wave(self, asks: Mapping[str, tuple[BatchingModel, Ask]]) -> None:
        """Send asks, and have every reply in the ledger.

        Raises:
            RunStopped: The run is to end, the provider does not answer, or the budget is spent.
            ModelAccessDenied: The provider turns every ask down.
        """
        self._wave += 1
        if self._vain_waves:
            wait = self._retrier.policy.compute_wait(self._vain_waves, None)
            await self._retrier.pause(wait)
        self._sent = self._costs.reserve(
            {key: (model.name, ask) for key, (model, ask) in asks.items()}
        )
        by_model: dict[str, dict[str, Ask]] = defaultdict(dict)
        for key, (model, ask) in asks.items():
            if key in self._sent:
                by_model[model.identity][key] = ask
        answered = self.stats.answered
        failures: Failures = {}
        for identity, each in by_model.items():
            failures |= await self._jobs.submit(each, self._models[identity], wave=self._wave)
        failures |= await self._jobs.collect()
        self._costs.release()
        self._vain_waves = 0 if self.stats.answered > answered else self._vain_waves + 1
        self._sort_failures(failures)

    def _sort_failures(self, failures: Failures) -> None:
        """Tell asks that are sent again with the next wave from those that are given up.

        Raises:
            RunStopped: Many are given up and nobody is answered: quarantining every row would
                help nobody.
        """
        attempts = self._retrier.policy.attempts
        given_up = 0
        for key, error in failures.items():
            if isinstance(error, RETRYABLE_ERRORS):
                self._failed[key] += 1
                if self._failed[key] < attempts:
                    self.stats.retried += 1
                    continue
                given_up += 1
                if self._vain_waves >= attempts and given_up >= _UNREACHABLE_AFTER:
                    raise unreachable_error(error)
            self._unanswerable[key] = error


class BatchCosts:
    """What asks in batches cost, and which of them a budget allows."""

    def __init__(self, stats: RequestStats, prices: Prices, budget: Budget | None) -> None:
        self._stats = stats
        self._prices = prices
        self._budget = budget
        self._reserved: dict[str, Reservation] = {}

    def reserve(self, asks: Mapping[str, tuple[str, Ask]]) -> set[str]:
        """Put aside what asks could cost, in their order, as far as the budget goes.

        A reply mostly takes a small part of what is put aside for it, so that what did not fit
        into one wave may fit into the next. That ends with waves of a few asks that take an hour
        each: where not a tenth of what is asked fits, the run ends.

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
        self._stats.charge(cost)

    def release(self) -> None:
        """Give back what is put aside for asks that were not answered."""
        while self._reserved:
            self._reserved.popitem()[1].release()
