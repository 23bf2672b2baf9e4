"""Rows that whyset wrote → files for those who train on them, all of them or none."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whyset.errors import DatasetError

from .._writer import LineWriter, RowWriter, open_writer
from ..files import Source
from ..files._atomic import unwritable_error
from ._collect import CollectedRows, ExportCounts, ExportLine, RowCollector
from ._commit import commit_export, remove_empty_folder
from ._format import DatasetFiles, TrainerFormat
from ._layout import CARD_NAME, QUARANTINE_NAME, ExportLayout
from ._report import ExportedFile, ExportReport, collect_notes
from ._settings import (
    SPLITS,
    ExportSettings,
    Split,
    assign_split,
    count_ordinary_rows,
    shuffle_numbers,
)
from ._trainers import get_trainer


@dataclass(slots=True)
class Export:
    """An export of rows.

    Attributes:
        source: The rows.
        layout: Where everything is written.
        trainer: Whom it is for.
        settings: How rows are exported.
        mix: Ordinary rows to mix in.
        card: Returns the dataset card of a folder, given what is written; `None` for none.
        on_row: Called with the provenance of every row that is exported, `None` where it has none.
    """

    source: Source
    layout: ExportLayout
    trainer: TrainerFormat
    settings: ExportSettings = field(default_factory=ExportSettings)
    mix: Source | None = None
    card: Callable[[ExportReport], str | None] = lambda report: None
    on_row: Callable[[Mapping[str, Any] | None], None] = lambda provenance: None

    @classmethod
    def prepare(
        cls,
        output: str,
        source: Source,
        consumer: str,
        *,
        settings: ExportSettings | None = None,
        mix: Source | None = None,
        form: str | None = None,
    ) -> "Export":
        """Prepare an export.

        Args:
            output: A file, or a folder: a name without an ending that is known is one.
            source: The rows.
            consumer: Whom it is for: a name in `TRAINERS`.
            settings: How rows are exported.
            mix: Ordinary rows to mix in.
            form: What files in a folder are: `jsonl` where none is named.

        Raises:
            DatasetError: There is no exporter of that name, or nothing can be written there.
        """
        trainer = get_trainer(consumer)
        layout = ExportLayout.from_output(output, form)
        settings = settings or ExportSettings()
        if trainer.requires_jsonl and layout.suffix != ".jsonl":
            raise DatasetError(f"{trainer.title} is JSON lines: name a file that ends in .jsonl")
        if (mix is None) != (settings.share is None):
            raise DatasetError("--mix and --share go together: what to mix in, and how much of it")
        layout.check_free(source, *([mix] if mix else []))
        return cls(source, layout, trainer, settings, mix)

    def run(self) -> ExportReport:
        """Do it. Files appear when all are complete.

        Raises:
            DatasetError: A source cannot be read, or an output not be written; rows are of several
                kinds; nothing is left to export, or not enough to mix in.
        """
        layout = self.layout
        is_new = layout.is_folder and not layout.folder.exists()
        try:
            layout.folder.mkdir(exist_ok=True)
            if self.settings.control and layout.is_folder:
                layout.control_folder.mkdir(exist_ok=True)
        except OSError as error:
            raise unwritable_error(str(layout.folder), error) from error
        try:
            with ExitStack() as stack:
                return self._run(stack)
        except BaseException:
            if layout.is_folder:
                remove_empty_folder(layout.control_folder)
            if is_new:
                remove_empty_folder(layout.folder)
            raise

    def _run(self, stack: ExitStack) -> ExportReport:
        quarantine = stack.enter_context(LineWriter(self.layout.sibling_path(QUARANTINE_NAME)))
        collector = RowCollector(
            self.trainer,
            self.settings,
            self.layout.folder,
            on_row=self.on_row,
            on_quarantine=quarantine.write,
        )
        rows = collector.collect(self.source, self.mix, stack)
        if not len(rows.own):
            raise DatasetError(_nothing_to_export(rows.own_counts))
        mixed = self._count_mixed(rows)
        writers = self._write_rows(rows, mixed, stack)
        report = self._build_report(rows, mixed, writers)
        texts = self._render_texts(report, has_mixed_reasoning=rows.has_mixed_reasoning)
        commit_export(self.layout, [*writers.values()], quarantine, texts, report)
        return report

    def _count_mixed(self, rows: CollectedRows) -> int:
        """Return how many ordinary rows are mixed in."""
        share, own, available = self.settings.share, rows.own_counts, len(rows.ordinary)
        if share is None:
            return 0
        needed = count_ordinary_rows(own.exported, own.synthetic, share)
        if needed > available:
            possible = own.synthetic / (own.exported + available)
            raise DatasetError(
                f"--share {share:g} takes {needed:,} ordinary rows, and --mix has {available:,} "
                f"that can be exported, which would make a share of {possible:.2g}; name more rows "
                "or a larger share"
            )
        return needed

    def _write_rows(
        self, rows: CollectedRows, mixed: int, stack: ExitStack
    ) -> dict[tuple[Split, bool], RowWriter]:
        """Write all rows, to files by split and by whether they are the control's."""
        own, seed, share = len(rows.own), self.settings.seed, self.settings.split
        total = own + mixed
        chosen = shuffle_numbers(range(len(rows.ordinary)), seed)[:mixed]
        order: Sequence[int] = shuffle_numbers(range(total), seed + 1) if self.mix else range(total)
        writers: dict[tuple[Split, bool], RowWriter] = {}
        for number in order:
            data = rows.own[number] if number < own else rows.ordinary[chosen[number - own]]
            line = ExportLine.from_bytes(data)
            split: Split = (
                "train" if share is None else assign_split(line.split_key, share=share, seed=seed)
            )
            for control in (False, True) if self.settings.control else (False,):
                if (split, control) not in writers:
                    path = self._rows_path(split, control)
                    writers[split, control] = stack.enter_context(open_writer(path))
                writers[split, control].write(line.control if control else line.row)
        empty = [split for split in SPLITS if (split, False) not in writers]
        if share is not None and empty:
            raise DatasetError(
                f"--split {share:g} leaves no row for {empty[0]}: all {total:,} rows have "
                "too few different prompts; choose another share, or leave --split out"
            )
        return writers

    def _rows_path(self, split: Split, control: bool) -> Path:
        is_split = self.settings.split is not None
        return self.layout.rows_path(split, is_split=is_split, control=control)

    def _build_report(
        self,
        rows: CollectedRows,
        mixed: int,
        writers: Mapping[tuple[Split, bool], RowWriter],
    ) -> ExportReport:
        files = tuple(
            ExportedFile(
                self.layout.relative_name(self._rows_path(split, control)),
                split,
                control,
                writers[split, control].count,
            )
            for control in (False, True)
            for split in SPLITS
            if (split, control) in writers
        )
        return ExportReport(
            self.trainer.name,
            rows.kind,
            self.settings,
            rows.own_counts,
            rows.ordinary_counts,
            mixed,
            files,
            rows.columns,
            sources=self.source.labels,
            mixed_sources=self.mix.labels if self.mix else (),
        )

    def _render_texts(self, report: ExportReport, *, has_mixed_reasoning: bool) -> dict[str, str]:
        """Return the other files; the report gets their names, and notes on the export."""
        rows = {file.split: file for file in report.files if not file.is_control}
        files = DatasetFiles(
            self.layout.stem or "whyset",
            {split: file.name for split, file in rows.items()},
            report.columns,
            has_mixed_reasoning=has_mixed_reasoning,
        )
        report.notes += collect_notes(report, can_keep=self.trainer.allows_extra_columns)
        report.notes += self.trainer.collect_notes(
            files, report.kind, [file.rows for file in rows.values()]
        )
        texts = dict(self.trainer.render_config_files(files, report.kind))
        report.config_files += texts
        card = self.card(report) if self.layout.is_folder else None
        return texts if card is None else {**texts, CARD_NAME: card}


def _nothing_to_export(own: ExportCounts) -> str:
    found = [f"{count:,} {outcome}" for outcome, count in own.excluded.items()]
    found += [f"{count:,} refused: {reason}" for reason, count in own.rejected.items()]
    if not found:
        return "no rows to export"
    advice = ""
    if own.excluded["annotated"]:
        advice = "; annotated rows are not for training: --include annotated exports them"
    return f"none of {own.read:,} rows can be exported ({', '.join(found)}){advice}"
