"""How rows are exported, and which go where: drawn by a seed, the same on every machine."""

import hashlib
import random
from array import array
from dataclasses import dataclass, field
from typing import Literal

from whyset.errors import DatasetError

from .._row import DEFAULT_SELECTION, Selection
from ._example import ExportKind

Split = Literal["train", "test"]

SPLITS: tuple[Split, ...] = ("train", "test")

MAX_SYNTHETIC_SHARE = 0.4
"""The share of synthetic rows that cost general ability in an open replication; 0.2 did not."""


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """How rows are exported.

    Attributes:
        kind: What rows are exported as; `None` for what they are.
        share: With rows to mix in, how much of all rows the synthetic ones are to be.
        split: How much of all rows is to be trained on; `None` for all, in one file.
        seed: What is drawn with.
        control: Whether the matched control is written, too.
        include: Outcomes that are exported though they are not for training.
        drop_provenance: Whether the `whyset` column is left out.
        keep: The user's own columns that are exported.
        think_tags: Whether reasoning may stand in `<think>` tags where there is no field for it.
        selection: Which responses of the rows were worked on.
    """

    kind: ExportKind | None = None
    share: float | None = None
    split: float | None = None
    seed: int = 0
    control: bool = False
    include: frozenset[str] = frozenset()
    drop_provenance: bool = False
    keep: tuple[str, ...] = ()
    think_tags: bool = False
    selection: Selection = field(default=DEFAULT_SELECTION, repr=False)

    def __post_init__(self) -> None:
        """Validate them.

        Raises:
            DatasetError: A value is out of its range.
        """
        for name, value in (("share", self.share), ("split", self.split)):
            if value is not None and not 0 < value < 1:
                raise DatasetError(
                    f"--{name} is a number between 0 and 1, such as 0.2, not {value:g}"
                )
        if unknown := sorted(self.include - {"annotated"}):
            raise DatasetError(
                f"--include {unknown[0]}: only annotated rows can be exported against advice; all "
                "other outcomes are exported, but for quarantined rows, which did not pass"
            )


def assign_split(opening: str, *, share: float, seed: int) -> Split:
    """Return the side of a split that a row belongs to: by what it begins with and nothing else.

    Args:
        opening: What the row begins with, or a digest of it.
        share: How much of all rows is to be trained on, 0 to 1.
        seed: What sides are drawn with.
    """
    digest = hashlib.blake2b(f"{seed} {opening}".encode(), digest_size=8)
    return "train" if int.from_bytes(digest.digest()) < share * 2**64 else "test"


def shuffle_numbers(numbers: range, seed: int) -> "array[int]":
    """Return numbers in an order drawn by a seed."""
    drawn = array("Q", numbers)
    # `random()` yields the same everywhere and always; what `shuffle` makes of it is not promised.
    draw = random.Random(seed).random
    for at in range(len(drawn) - 1, 0, -1):
        other = int(draw() * (at + 1))
        drawn[at], drawn[other] = drawn[other], drawn[at]
    return drawn


def count_ordinary_rows(rows: int, synthetic: int, share: float) -> int:
    """Return how many more rows make the synthetic ones among rows a share of all."""
    needed = round(synthetic / share) - rows
    if needed < 0:
        raise DatasetError(
            f"--share {share:g}: of {rows:,} rows {synthetic:,} were written and the others left "
            f"as they were, which is a share of {synthetic / rows if rows else 0:.2g} already; "
            "name a smaller one, or leave --mix out"
        )
    return needed
