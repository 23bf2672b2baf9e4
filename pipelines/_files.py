"""Where a run reads and writes, and what it must never write over."""

import glob
import re
import shutil
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from whyset.datasets import (
    STDOUT,
    DatasetError,
    Layout,
    Source,
    open_source,
    output_layout,
    require_ours,
)
from whyset.errors import RunError

_PART = re.compile(r"\.\d+(\.old|\.rows)?\.part")


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
    def beside(
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
        opened = opened_for_run([source] if isinstance(source, str) else source)
        if output == STDOUT:
            return cls(opened, output, constitution=constitution)
        target = Path(output)
        if not target.name:  # `.` and `/` have no name that anything could be put beside
            raise no_file(target)
        files = cls(
            opened,
            output,
            quarantine=beside_output(target, "quarantine.jsonl"),
            ledger=cls.ledger_of(target),
            manifest=beside_output(target, "run.json"),
            estimate=beside_output(target, "estimate.json"),
            constitution=constitution,
        )
        beside = (files.quarantine, files.ledger, files.manifest, files.estimate)
        require_writable(output, *beside, source=opened, read=[constitution])
        return files

    @staticmethod
    def ledger_of(output: Path) -> Path:
        """Return where the ledger of a run lies, by the run's output."""
        return beside_output(output, "ledger.sqlite")

    def remove_leftovers(self) -> None:
        """Remove what a killed process left behind of files it had not finished.

        Ask only while holding the run's ledger: then no process is still at work on them.
        """
        if self.ledger is not None:
            remove_parts(Path(self.output), self.quarantine, self.manifest, self.estimate)


def remove_parts(*written: Path | None) -> None:
    """Remove what killed processes left behind of files they had not finished."""
    for path in list(_parts(written)):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _parts(written: Iterable[Path | None]) -> Iterator[Path]:
    for target in written:
        if target is None:
            continue
        hidden = f".{target.name}"
        for path in target.parent.glob(f"{glob.escape(hidden)}.*.part"):
            if _PART.fullmatch(path.name.removeprefix(hidden)):
                yield path


def no_file(path: Path) -> RunError:
    """Return an error that says that something to be written is no file."""
    return RunError(f"{path}: is no regular file; name a file, or -o - to print the rows")


def beside_output(output: Path, ending: str) -> Path:
    """Return where a file lies that belongs to an output."""
    return output.with_name(f"{output.name.removesuffix('.jsonl')}.{ending}")


def opened_for_run(names: Sequence[str | Path]) -> Source:
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
            _require_replaceable(written, paths, output_layout(output))


def _require_apart(written: Path, source: Source, read: list[Path]) -> None:
    """Refuse to write where the input is looked for: the next run would read it."""
    if (named := source.would_read(written)) and not any(
        path.exists() and written.exists() and written.samefile(path) for path in read
    ):
        raise RunError(
            f"{written}: would be read as a part of {named} by the next run; name another output "
            "with -o"
        )


def _require_replaceable(written: Path, read: list[Path], layout: Layout) -> None:
    """Refuse to write over what is read, or what was not written here."""
    for path in read:
        if path.exists() and written.samefile(path):
            raise RunError(
                f"{written}: would be written over, but is read as {path}; name another output "
                "with -o"
            )
    if written.is_dir() and layout.form == "folder":
        try:
            require_ours(written)
        except DatasetError as error:
            raise RunError(str(error)) from error
    elif not written.is_file():
        raise no_file(written)
