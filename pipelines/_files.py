"""Where a run reads and writes, and what it must never write over."""

import glob
import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from whyset.datasets import (
    STDOUT,
    DatasetError,
    FileFormat,
    LineWriter,
    RowWriter,
    Source,
    check_replaceable,
    detect_output_format,
    open_source,
    open_writer,
)
from whyset.errors import RunError

_PARTIAL_FILE = re.compile(r"\.\d+(\.old|\.rows)?\.part")


class OutputFiles(Protocol):
    """Where a run writes; see `RunFiles` and `CorpusFiles`."""

    @property
    def output(self) -> str:
        """Where what is finished goes."""

    @property
    def quarantine(self) -> Path | None:
        """Where what did not pass goes."""

    @property
    def ledger(self) -> Path | None:
        """The durable record."""

    @property
    def manifest(self) -> Path | None:
        """Where the run's own record goes."""

    @property
    def estimate(self) -> Path | None:
        """Where a dry run leaves what it said."""


@dataclass(frozen=True, slots=True)
class RunFiles:
    """Where a run reads and writes.

    Attributes:
        source: Where the rows come from.
        output: Where finished rows go; `-` is standard output.
        quarantine: Where rows go that did not pass; `None` keeps none.
        ledger: The durable record; `None` keeps one that ends with the process.
        manifest: Where the run's own record goes; `None` writes none.
        estimate: Where a dry run leaves what it said; `None` leaves it nowhere.
        constitution: The file that the constitution was read from, where it was; the manifest
            names it.
    """

    source: Source
    output: str
    quarantine: Path | None = None
    ledger: Path | None = None
    manifest: Path | None = None
    estimate: Path | None = None
    constitution: Path | None = None

    @classmethod
    def from_output(
        cls, source: str | Sequence[str], output: str, *, constitution: Path | None = None
    ) -> "RunFiles":
        """Derive the other files from the output: `out.jsonl` → `out.quarantine.jsonl`, ….

        Args:
            source: What is read: a file, a pattern, a folder, a dataset on the hub, `-`; or several
                of them, one after another.
            output: The file or folder for finished rows, or `-`: standard output leaves no files.
            constitution: The file that the constitution is read from.

        Raises:
            RunError: There is no such input; or what is to be written is no regular file, lies in
                no folder, is the input or the constitution, under this name or another, or would
                be part of the input from then on.
        """
        opened = _open_source([source] if isinstance(source, str) else source)
        beside = _derive_paths(output)
        _require_writable(output, *beside.values(), source=opened, read=[constitution])
        return cls(opened, output, constitution=constitution, **beside)

    @staticmethod
    def ledger_path(output: Path) -> Path:
        """Return where the ledger of a run lies, by the run's output."""
        return sibling_path(output, "ledger.sqlite")


@dataclass(frozen=True, slots=True)
class CorpusFiles:
    """Where a corpus is written, and what is read for it.

    Attributes:
        output: Where documents go; `-` is standard output.
        quarantine: Where attempts go that came to nothing; `None` keeps none.
        ledger: The durable record; `None` keeps one that ends with the process.
        manifest: Where the run's own record goes; `None` writes none.
        estimate: Where a dry run leaves what it said; `None` leaves it nowhere.
        plan: The file that the plan was read from, where it was; the manifest names it.
        constitution: The same of the constitution.
        against: Other corpora, whose documents must not be repeated.
    """

    output: str
    quarantine: Path | None = None
    ledger: Path | None = None
    manifest: Path | None = None
    estimate: Path | None = None
    plan: Path | None = None
    constitution: Path | None = None
    against: tuple[Path, ...] = ()

    @classmethod
    def from_output(
        cls,
        output: str,
        *,
        plan: Path | None = None,
        constitution: Path | None = None,
        against: Sequence[Path] = (),
    ) -> "CorpusFiles":
        """Derive the other files from the output: `docs.jsonl` → `docs.quarantine.jsonl`, ….

        Args:
            output: The file or folder for documents, or `-`: standard output leaves no files.
            plan: The file that the plan is read from.
            constitution: The file that the constitution is read from.
            against: See the attribute.

        Raises:
            RunError: There is no such corpus to compare with; or what is to be written is no
                regular file, lies in no folder, is one of the files that are read, or would be
                part of a corpus to compare with from then on.
        """
        for path in against:
            if not path.exists():
                raise RunError(f"{path}: no such file to compare with")
        beside = _derive_paths(output)
        compared = _open_source(against) if against and beside else None
        _require_writable(output, *beside.values(), source=compared, read=[plan, constitution])
        return cls(output, plan=plan, constitution=constitution, against=tuple(against), **beside)


def sibling_path(output: Path, ending: str) -> Path:
    """Return where a file lies that belongs to an output."""
    return output.with_name(f"{output.name.removesuffix('.jsonl')}.{ending}")


def _derive_paths(output: str) -> dict[str, Path]:
    """Return the files beside an output, by the names of their attributes; none for `-`."""
    if output == STDOUT:
        return {}
    target = Path(output)
    if not target.name:  # `.` and `/` have no name that anything could be put beside
        raise _not_a_file_error(target)
    return {
        "quarantine": sibling_path(target, "quarantine.jsonl"),
        "ledger": RunFiles.ledger_path(target),
        "manifest": sibling_path(target, "run.json"),
        "estimate": sibling_path(target, "estimate.json"),
    }


