"""Rows that whyset wrote → files for those who train on them, all of them or none."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from whyset.errors import DatasetError

from .._writer import LineWriter, RowWriter, open_writer
from ..files import Source
from ..files._atomic import AtomicFile, unwritable_error
from ._apis import AnthropicFormat, OpenAIFormat
from ._collect import ExportLine, RowCollector, Spool
from ._example import ExportKind, TrainerName
from ._layout import CARD_NAME, MANIFEST_NAME, QUARANTINE_NAME, ExportLayout
from ._llama_factory import LlamaFactoryFormat
from ._report import ExportedFile, ExportReport, collect_notes
from ._settings import (
    SPLITS,
    ExportSettings,
    Split,
    assign_split,
    count_ordinary_rows,
    shuffle_numbers,
)
from ._trainers import AxolotlFormat, DatasetFiles, TrainerFormat, TrlFormat

# ---- Every consumer by its name.

TRAINERS: Final[Mapping[TrainerName, TrainerFormat]] = {
    consumer.name: consumer
    for consumer in (
        TrlFormat(),
        AxolotlFormat(),
        LlamaFactoryFormat(),
        OpenAIFormat(),
        AnthropicFormat(),
    )
}


def get_trainer(name: str) -> TrainerFormat:
    """Return a consumer.

    Raises:
        DatasetError: There is none of that name.
    """
    found = next((consumer for known, consumer in TRAINERS.items() if known == name), None)
    if found is None:
        raise DatasetError(
            f"nobody called {name!r} to export for; there are: {', '.join(TRAINERS)}"
        )
    return found


# ---- The files of an export take their names together, in place of those of an earlier one.


@dataclass(slots=True)
class OpenFile:
    """A file of rows that is being written.

    Attributes:
        path: What it will be called.
        writer: What writes it.
        count: How many rows it has.
    """

    path: Path
    writer: RowWriter
    count: int = 0

    def write(self, line: bytes) -> None:
        """Append a row."""
        self.writer.write(line)
        self.count += 1


def commit_export(
    places: ExportLayout,
    opened: Mapping[tuple[Split, bool], OpenFile],
    quarantine: LineWriter,
    texts: Mapping[str, str],
    exported: ExportReport,
) -> None:
    """Put the new files in place of those of an earlier export.

    Its manifest goes first and the new one comes last: where there is one, it speaks of the files
    beside it, even if this process is killed in between.

    Args:
        places: Where.
        opened: The files of rows.
        quarantine: What could not be exported.
        texts: Name → content of the other files.
        exported: What the manifest tells.

    Raises:
        DatasetError: One cannot be written; then the earlier ones are still there.
    """
    with ExitStack() as stack:
        for each in opened.values():
            each.writer.prepare()
        quarantine.prepare()
        targets = [
            _write_text(places.sibling_path(name), text, stack) for name, text in texts.items()
        ]
        old = places.find_previous_files()
        manifest = places.sibling_path(MANIFEST_NAME)
        manifest.unlink(missing_ok=True)
        quarantine.commit(keep_empty=False)
        for each in opened.values():
            each.writer.commit()
        for target in targets:
            target.commit()
        kept = {each.path for each in opened.values()}
        kept |= {places.sibling_path(name) for name in (*texts, QUARANTINE_NAME)}
        for path in old:
            if path not in kept:
                path.unlink(missing_ok=True)
        if places.is_folder and not exported.settings.control:
            remove_empty_folder(places.folder / "control")
        files = list(_build_manifest(places, texts, exported))
        record = exported.to_dict() | {"whyset": version("whyset"), "files": files}
        text = f"{json.dumps(record, ensure_ascii=False, indent=2)}\n"
        _write_text(manifest, text, stack).commit()


def remove_empty_folder(folder: Path) -> None:
    """Remove a folder with nothing in it."""
    if folder.is_dir() and not os.listdir(folder):
        folder.rmdir()


def _write_text(path: Path, text: str, stack: ExitStack) -> AtomicFile:
    target = AtomicFile(path)
    stack.callback(target.discard)
    target.write(text.encode("utf-8", "backslashreplace"))
    target.close()
    return target


def _build_manifest(
    places: ExportLayout, texts: Mapping[str, str], exported: ExportReport
) -> Iterator[dict[str, Any]]:
    for file in exported.files:
        yield {
            "name": file.name,
            **file.to_manifest(),
            "sha256": _hash_file(places.folder / file.name),
        }
    for name in texts:
        path = places.sibling_path(name)
        yield {"name": places.relative_name(path), "sha256": _hash_file(path)}


def _hash_file(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def no_card(exported: ExportReport) -> str | None:
    """Return no card."""
    return None


@dataclass(slots=True)
class Export:
    """An export of rows.

    Attributes:
        source: The rows.
        layout: Where everything is written.
        trainer: Whom it is for.
        settings: What is wanted.
        mix: Ordinary rows to mix in.
        card: Returns the dataset card of a folder, given what is written; `None` for none.
        on_row: Called with the provenance of every row that is exported, `None` where it has none.
    """

    source: Source
    layout: ExportLayout
    trainer: TrainerFormat
    settings: ExportSettings = field(default_factory=ExportSettings)
    mix: Source | None = None
    card: Callable[[ExportReport], str | None] = no_card
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
            consumer: Whom it is for.
            settings: What is wanted.
            mix: Ordinary rows to mix in.
            form: What files in a folder are: `jsonl` where none is named.

        Raises:
            DatasetError: There is nobody of that name, or nothing can be written there.
        """
        who = get_trainer(consumer)
        places = ExportLayout.from_output(output, form)
        settings = settings or ExportSettings()
        if who.requires_jsonl and places.suffix != ".jsonl":
            raise DatasetError(f"{who.title} is JSON lines: name a file that ends in .jsonl")
        if (mix is None) != (settings.share is None):
            raise DatasetError("--mix and --share go together: what to mix in, and how much of it")
        places.check_free(source, *([mix] if mix else []))
        return cls(source, places, who, settings, mix)

    def run(self) -> ExportReport:
        """Do it. Files appear when all are complete.

        Raises:
            DatasetError: A source cannot be read, or an output not be written; rows are of several
                kinds; nothing is left to export, or not enough to mix in.
        """
        places = self.layout
        made = places.is_folder and not places.folder.exists()
        try:
            places.folder.mkdir(exist_ok=True)
            if self.settings.control and places.is_folder:
                (places.folder / "control").mkdir(exist_ok=True)
        except OSError as error:
            raise unwritable_error(str(places.folder), error) from error
        try:
            return self._run()
        except BaseException:
            if places.is_folder:
                remove_empty_folder(places.folder / "control")
            if made:
                remove_empty_folder(places.folder)
            raise

    def _run(self) -> ExportReport:
        with ExitStack() as stack:
            quarantine = stack.enter_context(LineWriter(self.layout.sibling_path(QUARANTINE_NAME)))
            gathering = RowCollector(
                self.trainer,
                self.settings,
                self.layout.folder,
                on_row=self.on_row,
                on_quarantine=quarantine.write,
            )
            kind, lines, others = gathering.collect(self.source, self.mix, stack)
            if not len(lines):
                raise DatasetError(_nothing_to_export(gathering))
            mixed = self._mixed(gathering, len(others))
            writers = self._write(lines, others, mixed, stack)
            exported = self._account(kind, gathering, mixed, writers)
            texts = self._texts(exported, gathering, kind)
            commit_export(self.layout, writers, quarantine, texts, exported)
        return exported

    def _mixed(self, gathering: RowCollector, there: int) -> int:
        """Return how many rows are mixed in.

        Raises:
            DatasetError: There are not enough.
        """
        share, own = self.settings.share, gathering.own_counts
        if share is None:
            return 0
        needed = count_ordinary_rows(own.exported, own.synthetic, share)
        if needed > there:
            could = own.synthetic / (own.exported + there)
            raise DatasetError(
                f"--share {share:g} takes {needed:,} ordinary rows, and --mix has {there:,} that "
                f"can be exported, which would make a share of {could:.2g}; name more rows or a "
                "larger share"
            )
        return needed

    def _write(
        self, lines: Spool, others: Spool, mixed: int, stack: ExitStack
    ) -> dict[tuple[Split, bool], OpenFile]:
        """Write all rows; what has appeared of none yet."""
        settings = self.settings
        seed = settings.seed
        chosen = shuffle_numbers(range(len(others)), seed)[:mixed]
        total = len(lines) + mixed
        order: Sequence[int] = shuffle_numbers(range(total), seed + 1) if self.mix else range(total)
        opened: dict[tuple[Split, bool], OpenFile] = {}
        for number in order:
            own = number < len(lines)
            line = ExportLine.from_bytes(
                lines[number] if own else others[chosen[number - len(lines)]]
            )
            split: Split = "train"
            if settings.split is not None:
                split = assign_split(line.split_key, share=settings.split, seed=seed)
            for control in (False, True) if settings.control else (False,):
                if (split, control) not in opened:
                    opened[split, control] = self._open(split, control, stack)
                opened[split, control].write(line.control if control else line.row)
        if settings.split is not None and len({split for split, _ in opened}) < len(SPLITS):
            missing = next(s for s in SPLITS if (s, False) not in opened)
            raise DatasetError(
                f"--split {settings.split:g} leaves no row for {missing}: all {total:,} rows have "
                "too few different prompts; choose another share, or leave --split out"
            )
        return opened

    def _open(self, split: Split, control: bool, stack: ExitStack) -> OpenFile:
        path = self.layout.rows_path(split, parted=self.settings.split is not None, control=control)
        return OpenFile(path, stack.enter_context(open_writer(path)))

    def _account(
        self,
        kind: ExportKind,
        gathering: RowCollector,
        mixed: int,
        opened: Mapping[tuple[Split, bool], OpenFile],
    ) -> ExportReport:
        files = tuple(
            ExportedFile(
                self.layout.relative_name(opened[key].path), key[0], key[1], opened[key].count
            )
            for key in sorted(opened, key=lambda key: (key[1], SPLITS.index(key[0])))
        )
        return ExportReport(
            self.trainer.name,
            kind,
            self.settings,
            gathering.own_counts,
            gathering.ordinary_counts,
            mixed,
            files,
            frozenset(gathering.columns),
            sources=self.source.labels,
            mixed_sources=self.mix.labels if self.mix else (),
        )

    def _texts(
        self, exported: ExportReport, gathering: RowCollector, kind: ExportKind
    ) -> dict[str, str]:
        """Return the other files, and put into the account what is to be said of the export."""
        written = DatasetFiles(
            self.layout.stem or "whyset",
            {file.split: file.name for file in exported.files if not file.is_control},
            exported.columns,
            has_mixed_reasoning=gathering.has_mixed_reasoning,
        )
        rows = [file.rows for file in exported.files if not file.is_control]
        exported.notes += collect_notes(exported)
        exported.notes += self.trainer.collect_notes(written, kind, rows)
        texts = dict(self.trainer.render_config_files(written, kind))
        exported.config_files += texts
        card = self.card(exported) if self.layout.is_folder else None
        if card is not None:
            texts[CARD_NAME] = card
        return texts


def _nothing_to_export(gathering: RowCollector) -> str:
    own = gathering.own_counts
    told = [f"{count:,} {outcome}" for outcome, count in own.excluded.items()]
    told += [f"{count:,} refused: {reason}" for reason, count in own.rejected.items()]
    if not told:
        return "no rows to export"
    advice = ""
    if own.excluded["annotated"]:
        advice = "; annotated rows are not for training: --include annotated exports them"
    return f"none of {own.read:,} rows can be exported ({', '.join(told)}){advice}"
