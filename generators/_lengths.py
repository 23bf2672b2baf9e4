"""How long a text should be: what its writer is told, and what the check of it allows."""

from dataclasses import dataclass
from typing import Self


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