def _open_source(names: Sequence[str | Path]) -> Source:
    try:
        return open_source(*names)
    except DatasetError as error:
        raise RunError(str(error)) from error


def _require_writable(
    output: str, *beside: Path | None, source: Source | None, read: Sequence[Path | None]
) -> None:
    """Refuse outputs that cannot be written, or that would do harm.

    Raises:
        RunError: Something lies in no folder, is no regular file, is read, under this name or
            another, or would be part of the source from then on; or was not written here.
    """
    if output == STDOUT:
        return
    target = Path(output)
    if not target.parent.is_dir():
        raise RunError(f"{output}: no such folder {target.parent}; create it first")
    sources = list(source.files()) if source is not None else []
    paths = [*sources, *(path for path in read if path is not None)]
    for written in (target, *beside):
        if written is None:
            continue
        if source is not None:
            _require_apart(written, source, paths)
        if written.exists():
            _require_replaceable(written, paths, detect_output_format(output))


def _require_apart(written: Path, source: Source, read: list[Path]) -> None:
    """Refuse to write where the input is looked for: the next run would read it."""
    if (named := source.find_matching_input(written)) and not any(
        path.exists() and written.exists() and written.samefile(path) for path in read
    ):
        raise RunError(
            f"{written}: would be read as a part of {named} by the next run; name another output "
            "with -o"
        )


def _require_replaceable(written: Path, read: list[Path], layout: FileFormat) -> None:
    """Refuse to write over what is read, or what was not written here."""
    for path in read:
        if path.exists() and written.samefile(path):
            raise RunError(
                f"{written}: would be overwritten, but is read as {path}; name another output "
                "with -o"
            )
    if written.is_dir() and layout.name == "folder":
        try:
            check_replaceable(written)
        except DatasetError as error:
            raise RunError(str(error)) from error
    elif not written.is_file():
        raise _not_a_file_error(written)


def _not_a_file_error(path: Path) -> RunError:
    return RunError(f"{path}: is not a regular file; name a file, or -o - to print the rows")


# ---- Writing: files that appear together, in place of an earlier run's


class RunWriter:
    """What one run writes; `open_run_writer` opens it."""

    def __init__(
        self,
        output: RowWriter,
        quarantine: LineWriter | None,
        manifest: Path | None,
        on_quarantine: Callable[[bytes], None],
    ) -> None:
        self._output = output
        self._quarantine = quarantine
        self._manifest = manifest
        self._on_quarantine = on_quarantine

    def write(self, line: bytes) -> None:
        """Add what is finished."""
        self._output.write(line)

    def write_quarantine(self, line: bytes) -> None:
        """Add what did not pass, and call `on_quarantine`."""
        self._on_quarantine(line)
        if self._quarantine is not None:
            self._quarantine.write(line)

    def commit(self) -> None:
        """Put the new files in place of those of an earlier run.

        Its manifest goes first and the new one comes last: where there is one, it speaks of the
        files beside it, even if this process is killed in between.

        Raises:
            DatasetError: What was written cannot be brought to the disk or to its name.
        """
        # What can fail fails here, while the earlier run's files are still in place.
        self._output.prepare()
        if self._quarantine is not None:
            self._quarantine.prepare()
        if self._manifest is not None:
            self._manifest.unlink(missing_ok=True)
        if self._quarantine is not None:
            self._quarantine.commit(keep_empty=False)
        self._output.commit()


@contextmanager
def open_run_writer(
    files: OutputFiles, source: Source | None = None, *, on_quarantine: Callable[[bytes], None]
) -> Iterator[RunWriter]:
    """Open what a run writes; left without `commit`, it leaves nothing behind.

    Call it only while holding the run's ledger: what a killed process has left behind of files it
    had not finished is removed.

    Raises:
        DatasetError: A file cannot be opened.
    """
    if files.ledger is not None:
        for path in (Path(files.output), files.quarantine, files.manifest, files.estimate):
            if path is not None:
                _remove_partial_files(path)
    with ExitStack() as stack:
        output = stack.enter_context(open_writer(files.output, source))
        quarantine = stack.enter_context(LineWriter(files.quarantine)) if files.quarantine else None
        yield RunWriter(output, quarantine, files.manifest, on_quarantine)


def _remove_partial_files(target: Path) -> None:
    hidden = f".{target.name}"
    for path in list(target.parent.glob(f"{glob.escape(hidden)}.*.part")):
        if not _PARTIAL_FILE.fullmatch(path.name.removeprefix(hidden)):
            continue
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text that ends with a line, to a file that appears whole or not at all.

    Raises:
        DatasetError: It cannot be written.
    """
    with LineWriter(path) as writer:
        # A file's name need not be UTF-8; what is not is written as JSON's own escapes.
        writer.write(text.removesuffix("\n").encode("utf-8", "backslashreplace"))
        writer.commit()


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write a record as a JSON file that appears whole or not at all.

    Raises:
        DatasetError: It cannot be written.
    """
    write_text(path, json.dumps(record, ensure_ascii=False, indent=2))
