"""Where a corpus is written, what is read for it, and what must never be written over."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from whyset.datasets import STDOUT
from whyset.errors import RunError

from ._files import RunFiles, beside_output, no_file, opened_for_run, remove_parts, require_writable


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
    def beside(
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
            raise no_file(target)
        files = cls(
            output,
            quarantine=beside_output(target, "quarantine.jsonl"),
            ledger=RunFiles.ledger_of(target),
            manifest=beside_output(target, "run.json"),
            estimate=beside_output(target, "estimate.json"),
            plan=plan,
            constitution=constitution,
            against=tuple(against),
        )
        beside = (files.quarantine, files.ledger, files.manifest, files.estimate)
        compared = opened_for_run(against) if against else None
        require_writable(output, *beside, source=compared, read=[plan, constitution])
        return files

    def remove_leftovers(self) -> None:
        """Remove what a killed process left behind of files it had not finished.

        Ask only while holding the run's ledger: then no process is still at work on them.
        """
        if self.ledger is not None:
            remove_parts(Path(self.output), self.quarantine, self.manifest, self.estimate)
