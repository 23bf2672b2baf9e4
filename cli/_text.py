"""Results as text: numbers with their nouns, aligned tables, JSON; light, for every command."""

import json
from collections.abc import Iterable, Sequence

import typer


def pluralize(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, such as `1 row` or `2,000 rows`."""
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"


def format_table(rows: Sequence[tuple[str, ...]], *, names: int) -> list[str]:
    """Return rows as indented lines: so many columns of names, set to the left, then numbers."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  "
        + "  ".join(
            cell.ljust(width) if place < names else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def render_json(record: object) -> str:
    """Return a result as JSON for a person's eye."""
    return json.dumps(record, ensure_ascii=False, indent=2)


def print_lines(lines: Iterable[str], *, err: bool = False) -> None:
    """Print lines at once."""
    typer.echo("\n".join(lines), err=err)
