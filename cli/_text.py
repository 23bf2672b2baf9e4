"""Numbers with their nouns, and aligned tables; light, since every command imports it."""

from collections.abc import Sequence


def format_table(rows: Sequence[tuple[str, ...]], *, names: int) -> list[str]:
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


def pluralize(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, such as `1 row` or `2,000 rows`.

    Args:
        count: How many.
        noun: One of them.
        plural: Several of them, where that is not the noun and an `s`.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
