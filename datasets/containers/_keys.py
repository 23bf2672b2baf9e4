"""How many keys each line has at most: of many lines at once, since one by one it takes long.

A parsed object has every key but once. Whether its text had one twice only shows by how many the
text has.
"""

from collections.abc import Iterator
from itertools import repeat

_MOST = 128 * 1024 * 1024
"""Of more bytes nothing is counted, which would take several times their room."""

_QUOTE, _BACKSLASH, _COLON, _NEWLINE, _SPACE = b'"\\:\n '


def count_keys(block: bytes) -> Iterator[int | None]:
    """Say how many keys each line of a block has at most.

    Behind a key come a quote and a colon, and elsewhere only where a text begins with a colon: a
    quote within a text has a backslash before it. Where a line has no more of them than keys are
    left once it is parsed, none stood twice.

    Returns:
        A number for each line; `None` where nothing was learned: a colon behind white space may
        follow a key all the same, and a backslash may itself have one before it.
    """
    import numpy as np

    if len(block) > _MOST:
        yield from repeat(None, block.count(b"\n") + 1)
        return
    text = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(text == _NEWLINE)
    colons = np.flatnonzero(text == _COLON)
    # Before the first bytes comes, harmlessly, the last one.
    before = text[colons - 1]
    quoted = before == _QUOTE
    escaped = quoted & (text[colons - 2] == _BACKSLASH)
    unsettled = (before <= _SPACE) | (escaped & (text[colons - 3] == _BACKSLASH))
    behind_keys = colons[quoted & ~escaped]
    counts = np.diff(np.searchsorted(behind_keys, ends), prepend=0, append=len(behind_keys))
    counts[np.searchsorted(ends, colons[unsettled])] = -1
    for count in counts.tolist():
        yield None if count < 0 else count
