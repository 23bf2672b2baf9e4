"""What one document is to be, as a plan or a person says it, and the axes that a plan draws on."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from whyset.datasets import Row, dumps
from whyset.errors import GeneratorError


class _BriefRecord(BaseModel):
    """A brief as plain values, as it comes from outside."""

    model_config = ConfigDict(extra="forbid")

    about: str = ""
    passages: list[str] = []
    variety: dict[str, str] = {}
    idea: str = ""
    draft: int = 0
    seed: int = 0
    attempt: int = 0
    avoid: dict[str, list[str]] = {}


@dataclass(frozen=True)
class Brief:
    """What one document is to be. It takes a row's place in every engine.

    Attributes:
        line: Its number, from 1.
        about: The subject in words; empty where passages alone say it.
        passages: Ids of the passages it is about and must be grounded in; where there are none,
            `about` is what passages are found by.
        variety: Axis → what was drawn for this document; see `Axis`.
        idea: What has been agreed on in one or two sentences; empty where that is still to come.
        draft: Tells apart several documents made from the same context, from 0.
        seed: What the generator draws names and the like with.
        attempt: How often this slot has been tried before.
        avoid: Kind (`names`, `openings`, …) → what has become too common in the corpus so far.
    """

    line: int
    about: str = ""
    passages: tuple[str, ...] = ()
    variety: Mapping[str, str] = field(default_factory=dict)
    idea: str = ""
    draft: int = 0
    seed: int = 0
    attempt: int = 0
    avoid: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> dict[str, Any]:
        """The brief as plain values; those that say nothing are left out."""
        values: dict[str, Any] = {
            "about": self.about,
            "passages": list(self.passages),
            "variety": dict(self.variety),
            "idea": self.idea,
            "draft": self.draft,
            "seed": self.seed,
            "attempt": self.attempt,
            "avoid": {kind: list(common) for kind, common in self.avoid.items()},
        }
        return {name: value for name, value in values.items() if value}

    @cached_property
    def digest(self) -> str:
        """SHA-256 of number and columns, hex: what it is known by on resuming."""
        return hashlib.sha256(dumps([self.line, self.columns])).hexdigest()


Item = Row | Brief
"""What a generator takes: it has a `line`, `columns` and a `digest` either way."""


def brief_from_record(columns: Mapping[str, Any], *, line: int = 1) -> Brief:
    """Make a brief of plain values, for use from a library; see `Brief` for what they mean.

    Raises:
        GeneratorError: A name is unknown, or a value is of the wrong kind.
    """
    try:
        given = _BriefRecord.model_validate(dict(columns))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise GeneratorError(
            f"brief {line}: {where}: {first['msg']}; "
            f"a brief has {', '.join(_BriefRecord.model_fields)}"
        ) from error
    return Brief(
        line,
        given.about,
        tuple(given.passages),
        given.variety,
        given.idea,
        given.draft,
        given.seed,
        given.attempt,
        {kind: tuple(common) for kind, common in given.avoid.items()},
    )


# ---- Axes: variety is drawn for each document instead of asked of a model.

_INDEX_PREFIX = "#"


@dataclass(frozen=True, slots=True)
class Axis:
    """One way in which documents differ.

    Attributes:
        name: Such as `register`.
        meaning: What it is, in a sentence, for who reads or edits the plan.
        values: Value → weight. A plan of n documents has each exactly n × weight ÷ sum of weights
            times, to the nearest whole. Empty where `generated_count` says how many there are.
        generated_count: How many values a model is to list; the plan then draws numbers, and
            `resolve_index` takes the value of that number from the list. No value gets more than
            its even share: that is the cap.
    """

    name: str
    meaning: str
    values: Mapping[str, float]
    generated_count: int = 0


def format_index(place: int) -> str:
    """Return what a plan draws on an axis whose values a model is to list."""
    return f"{_INDEX_PREFIX}{place}"


def is_index(value: str) -> bool:
    """Say whether a value is a place in a list that a model is to make."""
    return value.startswith(_INDEX_PREFIX) and value[len(_INDEX_PREFIX) :].isdigit()


def resolve_index(value: str, listed: Sequence[str]) -> str:
    """Return the value itself, or the one of that number in a list that a model has made.

    Where the list has come out shorter than was asked for, numbers go round.

    Args:
        value: What the plan drew, or what a person wrote.
        listed: What the model listed; not empty.
    """
    if not is_index(value):
        return value
    return listed[int(value[len(_INDEX_PREFIX) :]) % len(listed)]


def validate_axes(brief: Brief, axes: Iterable[Axis], *, subject: str) -> None:
    """A brief may vary nothing but what there is an axis of.

    Raises:
        GeneratorError: It has an axis that does not exist.
    """
    known = [axis.name for axis in axes]
    if strange := sorted(brief.variety.keys() - set(known)):
        raise GeneratorError(
            f"brief {brief.line}: there is no axis {', '.join(strange)}; {subject} has "
            f"{', '.join(known)}"
        )
