"""Where a run reads and writes, and what it must never write over."""

import glob
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from whyset.datasets import STDIN, STDOUT

from ._errors import RunError

_PART = re.compile(r"\.\d+\.part")


@dataclass(frozen=True, slots=True)
class RunFiles:
    """Where a run reads and writes.

    Attributes:
        source: JSON lines; `-` is standard input.
        output: Where finished rows go; `-` is standard output.
        quarantine: Where rows go that did not pass; `None` keeps none.
        ledger: The durable record; `None` keeps one that ends with the process.
        manifest: Where the run's own record goes; `None` writes none.
        estimate: Where a dry run leaves what it said; `None` leaves it nowhere.
        constitution: The file that the constitution was read from, where it was; the manifest
            names it.
    """

    source: str
    output: str
    quarantine: Path | None = None
    ledger: Path | None = None
    manifest: Path | None = None
    estimate: Path | None = None
    constitution: Path | None = None

    @classmethod
    def beside(cls, source: str, output: str, *, constitution: Path | None = None) -> "RunFiles":
        """Derive the other files from the output: `out.jsonl` → `out.quarantine.jsonl`, ….

        Args:
            source: JSON lines, or `-`.
            output: The file for finished rows, or `-`: standard output leaves no files.
            constitution: The file that the constitution is read from.

        Raises:
            RunError: There is no such input; or what is to be written is no regular file, lies in
                no folder, or is the input or the constitution, under this name or another.
        """
        if source != STDIN and not Path(source).exists():
            raise RunError(f"{source}: there is no such file")
        if output == STDOUT:
            return cls(source, output, constitution=constitution)
        target = Path(output)
        if target.is_dir():  # `.` and `/` have no name that anything could be put beside
            raise _no_file(target)
        files = cls(
            source,
            output,
            quarantine=_beside(target, "quarantine.jsonl"),
            ledger=cls.ledger_of(target),
            manifest=_beside(target, "run.json"),
            estimate=_beside(target, "estimate.json"),
            constitution=constitution,
        )
        if not target.parent.is_dir():
            raise RunError(f"{output}: there is no folder {target.parent}; make it first")
        read = [path for path in (constitution, _file(source)) if path is not None]
        for written in (
            target,
            files.quarantine,
            files.ledger,
            files.manifest,
            files.estimate,
        ):
            if written is not None and written.exists():
                _require_replaceable(written, read)
        return files

    @staticmethod
    def ledger_of(output: Path) -> Path:
        """Return where the ledger of a run lies, by the run's output."""
        return _beside(output, "ledger.sqlite")

    def leftovers(self) -> Iterator[Path]:
        """Yield what a killed process left behind of files it had not finished.

        Ask only while holding the run's ledger: then no process is still at work on them.
        """
        for written in (Path(self.output), self.quarantine, self.manifest, self.estimate):
            if self.ledger is None or written is None:
                continue
            hidden = f".{written.name}"
            for path in written.parent.glob(f"{glob.escape(hidden)}.*.part"):
                if _PART.fullmatch(path.name.removeprefix(hidden)):
                    yield path


def _no_file(path: Path) -> RunError:
    return RunError(f"{path}: is no regular file; name a file, or -o - to print the rows")


def _beside(output: Path, ending: str) -> Path:
    return output.with_name(f"{output.name.removesuffix('.jsonl')}.{ending}")


def _file(source: str) -> Path | None:
    return None if source == STDIN else Path(source)


def _require_replaceable(written: Path, read: list[Path]) -> None:
    if not written.is_file():
        raise _no_file(written)
    for path in read:
        if path.exists() and written.samefile(path):
            raise RunError(
                f"{written}: would be written over, but is read as {path}; name another output "
                "with -o"
            )
