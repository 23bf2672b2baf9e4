"""Axes whose values a generator's `variety.toml` lists, with what a writer is told of each."""

import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, model_validator

from ._axes import Axis
from ._lengths import LengthBounds


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
