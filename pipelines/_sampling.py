"""Samples of a stream of unknown length, and how far a total drawn from one may be off."""

import math
import random
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_Z = 1.96
"""Standard deviations to either side that hold 95 % of a normal distribution."""


class Reservoir(Generic[T]):
    """So many of the items added, each as likely as any other (Vitter's algorithm R, 1985).

    Attributes:
        items: Those held.
        seen: How many were added.
    """

    def __init__(self, size: int, seed: int) -> None:
        """Make room.

        Args:
            size: How many to hold.
            seed: The same seed and the same items give the same sample.
        """
        self.items: list[T] = []
        self.seen = 0
        self._size = size
        self._random = random.Random(seed)

    def add(self, item: T) -> None:
        """Take an item in, or leave it."""
        self.seen += 1
        if len(self.items) < self._size:
            self.items.append(item)
            return
        place = self._random.randrange(self.seen)
        if place < self._size:
            self.items[place] = item


@dataclass(frozen=True, slots=True)
class Range:
    """Where a total lies with 95 % confidence; both ends included."""

    low: float
    high: float


class Spread:
    """The sum of a figure over sampled rows, and how much rows differ in it."""

    def __init__(self) -> None:
        self._count = 0
        self._sum = 0.0
        self._squares = 0.0

    def add(self, figure: float) -> None:
        """Add a row's figure."""
        self._count += 1
        self._sum += figure
        self._squares += figure * figure

    def total(self, rows: int, *, among: int | None) -> Range | None:
        """Return where the figure's total over so many rows lies, by the normal approximation.

        Args:
            rows: How many rows the total is of.
            among: How many rows the sample was drawn from, itself included, where these are the
                rows in question: what was looked at is then no longer uncertain. `None` where
                they are others.

        Returns:
            `None` where fewer than two rows were looked at: nothing can be said.
        """
        count = self._count
        if count < 2:
            return None
        mean = self._sum / count
        variance = max(self._squares - count * mean * mean, 0.0) / (count - 1)
        error = math.sqrt(variance / count)
        if among is not None:
            error *= math.sqrt(max(among - count, 0) / max(among - 1, 1))
        return Range(max(rows * (mean - _Z * error), 0.0), rows * (mean + _Z * error))
