"""Axes whose values a generator's `variety.toml` lists, with what a writer is told of each."""

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from itertools import islice
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ._brief import Axis, numbered
from ._names import draw_names

# ---- Drawing where no plan has drawn: the same for the same row or brief, in every process.

_DIGITS = 13
_RANGE: int = 16**_DIGITS


def draw(weights: Mapping[str, float], *told_apart: object) -> str:
    """Return one value, each as often as it weighs, the same for the same row.

    Args:
        weights: Value → weight; at least one weighs something.
        told_apart: What draws are told apart by, such as a row's digest and the deck's name.

    Raises:
        ValueError: There is nothing to draw.
    """
    drawable = [value for value, weight in weights.items() if weight > 0]
    if not drawable:
        raise ValueError("there is nothing to draw")
    left = fraction(*told_apart) * sum(weights[value] for value in drawable)
    for value in drawable:
        left -= weights[value]
        if left < 0:
            return value
    return drawable[-1]


def draw_on(axis: Axis, *told_apart: object) -> str:
    """Return one value of an axis by its weight, or a number where a model is to list them.

    Args:
        axis: The axis; its name is among what tells draws apart.
        told_apart: What else does, such as a brief's seed.
    """
    if axis.generated:
        return numbered(seed_of(axis.name, *told_apart) % axis.generated)
    return draw(axis.values, axis.name, *told_apart)


def fraction(*told_apart: object) -> float:
    """Return a number from 0 up to 1 that depends on what is given alone."""
    return seed_of(*told_apart) / _RANGE


def seed_of(*told_apart: object) -> int:
    """Return a seed that depends on what is given alone."""
    # By digest and not by `random`, whose draws may differ from one Python to the next.
    digest = hashlib.sha256("\n".join(map(str, told_apart)).encode()).hexdigest()
    return int(digest[:_DIGITS], 16)


# ---- How long a text should be: what its writer is told, and what the check of it allows.


@dataclass(frozen=True, slots=True)
class LengthBounds:
    """How long a text should be, in words.

    Attributes:
        low: From, as the writer is told.
        high: To, as the writer is told; nothing where there is to be no text.
        fewest: Below this many the check fails.
        most: Above this many the check fails.
    """

    low: int
    high: int
    fewest: int
    most: int

    @classmethod
    def around(cls, words: int) -> Self:
        """Return the bounds around a number of words."""
        return cls(words * 4 // 5, words * 5 // 4, words * 3 // 5, words * 8 // 5)

    @classmethod
    def between(cls, low: int, high: int) -> Self:
        """Return the bounds of what a writer is told; half as much again passes the check."""
        return cls(low, high, low // 2, high * 3 // 2)

    @property
    def middle(self) -> int:
        """Half-way between what the writer is told."""
        return (self.low + self.high) // 2

    @property
    def about(self) -> str:
        """The bounds as they are told where they need not be kept to the word."""
        return f"about {self}" if self.high else str(self)

    def __str__(self) -> str:
        return f"{self.low} to {self.high} words" if self.high else "none"


# ---- The names that the people of a story may have: drawn for it, none of them used up.

_CHOICE = 3
"""How many more names are on offer than may be used."""


# Every ask of a story shows them, and drawing them costs more than all else in rendering one.
@lru_cache(maxsize=256)
def names_on_offer(seed: int, count: int, used: frozenset[str]) -> str:
    """Return names as a prompt shows them; a few more than may be used.

    Args:
        seed: The same seed gives the same names.
        count: How many people may have names.
        used: Names, given or whole, that the corpus has too often.
    """
    if not count:
        return "(none; name nobody)"
    drawn = draw_names(seed, count + _CHOICE + len(used))
    fresh = (name for name in drawn if not {str(name), name.given} & used)
    return ", ".join(map(str, islice(fresh, count + _CHOICE)))


class ListedValue(BaseModel):
    """A value as `variety.toml` has it: a text alone is what a writer is told of it.

    Attributes:
        told: What a writer is told.
        weight: How often it comes up against the others; what weighs nothing is never drawn.
        words: From and to how many words a text of this kind should have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    told: str
    weight: float = Field(1.0, ge=0)
    words: tuple[int, int] = (0, 0)

    @model_validator(mode="before")
    @classmethod
    def _of_text(cls, held: Any) -> Any:
        return {"told": held} if isinstance(held, str) else held

    @property
    def bounds(self) -> LengthBounds:
        """How long a text of this kind should be."""
        return LengthBounds.between(*self.words)


class ListedAxis(BaseModel):
    """An axis as `variety.toml` has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    meaning: str
    values: dict[str, ListedValue]

    @property
    def weights(self) -> dict[str, float]:
        """Value → weight, of the values that may be drawn."""
        return {value: held.weight for value, held in self.values.items() if held.weight}

    @property
    def axis(self) -> Axis:
        """The axis as a plan draws on it."""
        return Axis(self.name, self.meaning, self.weights)

    def told(self, value: str) -> str:
        """Return what a writer is told of a value; nothing of one that is not listed."""
        held = self.values.get(value)
        return held.told if held else ""

    def mean(self, measure: Callable[[str], float]) -> float:
        """Return what a measure of the values comes to where they are drawn by their weights."""
        weights = self.weights
        total = sum(weight * measure(value) for value, weight in weights.items())
        return total / sum(weights.values())


@cache
def listed_axes(package: str) -> Mapping[str, ListedAxis]:
    """Return the axes of a generator, by name.

    Args:
        package: The generator's, in which its `variety.toml` lies.
    """
    source = resources.files(package).joinpath("variety.toml").read_text(encoding="utf-8")
    return {
        name: ListedAxis.model_validate({"name": name, **held})
        for name, held in tomllib.loads(source).items()
    }
