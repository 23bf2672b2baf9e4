"""What every consumer is: which kinds of rows it reads, and how."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from ._kinds import ConsumerName, Kind
from ._taking import Taken


@dataclass(frozen=True, slots=True)
class Style:
    """How rows are written.

    Attributes:
        think_tags: Whether reasoning may stand in `<think>` tags where there is no field for it.
        mixed_reasoning: Whether some rows of the file carry reasoning and others do not.
    """

    think_tags: bool = False
    mixed_reasoning: bool = False


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """What was written, as the consumer's own settings name it.

    Attributes:
        name: What the dataset is called.
        splits: Split → name of its file.
        columns: Every column that a row has.
        mixed_reasoning: Whether some rows do and others do not.
    """

    name: str
    splits: Mapping[str, str]
    columns: frozenset[str]
    mixed_reasoning: bool = False


class Consumer(Protocol):
    """Who reads what is exported."""

    @property
    def name(self) -> ConsumerName:
        """What it is called on the command line."""

    @property
    def title(self) -> str:
        """What it is called in a sentence."""

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What it reads."""

    @property
    def open(self) -> bool:
        """Whether rows may have columns that it does not read: provenance, and ones to keep."""

    @property
    def reserved(self) -> frozenset[str]:
        """Columns that mean something to it, so that no other may be called so."""

    @property
    def lines_only(self) -> bool:
        """Whether it takes JSON lines and no other form of file."""

    def row(self, taken: Taken, kind: Kind, style: Style) -> dict[str, Any]:
        """Return a row's columns as it reads them.

        Raises:
            NotExported: It cannot hold the row.
        """

    def companions(self, files: WrittenFiles, kind: Kind) -> Mapping[str, str]:
        """Return the files that tell it how to read the rows: name → content."""

    def notes(self, files: WrittenFiles, kind: Kind, rows: Sequence[int]) -> list[str]:
        """Return what a person should know before training: rows has the count of each split."""
