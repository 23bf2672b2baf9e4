"""What is wanted of an export."""

from dataclasses import dataclass, field

from whyset.errors import DatasetError

from .._selection import DEFAULT, Selection
from ._kinds import Kind

MOST_SYNTHETIC = 0.4
"""The share of synthetic rows that cost general ability in an open replication; 0.2 did not."""


@dataclass(frozen=True, slots=True)
class ExportSettings:
    """What is wanted of an export.

    Attributes:
        kind: What rows are exported as; `None` for what they are.
        share: With rows to mix in, how much of all rows the synthetic ones are to be.
        split: How much of all rows is to be trained on; `None` for all, in one file.
        seed: What is drawn with.
        control: Whether the matched control is written, too.
        include: Outcomes that are exported though they are not for training.
        drop_provenance: Whether the `whyset` column is left out.
        keep: Columns of somebody's own that are exported.
        think_tags: Whether reasoning may stand in `<think>` tags where there is no field for it.
        selection: Which responses of the rows were worked on.
    """

    kind: Kind | None = None
    share: float | None = None
    split: float | None = None
    seed: int = 0
    control: bool = False
    include: frozenset[str] = frozenset()
    drop_provenance: bool = False
    keep: tuple[str, ...] = ()
    think_tags: bool = False
    selection: Selection = field(default=DEFAULT, repr=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be.

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
