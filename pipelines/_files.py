"""Where a run reads and writes, and what it must never write over."""

import glob
import json
import os
import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
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

# ---- What a run writes, finished or not: files that appear together, in place of an earlier
# run's.


class OutputPaths(Protocol):
    """Where a run writes; see `RunFiles` and `CorpusFiles`."""

    @property
    def output(self) -> str:
        """Where what is finished goes."""

    @property
    def quarantine(self) -> Path | None:
        """Where what did not pass goes."""

    @property
    def manifest(self) -> Path | None:
        """Where the run's own record goes."""


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
        """Add what did not pass, and tell of it."""
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
    files: OutputPaths, source: Source | None = None, *, on_quarantine: Callable[[bytes], None]
) -> Iterator[RunWriter]:
    """Open what a run writes; left without `commit`, it leaves nothing behind.

    Args:
        files: Where it writes.
        source: Where its rows come from, where there are any.
        on_quarantine: Called with every line for the quarantine.

    Raises:
        DatasetError: A file cannot be opened.
    """
    with ExitStack() as stack:
        output = stack.enter_context(open_writer(files.output, source))
        quarantine = stack.enter_context(LineWriter(files.quarantine)) if files.quarantine else None
        yield RunWriter(output, quarantine, files.manifest, on_quarantine)


# ---- Files that appear whole or not at all, such as records beside the output.


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all.

    Raises:
        OSError: It cannot be written.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(path)
    except OSError:
        with suppress(OSError):
            part.unlink(missing_ok=True)
        raise


def write_json(path: Path, record: dict[str, Any]) -> None:
    """Write a record as a JSON file that appears whole or not at all.

    Raises:
        DatasetError: It cannot be written.
    """
    text = f"{json.dumps(record, ensure_ascii=False, indent=2)}\n"
    try:
        # A file's name need not be UTF-8; what is not is written as JSON's own escapes.
        write_atomic(path, text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise DatasetError(f"{path}: cannot be written: {error.strerror or error}") from error


_PARTIAL_FILE = re.compile(r"\.\d+(\.old|\.rows)?\.part")


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
        opened = open_run_source([source] if isinstance(source, str) else source)
        if output == STDOUT:
            return cls(opened, output, constitution=constitution)
        target = Path(output)
        if not target.name:  # `.` and `/` have no name that anything could be put beside
            raise not_a_file_error(target)
        files = cls(
            opened,
            output,
            quarantine=sibling_path(target, "quarantine.jsonl"),
            ledger=cls.ledger_path(target),
            manifest=sibling_path(target, "run.json"),
            estimate=sibling_path(target, "estimate.json"),
            constitution=constitution,
        )
        beside = (files.quarantine, files.ledger, files.manifest, files.estimate)
        require_writable(output, *beside, source=opened, read=[constitution])
        return files

    @staticmethod
    def ledger_path(output: Path) -> Path:
        """Return where the ledger of a run lies, by the run's output."""
        return sibling_path(output, "ledger.sqlite")

    def remove_partial_files(self) -> None:
        """Remove what a killed process left behind of files it had not finished.

        Ask only while holding the run's ledger: then no process is still at work on them.
        """
        if self.ledger is not None:
            remove_partial_files(Path(self.output), self.quarantine, self.manifest, self.estimate)


def remove_partial_files(*written: Path | None) -> None:
    """Remove what killed processes left behind of files they had not finished."""
    for path in list(_find_partial_files(written)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _find_partial_files(written: Iterable[Path | None]) -> Iterator[Path]:
    for target in written:
        if target is None:
            continue
        hidden = f".{target.name}"
        for path in target.parent.glob(f"{glob.escape(hidden)}.*.part"):
            if _PARTIAL_FILE.fullmatch(path.name.removeprefix(hidden)):
                yield path


def not_a_file_error(path: Path) -> RunError:
    """Return an error that says that something to be written is no file."""
    return RunError(f"{path}: is no regular file; name a file, or -o - to print the rows")


def sibling_path(output: Path, ending: str) -> Path:
    """Return where a file lies that belongs to an output."""
    return output.with_name(f"{output.name.removesuffix('.jsonl')}.{ending}")


def open_run_source(names: Sequence[str | Path]) -> Source:
    """Find what a run is to read.

    Raises:
        RunError: There is nothing of that name.
    """
    try:
        return open_source(*names)
    except DatasetError as error:
        raise RunError(str(error)) from error


def require_writable(
    output: str, *beside: Path | None, source: Source | None, read: Sequence[Path | None]
) -> None:
    """Refuse outputs that cannot be written, or that would do harm.

    Args:
        output: What is written.
        beside: What is written beside it.
        source: What is read, where rows or documents are.
        read: What else is.

    Raises:
        RunError: Something lies in no folder, is no regular file, is read, under this name or
            another, or would be part of the source from then on; or was not written here.
    """
    target = Path(output)
    if not target.parent.is_dir():
        raise RunError(f"{output}: there is no folder {target.parent}; make it first")
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
                f"{written}: would be written over, but is read as {path}; name another output "
                "with -o"
            )
    if written.is_dir() and layout.name == "folder":
        try:
            check_replaceable(written)
        except DatasetError as error:
            raise RunError(str(error)) from error
    elif not written.is_file():
        raise not_a_file_error(written)


# ---- Where a corpus is written, what is read for it, and what must never be written over.


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
                raise RunError(f"{path}: there is no such file to compare with")
        if output == STDOUT:
            return cls(output, plan=plan, constitution=constitution, against=tuple(against))
        target = Path(output)
        if not target.name:
            raise not_a_file_error(target)
        files = cls(
            output,
            quarantine=sibling_path(target, "quarantine.jsonl"),
            ledger=RunFiles.ledger_path(target),
            manifest=sibling_path(target, "run.json"),
            estimate=sibling_path(target, "estimate.json"),
            plan=plan,
            constitution=constitution,
            against=tuple(against),
        )
        beside = (files.quarantine, files.ledger, files.manifest, files.estimate)
        compared = open_run_source(against) if against else None
        require_writable(output, *beside, source=compared, read=[plan, constitution])
        return files

    def remove_partial_files(self) -> None:
        """Remove what a killed process left behind of files it had not finished.

        Ask only while holding the run's ledger: then no process is still at work on them.
        """
        if self.ledger is not None:
            remove_partial_files(Path(self.output), self.quarantine, self.manifest, self.estimate)
