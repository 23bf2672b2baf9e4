"""Variety of documents: seeded draws, word limits, names, and the axes of a `variety.toml`."""

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import islice
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ._brief import Axis, format_index
from ._names import draw_names

# ---- Draws where no plan has drawn: the same for the same row or brief, in every process.

_SEED_HEX_DIGITS = 13
_SEED_RANGE: int = 16**_SEED_HEX_DIGITS


def draw_weighted(weights: Mapping[str, float], *keys: object) -> str:
    """Return one value, each as often as it weighs, the same for the same row.

    Raises:
        ValueError: There is nothing to draw.
    """
    drawable = [value for value, weight in weights.items() if weight > 0]
    if not drawable:
        raise ValueError("there is nothing to draw")
    left = seeded_fraction(*keys) * sum(weights[value] for value in drawable)
    for value in drawable:
        left -= weights[value]
        if left < 0:
            return value
    return drawable[-1]


def draw_axis_value(axis: Axis, *keys: object) -> str:
    """Return one value of an axis by its weight, or a number where a model is to list them."""
    if axis.generated_count:
        return format_index(derive_seed(axis.name, *keys) % axis.generated_count)
    return draw_weighted(axis.values, axis.name, *keys)


def seeded_fraction(*keys: object) -> float:
    """Return a number from 0 up to 1 that depends on what is given alone."""
    return derive_seed(*keys) / _SEED_RANGE


def derive_seed(*keys: object) -> int:
    """Return a seed that depends on what is given alone."""
    # By digest and not by `random`, whose draws may differ from one Python to the next.
    digest = hashlib.sha256("\n".join(map(str, keys)).encode()).hexdigest()
    return int(digest[:_SEED_HEX_DIGITS], 16)


# ---- Word limits: what a writer aims at, and what the check of the length allows.


@dataclass(frozen=True, slots=True)
class WordLimits:
    """How long a text should be, in words.

    Attributes:
        target_min: From how many, as the prompt says.
        target_max: To how many, as the prompt says; 0 where there is to be no text.
        min_words: Below this many the check fails.
        max_words: Above this many the check fails.
    """

    target_min: int
    target_max: int
    min_words: int
    max_words: int

    @classmethod
    def around(cls, words: int) -> Self:
        """Return the limits around a number of words."""
        return cls(words * 4 // 5, words * 5 // 4, words * 3 // 5, words * 8 // 5)

    @classmethod
    def between(cls, low: int, high: int) -> Self:
        """Return limits with this target; half as much again passes the check."""
        return cls(low, high, low // 2, high * 3 // 2)

    @property
    def midpoint(self) -> int:
        """The middle of the target."""
        return (self.target_min + self.target_max) // 2

    @property
    def approximate(self) -> str:
        """The target, where it need not be met to the word."""
        return f"about {self}" if self.target_max else str(self)

    def __str__(self) -> str:
        return f"{self.target_min} to {self.target_max} words" if self.target_max else "none"


# ---- Names for the people of a document.

_EXTRA_NAMES = 3
"""How many more names are offered than may be used."""


# Every ask of a story shows them, and drawing them costs more than all else in rendering one.
@lru_cache(maxsize=256)
def render_name_pool(seed: int, count: int, used: frozenset[str]) -> str:
    """Return names as a prompt shows them; a few more than may be used."""
    if not count:
        return "(none; name nobody)"
    drawn = draw_names(seed, count + _EXTRA_NAMES + len(used))
    fresh = (name for name in drawn if not {str(name), name.given} & used)
    return ", ".join(map(str, islice(fresh, count + _EXTRA_NAMES)))


# ---- Axes as a generator's `variety.toml` lists them, with what a prompt says of each value.


class AxisValueSpec(BaseModel):
    """A value as `variety.toml` has it; a text alone is what a prompt says of it.

    Attributes:
        told: What a prompt says of it.
        weight: How often it comes up against the others; what weighs nothing is never drawn.
        words: From and to how many words a text of this kind should have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    told: str
    weight: float = Field(1.0, ge=0)
    words: tuple[int, int] = (0, 0)

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"told": value} if isinstance(value, str) else value

    @property
    def bounds(self) -> WordLimits:
        """How long a text of this kind should be."""
        return WordLimits.between(*self.words)


class AxisSpec(BaseModel):
    """An axis as `variety.toml` has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    meaning: str
    values: dict[str, AxisValueSpec]

    @property
    def weights(self) -> dict[str, float]:
        """Value → weight, of the values that may be drawn."""
        return {value: spec.weight for value, spec in self.values.items() if spec.weight}

    @property
    def axis(self) -> Axis:
        """The axis as a plan draws on it."""
        return Axis(self.name, self.meaning, self.weights)

    def describe(self, value: str) -> str:
        """Return what a prompt says of a value; nothing of one that is not listed."""
        spec = self.values.get(value)
        return spec.told if spec else ""

    def weighted_mean(self, measure: Callable[[str], float]) -> float:
        """Return what a measure of the values comes to where they are drawn by their weights."""
        weights = self.weights
        total = sum(weight * measure(value) for value, weight in weights.items())
        return total / sum(weights.values())


@cache
def load_axis_specs(package: str) -> Mapping[str, AxisSpec]:
    """Return the axes of a generator, by name."""
    source = resources.files(package).joinpath("variety.toml").read_text(encoding="utf-8")
    return {
        name: AxisSpec.model_validate({"name": name, **axis})
        for name, axis in tomllib.loads(source).items()
    }
