"""All of a run's input as one: its records in order, whatever they lie in."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from .._row import BadRow
from ._layout import Layout
from ._opening import count_part, layout_of, read_part, table_of
from ._record import Record
from ._sources import Part, is_found_by, labels, locate

if TYPE_CHECKING:
    import pyarrow as pa

Named = str | Path
"""A file, a pattern, a folder, a dataset on the hub, or `-`; see `locate`."""


class Placed(NamedTuple):
    """A record, and where it comes from.

    Attributes:
        record: It; its `line` goes on counting where the part before ended.
        source: The part and the line in it, as in `b.jsonl:3`; empty where there is but one part.
    """

    record: Record | BadRow
    source: str


@dataclass(frozen=True, slots=True)
class Source:
    """What is read, part after part.

    Attributes:
        parts: The files and datasets, in order.
        names: What they were named by.
    """

    parts: tuple[Part, ...]
    names: tuple[str, ...] = ()

    @property
    def labels(self) -> tuple[str, ...]:
        """What each part is called where no path may be told: the end of its path."""
        return labels(self.parts)

    def records(self) -> Iterator[Placed]:
        """Yield the records of all parts.

        Raises:
            DatasetError: A part cannot be read.
        """
        if len(self.parts) == 1:
            for record in read_part(self.parts[0]):
                yield Placed(record, "")
            return
        before = 0
        for part, label in zip(self.parts, self.labels, strict=True):
            line = 0
            for record in read_part(part):
                line = record.line
                yield Placed(_moved(record, before), f"{label}:{line}")
            before += line

    def count(self) -> int | None:
        """Return about how many rows there are; `None` where only reading them would tell.

        Raises:
            DatasetError: A part cannot be opened.
        """
        counts = [count_part(part) for part in self.parts]
        known = [count for count in counts if count is not None]
        return sum(known) if len(known) == len(counts) else None

    def layout(self) -> Layout:
        """Return how the rows of the first part lie.

        Raises:
            DatasetError: It cannot be read.
        """
        return layout_of(self.parts[0])

    def schema(self) -> "pa.Schema | None":
        """Return the columns and types of the parts that say them; `None` where none does.

        Raises:
            DatasetError: A part cannot be opened, or two contradict each other.
        """
        tables = [(part, table_of(part)) for part in self.parts]
        schemas = [(part.name, table.schema) for part, table in tables if table is not None]
        if not schemas:
            return None
        from ..tables import unify

        return unify(schemas)

    def would_read(self, path: Path) -> str:
        """Return the folder or pattern by which a file would be found; empty where none does."""
        saved = (part.place for part in self.parts if part.kind == "saved")
        return next((name for name in (*self.names, *saved) if is_found_by(name, path)), "")

    def files(self) -> Iterator[Path]:
        """Yield the local files and folders that are read."""
        for part in self.parts:
            if part.kind in {"file", "saved"}:
                yield Path(part.place)


def open_source(*names: Named) -> Source:
    """Find what is to be read; nothing is opened yet.

    Args:
        names: Files, patterns, folders, datasets on the hub, or `-`.

    Raises:
        DatasetError: There is nothing of that name.
    """
    return Source(locate(names), tuple(map(str, names)))


def _moved(record: Record | BadRow, by: int) -> Record | BadRow:
    line = record.line + by
    return record._replace(line=line) if isinstance(record, Record) else replace(record, line=line)
