"""What asks take, priced one by one and added up by step and model."""

import json
import math
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Generic, TypeVar

from whyset.generators import Ask, Usage, usage_record
from whyset.models import Prices

from .._files import write_json
from ..engine._budget import estimate_prompt_tokens

# ---- Samples of a stream of unknown length, and how far a total drawn from one may be off.

T = TypeVar("T")

_Z_95 = 1.96
"""Standard deviations to either side that hold 95 % of a normal distribution."""


class Reservoir(Generic[T]):
    """So many of the items added, each as likely as any other (Vitter's algorithm R, 1985).

    Attributes:
        items: Those held.
        seen: How many were added.
    """

    def __init__(self, size: int, seed: int) -> None:
        """Make room.

        Args:
            size: How many to hold.
            seed: The same seed and the same items give the same sample.
        """
        self.items: list[T] = []
        self.seen = 0
        self._size = size
        self._random = random.Random(seed)

    def add(self, item: T) -> None:
        """Take an item in, or leave it."""
        self.seen += 1
        if len(self.items) < self._size:
            self.items.append(item)
            return
        place = self._random.randrange(self.seen)
        if place < self._size:
            self.items[place] = item


@dataclass(frozen=True, slots=True)
class ConfidenceInterval:
    """Where a total lies with 95 % confidence; both ends included."""

    low: float
    high: float


class SampleTotal:
    """The sum of a figure over sampled rows, and how much rows differ in it."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = 0.0
        self._squares = 0.0

    def add(self, figure: float) -> None:
        """Add a row's figure."""
        self._count += 1
        self._sum += figure
        self._squares += figure * figure

    def estimate_total(self, rows: int, *, among: int | None) -> ConfidenceInterval | None:
        """Return where the figure's total over so many rows lies, by the normal approximation.

        Args:
            rows: How many rows the total is of.
            among: How many rows the sample was drawn from, itself included, where these are the
                rows in question: what was looked at is then no longer uncertain. `None` where
                they are others.

        Returns:
            `None` where fewer than two rows were looked at: nothing can be said.
        """
        count = self._count
        if count < 2:
            return None
        mean = self._sum / count
        variance = max(self._squares - count * mean * mean, 0.0) / (count - 1)
        error = math.sqrt(variance / count)
        if among is not None:
            error *= math.sqrt(max(among - count, 0) / max(among - 1, 1))
        return ConfidenceInterval(
            max(rows * (mean - _Z_95 * error), 0.0), rows * (mean + _Z_95 * error)
        )


# ---- The values of an estimate: what a run would ask, and what that would cost.


@dataclass(frozen=True, slots=True)
class StepForecast:
    """What the asks of one step to one model would take together.

    Attributes:
        step: Their prompt, such as `deliberation/write`.
        model: `provider:model`.
        asks: How many there would be.
        usage: Their tokens.
        live: Dollars, asked one by one; `None` where the model is unpriced.
        batch: Dollars by message batch, nothing cached; `None` where no such price is known.
        common_tokens: What all prompts of the step begin with, in tokens of one prompt.
        cache_from: So many tokens at least a provider caches; `None` where it is not known to
            cache any of what whyset sends.
    """

    step: str
    model: str
    asks: int
    usage: Usage
    live: Decimal | None
    batch: Decimal | None
    common_tokens: int = 0
    cache_from: int | None = None


