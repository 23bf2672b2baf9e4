"""The proof that no prose is lost and none is in two passages."""

import re
from collections.abc import Iterable, Sequence

from whyset.errors import ConstitutionError

_MARKERS = re.compile(r"(?:[\s>*+-]|\d{1,9}[.)](?=\s|$))*")


def prove_complete(
    lines: Sequence[str],
    *,
    prose: Iterable[tuple[int, int]],
    elsewhere: Iterable[tuple[int, int]],
    name: str,
) -> None:
    """Account for every line on which there is something to read.

    Each must lie in exactly one piece of prose, or else in a heading or a block known to show
    nothing. Line ranges are 0-based, end excluded.

    Args:
        lines: The source.
        prose: The line ranges of the pieces of prose, in document order.
        elsewhere: The line ranges of headings, link definitions and blocks that show nothing.
        name: What the error calls the document.

    Raises:
        ConstitutionError: A line is in no piece or in two. That is a fault of whyset, not of the
            document; it must still not pass in silence.
    """
    accounted = [False] * len(lines)
    last_end = 0
    for start, end in prose:
        if start < last_end or end <= start:
            raise _unaccounted(name, start)
        accounted[start:end] = [True] * (end - start)
        last_end = end
    for start, end in elsewhere:
        accounted[start:end] = [True] * (min(end, len(lines)) - start)
    for number, line in enumerate(lines):
        if not accounted[number] and _is_read(line):
            raise _unaccounted(name, number)


def _is_read(line: str) -> bool:
    """Return whether a line has letters, digits or symbols beyond Markdown's own."""
    if not any(c.isalnum() or not (c.isascii() or c.isspace()) for c in line):
        return False
    return not _MARKERS.fullmatch(line)


def _unaccounted(name: str, number: int) -> ConstitutionError:
    return ConstitutionError(
        f"{name}:{number + 1}: this line cannot be assigned to exactly one passage; write the "
        "block around it more simply, and please report it"
    )
