"""Bytes of a file as UTF-8 text: unpacked, whatever they are packed with or encoded in."""

import codecs
import gzip
import io
import zlib
from typing import Any, BinaryIO, Protocol

from whyset.errors import DatasetError

from ._layout import Packing, packing_of

_CHUNK = 1 << 16
_BUFFER = 1 << 20
_WIDE = (
    # UTF-32's mark begins as UTF-16's does.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_GREATEST_HEAD = 1 << 16


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class Peeked(io.RawIOBase):
    """A stream whose beginning can be looked at before it is read; it waits for no more than that.

    Attributes:
        head: What was looked at so far.
    """

    def __init__(self, stream: _Readable) -> None:
        """Look at nothing yet.

        Args:
            stream: What to read from; it is left open.
        """
        self.head = b""
        self._read_some = getattr(stream, "read1", stream.read)

    def look(self, size: int) -> bytes:
        """Return at least so many bytes of the beginning, or all that there are."""
        while len(self.head) < size and (more := self._read_some(_CHUNK)):
            self.head += more
        return self.head

    def look_at_lines(self) -> bytes:
        """Return the beginning up to the second line that is not blank, if it comes soon."""
        while len(self.head) < _GREATEST_HEAD:
            text = self.head.lstrip()
            first, ended, rest = text.partition(b"\n")
            # Only for an array does the second line tell anything.
            if ended and (not first.startswith(b"[") or rest.strip()):
                break
            if not (more := self._read_some(_CHUNK)):
                break
            self.head += more
        return self.head

    def read1(self, size: int = -1, /) -> bytes:
        """Return what is there: at first what was looked at, however much that is."""
        taken, self.head = self.head, b""
        return taken or self._read_some(size)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes: first those that were looked at."""
        taken = self.head or self._read_some(len(buffer))
        taken, self.head = taken[: len(buffer)], taken[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def unpacked(stream: _Readable, name: str) -> Peeked:
    """Return a stream's bytes unpacked and as UTF-8, ready to be looked at.

    gzip and zstd are told by their first bytes, UTF-16 and UTF-32 by their byte-order mark.
    """
    peeked = Peeked(stream)
    packing = packing_of(peeked.look(4))
    if packing:
        peeked = Peeked(_Unpacking(_unpacker(peeked, packing), name, packing))
    head = peeked.look(4)
    # Without a mark, JSON in UTF-16 shows by the zero bytes that ASCII has in it.
    for mark, encoding in (*_WIDE, (b"{\x00", "utf-16-le"), (b"[\x00", "utf-16-le")):
        if head.startswith(mark) and not head.startswith(b"\xff\xff"):
            return Peeked(_Decoding(peeked, encoding, name))
    return peeked


def buffered(peeked: Peeked) -> BinaryIO:
    """Return a stream to read lines from."""
    return io.BufferedReader(peeked, _BUFFER)


def _unpacker(packed: Peeked, packing: Packing) -> _Readable:
    buffer = io.BufferedReader(packed, _BUFFER)
    if packing == "gz":
        return gzip.GzipFile(fileobj=buffer, mode="rb")
    import pyarrow as pa

    unpacker: _Readable = pa.CompressedInputStream(pa.PythonFile(buffer, mode="r"), "zstd")
    return unpacker


class _Unpacking:
    """Reads from an unpacker, and says what is wrong with the file where it fails."""

    def __init__(self, stream: _Readable, name: str, packing: Packing) -> None:
        self._read = getattr(stream, "read1", stream.read)
        self._name = name
        self._packing = {"gz": "gzip", "zst": "zstd"}[packing]

    def read(self, size: int = -1, /) -> bytes:
        try:
            read: bytes = self._read(size)
        except EOFError as error:
            raise self._cut_off() from error
        except (OSError, zlib.error) as error:
            if "Truncated" in str(error):
                raise self._cut_off() from error
            raise DatasetError(
                f"{self._name}: the {self._packing} data is damaged: {error}; nothing was written. "
                "Fetch or pack the file anew"
            ) from error
        return read

    def _cut_off(self) -> DatasetError:
        return DatasetError(
            f"{self._name}: the {self._packing} data ends too early: the file was cut off; nothing "
            "was written. Fetch or pack the file anew"
        )


class _Decoding:
    """Reads another encoding as UTF-8."""

    def __init__(self, stream: Peeked, encoding: str, name: str) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder(encoding)()
        self._encoding = encoding
        self._name = name
        self._begun = False

    def read(self, size: int = -1, /) -> bytes:
        while True:
            chunk = self._stream.read(_CHUNK)
            try:
                text = self._decoder.decode(chunk or b"", final=not chunk)
                encoded = (text if self._begun else text.removeprefix("\ufeff")).encode()
            except UnicodeError as error:
                raise DatasetError(
                    f"{self._name}: begins as {self._encoding[:6].upper()}, but is not all of it "
                    f"({error.reason if isinstance(error, UnicodeDecodeError) else error}); save "
                    "it as UTF-8"
                ) from error
            self._begun = True
            if encoded or not chunk:
                return encoded
