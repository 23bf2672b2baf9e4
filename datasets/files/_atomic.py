"""Where output goes: beside the target until it is whole, then under its name."""

import gzip
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from whyset.errors import DatasetError

from ._detect import Compression
from ._locate import STDIN

STDOUT = STDIN
_SHARD_PATTERN = "data-*.parquet"


class AtomicFile:
    """A file that appears whole or not at all; standard output for `-`.

    A link is followed; what is no file (a device, a pipe) is written to as it is, at once.

    Attributes:
        name: What it is called in messages.
        stream: What to write to.
    """

    def __init__(self, target: str | Path, *, packing: Compression = "") -> None:
        """Open a file beside the target.

        Raises:
            DatasetError: It is a folder, or its folder does not exist or cannot be written to.
        """
        self.name = "standard output" if str(target) == STDOUT else str(target)
        self.stream: BinaryIO = sys.stdout.buffer
        self._file: BinaryIO = self.stream
        self._target = self._part = Path()
        self._is_atomic = False
        if str(target) == STDOUT:
            return
        path = Path(target)
        if path.is_dir():
            raise DatasetError(f"{target}: is a folder; name a file to write")
        self._target = Path(os.path.realpath(path))
        self._part = partial_path(self._target)
        with reporting_unwritable(self.name):
            # Renaming onto a device would put a file in its place.
            self._is_atomic = path.is_file() or not path.exists()
            self.stream = self._file = (self._part if self._is_atomic else path).open("wb")
            if packing and self._is_atomic:
                self.stream = _open_compressor(self._file, packing)

    def write(self, data: bytes) -> None:
        """Append to it.

        Raises:
            DatasetError: That cannot be done (a full disk, say).
        """
        try:
            self.stream.write(data)
        except OSError as error:
            raise unwritable_error(self.name, error) from error

    def close(self) -> None:
        """Bring to the disk what was written; nothing more can be.

        Raises:
            DatasetError: That cannot be done.
        """
        with reporting_unwritable(self.name):
            if not self._is_atomic:
                self._file.flush()
                return
            self.stream.close()
            self._file.close()
            with self._part.open("rb") as written:
                os.fsync(written.fileno())

    def commit(self) -> None:
        """Give it its name; `close` comes before.

        Raises:
            DatasetError: That cannot be done.
        """
        if self._is_atomic:
            with reporting_unwritable(self.name):
                self._part.replace(self._target)

    def remove(self) -> None:
        """Remove what was written, and an old file of that name.

        Raises:
            DatasetError: That cannot be done.
        """
        self.discard()
        if self._is_atomic:
            with reporting_unwritable(self.name):
                self._target.unlink(missing_ok=True)

    def discard(self) -> None:
        """Remove what did not appear; the target stays as it was."""
        if self._file is not sys.stdout.buffer:
            # On a full disk closing fails as writing did, which was reported already.
            for stream in (self.stream, self._file):
                with suppress(OSError, ValueError):
                    stream.close()
        if self._is_atomic:
            self._part.unlink(missing_ok=True)


class AtomicFolder:
    """A folder of Parquet files that appears whole or not at all.

    Attributes:
        name: What it is called in messages.
        part: The folder to write into.
    """

    def __init__(self, target: str | Path) -> None:
        """Make a folder beside the target.

        Raises:
            DatasetError: In the target lies what was not written here, or its own folder cannot be
                written to.
        """
        self.name = str(target)
        self._target = Path(os.path.realpath(target))
        self.part = partial_path(self._target)
        with reporting_unwritable(self.name):
            if self._target.exists():
                check_replaceable(self._target)
            self.part.mkdir()

    def commit(self) -> None:
        """Give it its name.

        Raises:
            DatasetError: That cannot be done.
        """
        old = self.part.with_suffix(".old.part")
        with reporting_unwritable(self.name):
            if self._target.exists():
                self._target.rename(old)
            try:
                self.part.rename(self._target)
            except OSError:
                if old.exists():
                    old.rename(self._target)
                raise
        shutil.rmtree(old, ignore_errors=True)

    def discard(self) -> None:
        """Remove what did not appear; the target stays as it was."""
        shutil.rmtree(self.part, ignore_errors=True)


def check_replaceable(folder: Path) -> None:
    """Refuse to replace a folder that holds anything but what is written into such folders.

    Raises:
        DatasetError: It does.
    """
    if others := set(folder.iterdir()) - set(folder.glob(_SHARD_PATTERN)):
        raise DatasetError(
            f"{folder}: holds {min(others).name}, which whyset did not write; give a folder that "
            "is new or empty, or a file"
        )


def partial_path(target: Path) -> Path:
    """Return where a file or folder lies until it is whole."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")


def unwritable_error(name: str, error: OSError) -> DatasetError:
    """Return an error that says that something cannot be written, and why."""
    return DatasetError(f"{name}: cannot be written: {error.strerror or error}")


@contextmanager
def reporting_unwritable(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable_error(name, error) from error


def _open_compressor(file: BinaryIO, packing: Compression) -> BinaryIO:
    if packing == "gz":
        # Neither a name nor a time in it: the same rows are the same bytes.
        return gzip.GzipFile("", "wb", fileobj=file, mtime=0)  # type: ignore[return-value]  # It has what is used.
    import pyarrow as pa

    packed: BinaryIO = pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), "zstd")
    return packed
