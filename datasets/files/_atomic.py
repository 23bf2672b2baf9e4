"""Where output goes: beside the target until it is whole, then under its name."""

import gzip
import os
import shutil
import sys
from contextlib import suppress
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

        Args:
            target: What is to appear.
            packing: How it is packed.

        Raises:
            DatasetError: It is a folder, or its folder does not exist or cannot be written to.
        """
        self.name = "standard output" if str(target) == STDOUT else str(target)
        self.stream: BinaryIO = sys.stdout.buffer
        self._target: Path | None = None
        self._part: Path | None = None
        self._file: BinaryIO = self.stream
        if str(target) == STDOUT:
            return
        path = Path(target)
        if path.is_dir():
            raise DatasetError(f"{target}: is a folder; name a file to write")
        try:
            if path.exists() and not path.is_file():
                # Renaming onto a device would put a file in its place.
                self._file = self.stream = path.open("wb")
                return
            self._target = Path(os.path.realpath(path))
            self._part = partial_path(self._target)
            self._file = self.stream = self._part.open("wb")
            if packing:
                self.stream = _open_compressor(self._file, packing)
        except OSError as error:
            raise self.unwritable_error(error) from error

    def write(self, data: bytes) -> None:
        """Append to it.

        Raises:
            DatasetError: That cannot be done (a full disk, say).
        """
        try:
            self.stream.write(data)
        except OSError as error:
            raise self.unwritable_error(error) from error

    def close(self) -> None:
        """Bring to the disk what was written; nothing more can be.

        Raises:
            DatasetError: That cannot be done.
        """
        try:
            self._file.flush()
            if self._part is None:
                return
            # A packer that is closed closes the file beneath it.
            kept = os.dup(self._file.fileno())
            try:
                self.stream.close()
                self._file.close()
                os.fsync(kept)
            finally:
                os.close(kept)
        except OSError as error:
            raise self.unwritable_error(error) from error

    def commit(self) -> None:
        """Give it its name; `finish` comes before.

        Raises:
            DatasetError: That cannot be done.
        """
        try:
            if self._target is not None and self._part is not None:
                self._part.replace(self._target)
                self._part = None
        except OSError as error:
            raise self.unwritable_error(error) from error

    def remove(self) -> None:
        """Remove what was written, and an old file of that name.

        Raises:
            DatasetError: That cannot be done.
        """
        self.discard()
        try:
            if self._target is not None:
                self._target.unlink(missing_ok=True)
        except OSError as error:
            raise self.unwritable_error(error) from error

    def discard(self) -> None:
        """Remove what did not appear; the target stays as it was."""
        if self._file is not sys.stdout.buffer:
            # On a full disk closing fails as writing did, which has been told already.
            for stream in (self.stream, self._file):
                with suppress(OSError, ValueError):
                    stream.close()
        if self._part is not None:
            self._part.unlink(missing_ok=True)
            self._part = None

    def unwritable_error(self, error: OSError) -> DatasetError:
        """Return an error that says that it cannot be written, and why."""
        return unwritable_error(self.name, error)


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
        self._old = self.part.with_suffix(".old.part")
        try:
            if self._target.exists():
                check_replaceable(self._target)
            self.part.mkdir()
        except OSError as error:
            raise unwritable_error(self.name, error) from error

    def commit(self) -> None:
        """Give it its name.

        Raises:
            DatasetError: That cannot be done.
        """
        try:
            if self._target.exists():
                self._target.rename(self._old)
            self.part.rename(self._target)
        except OSError as error:
            if self._old.exists() and not self._target.exists():
                self._old.rename(self._target)
            raise unwritable_error(self.name, error) from error
        shutil.rmtree(self._old, ignore_errors=True)

    def discard(self) -> None:
        """Remove what did not appear; the target stays as it was."""
        shutil.rmtree(self.part, ignore_errors=True)


def check_replaceable(folder: Path) -> None:
    """Refuse to replace a folder that holds anything but what is written into such folders.

    Raises:
        DatasetError: It does.
    """
    if kept := set(folder.iterdir()) - set(folder.glob(_SHARD_PATTERN)):
        raise DatasetError(
            f"{folder}: holds {min(kept).name}, which was not written here; name a folder that is "
            "new or empty, or a file"
        )


def partial_path(target: Path) -> Path:
    """Return where a file or folder lies until it is whole."""
    return target.with_name(f".{target.name}.{os.getpid()}.part")


def unwritable_error(name: str, error: OSError) -> DatasetError:
    """Return an error that says that something cannot be written, and why."""
    return DatasetError(f"{name}: cannot be written: {error.strerror or error}")


def _open_compressor(file: BinaryIO, packing: Compression) -> BinaryIO:
    if packing == "gz":
        # Neither a name nor a time in it: the same rows are the same bytes.
        return gzip.GzipFile("", "wb", fileobj=file, mtime=0)  # type: ignore[return-value]  # It has what is used.
    import pyarrow as pa

    packed: BinaryIO = pa.CompressedOutputStream(pa.PythonFile(file, mode="w"), "zstd")
    return packed
