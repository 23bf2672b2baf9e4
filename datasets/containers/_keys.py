"""How many keys each line has at most: of many lines at once, since one by one it takes long.

A parsed object has every key but once. Whether its text had one twice only shows by how many the
text has.
"""

from collections.abc import Sequence
from operator import sub

_MOST = 8 * 1024 * 1024
"""Of more bytes nothing is counted, which would take several times their room."""

_QUOTE, _BACKSLASH, _COLON, _SPACE = b'"\\: '


def count_keys(block: bytes, ends: Sequence[int]) -> Sequence[int | None]:
    """Say how many keys each line of a block has at most.

    Behind a key come a quote and a colon, and elsewhere only where a text begins with a colon: a
    quote within a text has a backslash before it. Where a line has no more of them than keys are
    left once it is parsed, none stood twice.

    Args:
        block: The lines.
        ends: Where each of them ends.

    Returns:
        A number for each line; `None` where nothing was learned: a colon behind white space may
        follow a key all the same, and a backslash may itself have one before it.
    """
    import numpy as np

    if len(block) > _MOST:
        return [None] * len(ends)
    text = np.frombuffer(block, np.uint8)
    colons = np.flatnonzero(text == _COLON)
    # Before the first bytes comes, harmlessly, the last one.
    before = text[colons - 1]
    quoted = before == _QUOTE
    escaped = quoted & (text[colons - 2] == _BACKSLASH)
    unsettled = (before <= _SPACE) | (escaped & (text[colons - 3] == _BACKSLASH))
    passed = np.searchsorted(colons[quoted & ~escaped], ends).tolist()
    counts: list[int | None] = list(map(sub, passed, [0, *passed]))
    for line in np.searchsorted(ends, colons[unsettled]).tolist():
        counts[line] = None
    return counts
