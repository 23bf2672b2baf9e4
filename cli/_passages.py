"""`whyset passages` and `whyset charter`: what a constitution holds, and one to start from."""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from whyset.constitution import Constitution

_SNIPPET = 88


def passages(
    file: Annotated[
        Path | None,
        typer.Argument(help="A constitution in Markdown; the bundled charter without one."),
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Print every passage in full, as one JSON document.")
    ] = False,
) -> None:
    """Show the passages of a constitution, with their ids and lines."""
    constitution = load(file)
    if json_output:
        document = {
            "title": constitution.title,
            "sha256": constitution.digest,
            "passages": [asdict(passage) for passage in constitution.passages],
        }
        typer.echo(json.dumps(document, ensure_ascii=False, indent=2))
        return
    for section in constitution.sections:
        title = section.title or "(before the first heading)"
        typer.echo(f"{'  ' * max(len(section.path) - 1, 0)}{title}")
        for passage in section.passages:
            first, last = passage.lines
            words = " ".join(passage.plain.split())
            shown = words if len(words) <= _SNIPPET else f"{words[: _SNIPPET - 1]}…"
            where = f"{first}" if first == last else f"{first}-{last}"
            typer.echo(
                f"    {passage.id}  {passage.kind}, lines {where}, ~{passage.tokens} tokens\n"
                f"      {shown}"
            )
    total = sum(passage.tokens for passage in constitution.passages)
    typer.echo(
        f"\n{constitution.title}: {len(constitution.passages)} passages in "
        f"{len(constitution.sections)} sections, about {total:,} tokens"
    )


def charter() -> None:
    """Print the charter, to start your own constitution from."""
    from importlib import resources

    source = resources.files("whyset.constitution").joinpath("charter.md")
    sys.stdout.buffer.write(source.read_bytes())


def load(file: Path | None) -> "Constitution":
    """Return the constitution in a file, or the bundled charter."""
    from whyset.constitution import Constitution

    return Constitution.load(file) if file else Constitution.charter()
