"""What a file is, by its first bytes or its name: its form, how it is packed and encoded."""

import codecs
import csv
import gzip
import io
import zlib
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, BinaryIO, Literal, Protocol

from whyset.errors import DatasetError

FormatName = Literal["jsonl", "json", "csv", "tsv", "parquet", "arrow", "folder"]
"""`json` is one array of objects, `arrow` an IPC file or stream, `folder` one of Parquet files."""

Compression = Literal["", "gz", "zst"]

TABLE_FORMATS: frozenset[FormatName] = frozenset({"parquet", "arrow", "folder"})
"""Forms that have a schema, and that pyarrow reads."""

_FORMAT_SUFFIXES: dict[str, FormatName] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
_COMPRESSION_SUFFIXES: dict[str, Compression] = {".gz": "gz", ".zst": "zst"}

_MAGIC: tuple[tuple[bytes, FormatName], ...] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),
)
_UNSUPPORTED_MAGIC = (
    (b"PARE", "an encrypted Parquet file", "decrypt it"),
    (b"FEA1", "a Feather file of the first version", "save it as Parquet"),
    (b"\xfd7zXZ\x00", "packed with xz", "unpack it with: xz -d"),
    (b"BZh", "packed with bzip2", "unpack it with: bzip2 -d"),
    (b"PK\x03\x04", "a zip archive", "unpack it with: unzip"),
    (b"\x04\x22\x4d\x18", "packed with lz4", "unpack it with: lz4 -d"),
    (b"SQLite format 3\x00", "an SQLite database", "export the table as CSV or JSON lines"),
)
# A header line makes CSV of a file that is not named so, where it names one of these.
_KNOWN_COLUMNS = frozenset(
    {"messages", "conversations", "prompt", "response", "completion", "instruction", "output"}
    | {"chosen", "rejected", "text"}
)
_DELIMITERS = ",\t;"


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How rows lie in a file."""

    name: FormatName = "jsonl"
    compression: Compression = ""


JSON_LINES = FileFormat()
"""JSON lines, not packed."""


def format_from_name(name: str) -> FileFormat | None:
    """Return what a file's name says it is; `None` where it says nothing that is known.

    A name that ends in a slash is a folder's.
    """
    if name.endswith("/"):
        return FileFormat("folder")
    path = PurePath(name)
    packing = _COMPRESSION_SUFFIXES.get(path.suffix.lower(), "")
    form = _FORMAT_SUFFIXES.get((path.with_suffix("") if packing else path).suffix.lower())
    if form is None or (packing and form in TABLE_FORMATS):
        return None
    return FileFormat(form, packing)


def detect_compression(head: bytes) -> Compression:
    """Return how a file is packed, by its first bytes."""
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    # A file may begin with a frame that decoders pass over.
    skippable = head[1:4] == b"\x2a\x4d\x18" and head[:1] in {bytes([b]) for b in range(0x50, 0x60)}
    return "zst" if head.startswith(b"\x28\xb5\x2f\xfd") or skippable else ""


def detect_format(head: bytes, name: str) -> FormatName:
    """Return what a file is by its beginning; its name decides only what that leaves open.

    `head` is what it begins with, unpacked: its first line and the beginning of the second, unless
    they are long.

    Raises:
        DatasetError: It is of a kind that is not read.
    """
    for magic, form in _MAGIC:
        if head.startswith(magic):
            return form
    for magic, kind, advice in _UNSUPPORTED_MAGIC:
        if head.startswith(magic):
            raise DatasetError(f"{name}: is {kind}, which is not read; {advice}")
    named = format_from_name(name)
    wanted = named.name if named else "jsonl"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        return "jsonl" if _is_line(text) else "json"
    if text.startswith(b"{"):
        # A CSV file may begin so only if its first header does.
        return wanted if wanted in {"csv", "tsv"} and not _is_object(text) else "jsonl"
    if wanted in TABLE_FORMATS:
        state = "damaged, or" if head else "empty, and"
        raise DatasetError(f"{name}: is {state} no {wanted.capitalize()} file")
    if wanted in {"csv", "tsv"}:
        return wanted
    first = text.split(b"\n", 1)[0].decode("utf-8", "replace")
    if (delimiter := detect_delimiter(first)) and _KNOWN_COLUMNS & set(
        next(csv.reader([first], delimiter=delimiter), [])
    ):
        return "tsv" if delimiter == "\t" else "csv"
    return "jsonl"


def detect_delimiter(header: str) -> str:
    """Return what separates the cells of a header line; empty where nothing does."""
    most = max(_DELIMITERS, key=header.count)
    return most if most in header else ""


def _is_line(text: bytes) -> bool:
    """Say whether an array is a line of its own, with another value in the next."""
    first, ended, rest = text.partition(b"\n")
    return bool(ended) and first.rstrip().endswith(b"]") and rest.lstrip()[:1] in {b"{", b"["}


def _is_object(text: bytes) -> bool:
    first, _, _ = text.partition(b"\n")
    return first.rstrip().endswith(b"}")


# ---- Streams: the bytes of a file, unpacked and as UTF-8.

_CHUNK = 1 << 16
_BUFFER = 1 << 20
_WIDE_ENCODINGS = (
    # UTF-32's mark begins as UTF-16's does.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_MAX_HEAD = 1 << 16


class _BinaryReader(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


class PeekableStream(io.RawIOBase):
    """A stream whose beginning can be looked at before it is read; it waits for no more than that.

    Attributes:
        head: What was looked at so far.
    """

    def __init__(self, stream: _BinaryReader) -> None:
        """Look at nothing yet; the stream is left open."""
        self.head = b""
        self._read_some = getattr(stream, "read1", stream.read)

    def peek(self, size: int) -> bytes:
        """Return at least so many bytes of the beginning, or all that there are."""
        while len(self.head) < size and (more := self._read_some(_CHUNK)):
            self.head += more
        return self.head

    def peek_lines(self) -> bytes:
        """Return the beginning up to the second line that is not blank, if it comes soon."""
        while len(self.head) < _MAX_HEAD:
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
        return True

    def readinto(self, buffer: Any) -> int:
        """Read some bytes: first those that were looked at."""
        taken = self.head or self._read_some(len(buffer))
        taken, self.head = taken[: len(buffer)], taken[len(buffer) :]
        buffer[: len(taken)] = taken
        return len(taken)


def decode_stream(stream: _BinaryReader, name: str) -> PeekableStream:
    """Return a stream's bytes unpacked and as UTF-8, ready to be looked at.

    gzip and zstd show by their first bytes, UTF-16 and UTF-32 by their byte-order mark.
    """
    peeked = PeekableStream(stream)
    packing = detect_compression(peeked.peek(4))
    if packing:
        peeked = PeekableStream(_Decompressor(_open_decompressor(peeked, packing), name, packing))
    head = peeked.peek(4)
    # Without a mark, JSON in UTF-16 shows by the zero bytes that ASCII has in it.
    for mark, encoding in (*_WIDE_ENCODINGS, (b"{\x00", "utf-16-le"), (b"[\x00", "utf-16-le")):
        if head.startswith(mark) and not head.startswith(b"\xff\xff"):
            return PeekableStream(_Transcoder(peeked, encoding, name))
    return peeked


def buffer_stream(peeked: PeekableStream) -> BinaryIO:
    """Return a stream to read lines from."""
    return io.BufferedReader(peeked, _BUFFER)


def _open_decompressor(packed: PeekableStream, packing: Compression) -> _BinaryReader:
    buffer = io.BufferedReader(packed, _BUFFER)
    if packing == "gz":
        return gzip.GzipFile(fileobj=buffer, mode="rb")
    import pyarrow as pa

    unpacker: _BinaryReader = pa.CompressedInputStream(pa.PythonFile(buffer, mode="r"), "zstd")
    return unpacker


class _Decompressor:
    """Reads from an unpacker, and says what is wrong with the file where it fails."""

    def __init__(self, stream: _BinaryReader, name: str, packing: Compression) -> None:
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


class _Transcoder:
    """Reads another encoding as UTF-8."""

    def __init__(self, stream: PeekableStream, encoding: str, name: str) -> None:
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
