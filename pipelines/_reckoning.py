"""What asks take, priced one by one and added up by step and model."""

import math
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction

from whyset.generators import Ask, Usage
from whyset.models import Prices

from ._forecast import Forecast, Ranges, StepForecast
from ._sampling import Range, Spread
from ._tokens import prompt_tokens

# What is too close to a provider's minimum to be told by an estimate counts as not cached.
_SURELY = Decimal("1.25")


@dataclass(frozen=True, slots=True)
class Taken:
    """What one ask takes.

    Attributes:
        step: Its prompt.
        model: Who is asked.
        usage: Its tokens; what a provider caches is counted as read from the cache.
        common: Of its prompt, the tokens that all asks of the step share.
        live: Dollars; `None` where the model is unpriced.
        batch: Dollars in a message batch; `None` where no price of that is known.
    """

    step: str
    model: str
    usage: Usage
    common: int
    live: Decimal | None
    batch: Decimal | None


class Pricing:
    """Estimates what an ask takes from its prompt and the length of its answer."""

    def __init__(self, prices: Prices, reasoning: int) -> None:
        self._prices = prices
        self._reasoning = reasoning

    def estimated(self, ask: Ask, model: str, output: int) -> Taken:
        """Return what an ask takes.

        Args:
            ask: What is asked.
            model: Who is asked.
            output: The estimated tokens of the answer itself.
        """
        price = self._prices.find(model)
        scale = price.tokens if price else Decimal(1)
        tokens = prompt_tokens(ask)
        common, own = round(tokens.common * scale), round(tokens.own * scale)
        written = round(output * scale) + self._reasoning
        fewest = self.cache_from(model)
        if fewest is not None and common >= fewest * _SURELY:
            usage = Usage(own, written, cache_read_tokens=common)
        else:
            usage = Usage(common + own, written)
        return self.known(ask, model, usage, common)

    def known(self, ask: Ask, model: str, usage: Usage, common: int = 0) -> Taken:
        """Return what an ask took whose usage is known."""
        return Taken(ask.step, model, usage, common, *self.costs(model, usage))

    def costs(self, model: str, usage: Usage) -> tuple[Decimal | None, Decimal | None]:
        """Return the dollars of one reply, alone and in a batch.

        Batches are answered in any order and side by side, so that what is cached there is a
        matter of luck: none of it is counted on.
        """
        read = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
        uncached = Usage(read, usage.output_tokens)
        return (
            self._prices.cost(model, usage),
            self._prices.cost(model, uncached, batch=True),
        )

    def cache_from(self, model: str) -> int | None:
        """Return the fewest tokens that are cached of what whyset marks; `None`: nothing is."""
        if model.startswith("langchain:"):
            return None  # LangChain's models get no mark for the cache
        price = self._prices.find(model)
        return price.cache_from if price else None


@dataclass(slots=True)
class _Sum:
    asks: int = 0
    usage: Usage = Usage()
    common: int = 0
    live: Decimal | None = Decimal(0)
    batch: Decimal | None = Decimal(0)

    def add(self, taken: Taken) -> None:
        self.asks += 1
        self.usage += taken.usage
        self.common = max(self.common, taken.common)
        self.live = _plus(self.live, taken.live)
        self.batch = _plus(self.batch, taken.batch)


