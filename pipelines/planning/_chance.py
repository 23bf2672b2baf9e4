"""Chance that comes out the same in every process and every version of Python."""

import hashlib
import random
from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T")

_SEED_BITS = 48


def derived_seed(*parts: str | int) -> int:
    """Return a seed for one purpose, from the plan's seed and what the purpose is called."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest) >> (256 - _SEED_BITS)


def shuffled(items: Iterable[T], *parts: str | int) -> list[T]:
    """Return the items in an order drawn for one purpose; see `derived_seed`.

    Fisher and Yates on `random()`, the one method whose sequence Python promises to keep.
    """
    drawn = random.Random(derived_seed(*parts))
    shuffled = list(items)
    for last in range(len(shuffled) - 1, 0, -1):
        other = int(drawn.random() * (last + 1))
        shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
    return shuffled
