"""Which rows go where: drawn by a seed, the same on every machine."""

import hashlib
import random
from array import array
from typing import Literal

from whyset.errors import DatasetError

Split = Literal["train", "test"]

SPLITS: tuple[Split, ...] = ("train", "test")


def split_of(opening: str, *, share: float, seed: int) -> Split:
    """Return the side of a split that a row belongs to: by what it begins with and nothing else.

    Args:
        opening: What the row begins with, or a digest of it.
        share: How much of all rows is to be trained on, 0 to 1.
        seed: What sides are drawn with.
    """
    digest = hashlib.blake2b(f"{seed} {opening}".encode(), digest_size=8)
    return "train" if int.from_bytes(digest.digest()) < share * 2**64 else "test"


def shuffled(numbers: range, seed: int) -> "array[int]":
    """Return numbers in an order drawn by a seed."""
    drawn = array("Q", numbers)
    # `random()` yields the same everywhere and always; what `shuffle` makes of it is not promised.
    draw = random.Random(seed).random
    for at in range(len(drawn) - 1, 0, -1):
        other = int(draw() * (at + 1))
        drawn[at], drawn[other] = drawn[other], drawn[at]
    return drawn


def ordinary_needed(rows: int, synthetic: int, share: float) -> int:
    """Return how many ordinary rows make the synthetic ones a share of all.

    Args:
        rows: All rows that are there, those among them that were left as they were included.
        synthetic: How many of them were written.
        share: What is wanted, above 0 and below 1.

    Raises:
        DatasetError: There are too many ordinary rows among them already.
    """
    needed = round(synthetic / share) - rows
    if needed < 0:
        raise DatasetError(
            f"--share {share:g}: of {rows:,} rows {synthetic:,} were written and the others left "
            f"as they were, which is a share of {synthetic / rows if rows else 0:.2g} already; "
            "name a smaller one, or leave --mix out"
        )
    return needed
