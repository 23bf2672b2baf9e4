"""The ways in which pieces of advice differ, and what a writer is told of each."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from .._axes import Axis, numbered
from .._brief import Brief
from .._errors import GeneratorError

PRINCIPLE = "principle"
REQUEST = "request"
DOMAIN = "domain"
SHAPE = "response_shape"
OPENING = "answer_opening"

LISTED: Mapping[str, tuple[int, str]] = {
    PRINCIPLE: (6, "Which of the principles that the passages state is at issue."),
    REQUEST: (12, "What kind of request brings the principle into play."),
    DOMAIN: (40, "The part of life or work that the case is set in."),
}
"""Axis whose values a model lists → how many, and what it is."""

ANYTHING = "anything that fits"
"""What a writer is told where an axis is left open."""


@dataclass(frozen=True, slots=True)
class Words:
    """How long a text should be, in words.

    Attributes:
        low: From, as the writer is told.
        high: To, as the writer is told.
    """

    low: int
    high: int

    def __str__(self) -> str:
        return f"about {self.low} to {self.high} words" if self.high else "none"

    @property
    def middle(self) -> int:
        """Halfway between the two."""
        return (self.low + self.high) // 2

    @property
    def fewest(self) -> int:
        """Below this many the check fails."""
        return self.low // 2

    @property
    def most(self) -> int:
        """Above this many the check fails."""
        return self.high * 3 // 2


_FREE = Words(10, 260)
"""The length of a text whose kind somebody has put in their own words."""


@dataclass(frozen=True, slots=True)
class _Value:
    weight: float
    told: str
    words: Words


@cache
def axes() -> tuple[Axis, ...]:
    """Return every axis: those that a model lists the values of first."""
    listed = [Axis(name, meaning, {}, generated=count) for name, (count, meaning) in LISTED.items()]
    fixed = [
        Axis(
            name,
            _table()[name]["meaning"],
            {value: held.weight for value, held in values.items() if held.weight},
        )
        for name, values in _values().items()
    ]
    return (*listed, *fixed)


def drawn(brief: Brief) -> dict[str, str]:
    """Return a brief's variety with what it leaves out drawn from its seed.

    The domain alone may stay open: to list forty for one document would cost more than it.

    Raises:
        GeneratorError: The brief has an axis that does not exist.
    """
    names = [axis.name for axis in axes()]
    if strange := sorted(brief.variety.keys() - set(names)):
        raise GeneratorError(
            f"brief {brief.line}: there is no axis {', '.join(strange)}; advice has "
            f"{', '.join(names)}"
        )
    missing = {
        axis.name: _draw(axis, brief)
        for axis in axes()
        if axis.name not in brief.variety and axis.name != DOMAIN
    }
    return {**brief.variety, **missing}


def told(axis: str, value: str) -> str:
    """Return what a writer is told of a value; a person's own words are told as they stand."""
    held = _values().get(axis, {}).get(value)
    return held.told if held else value or ANYTHING


def words(axis: str, value: str) -> Words:
    """Return how long a text of that value should be; a person's own words say nothing of it."""
    held = _values().get(axis, {}).get(value)
    return held.words if held else _FREE


def typical_words(axis: str) -> float:
    """Return how long a text is on average where its kind is drawn."""
    held = _values()[axis].values()
    total = sum(value.weight for value in held)
    return sum(value.weight * value.words.middle for value in held) / total


def _draw(axis: Axis, brief: Brief) -> str:
    """Draw one value by its weight, the same for the same brief in every process."""
    told_apart = (axis.name, brief.seed, brief.draft, brief.about, *brief.passages)
    digest = hashlib.sha256("\n".join(map(str, told_apart)).encode()).hexdigest()
    place = int(digest[:13], 16)
    if axis.generated:
        return numbered(place % axis.generated)
    left = place / 16**13 * sum(axis.values.values())
    for value, weight in axis.values.items():
        left -= weight
        if left < 0:
            return value
    return next(iter(axis.values))


@cache
def _table() -> dict[str, dict[str, Any]]:
    source = resources.files(__package__).joinpath("variety.toml").read_text(encoding="utf-8")
    return tomllib.loads(source)


@cache
def _values() -> Mapping[str, Mapping[str, _Value]]:
    return {
        name: {
            value: _Value(
                entry["weight"],
                entry["told"],
                Words(*entry["words"]) if "words" in entry else _FREE,
            )
            for value, entry in held["values"].items()
        }
        for name, held in _table().items()
    }
