"""Names for the people of a text: drawn from a large pool, not asked of a model."""

import hashlib
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import resources
from itertools import count as counting
from itertools import islice
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name.

    Attributes:
        given: The given name.
        family: The family name, in the form that men and women may both bear.
        region: Where both are borne, as `names.toml` calls it: `estonian`, `igbo`, …
    """

    given: str
    family: str
    region: str

    def __str__(self) -> str:
        return f"{self.given} {self.family}"


class NamePool(NamedTuple):
    """All names there are to draw: every given name and every family name."""

    given: frozenset[str]
    family: frozenset[str]


def draw_names(seed: int, count: int) -> tuple[Name, ...]:
    """Draw names: the same for the same seed, on any machine, whatever the count.

    A shorter draw is the beginning of a longer one. Regions come in turn, so that none prevails;
    within the first `len(pool_names().given)` names no given name comes twice.

    Raises:
        ValueError: The count is negative.
    """
    if count < 0:
        raise ValueError(f"count must not be negative, it is {count}")
    return tuple(islice(_iter_names(seed), count))


@cache
def load_name_pool() -> NamePool:
    """Return the pool that names are drawn from."""
    regions = _load_regions().values()
    return NamePool(
        frozenset(name for given, _ in regions for name in given),
        frozenset(name for _, family in regions for name in family),
    )


def _iter_names(seed: int) -> Iterator[Name]:
    regions = _load_regions()
    for cycle in counting():
        salt = f"{seed}:{cycle}"
        decks = {
            region: (_shuffle(salt, given), _shuffle(salt, family))
            for region, (given, family) in regions.items()
        }
        order = _shuffle(salt, regions)
        for turn in range(max(len(given) for given, _ in regions.values())):
            for region in order:
                given, family = decks[region]
                if turn < len(given):
                    yield Name(given[turn], family[turn % len(family)], region)


def _shuffle(salt: str, items: Iterable[str]) -> list[str]:
    # By digest and not by `random`, whose shuffle may differ from one Python to the next.
    return sorted(items, key=lambda item: hashlib.sha256(f"{salt}:{item}".encode()).digest())


@cache
def _load_regions() -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    source = resources.files(__package__).joinpath("names.toml").read_text(encoding="utf-8")
    return {
        region: (tuple(names["given"]), tuple(names["family"]))
        for region, names in tomllib.loads(source).items()
    }
