"""What a file is: its form and how it is packed, told by its first bytes or by its name."""

import csv
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal

from whyset.errors import DatasetError

Form = Literal["jsonl", "json", "csv", "tsv", "parquet", "arrow", "folder"]
"""`json` is one array of objects, `arrow` an IPC file or stream, `folder` one of Parquet files."""

Packing = Literal["", "gz", "zst"]

TABULAR: frozenset[Form] = frozenset({"parquet", "arrow", "folder"})
"""Forms that have a schema, and that pyarrow reads."""

_ENDINGS: dict[str, Form] = {
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "json",
    ".csv": "csv",
    ".tsv": "tsv",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}
_PACKINGS: dict[str, Packing] = {".gz": "gz", ".zst": "zst"}

_MAGIC: tuple[tuple[bytes, Form], ...] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
    (b"\xff\xff\xff\xff", "arrow"),
)
_UNREAD = (
    (b"PARE", "an encrypted Parquet file", "decrypt it"),
    (b"FEA1", "a Feather file of the first version", "save it as Parquet"),
    (b"\xfd7zXZ\x00", "packed with xz", "unpack it with: xz -d"),
    (b"BZh", "packed with bzip2", "unpack it with: bzip2 -d"),
    (b"PK\x03\x04", "a zip archive", "unpack it with: unzip"),
    (b"\x04\x22\x4d\x18", "packed with lz4", "unpack it with: lz4 -d"),
    (b"SQLite format 3\x00", "an SQLite database", "export the table as CSV or JSON lines"),
)
# A header line makes CSV of a file that is not named so, where it names one of these.
_HEADERS = frozenset(
    {"messages", "conversations", "prompt", "response", "completion", "instruction", "output"}
    | {"chosen", "rejected", "text"}
)
_DELIMITERS = ",\t;"


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows lie in a file."""

    form: Form = "jsonl"
    packing: Packing = ""


LINES = Layout()
"""JSON lines, not packed."""


def layout_of_name(name: str) -> Layout | None:
    """Return what a file's name says it is; `None` where it says nothing that is known.

    A name that ends in a slash is a folder's.
    """
    if name.endswith("/"):
        return Layout("folder")
    path = PurePath(name)
    packing = _PACKINGS.get(path.suffix.lower(), "")
    form = _ENDINGS.get((path.with_suffix("") if packing else path).suffix.lower())
    if form is None or (packing and form in TABULAR):
        return None
    return Layout(form, packing)


def packing_of(head: bytes) -> Packing:
    """Return how a file is packed, by its first bytes."""
    if head.startswith(b"\x1f\x8b"):
        return "gz"
    # A file may begin with a frame that decoders pass over.
    skippable = head[1:4] == b"\x2a\x4d\x18" and head[:1] in {bytes([b]) for b in range(0x50, 0x60)}
    return "zst" if head.startswith(b"\x28\xb5\x2f\xfd") or skippable else ""


def form_of(head: bytes, name: str) -> Form:
    """Return what a file is by its beginning; its name decides only what that leaves open.

    Args:
        head: What it begins with, unpacked: its first line and the beginning of the second, unless
            they are long.
        name: What it is called.

    Raises:
        DatasetError: It is of a kind that is not read.
    """
    for magic, form in _MAGIC:
        if head.startswith(magic):
            return form
    for magic, kind, advice in _UNREAD:
        if head.startswith(magic):
            raise DatasetError(f"{name}: is {kind}, which is not read; {advice}")
    named = layout_of_name(name)
    wanted = named.form if named else "jsonl"
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith(b"["):
        return "jsonl" if _is_line(text) else "json"
    if text.startswith(b"{"):
        # A CSV file may begin so only if its first header does.
        return wanted if wanted in {"csv", "tsv"} and not _is_object(text) else "jsonl"
    if wanted in TABULAR:
        state = "damaged, or" if head else "empty, and"
        raise DatasetError(f"{name}: is {state} no {wanted.capitalize()} file")
    if wanted in {"csv", "tsv"}:
        return wanted
    first = text.split(b"\n", 1)[0].decode("utf-8", "replace")
    if (delimiter := delimiter_of(first)) and _HEADERS & set(
        next(csv.reader([first], delimiter=delimiter), [])
    ):
        return "tsv" if delimiter == "\t" else "csv"
    return "jsonl"


def delimiter_of(header: str) -> str:
    """Return what parts the cells of a header line; empty where nothing does."""
    most = max(_DELIMITERS, key=header.count)
    return most if most in header else ""


def _is_line(text: bytes) -> bool:
    """Say whether an array is a line of its own, with another value in the next."""
    first, ended, rest = text.partition(b"\n")
    return bool(ended) and first.rstrip().endswith(b"]") and rest.lstrip()[:1] in {b"{", b"["}


def _is_object(text: bytes) -> bool:
    first, _, _ = text.partition(b"\n")
    return first.rstrip().endswith(b"}")
