"""The budget: no ask is sent whose answer could cost more than is left, at worst."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

from whyset.constitution import estimate_tokens
from whyset.errors import BudgetExhausted, RunError, RunStopped
from whyset.generators import Ask, Model, Usage
from whyset.models import Prices

from .._config import RunConfig
from ..ledger._ledger import Ledger

if TYPE_CHECKING:
    from pydantic import BaseModel

# ---- How many tokens an ask takes: estimated for an announcement, at most for a budget

# What providers put around a prompt: roles, what they say of reasoning, how to keep to a schema.
_MESSAGE_OVERHEAD = 1000


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """An estimate of a prompt's tokens.

    Attributes:
        shared: What all asks of the step share, and a provider can cache.
        unique: The row's own part, and the schema, wherever the provider puts it.
    """

    shared: int
    unique: int


def estimate_prompt_tokens(ask: Ask) -> PromptTokens:
    """Estimate the tokens of an ask's prompt, as `estimate_tokens` counts."""
    schema = _estimate_schema_tokens(ask.schema) if ask.schema else 0
    return PromptTokens(_estimate_system_tokens(ask.system), estimate_tokens(ask.user) + schema)


def max_prompt_tokens(ask: Ask) -> int:
    """Return more tokens than any provider counts for an ask's prompt.

    A token stands for at least one byte of UTF-8 in every tokenizer that works on bytes, as those
    of today's language models do; what providers put around a prompt is allowed for.
    """
    schema = len(_schema_json(ask.schema)) if ask.schema else 0
    return _count_bytes(ask.system) + _count_bytes(ask.user) + schema + _MESSAGE_OVERHEAD


def _count_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=64)
def _estimate_system_tokens(system: str) -> int:
    return estimate_tokens(system)


@lru_cache(maxsize=64)
def _schema_json(schema: "type[BaseModel]") -> str:
    return json.dumps(schema.model_json_schema())


def _estimate_schema_tokens(schema: "type[BaseModel]") -> int:
    return estimate_tokens(_schema_json(schema))


# ---- The money itself


def open_budget(models: Iterable[Model], ledger: Ledger, config: RunConfig) -> "Budget | None":
    """Return the budget less what the ledger says was spent; `None` where there is none.

    Raises:
        RunError: A model, or one that has replied already, has no price.
    """
    if config.budget is None:
        return None
    names = [model.name for model in models if not model.is_extractive]
    spent = Decimal(0)
    for step in ledger.cost_by_step(config.prices):
        if step.cost is None:
            raise RunError(
                "replies in this run's ledger come from a model without a price, so no budget can "
                "be kept to: name its price in a file with --prices, or leave --budget out"
            )
        spent += step.cost
    return Budget(config.budget, config.prices, names, spent=spent, batch=config.batch)


class Reservation:
    """Money put aside for one ask until its cost is known.

    Attributes:
        amount: How much, in dollars.
    """

    __slots__ = ("_budget", "_model", "_open", "amount")

    def __init__(self, budget: "Budget", model: str, worst: Decimal) -> None:
        self.amount = worst
        self._budget = budget
        self._model = model
        self._open = True

    def settle(self, usage: Usage) -> Decimal:
        """Book what the reply took, give the rest back, and return the cost in dollars.

        Raises:
            RuntimeError: It was settled or released before.
        """
        if not self._open:
            raise RuntimeError("this reservation was settled or released before")
        self._open = False
        cost = self._budget.cost(self._model, usage)
        self._budget._close(self.amount, cost)
        return cost

    def release(self) -> None:
        """Give everything back: no reply came. Nothing happens where it was settled before."""
        if self._open:
            self._open = False
            self._budget._close(self.amount, Decimal(0))


