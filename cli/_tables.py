"""Rows of words and numbers as aligned lines."""

from collections.abc import Sequence


def table(rows: Sequence[tuple[str, ...]], *, names: int) -> list[str]:
    """Return rows as indented lines.

    Args:
        rows: All of the same length, one at least.
        names: So many columns from the left are names, set to the left; the others are numbers.
    """
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if place < names else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]
