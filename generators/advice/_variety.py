"""The ways in which pieces of advice differ, and what a writer is told of each."""

from collections.abc import Mapping

from .._brief import Axis, Brief, check_axes
from .._variety import LengthBounds, ListedAxis, draw_on, listed_axes

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


_FREE = LengthBounds.between(10, 260)
"""The length of a text whose kind somebody has put in their own words."""


def axes() -> tuple[Axis, ...]:
    """Return every axis: those that a model lists the values of first."""
    listed = [Axis(name, meaning, {}, generated=count) for name, (count, meaning) in LISTED.items()]
    return (*listed, *(fixed.axis for fixed in _fixed().values()))


def drawn(brief: Brief) -> dict[str, str]:
    """Return a brief's variety with what it leaves out drawn from its seed.

    The domain alone may stay open: to list forty for one document would cost more than it.

    Raises:
        GeneratorError: The brief has an axis that does not exist.
    """
    check_axes(brief, axes(), of="advice")
    told_apart = (brief.seed, brief.draft, brief.about, *brief.passages)
    missing = {
        axis.name: draw_on(axis, *told_apart)
        for axis in axes()
        if axis.name not in brief.variety and axis.name != DOMAIN
    }
    return {**brief.variety, **missing}


def told(axis: str, value: str) -> str:
    """Return what a writer is told of a value; a person's own words are told as they stand."""
    held = _fixed().get(axis)
    return (held.told(value) if held else "") or value or ANYTHING


def words(axis: str, value: str) -> LengthBounds:
    """Return how long a text of that value should be; a person's own words say nothing of it."""
    held = _fixed()[axis].values.get(value)
    return held.bounds if held else _FREE


def typical_words(axis: str) -> float:
    """Return how long a text is on average where its kind is drawn."""
    return _fixed()[axis].mean(lambda value: words(axis, value).middle)


def _fixed() -> Mapping[str, ListedAxis]:
    return listed_axes(__package__)
