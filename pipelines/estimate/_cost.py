"""What asks cost, added up: prices of one ask, samples, intervals, and the forecast they make."""

import json
import math
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any, Generic, TypeVar

from whyset.generators import Ask, Usage, usage_record
from whyset.models import Prices

from .._files import write_json
from ..engine._budget import estimate_prompt_tokens

# ---- The values of an estimate.


@dataclass(frozen=True, slots=True)
class ConfidenceInterval:
    """Where a total lies with 95 % confidence; both ends included."""

    low: float
    high: float


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
    """Where totals lie with 95 % confidence; `None` where that is unknown.

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
        """Return the intervals as plain values: low and high, or null."""
        return {
            "asks": _interval_record(self.asks),
            "prompt_tokens": _interval_record(self.prompt_tokens),
            "output_tokens": _interval_record(self.output_tokens),
            "dollars": _interval_record(self.live),
            "dollars_batch": _interval_record(self.batch),
        }


_FIGURES = tuple(each.name for each in fields(ForecastIntervals))


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the rows to come would take together.

    Attributes:
        steps: By step and model.
        intervals: How far the totals may be off because only a sample of the rows was simulated;
            `None` where every row was. Says nothing of how far the estimates of tokens are off.
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
        return _add_dollars(step.live for step in self.steps)

    @property
    def batch(self) -> Decimal | None:
        """Dollars by message batch; `None` where no such price is known of a model."""
        return _add_dollars(step.batch for step in self.steps)

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The models that have no price."""
        return tuple(sorted({step.model for step in self.steps if step.live is None}))

    def record(self) -> dict[str, Any]:
        """Return the forecast as plain values; unknown dollars are null."""
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
    by retrieval ask nothing in either. Neither bound includes the revision of drafts that fail
    their checks or the judge; the projection includes what there was of it.

    Attributes:
        rows: How many usable rows the input has.
        unreadable: How many lines have none.
        finished: How many rows are in the ledger already: they cost nothing more.
        simulated: How many of the others were simulated; all, or a sample.
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
        """Whether only a sample of the rows was simulated."""
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


