"""Axes of variety: what a plan draws for each document, instead of asking a model for variety."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from whyset.errors import GeneratorError

from ._brief import Brief

_NUMBERED = "#"


@dataclass(frozen=True, slots=True)
class Axis:
    """One way in which documents differ.

    Attributes:
        name: Such as `register`.
        meaning: What it is, in a sentence, for who reads or edits the plan.
        values: Value → weight. A plan of n documents holds each exactly n × weight ÷ sum of
            weights times, to the nearest whole. Empty where `generated` says how many there are.
        generated: How many values a model is to list; the plan then draws numbers, and
            `chosen` takes the value of that number from the list. No value gets more than its
            even share: that is the cap.
    """

    name: str
    meaning: str
    values: Mapping[str, float]
    generated: int = 0


def numbered(place: int) -> str:
    """Return what a plan draws on an axis whose values a model is to list."""
    return f"{_NUMBERED}{place}"


def is_numbered(value: str) -> bool:
    """Say whether a value is a place in a list that a model is to make."""
    return value.startswith(_NUMBERED) and value[len(_NUMBERED) :].isdigit()


def chosen(value: str, listed: Sequence[str]) -> str:
    """Return the value itself, or the one of that number in a list that a model has made.

    Where the list has come out shorter than was asked for, numbers go round.

    Args:
        value: What the plan drew, or what a person wrote.
        listed: What the model listed; not empty.
    """
    if not is_numbered(value):
        return value
    return listed[int(value[len(_NUMBERED) :]) % len(listed)]


def check_axes(brief: Brief, axes: Iterable[Axis], *, of: str) -> None:
    """A brief may vary nothing but what there is an axis of.

    Args:
        brief: The brief.
        axes: Those that there are.
        of: What has them, such as `a story`.

    Raises:
        GeneratorError: It has an axis that does not exist.
    """
    known = [axis.name for axis in axes]
    if strange := sorted(brief.variety.keys() - set(known)):
        raise GeneratorError(
            f"brief {brief.line}: there is no axis {', '.join(strange)}; {of} has "
            f"{', '.join(known)}"
        )
