"""The ways in which pieces of advice differ, and each in words for a writer."""

from collections.abc import Mapping

from .._brief import Axis, Brief, validate_axes
from .._variety import AxisSpec, WordLimits, draw_axis_value, load_axis_specs

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
"""An axis that is left open, in words for a writer."""


_FREE = WordLimits.between(10, 260)
"""The length of a text whose kind somebody has put in their own words."""


def axes() -> tuple[Axis, ...]:
    """Return every axis: those that a model lists the values of first."""
    listed = [
        Axis(name, meaning, {}, generated_count=count) for name, (count, meaning) in LISTED.items()
    ]
    return (*listed, *(fixed.axis for fixed in _fixed().values()))


def draw_missing_axes(brief: Brief) -> dict[str, str]:
    """Return a brief's variety with what it leaves out drawn from its seed.

    The domain alone may stay open: to list forty for one document would cost more than it.

    Raises:
        GeneratorError: The brief has an axis that does not exist.
    """
    validate_axes(brief, axes(), subject="advice")
    told_apart = (brief.seed, brief.draft, brief.about, *brief.passages)
    missing = {
        axis.name: draw_axis_value(axis, *told_apart)
        for axis in axes()
        if axis.name not in brief.variety and axis.name != DOMAIN
    }
    return {**brief.variety, **missing}


def describe_value(axis: str, value: str) -> str:
    """Return a value in words for a writer; a person's own words stand as they are."""
    held = _fixed().get(axis)
    return (held.describe(value) if held else "") or value or ANYTHING


def word_limits(axis: str, value: str) -> WordLimits:
    """Return how long a text of that value should be; a person's own words say nothing of it."""
    held = _fixed()[axis].values.get(value)
    return held.bounds if held else _FREE


def typical_words(axis: str) -> float:
    """Return how long a text is on average where its kind is drawn."""
    return _fixed()[axis].weighted_mean(lambda value: word_limits(axis, value).midpoint)


def _fixed() -> Mapping[str, AxisSpec]:
    return load_axis_specs(__package__)
