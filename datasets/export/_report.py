"""What came of an export, and what a person should know of it before training."""

from dataclasses import asdict, dataclass, field
from typing import Any

from ._collect import Counts
from ._example import ConsumerName, Kind
from ._layout import CARD, MANIFEST
from ._settings import MOST_SYNTHETIC, ExportSettings, Split


@dataclass(frozen=True, slots=True)
class WrittenFile:
    """A file of rows.

    Attributes:
        name: Its path from the export's folder.
        split: Which side of a split it is; `train` where there is none.
        control: Whether it is the control's.
        rows: How many rows it has.
    """

    name: str
    split: Split
    control: bool
    rows: int

    def told(self) -> dict[str, Any]:
        """Return what a manifest says of it."""
        return {"split": self.split, "control": self.control, "rows": self.rows}


@dataclass(slots=True)
class Exported:
    """The account of an export.

    Attributes:
        consumer: Whom it is for.
        kind: What rows were exported as.
        settings: What was wanted.
        own: What became of the rows.
        others: What became of the ordinary rows that could be mixed in.
        mixed: How many of them were.
        files: Where they are.
        columns: Every column of a row.
        sources: What the rows came from, the ends of the paths alone.
        mixed_sources: The same of the ordinary rows.
        companions: Names of the files that tell the consumer how to read the rows.
        notes: What a person should know.
    """

    consumer: ConsumerName
    kind: Kind
    settings: ExportSettings
    own: Counts
    others: Counts
    mixed: int
    files: tuple[WrittenFile, ...]
    columns: frozenset[str]
    sources: tuple[str, ...] = ()
    mixed_sources: tuple[str, ...] = ()
    companions: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows were written, the control's not counted."""
        return self.own.exported + self.mixed

    @property
    def published(self) -> list[str]:
        """The files of a folder that are of use to others: rows, and what tells of them."""
        return [*(file.name for file in self.files), *self.companions, CARD, MANIFEST]

    @property
    def share(self) -> float:
        """How much of all rows the synthetic ones are."""
        return self.own.synthetic / self.rows

    @property
    def quarantined(self) -> int:
        """How many rows could not be exported."""
        return self.own.refused.total() + self.others.refused.total()

    @property
    def exit_code(self) -> int:
        """0 where all rows that were wanted are exported, 1 where some are in quarantine."""
        return 1 if self.quarantined else 0

    def record(self) -> dict[str, Any]:
        """Return it as plain values, without a path in it."""
        wanted = asdict(self.settings)
        wanted["include"] = sorted(self.settings.include)
        return {
            "consumer": self.consumer,
            "kind": self.kind,
            "sources": list(self.sources),
            "mixed_sources": list(self.mixed_sources),
            "settings": wanted,
            "rows": self.rows,
            "read": self.own.read,
            "exported": self.own.exported,
            "synthetic": self.own.synthetic,
            "mixed": self.mixed,
            "share": round(self.share, 4),
            "outcomes": {name or "none": n for name, n in sorted(self.own.outcomes.items())},
            "left_out": dict(sorted(self.own.left_out.items())),
            "refused": dict(sorted((self.own.refused + self.others.refused).items())),
            "reasoning": self.own.reasoning,
            "columns": sorted(self.columns),
            "notes": list(self.notes),
        }


def notes_of(exported: Exported) -> list[str]:
    """Return what is worth knowing whoever it is for."""
    told = []
    if exported.share > MOST_SYNTHETIC:
        told.append(
            f"{exported.share:.0%} of the rows are synthetic: in an open replication a share of "
            "20 % cost no general ability and 40 % did; mix ordinary rows in, here with --mix and "
            "--share 0.2 or when you train"
        )
    for text, count in sorted(exported.own.renamed.items()):
        told.append(f"in {count:,} rows {text}")
    if columns := exported.own.left_columns:
        names = ", ".join(sorted(columns))
        told.append(f"columns left out: {names}" + _keeping(exported))
    if exported.own.reasoning_earlier and exported.kind != "text":
        told.append(
            f"in {exported.own.reasoning_earlier:,} rows an earlier response carries reasoning: "
            "most chat templates leave that out, so that it is not learned"
        )
    return told


def _keeping(exported: Exported) -> str:
    return "" if exported.consumer in {"openai", "anthropic"} else "; --keep NAME keeps one"
