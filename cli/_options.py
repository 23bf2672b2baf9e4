"""What options have in common, and those that several commands have."""

from pathlib import Path
from typing import Annotated

import typer


def given(value: str | None) -> str | None:
    """Return an option's value, which may be left out but not be empty.

    Raises:
        BadParameter: It is empty: taken as left out, it would hide a variable that is not set.
    """
    if value == "":
        raise typer.BadParameter("is empty; was a variable not set?")
    return value


ConstitutionOption = Annotated[
    Path | None, typer.Option(help="The constitution, in Markdown [default: the charter].")
]
EmbedderOption = Annotated[
    str,
    typer.Option(
        callback=given, help="minilm, lexical (no embedder), or one of LangChain's provider:model."
    ),
]
ChromaOption = Annotated[
    str | None,
    typer.Option(callback=given, help="A Chroma server, http://host:port [default: embedded]."),
]
EphemeralOption = Annotated[
    bool, typer.Option("--ephemeral", help="Keep the index in memory, not in the cache.")
]