@dataclass(slots=True)
class Reckoning:
    """What the asks of the rows looked at take together, and how much rows differ.

    Attributes:
        rows: How many rows were looked at.
    """

    rows: int = 0
    _sums: dict[tuple[str, str], _Sum] = field(default_factory=dict)
    _repeats: Counter[tuple[str, str]] = field(default_factory=Counter)
    _spreads: dict[str, Spread] = field(default_factory=dict)

    def add(self, row: list[Taken]) -> None:
        """Add what the asks of a row take."""
        self.rows += 1
        figures = dict.fromkeys(("asks", "prompt_tokens", "output_tokens", "live", "batch"), 0.0)
        for taken in row:
            self._sums.setdefault((taken.step, taken.model), _Sum()).add(taken)
            usage = taken.usage
            figures["asks"] += 1
            figures["prompt_tokens"] += (
                usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
            )
            figures["output_tokens"] += usage.output_tokens
            figures["live"] += float(taken.live or 0)
            figures["batch"] += float(taken.batch or 0)
        for name, figure in figures.items():
            self._spreads.setdefault(name, Spread()).add(figure)

    def repeated(self, step: str, model: str) -> None:
        """Note that a row asked what another had asked before: it takes nothing."""
        self._repeats[step, model] += 1

    def forecast(
        self, rows: int, pricing: Pricing, *, among: int | None, known: bool = False
    ) -> Forecast:
        """Return what so many rows take if they are like those looked at.

        Args:
            rows: How many rows are to come.
            pricing: What the asks were priced with.
            among: How many rows those looked at were drawn from; `None` where they were others.
            known: Whether usages are what replies took; what was cached is then in them.
        """
        if not rows or not self.rows:
            return Forecast(())
        scale = Fraction(rows, self.rows)
        steps = tuple(self._steps(scale, pricing, known=known))
        ranges = None
        if among is None or self.rows < among:
            spread = {name: held.total(rows, among=among) for name, held in self._spreads.items()}
            if self._repeats:
                # Spread as if asks grew with rows: brought to what they do grow to.
                linear = self.asks * scale
                grown = Fraction(sum(step.asks for step in steps)) / linear if linear else 1
                spread = {name: _stretched(held, float(grown)) for name, held in spread.items()}
            if any(step.live is None for step in steps):
                spread["live"] = None
            if any(step.batch is None for step in steps):
                spread["batch"] = None
            ranges = Ranges(**spread)
        return Forecast(steps, ranges)

    @property
    def asks(self) -> int:
        """How many different asks the rows looked at have."""
        return sum(held.asks for held in self._sums.values())

    def _steps(self, rows: Fraction, pricing: Pricing, *, known: bool) -> Iterator[StepForecast]:
        for (step, model), held in sorted(self._sums.items()):
            scale = growth(held.asks, self._repeats[step, model], rows)
            usage = _scaled(held.usage, scale)
            live, batch = _times(held.live, scale), _times(held.batch, scale)
            if not known and usage.cache_read_tokens:
                # Of all asks of a run, the first writes what the others read.
                common = held.common
                usage += Usage(cache_read_tokens=-common, cache_write_tokens=common)
                once = pricing.costs(model, Usage(cache_write_tokens=common))[0]
                read = pricing.costs(model, Usage(cache_read_tokens=common))[0]
                if live is not None and once is not None and read is not None:
                    live += once - read
            yield StepForecast(
                step,
                model,
                round(held.asks * scale),
                usage,
                live,
                batch,
                common_tokens=held.common,
                cache_from=pricing.cache_from(model),
            )


def growth(different: int, repeats: int, rows: Fraction) -> Fraction:
    """Return by how much different asks grow when rows do.

    Where a sample repeats none, by as much as rows. Where it repeats some, all rows draw from a
    pool of asks, whose size is the one that makes as many different ones likely.

    Args:
        different: How many different asks of a step the sample has.
        repeats: How often it repeats one.
        rows: By how much rows grow.
    """
    if not repeats or rows <= 1:
        return rows
    drawn = different + repeats
    low, high = float(different), float(different) * 1e6
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _distinct(middle, drawn) < different else (low, middle)
    return Fraction(_distinct(high, float(drawn * rows)) / different).limit_denominator(10**9)


def _distinct(pool: float, drawn: float) -> float:
    """Return how many different ones come of so many draws from a pool."""
    return pool if pool <= 1 else pool * -math.expm1(drawn * math.log1p(-1 / pool))


def _stretched(held: Range | None, by: float) -> Range | None:
    return None if held is None else Range(held.low * by, held.high * by)


def _plus(total: Decimal | None, one: Decimal | None) -> Decimal | None:
    return None if total is None or one is None else total + one


def _times(amount: Decimal | None, scale: Fraction) -> Decimal | None:
    return None if amount is None else amount * scale.numerator / scale.denominator


def _scaled(usage: Usage, scale: Fraction) -> Usage:
    return Usage(
        round(usage.input_tokens * scale),
        round(usage.output_tokens * scale),
        round(usage.cache_read_tokens * scale),
        round(usage.cache_write_tokens * scale),
    )
