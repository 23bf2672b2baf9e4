"""What a run writes, finished or not: files that appear together, in place of an earlier run's."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Protocol

from whyset.datasets import LineWriter, RowWriter, Source, open_writer


class Written(Protocol):
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


class Outgoing:
    """What one run writes; `outgoing` opens it."""

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

    def set_aside(self, line: bytes) -> None:
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
def outgoing(
    files: Written, source: Source | None = None, *, on_quarantine: Callable[[bytes], None]
) -> Iterator[Outgoing]:
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
        yield Outgoing(output, quarantine, files.manifest, on_quarantine)
