"""What asks in batches cost, and which of them a budget allows."""

from collections.abc import Mapping

from whyset.generators import Ask, Usage
from whyset.models import Prices

from ._answering import Traffic
from ._budget import Budget, Reservation

_SMALLEST_SHARE = 10


class BatchAccount:
    """The money of a run by batch.

    Args:
        traffic: Where dollars are counted.
        prices: What replies cost.
        budget: What must not be exceeded.
    """

    def __init__(self, traffic: Traffic, prices: Prices, budget: Budget | None) -> None:
        self._traffic = traffic
        self._prices = prices
        self._budget = budget
        self._reserved: dict[str, Reservation] = {}

    def afford(self, asks: Mapping[str, tuple[str, Ask]]) -> set[str]:
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
                if len(self._reserved) * _SMALLEST_SHARE < len(asks):
                    self.release()
                    raise self._budget.stopped(model, ask)
                break
            self._reserved[key] = reservation
        return set(self._reserved)

    def book(self, key: str, model: str, usage: Usage) -> None:
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