@dataclass(frozen=True, slots=True)
class ForecastIntervals:
    """Where totals lie with 95 % confidence; `None` where it cannot be told.

    Attributes:
        asks: How many asks.
        prompt_tokens: Tokens read, cached ones included.
        output_tokens: Tokens written.
        live: Dollars, asked one by one.
        batch: Dollars by message batch.
    """

    asks: ConfidenceInterval | None = None
    prompt_tokens: ConfidenceInterval | None = None
    output_tokens: ConfidenceInterval | None = None
    live: ConfidenceInterval | None = None
    batch: ConfidenceInterval | None = None

    def record(self) -> dict[str, Any]:
        """Return the ranges as plain values: low and high, or null."""
        return {
            "asks": _interval_record(self.asks),
            "prompt_tokens": _interval_record(self.prompt_tokens),
            "output_tokens": _interval_record(self.output_tokens),
            "dollars": _interval_record(self.live),
            "dollars_batch": _interval_record(self.batch),
        }


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the rows to come would take together.

    Attributes:
        steps: By step and model.
        intervals: How far the totals may be off because not every row was walked; `None` where every
            row was. Says nothing of how far the estimates of tokens are off.
    """

    steps: tuple[StepForecast, ...]
    intervals: ForecastIntervals | None = None

    @property
    def asks(self) -> int:
        """How many asks there would be."""
        return sum(step.asks for step in self.steps)

    @property
    def usage(self) -> Usage:
        """The tokens of all asks together."""
        return sum((step.usage for step in self.steps), Usage())

    @property
    def live(self) -> Decimal | None:
        """Dollars, asked one by one; `None` where a model is unpriced."""
        return _add_dollars([step.live for step in self.steps])

    @property
    def batch(self) -> Decimal | None:
        """Dollars by message batch; `None` where no such price is known of a model."""
        return _add_dollars([step.batch for step in self.steps])

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The models that have no price."""
        return tuple(sorted({step.model for step in self.steps if step.live is None}))

    def record(self) -> dict[str, Any]:
        """Return the forecast as plain values; dollars that nobody knows are null."""
        return {
            "asks": self.asks,
            **usage_record(self.usage),
            "dollars": _dollars_record(self.live),
            "dollars_batch": _dollars_record(self.batch),
            "ranges": None if self.intervals is None else self.intervals.record(),
            "steps": [
                {
                    "step": step.step,
                    "model": step.model,
                    "asks": step.asks,
                    **usage_record(step.usage),
                    "dollars": _dollars_record(step.live),
                    "dollars_batch": _dollars_record(step.batch),
                    "common_tokens": step.common_tokens,
                    "cache_from": step.cache_from,
                }
                for step in self.steps
            ],
        }


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a run would ask and cost from here on, before anything is sent.

    Whether something is at stake in a row is what the run is to find out, so there are two bounds
    and, where rows of the run are finished already, a projection of those. Rows that are settled
    by retrieval ask nothing in either. A draft that fails its checks or the judge is revised,
    which neither bound holds; the projection holds what was.

    Attributes:
        rows: How many usable rows the input has.
        unreadable: How many lines hold none.
        finished: How many rows are in the ledger already: they cost nothing more.
        simulated: How many of the others were walked; all, or a sample.
        seed: What the sample was drawn with.
        reasoning: Output tokens allowed for reasoning before each answer; an assumption.
        prices_date: The date of the price list.
        least: If nothing were at stake in any row: each is appraised, and no more.
        most: If something were at stake in every row and each draft passed at once.
        projected: If the others took what finished rows took, every revision included; `None`
            where none is finished, or none of what they took is known any more.
        projected_from: How many finished rows `projected` rests on.
    """

    rows: int
    unreadable: int
    finished: int
    simulated: int
    seed: int
    reasoning: int
    prices_date: date
    least: Forecast
    most: Forecast
    projected: Forecast | None = None
    projected_from: int = 0

    @property
    def remaining(self) -> int:
        """How many rows are still to be done."""
        return self.rows - self.finished

    @property
    def is_sampled(self) -> bool:
        """Whether rows were left out of the walk."""
        return self.simulated < self.remaining

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The models that have no price; where there is one, no total in dollars is known."""
        return tuple(sorted({*self.least.unpriced, *self.most.unpriced}))

    def record(self) -> dict[str, Any]:
        """Return the estimate as plain values."""
        return {
            "rows": self.rows,
            "unreadable": self.unreadable,
            "finished": self.finished,
            "remaining": self.remaining,
            "walked": self.simulated,
            "seed": self.seed,
            "reasoning_tokens": self.reasoning,
            "prices_of": self.prices_date.isoformat(),
            "unpriced": list(self.unpriced),
            "least": self.least.record(),
            "most": self.most.record(),
            "as_so_far": None if self.projected is None else self.projected.record(),
            "projected_from": self.projected_from,
        }


