"""Rows out as JSON: lines, or one array, that appear whole or not at all."""

import base64
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ._json import dumps
from ._row import BadRow
from .containers import Layout
from .containers._layout import LINES
from .containers._target import Target


class LineWriter(AbstractContextManager["LineWriter"]):
    """Writes JSON lines to a file that appears whole on `commit`, or to standard output for `-`.

    Left without `commit`, it leaves nothing behind and an existing target as it was. A link is
    followed; what is no file (a device, a pipe) is written to as it is, at once.

    Attributes:
        count: Lines written so far.
    """

    def __init__(self, target: str | Path, layout: Layout = LINES) -> None:
        """Open a file beside the target.

        Args:
            target: The file, or `-`.
            layout: Lines or an array, packed or not.

        Raises:
            DatasetError: The target is a folder, or its folder does not exist or cannot be
                written to.
        """
        self.count = 0
        self._target = Target(target, packing=layout.packing)
        self._array = layout.form == "json"
        self._finished = False

    def write(self, line: bytes) -> None:
        """Append one line, given without its line end.

        Raises:
            DatasetError: It cannot be written (a full disk, say).
        """
        if self._array:
            self._target.write((b",\n" if self.count else b"[\n") + line)
        else:
            self._target.write(line + b"\n")
        self.count += 1

    def prepare(self) -> None:
        """Bring to the disk what was written; what can fail has failed after that.

        Raises:
            DatasetError: That cannot be done.
        """
        if self._finished:
            return
        if self._array:
            self._target.write(b"\n]\n" if self.count else b"[]\n")
        self._target.finish()
        self._finished = True

    def commit(self, *, keep_empty: bool = True) -> None:
        """Make the file appear under its name.

        Args:
            keep_empty: Whether a file without lines appears too; otherwise an old file of that
                name is removed, which would speak of an earlier run.

        Raises:
            DatasetError: What was written cannot be brought to the disk or to its name.
        """
        self.prepare()
        if self.count or keep_empty:
            self._target.appear()
        else:
            self._target.vanish()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what was not committed."""
        self._target.discard()

    def __enter__(self) -> Self:
        """Return the writer itself."""
        return self


def quarantine_line(
    line: int,
    reasons: tuple[str, ...],
    content: BadRow | Mapping[str, Any],
    *,
    source: str = "",
    **detail: Any,
) -> bytes:
    """Return a line of the quarantine file: where, why, and the row as it stood.

    Args:
        line: The row's line in the source.
        reasons: Why it is here.
        content: A bad row, kept as text (or base64 where it is not UTF-8), or a row's columns.
        source: The file and the line in it, where several files are read.
        detail: What else is known, such as the failed checks.

    Raises:
        DatasetError: The columns or the detail cannot be written as JSON.
    """
    place = {"source": source} if source else {}
    entry: dict[str, Any] = {"line": line, **place, "reasons": list(reasons), **detail}
    if isinstance(content, BadRow):
        try:
            entry["raw"] = content.raw.decode("utf-8")
        except UnicodeDecodeError:
            entry["raw_base64"] = base64.b64encode(content.raw).decode("ascii")
    else:
        entry["row"] = dict(content)
    return dumps(entry)
