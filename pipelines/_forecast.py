"""The values of an estimate: what a run would ask, and what that would cost."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from whyset.generators import Usage, usage_record

from ._sampling import Range


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
class Ranges:
    """Where totals lie with 95 % confidence; `None` where it cannot be told.

    Attributes:
        asks: How many asks.
        prompt_tokens: Tokens read, cached ones included.
        output_tokens: Tokens written.
        live: Dollars, asked one by one.
        batch: Dollars by message batch.
    """

    asks: Range | None = None
    prompt_tokens: Range | None = None
    output_tokens: Range | None = None
    live: Range | None = None
    batch: Range | None = None

    def record(self) -> dict[str, Any]:
        """Return the ranges as plain values: low and high, or null."""
        return {
            "asks": _ends(self.asks),
            "prompt_tokens": _ends(self.prompt_tokens),
            "output_tokens": _ends(self.output_tokens),
            "dollars": _ends(self.live),
            "dollars_batch": _ends(self.batch),
        }


@dataclass(frozen=True, slots=True)
class Forecast:
    """What the rows to come would take together.

    Attributes:
        steps: By step and model.
        ranges: How far the totals may be off because not every row was walked; `None` where every
            row was. Says nothing of how far the estimates of tokens are off.
    """

    steps: tuple[StepForecast, ...]
    ranges: Ranges | None = None

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
        return _total([step.live for step in self.steps])

    @property
    def batch(self) -> Decimal | None:
        """Dollars by message batch; `None` where no such price is known of a model."""
        return _total([step.batch for step in self.steps])

    @property
    def unpriced(self) -> tuple[str, ...]:
        """The models that have no price."""
        return tuple(sorted({step.model for step in self.steps if step.live is None}))

    def record(self) -> dict[str, Any]:
        """Return the forecast as plain values; dollars that nobody knows are null."""
        return {
            "asks": self.asks,
            **usage_record(self.usage),
            "dollars": _plain(self.live),
            "dollars_batch": _plain(self.batch),
            "ranges": None if self.ranges is None else self.ranges.record(),
            "steps": [
                {
                    "step": step.step,
                    "model": step.model,
                    "asks": step.asks,
                    **usage_record(step.usage),
                    "dollars": _plain(step.live),
                    "dollars_batch": _plain(step.batch),
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
        walked: How many of the others were walked; all, or a sample.
        seed: What the sample was drawn with.
        reasoning: Output tokens allowed for reasoning before each answer; an assumption.
        prices_of: The date of the price list.
        least: If nothing were at stake in any row: each is appraised, and no more.
        most: If something were at stake in every row and each draft passed at once.
        as_so_far: If the others took what finished rows took, every revision included; `None`
            where none is finished, or none of what they took is known any more.
        projected_from: How many finished rows `as_so_far` rests on.
    """

    rows: int
    unreadable: int
    finished: int
    walked: int
    seed: int
    reasoning: int
    prices_of: date
    least: Forecast
    most: Forecast
    as_so_far: Forecast | None = None
    projected_from: int = 0

    @property
    def remaining(self) -> int:
        """How many rows are still to be done."""
        return self.rows - self.finished

    @property
    def sampled(self) -> bool:
        """Whether rows were left out of the walk."""
        return self.walked < self.remaining

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
            "walked": self.walked,
            "seed": self.seed,
            "reasoning_tokens": self.reasoning,
            "prices_of": self.prices_of.isoformat(),
            "unpriced": list(self.unpriced),
            "least": self.least.record(),
            "most": self.most.record(),
            "as_so_far": None if self.as_so_far is None else self.as_so_far.record(),
            "projected_from": self.projected_from,
        }


def _total(amounts: list[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def _ends(held: Range | None) -> list[float] | None:
    return None if held is None else [round(held.low, 6), round(held.high, 6)]


def _plain(amount: Decimal | None) -> float | None:
    return None if amount is None else float(amount)
