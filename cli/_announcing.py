"""What is said on standard error around a run."""

import typer

from whyset.datasets import loads
from whyset.pipelines import Crew

_EXTRACTIVE = (
    "No --model named: using extractive, which only quotes the constitution and weighs nothing. "
    "What it makes is marked annotated; it is for trying the pipeline, not for training. Name a "
    "model to write, such as --model anthropic:claude-opus-5-5."
)


def announce(crew: Crew, *, by_default: bool) -> None:
    """Say what should be known before anything is asked.

    Args:
        crew: Who is going to work.
        by_default: Whether nobody named a model, which is said aloud.
    """
    notes = [note for model in crew.models.values() for note in getattr(model, "notes", ())]
    for note in dict.fromkeys(notes):
        typer.echo(f"Note: {note}", err=True)
    if by_default:
        typer.echo(_EXTRACTIVE, err=True)


def tell_stopping() -> None:
    """Say why a run does not end at once when it is interrupted."""
    typer.echo(
        "Stopping as soon as the asks in flight are answered; interrupt again to end at once.",
        err=True,
    )


def tell_quarantined(line: bytes) -> None:
    """Say what did not pass, from its line for the quarantine."""
    entry = loads(line)
    reasons = ", ".join(entry["reasons"])
    place = entry.get("source") or f"line {entry['line']}"
    typer.echo(f"Quarantined: {place}: {reasons}: {entry['detail']}", err=True)
