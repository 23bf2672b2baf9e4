"""Rows out: written beside the target and renamed, so that a reader never sees half a file."""

import base64
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from ._errors import DatasetError
from ._json import dumps
from ._reader import STDIN
from ._row import BadRow

STDOUT = STDIN


class LineWriter(AbstractContextManager["LineWriter"]):
    """Writes JSON lines to a file that appears whole on `commit`, or to standard output for `-`.

    Left without `commit`, it leaves nothing behind and an existing target as it was. A link is
    followed; what is no file (a device, a pipe) is written to as it is, at once.

    Attributes:
        count: Lines written so far.
    """

    def __init__(self, target: str | Path) -> None:
        """Open a file beside the target.

        Raises:
            DatasetError: The target is a folder, or its folder does not exist or cannot be
                written to.
        """
        self.count = 0
        self._name = "standard output" if str(target) == STDOUT else str(target)
        self._target: Path | None = None
        self._part: Path | None = None
        self._stream: BinaryIO = sys.stdout.buffer
        if str(target) == STDOUT:
            return
        path = Path(target)
        if path.is_dir():
            raise DatasetError(f"{target}: is a folder; name a file to write")
        try:
            if path.exists() and not path.is_file():
                # Renaming onto a device would put a file in its place.
                self._stream = path.open("wb")
                return
            self._target = Path(os.path.realpath(path))
            self._part = self._target.with_name(f".{self._target.name}.{os.getpid()}.part")
            self._stream = self._part.open("wb")
        except OSError as error:
            raise self._unwritable(error) from error

    def write(self, line: bytes) -> None:
        """Append one line, given without its line end.

        Raises:
            DatasetError: It cannot be written (a full disk, say).
        """
        try:
            self._stream.write(line + b"\n")
        except OSError as error:
            raise self._unwritable(error) from error
        self.count += 1

    def commit(self, *, keep_empty: bool = True) -> None:
        """Make the file appear under its name.

        Args:
            keep_empty: Whether a file without lines appears too; otherwise an old file of that
                name is removed, which would speak of an earlier run.

        Raises:
            DatasetError: What was written cannot be brought to the disk or to its name.
        """
        try:
            self._stream.flush()
            if self._target is None or self._part is None:
                return
            os.fsync(self._stream.fileno())
            self._stream.close()
            if self.count or keep_empty:
                self._part.replace(self._target)
            else:
                self._part.unlink()
                self._target.unlink(missing_ok=True)
            self._part = None
        except OSError as error:
            raise self._unwritable(error) from error

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was not committed."""
        if self._stream is not sys.stdout.buffer:
            # On a full disk closing fails as writing did, which has been told already.
            with suppress(OSError):
                self._stream.close()
        if self._part is not None:
            self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self

    def _unwritable(self, error: OSError) -> DatasetError:
        return DatasetError(f"{self._name}: cannot be written: {error.strerror or error}")


def quarantine_line(
    line: int, reasons: tuple[str, ...], content: BadRow | Mapping[str, Any], **detail: Any
) -> bytes:
    """Return a line of the quarantine file: where, why, and the row as it stood.

    Args:
        line: The row's line in the source.
        reasons: Why it is here.
        content: A bad row, kept as text (or base64 where it is not UTF-8), or a row's columns.
        detail: What else is known, such as the failed checks.

    Raises:
        DatasetError: The columns or the detail cannot be written as JSON.
    """
    entry: dict[str, Any] = {"line": line, "reasons": list(reasons), **detail}
    if isinstance(content, BadRow):
        try:
            entry["raw"] = content.raw.decode("utf-8")
        except UnicodeDecodeError:
            entry["raw_base64"] = base64.b64encode(content.raw).decode("ascii")
    else:
        entry["row"] = dict(content)
    return dumps(entry)