def _add_dollars(amounts: list[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _interval_record(held: ConfidenceInterval | None) -> list[float] | None:
    return None if held is None else [round(held.low, 6), round(held.high, 6)]


def _dollars_record(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


# ---- What a dry run said, kept beside the run until it can be held against what came of it.


@dataclass(frozen=True, slots=True)
class SavedEstimate:
    """What a dry run of a run said, in short; dollars are `None` where a model is unpriced.

    Attributes:
        rows: How many rows there were to do.
        least: Dollars if nothing were at stake in any row.
        most: Dollars if something were at stake in every row.
        projected: Dollars as the rows done by then went; `None` where none were.
        batch: Whether these are the prices of message batches.
    """

    rows: int
    least: float | None
    most: float | None
    projected: float | None
    batch: bool

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "rows": self.rows,
            "least": self.least,
            "most": self.most,
            "projected": self.projected,
            "batch": self.batch,
        }


def save_estimate(path: Path, estimate: Estimate, *, crew: str) -> None:
    """Write down what a dry run said, for the end of the run itself.

    Args:
        path: Where.
        estimate: What it said.
        crew: The identity of the crew it was said of.

    Raises:
        DatasetError: It cannot be written.
    """
    write_json(path, {"crew": crew, **estimate.record()})


def load_estimate(path: Path | None, *, crew: str, batch: bool) -> SavedEstimate | None:
    """Return what a dry run said of this very run; `None` where none did.

    Args:
        path: Where it would be.
        crew: The identity of the crew that has worked: of any other, nothing was said.
        batch: Whether to read the prices of message batches.
    """
    if path is None:
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["crew"] != crew:
            return None
        name = "dollars_batch" if batch else "dollars"
        projected = record["as_so_far"]
        return SavedEstimate(
            rows=record["remaining"],
            least=record["least"][name],
            most=record["most"][name],
            projected=None if projected is None else projected[name],
            batch=batch,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a convenience: nothing hangs on it


# What is too close to a provider's minimum to be told by an estimate counts as not cached.
_CACHE_MARGIN = Decimal("1.25")


@dataclass(frozen=True, slots=True)
class AskCost:
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


class CostModel:
    """Estimates what an ask takes from its prompt and the length of its answer."""

    def __init__(self, prices: Prices, reasoning: int) -> None:
        self._prices = prices
        self._reasoning = reasoning

    def estimate_ask(self, ask: Ask, model: str, output: int) -> AskCost:
        """Return what an ask takes.

        Args:
            ask: What is asked.
            model: Who is asked.
            output: The estimated tokens of the answer itself.
        """
        price = self._prices.find(model)
        scale = price.tokens if price else Decimal(1)
        tokens = estimate_prompt_tokens(ask)
        common, own = round(tokens.shared * scale), round(tokens.unique * scale)
        written = round(output * scale) + self._reasoning
        fewest = self.cache_from(model)
        if fewest is not None and common >= fewest * _CACHE_MARGIN:
            usage = Usage(own, written, cache_read_tokens=common)
        else:
            usage = Usage(common + own, written)
        return self.price_ask(ask, model, usage, common)

    def price_ask(self, ask: Ask, model: str, usage: Usage, common: int = 0) -> AskCost:
        """Return what an ask took whose usage is known."""
        return AskCost(ask.step, model, usage, common, *self.price_usage(model, usage))

    def price_usage(self, model: str, usage: Usage) -> tuple[Decimal | None, Decimal | None]:
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
class _StepTotal:
    asks: int = 0
    usage: Usage = Usage()
    common: int = 0
    live: Decimal | None = Decimal(0)
    batch: Decimal | None = Decimal(0)

    def add(self, taken: AskCost) -> None:
        self.asks += 1
        self.usage += taken.usage
        self.common = max(self.common, taken.common)
        self.live = _add_amounts(self.live, taken.live)
        self.batch = _add_amounts(self.batch, taken.batch)


@dataclass(slots=True)
class CostTotals:
    """What the asks of the rows looked at take together, and how much rows differ.

    Attributes:
        rows: How many rows were looked at.
    """

    rows: int = 0
    _sums: dict[tuple[str, str], _StepTotal] = field(default_factory=dict)
    _repeats: Counter[tuple[str, str]] = field(default_factory=Counter)
    _spreads: dict[str, SampleTotal] = field(default_factory=dict)

    def add(self, row: list[AskCost]) -> None:
        """Add what the asks of a row take."""
        self.rows += 1
        figures = dict.fromkeys(("asks", "prompt_tokens", "output_tokens", "live", "batch"), 0.0)
        for taken in row:
            self._sums.setdefault((taken.step, taken.model), _StepTotal()).add(taken)
            usage = taken.usage
            figures["asks"] += 1
            figures["prompt_tokens"] += (
                usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
            )
            figures["output_tokens"] += usage.output_tokens
            figures["live"] += float(taken.live or 0)
            figures["batch"] += float(taken.batch or 0)
        for name, figure in figures.items():
            self._spreads.setdefault(name, SampleTotal()).add(figure)

    def count_repeat(self, step: str, model: str) -> None:
        """Note that a row asked what another had asked before: it takes nothing."""
        self._repeats[step, model] += 1

    def forecast(
        self, rows: int, pricing: CostModel, *, among: int | None, known: bool = False
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
            spread = {
                name: held.estimate_total(rows, among=among) for name, held in self._spreads.items()
            }
            if self._repeats:
                # Spread as if asks grew with rows: brought to what they do grow to.
                linear = self.asks * scale
                grown = Fraction(sum(step.asks for step in steps)) / linear if linear else 1
                spread = {
                    name: _scale_interval(held, float(grown)) for name, held in spread.items()
                }
            if any(step.live is None for step in steps):
                spread["live"] = None
            if any(step.batch is None for step in steps):
                spread["batch"] = None
            ranges = ForecastIntervals(**spread)
        return Forecast(steps, ranges)

    @property
    def asks(self) -> int:
        """How many different asks the rows looked at have."""
        return sum(held.asks for held in self._sums.values())

    def _steps(self, rows: Fraction, pricing: CostModel, *, known: bool) -> Iterator[StepForecast]:
        for (step, model), held in sorted(self._sums.items()):
            scale = extrapolate_distinct(held.asks, self._repeats[step, model], rows)
            usage = _scale_usage(held.usage, scale)
            live, batch = _scale_amount(held.live, scale), _scale_amount(held.batch, scale)
            if not known and usage.cache_read_tokens:
                # Of all asks of a run, the first writes what the others read.
                common = held.common
                usage += Usage(cache_read_tokens=-common, cache_write_tokens=common)
                once = pricing.price_usage(model, Usage(cache_write_tokens=common))[0]
                read = pricing.price_usage(model, Usage(cache_read_tokens=common))[0]
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


def extrapolate_distinct(different: int, repeats: int, rows: Fraction) -> Fraction:
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
        low, high = (
            (middle, high) if _expected_distinct(middle, drawn) < different else (low, middle)
        )
    return Fraction(_expected_distinct(high, float(drawn * rows)) / different).limit_denominator(
        10**9
    )


def _expected_distinct(pool: float, drawn: float) -> float:
    """Return how many different ones come of so many draws from a pool."""
    return pool if pool <= 1 else pool * -math.expm1(drawn * math.log1p(-1 / pool))


def _scale_interval(held: ConfidenceInterval | None, by: float) -> ConfidenceInterval | None:
    return None if held is None else ConfidenceInterval(held.low * by, held.high * by)


def _add_amounts(total: Decimal | None, one: Decimal | None) -> Decimal | None:
    return None if total is None or one is None else total + one


def _scale_amount(amount: Decimal | None, scale: Fraction) -> Decimal | None:
    return None if amount is None else amount * scale.numerator / scale.denominator


def _scale_usage(usage: Usage, scale: Fraction) -> Usage:
    return Usage(
        round(usage.input_tokens * scale),
        round(usage.output_tokens * scale),
        round(usage.cache_read_tokens * scale),
        round(usage.cache_write_tokens * scale),
    )
