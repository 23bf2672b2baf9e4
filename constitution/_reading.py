"""File or text → clean text: what a constitution may be made of."""

import re
from pathlib import Path

from whyset.errors import ConstitutionError

LONGEST = 1_000_000
"""Characters. The longest constitution published so far has 270,000; the parser takes a
second or so for a million of prose, half a minute for a million of the worst kind (`![`)."""

_LINE_END = re.compile(rb"\r\n?|\n")


def read_text(path: Path) -> str:
    """Return the text of a UTF-8 file.

    Raises:
        ConstitutionError: The file cannot be read, is too long, binary, or in another encoding.
    """
    try:
        with path.open("rb") as file:
            # A character has at most four bytes: what is longer need not be read to be refused.
            data = file.read(4 * LONGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ConstitutionError(f"{path}: cannot be read: {reason}") from error
    if len(data) > 4 * LONGEST:
        raise _too_long(str(path))
    return _decode(data, str(path))


def normalise(text: str, name: str) -> str:
    """Return a text with LF line ends and without a byte order mark.

    Raises:
        ConstitutionError: The text is empty, too long, or holds what no text file can.
    """
    if "\0" in text:
        raise ConstitutionError(f"{name}: holds NUL characters; give a Markdown document")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = len(_LINE_END.findall(text[: error.start].encode())) + 1
        raise ConstitutionError(
            f"{name}:{line}: holds half a surrogate pair, which is no character; decode the text "
            "again from its source"
        ) from error
    if len(text) > LONGEST:
        raise _too_long(name)
    source = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    if not source.strip():
        raise no_prose(name, "is empty")
    return source


def no_prose(name: str, what: str) -> ConstitutionError:
    """Return the error for a document without a single passage."""
    return ConstitutionError(
        f"{name}: {what}; a constitution is a Markdown document with text under its headings"
    )


def _decode(data: bytes, name: str) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ConstitutionError(f"{name}: is UTF-16; save it as UTF-8")
    if b"\0" in data:
        raise ConstitutionError(
            f"{name}: is a binary file (it holds NUL bytes); give a Markdown document"
        )
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        line = len(_LINE_END.findall(data[: error.start])) + 1
        raise ConstitutionError(
            f"{name}:{line}: is not UTF-8 (byte 0x{data[error.start]:02x}); save it as UTF-8"
        ) from error


def _too_long(name: str) -> ConstitutionError:
    return ConstitutionError(
        f"{name}: is longer than {LONGEST:,} characters; give the constitution alone, or split it"
    )
