"""What came of an export, and what a person should know of it before training."""

from dataclasses import asdict, dataclass, field
from typing import Any

from ._collect import ExportCounts
from ._example import ExportKind
from ._layout import CARD_NAME, MANIFEST_NAME
from ._settings import MAX_SYNTHETIC_SHARE, ExportSettings, Split


@dataclass(frozen=True, slots=True)
class ExportedFile:
    """A file of rows.

    Attributes:
        name: Its path from the export's folder.
        split: Which side of a split it is; `train` where there is none.
        is_control: Whether it is the control's.
        rows: How many rows it has.
    """

    name: str
    split: Split
    is_control: bool
    rows: int


@dataclass(slots=True)
class ExportReport:
    """What came of an export.

    Attributes:
        trainer: Whom it is for, by name.
        kind: What rows were exported as.
        settings: How rows were exported.
        own_counts: What became of the rows.
        ordinary_counts: What became of the ordinary rows that could be mixed in.
        mixed_rows: How many of them were.
        files: Where the rows are.
        columns: Every column of a row.
        sources: What the rows came from, the ends of the paths alone.
        mixed_sources: The same of the ordinary rows.
        config_files: Names of the files by which the trainer reads the rows.
        notes: What a person should know.
    """

    trainer: str
    kind: ExportKind
    settings: ExportSettings
    own_counts: ExportCounts
    ordinary_counts: ExportCounts
    mixed_rows: int
    files: tuple[ExportedFile, ...]
    columns: frozenset[str]
    sources: tuple[str, ...] = ()
    mixed_sources: tuple[str, ...] = ()
    config_files: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def rows(self) -> int:
        """How many rows were written, the control's not counted."""
        return self.own_counts.exported + self.mixed_rows

    @property
    def published_files(self) -> list[str]:
        """The files of a folder that are of use to others: rows, and what describes them."""
        return [*(file.name for file in self.files), *self.config_files, CARD_NAME, MANIFEST_NAME]

    @property
    def synthetic_share(self) -> float:
        """How much of all rows the synthetic ones are."""
        return self.own_counts.synthetic / self.rows

    @property
    def quarantined(self) -> int:
        """How many rows could not be exported."""
        return self.own_counts.rejected.total() + self.ordinary_counts.rejected.total()

    @property
    def exit_code(self) -> int:
        """0 where every row could be exported, 1 where some are in quarantine."""
        return 1 if self.quarantined else 0

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values, without a path in it."""
        own, ordinary = self.own_counts, self.ordinary_counts
        return {
            "consumer": self.trainer,
            "kind": self.kind,
            "sources": list(self.sources),
            "mixed_sources": list(self.mixed_sources),
            "settings": asdict(self.settings) | {"include": sorted(self.settings.include)},
            "rows": self.rows,
            "read": own.read,
            "exported": own.exported,
            "synthetic": own.synthetic,
            "mixed": self.mixed_rows,
            "share": round(self.synthetic_share, 4),
            "outcomes": {name or "none": n for name, n in sorted(own.outcomes.items())},
            "left_out": dict(sorted(own.excluded.items())),
            "refused": dict(sorted((own.rejected + ordinary.rejected).items())),
            "reasoning": own.with_reasoning,
            "columns": sorted(self.columns),
            "notes": list(self.notes),
        }


def collect_notes(report: ExportReport, *, can_keep: bool) -> list[str]:
    """Return what is worth knowing whoever it is for."""
    own, notes = report.own_counts, []
    if report.synthetic_share > MAX_SYNTHETIC_SHARE:
        notes.append(
            f"{report.synthetic_share:.0%} of the rows are synthetic: in an open replication a "
            "share of 20 % cost no general ability and 40 % did; mix ordinary rows in, here with "
            "--mix and --share 0.2 or when you train"
        )
    notes += [f"in {count:,} rows {change}" for change, count in sorted(own.changes.items())]
    if own.dropped_columns:
        hint = "; --keep NAME keeps one" if can_keep else ""
        notes.append(f"columns dropped: {', '.join(sorted(own.dropped_columns))}{hint}")
    if own.with_earlier_reasoning and report.kind != "text":
        notes.append(
            f"in {own.with_earlier_reasoning:,} rows an earlier response carries reasoning: "
            "most chat templates leave that out, so that it is not learned"
        )
    return notes