def _add_dollars(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _interval_record(interval: ConfidenceInterval | None) -> list[float] | None:
    return None if interval is None else [round(interval.low, 6), round(interval.high, 6)]


def _dollars_record(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)


# ---- An estimate saved beside the run, to be compared with what the run costs.


@dataclass(frozen=True, slots=True)
class SavedEstimate:
    """What a dry run of a run estimated, in short; dollars are `None` where a model is unpriced.

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
        return asdict(self)


def save_estimate(path: Path, estimate: Estimate, *, identity: str) -> None:
    """Save an estimate for the end of the run; `identity` is all it depends on but the rows.

    Raises:
        DatasetError: It cannot be written.
    """
    write_json(path, {"crew": identity, **estimate.record()})


def load_estimate(path: Path | None, *, identity: str, batch: bool) -> SavedEstimate | None:
    """Return what a dry run of this very run estimated; `None` where there was none."""
    if path is None:
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["crew"] != identity:
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
        return None  # a convenience: nothing depends on it


# ---- The cost of one ask.

# An estimate this close to a provider's minimum says too little: counted as not cached.
_CACHE_MARGIN = Decimal("1.25")


@dataclass(frozen=True, slots=True)
class AskCost:
    """What one ask takes; dollars are `None` where no price is known."""

    step: str
    model: str
    usage: Usage  # what a provider caches is counted as read from the cache
    common: int  # the tokens of its prompt that all asks of the step share
    live: Decimal | None
    batch: Decimal | None


class CostModel:
    """Estimates what an ask takes from its prompt and the length of its answer."""

    def __init__(self, prices: Prices, reasoning: int) -> None:
        self._prices = prices
        self._reasoning = reasoning

    def estimate_ask(self, ask: Ask, model: str, output: int) -> AskCost:
        """Return what an ask takes whose answer itself has so many tokens."""
        price = self._prices.find(model)
        scale = price.tokens if price else Decimal(1)
        tokens = estimate_prompt_tokens(ask)
        common, own = round(tokens.shared * scale), round(tokens.unique * scale)
        written = round(output * scale) + self._reasoning
        min_cached = self.cache_from(model)
        if min_cached is not None and common >= min_cached * _CACHE_MARGIN:
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
        uncached = Usage(_count_prompt_tokens(usage), usage.output_tokens)
        return self._prices.cost(model, usage), self._prices.cost(model, uncached, batch=True)

    def cache_from(self, model: str) -> int | None:
        """Return the fewest tokens that are cached of what whyset marks; `None`: nothing is."""
        if model.startswith("langchain:"):
            return None  # LangChain's models get no mark for the cache
        price = self._prices.find(model)
        return price.cache_from if price else None


def _count_prompt_tokens(usage: Usage) -> int:
    return usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens


# ---- Samples, and how far a total drawn from one may be off.

T = TypeVar("T")

_Z_95 = 1.96
"""Standard deviations to either side that hold 95 % of a normal distribution."""


class Reservoir(Generic[T]):
    """So many of the items added, each as likely as any other (Vitter's algorithm R, 1985)."""

    def __init__(self, size: int, seed: int) -> None:
        self.items: list[T] = []
        self.seen = 0
        self._size = size
        self._random = random.Random(seed)

    def add(self, item: T) -> None:
        """Take an item in, or leave it."""
        self.seen += 1
        if len(self.items) < self._size:
            self.items.append(item)
        elif (place := self._random.randrange(self.seen)) < self._size:
            self.items[place] = item


@dataclass(slots=True)
class SampleTotal:
    """The sum of a figure over sampled rows, and how much rows differ in it."""

    count: int = 0
    sum: float = 0.0
    squares: float = 0.0

    def add(self, figure: float) -> None:
        """Add a row's figure."""
        self.count += 1
        self.sum += figure
        self.squares += figure * figure

    def estimate_total(self, rows: int, *, among: int | None) -> ConfidenceInterval | None:
        """Return where the figure's total over so many rows lies, by the normal approximation.

        Of two rows or more. Where the sample is drawn from among these very rows, what was looked
        at is no longer uncertain.
        """
        if self.count < 2:
            return None
        mean = self.sum / self.count
        variance = max(self.squares - self.count * mean * mean, 0.0) / (self.count - 1)
        error = math.sqrt(variance / self.count)
        if among is not None:
            error *= math.sqrt(max(among - self.count, 0) / max(among - 1, 1))
        return ConfidenceInterval(
            max(rows * (mean - _Z_95 * error), 0.0), rows * (mean + _Z_95 * error)
        )


def extrapolate_distinct(distinct: int, repeats: int, rows: Fraction) -> Fraction:
    """Return by how much distinct asks grow when rows do.

    Where a sample repeats none, by as much as rows. Where it repeats some, all rows draw from a
    pool of asks, whose size is the one that makes as many distinct ones likely.
    """
    if not repeats or rows <= 1:
        return rows
    drawn = distinct + repeats
    low, high = float(distinct), float(distinct) * 1e6
    for _ in range(100):
        middle = (low + high) / 2
        if _expected_distinct(middle, drawn) < distinct:
            low = middle
        else:
            high = middle
    growth = _expected_distinct(high, float(drawn * rows)) / distinct
    return Fraction(growth).limit_denominator(10**9)


def _expected_distinct(pool: float, drawn: float) -> float:
    """Return how many distinct ones come of so many draws from a pool."""
    return pool if pool <= 1 else pool * -math.expm1(drawn * math.log1p(-1 / pool))


# ---- The asks of sampled rows → a forecast of all rows.


@dataclass(slots=True)
class _StepTotal:
    asks: int = 0
    usage: Usage = Usage()
    common: int = 0
    live: Decimal | None = Decimal(0)
    batch: Decimal | None = Decimal(0)

    def add(self, cost: AskCost) -> None:
        self.asks += 1
        self.usage += cost.usage
        self.common = max(self.common, cost.common)
        self.live = _add_dollars((self.live, cost.live))
        self.batch = _add_dollars((self.batch, cost.batch))


@dataclass(slots=True)
class CostTotals:
    """What the asks of the rows looked at take together, and how much rows differ."""

    rows: int = 0
    _steps: dict[tuple[str, str], _StepTotal] = field(default_factory=dict)
    _repeats: Counter[tuple[str, str]] = field(default_factory=Counter)
    _samples: dict[str, SampleTotal] = field(
        default_factory=lambda: {name: SampleTotal() for name in _FIGURES}
    )

    def add(self, row: list[AskCost]) -> None:
        """Add what the asks of a row take."""
        self.rows += 1
        figures = dict.fromkeys(_FIGURES, 0.0)
        for cost in row:
            self._steps.setdefault((cost.step, cost.model), _StepTotal()).add(cost)
            figures["asks"] += 1
            figures["prompt_tokens"] += _count_prompt_tokens(cost.usage)
            figures["output_tokens"] += cost.usage.output_tokens
            figures["live"] += float(cost.live or 0)
            figures["batch"] += float(cost.batch or 0)
        for name, figure in figures.items():
            self._samples[name].add(figure)

    def count_repeat(self, step: str, model: str) -> None:
        """Note that a row asked what another had asked before: it takes nothing."""
        self._repeats[step, model] += 1

    def forecast(
        self, rows: int, costs: CostModel, *, among: int | None, known: bool = False
    ) -> Forecast:
        """Return what so many rows take if they are like those looked at.

        `among` is how many rows those were drawn from, `None` where they were others. Where
        usages are `known` from replies, what was cached is in them.
        """
        if not rows or not self.rows:
            return Forecast(())
        growth = Fraction(rows, self.rows)
        steps = tuple(self._forecast_steps(growth, costs, known=known))
        if among is not None and self.rows >= among:
            return Forecast(steps)
        intervals = {
            name: sample.estimate_total(rows, among=among) for name, sample in self._samples.items()
        }
        if self._repeats:
            # Spread as if asks grew with rows: brought to what they do grow to.
            linear = sum(total.asks for total in self._steps.values()) * growth
            grown = Fraction(sum(step.asks for step in steps)) / linear if linear else 1
            intervals = {
                name: _scale_interval(interval, float(grown))
                for name, interval in intervals.items()
            }
        if any(step.live is None for step in steps):
            intervals["live"] = None
        if any(step.batch is None for step in steps):
            intervals["batch"] = None
        return Forecast(steps, ForecastIntervals(**intervals))

    def _forecast_steps(
        self, rows: Fraction, costs: CostModel, *, known: bool
    ) -> Iterator[StepForecast]:
        for (step, model), total in sorted(self._steps.items()):
            growth = extrapolate_distinct(total.asks, self._repeats[step, model], rows)
            usage = _scale_usage(total.usage, growth)
            live, batch = _scale_dollars(total.live, growth), _scale_dollars(total.batch, growth)
            if not known and usage.cache_read_tokens:
                # Of all asks of a run, the first writes what the others read.
                common = total.common
                usage += Usage(cache_read_tokens=-common, cache_write_tokens=common)
                write = costs.price_usage(model, Usage(cache_write_tokens=common))[0]
                read = costs.price_usage(model, Usage(cache_read_tokens=common))[0]
                if live is not None and write is not None and read is not None:
                    live += write - read
            yield StepForecast(
                step,
                model,
                round(total.asks * growth),
                usage,
                live,
                batch,
                common_tokens=total.common,
                cache_from=costs.cache_from(model),
            )


def add_forecasts(forecasts: Sequence[Forecast], *, scale: float) -> Forecast:
    """Add up forecasts of asks that have nothing in common, each ask so many times.

    The errors of independent totals add up by their squares.
    """
    steps = tuple(_scale_step(step, scale) for each in forecasts for step in each.steps)
    if all(each.intervals is None for each in forecasts):
        return Forecast(steps)
    return Forecast(
        steps,
        ForecastIntervals(
            **{
                name: _add_intervals([_interval_of(each, name) for each in forecasts], scale)
                for name in _FIGURES
            }
        ),
    )


def _scale_step(step: StepForecast, scale: float) -> StepForecast:
    exact = Decimal(str(scale))
    return replace(
        step,
        asks=round(step.asks * scale),
        usage=_scale_usage(step.usage, scale),
        live=None if step.live is None else step.live * exact,
        batch=None if step.batch is None else step.batch * exact,
    )


def _interval_of(forecast: Forecast, name: str) -> ConfidenceInterval | None:
    """Return where a total lies; on a point where every row was simulated."""
    if forecast.intervals is not None:
        interval: ConfidenceInterval | None = getattr(forecast.intervals, name)
        return interval
    total = {
        "asks": forecast.asks,
        "prompt_tokens": _count_prompt_tokens(forecast.usage),
        "output_tokens": forecast.usage.output_tokens,
        "live": forecast.live,
        "batch": forecast.batch,
    }[name]
    return None if total is None else ConfidenceInterval(float(total), float(total))


def _add_intervals(
    intervals: Sequence[ConfidenceInterval | None], scale: float
) -> ConfidenceInterval | None:
    known = [each for each in intervals if each is not None]
    if len(known) < len(intervals):
        return None
    middle = sum((each.low + each.high) / 2 for each in known) * scale
    error = math.hypot(*((each.high - each.low) / 2 for each in known)) * scale
    return ConfidenceInterval(max(middle - error, 0.0), middle + error)


def _scale_interval(interval: ConfidenceInterval | None, scale: float) -> ConfidenceInterval | None:
    return (
        None
        if interval is None
        else ConfidenceInterval(interval.low * scale, interval.high * scale)
    )


def _scale_dollars(amount: Decimal | None, scale: Fraction) -> Decimal | None:
    return None if amount is None else amount * scale.numerator / scale.denominator


def _scale_usage(usage: Usage, scale: Fraction | float) -> Usage:
    return Usage(**{name: round(count * scale) for name, count in asdict(usage).items()})