class Budget:
    """What a run may cost, earlier runs on the same ledger included.

    Before an ask is sent, the most that it can cost is put aside: every byte of its prompt a token
    at the dearest price of a prompt's tokens, all the room for its answer used up. As long as a
    provider counts no more than that, what is spent never exceeds the limit. An ask that does not
    fit waits in line for those in flight, which mostly cost a small part of what was put aside;
    only when nothing is in flight, and it still does not fit, the run ends.

    What it cannot see: what a provider charges for an answer that never arrived, and taxes.

    Use it from one event loop.

    Attributes:
        limit: The most that may be spent, in dollars.
        spent: What replies have cost so far.
        reserved: What is put aside for asks in flight.
        in_flight: How many asks that is.
    """

    def __init__(
        self,
        limit: Decimal,
        prices: Prices,
        models: Iterable[str],
        *,
        spent: Decimal = Decimal(0),
        batch: bool = False,
    ) -> None:
        """Set a limit.

        Args:
            limit: Dollars.
            prices: What replies cost.
            models: The names of all models that will be asked, `provider:model`.
            spent: What the replies already in the ledger have cost.
            batch: Whether asks go out in message batches, at those prices.

        Raises:
            RunError: The limit is no amount, or a model has no price: nothing could be kept to.
        """
        if not limit.is_finite() or limit <= 0:
            raise RunError(f"a budget is an amount of dollars above 0, not {limit}")
        self.limit = limit
        self.spent = spent
        self.reserved = Decimal(0)
        self.in_flight = 0
        self._prices = prices
        self._batch = batch
        self._line: deque[tuple[asyncio.Future[None], Decimal, str]] = deque()
        self._ended: str | None = None  # why, for everyone who still comes
        unpriced = sorted({m for m in models if prices.cost(m, Usage(), batch=batch) is None})
        if unpriced:
            kind = " by batch" if batch else ""
            raise RunError(
                f"no price{kind} is known for {', '.join(unpriced)}, so no budget can be kept to: "
                "name it in a file with --prices, or leave --budget out"
            )

    @property
    def remaining(self) -> Decimal:
        """What is neither spent nor put aside, in dollars; below 0 where a provider overcharged."""
        return self.limit - self.spent - self.reserved

    def worst_case_cost(self, model: str, ask: Ask) -> Decimal:
        """Return the most that one attempt at an ask can cost, in dollars.

        Args:
            model: The name of the model that is to be asked.
            ask: The ask.
        """
        prompt = max_prompt_tokens(ask)
        price = self._prices.find(model)
        lengths = {prompt}
        if price is not None and price.above is not None:
            lengths.add(min(prompt, price.above))  # should the shorter prompt be the dearer one
        return max(
            self.cost(model, usage)
            for length in lengths
            for usage in (
                Usage(length, ask.max_tokens),
                Usage(0, ask.max_tokens, cache_read_tokens=length),
                Usage(0, ask.max_tokens, cache_write_tokens=length),
            )
        )

    def cost(self, model: str, usage: Usage) -> Decimal:
        """Return what one reply of a model cost, in dollars.

        Raises:
            RunError: The model is none of those that were named at the start, and unpriced.
        """
        cost = self._prices.cost(model, usage, batch=self._batch)
        if cost is None:
            raise RunError(f"no price is known for {model}, so the budget cannot be kept to")
        return cost

    @asynccontextmanager
    async def reserve(self, model: str, ask: Ask) -> AsyncGenerator[Reservation, None]:
        """Put aside what one attempt at an ask can cost, waiting until there is enough.

        Whoever leaves the context without having settled gives everything back.

        Raises:
            RunStopped: There is not enough, and nothing is in flight that could give some back.
        """
        worst = self.worst_case_cost(model, ask)
        await self._take(worst, f"{ask.step} to {model}")
        reservation = Reservation(self, model, worst)
        try:
            yield reservation
        finally:
            reservation.release()

    def try_reserve(self, model: str, ask: Ask, *, sent: bool = False) -> Reservation | None:
        """Put aside what an ask can cost without waiting; `None` where there is not enough.

        Args:
            model: The name of the model that is to be asked.
            ask: The ask.
            sent: Whether it was sent before, by an earlier process, say: then the money is bound,
                be there enough or not.
        """
        worst = self.worst_case_cost(model, ask)
        if not sent and (self._line or worst > self.remaining):
            return None
        self._open(worst)
        return Reservation(self, model, worst)

    def fits(self, asks: Iterable[tuple[str, Ask]]) -> bool:
        """Say whether all of these could be sent together, each with its model's name."""
        return (
            sum((self.worst_case_cost(model, ask) for model, ask in asks), Decimal(0))
            <= self.remaining
        )

    def exhausted_error(self, model: str, ask: Ask) -> RunStopped:
        """Return what ends a run that cannot afford this ask."""
        return BudgetExhausted(
            self._exhausted_message(self.worst_case_cost(model, ask), f"{ask.step} to {model}")
        )

    async def _take(self, worst: Decimal, what: str) -> None:
        if self._ended is not None:
            raise BudgetExhausted(self._ended)
        if not self._line and worst <= self.remaining:
            self._open(worst)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append((turn, worst, what))
        self._admit_waiting()
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._close(worst, Decimal(0))  # granted and cancelled in the same moment
            else:
                self._admit_waiting()  # whoever is next in line may fit
            raise

    def _open(self, worst: Decimal) -> None:
        self.reserved += worst
        self.in_flight += 1

    def _close(self, worst: Decimal, cost: Decimal) -> None:
        self.reserved -= worst
        self.in_flight -= 1
        self.spent += cost
        self._admit_waiting()

    def _admit_waiting(self) -> None:
        """Let in those at the head of the line who fit; end the run where nobody ever will.

        In order, so that a small ask behind a large one does not keep it waiting for ever.
        """
        while self._line:
            turn, worst, what = self._line[0]
            if turn.done():  # given up
                self._line.popleft()
            elif worst <= self.remaining:
                self._line.popleft()
                self._open(worst)
                turn.set_result(None)
            elif self.in_flight:
                return
            else:
                self._reject_waiting(worst, what)

    def _reject_waiting(self, worst: Decimal, what: str) -> None:
        """Turn away all who wait and all who come, whatever they ask for: the run is over."""
        self._ended = self._exhausted_message(worst, what)
        while self._line:
            turn, _, _ = self._line.popleft()
            if not turn.done():
                turn.set_exception(BudgetExhausted(self._ended))

    def _exhausted_message(self, worst: Decimal, what: str) -> str:
        return (
            f"The budget of {_format_dollars(self.limit)} ends here: "
            f"{_format_dollars(self.spent)} is spent, and the next ask ({what}) could cost "
            f"{_format_dollars(worst)} at worst. Raise --budget to go on"
        )


def _format_dollars(amount: Decimal) -> str:
    return f"${amount:,.2f}" if amount >= 1 else f"${amount:.4f}"
