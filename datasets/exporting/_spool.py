"""Lines set aside on disk, read again in any order: memory holds where each begins, no more."""

import tempfile
from array import array
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from ..containers._target import unwritable


class Spool(AbstractContextManager["Spool"]):
    """A nameless file of lines beside an output; it is gone when the process is."""

    def __init__(self, folder: Path) -> None:
        """Open one.

        Args:
            folder: Where there is room.

        Raises:
            DatasetError: Nothing can be written there.
        """
        self._folder = folder
        self._starts = array("Q")
        self._end = 0
        try:
            self._file: BinaryIO = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115  # Closed on exit.
        except OSError as error:
            raise unwritable(str(folder), error) from error

    def add(self, line: bytes) -> None:
        """Append a line.

        Raises:
            DatasetError: It cannot be kept (a full disk, say).
        """
        self._starts.append(self._end)
        try:
            self._end += self._file.write(line + b"\n")
        except OSError as error:
            raise unwritable(str(self._folder), error) from error

    def __len__(self) -> int:
        """Return how many lines there are."""
        return len(self._starts)

    def __getitem__(self, number: int) -> bytes:
        """Return a line."""
        self._file.seek(self._starts[number])
        return self._file.readline().removesuffix(b"\n")

    def __iter__(self) -> Iterator[bytes]:
        """Yield all lines in the order in which they came."""
        try:
            self._file.seek(0)
        except OSError as error:  # what was written may still have to reach the disk
            raise unwritable(str(self._folder), error) from error
        for line in self._file:
            yield line.removesuffix(b"\n")

    def __enter__(self) -> Self:
        """Return the spool itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Let the disk have its room back."""
        self._file.close()
