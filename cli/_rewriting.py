"""What `whyset rewrite` says and prints around a run."""

import sys
from pathlib import Path
from typing import Any

import typer

from whyset.datasets import (
    REASONING_FIELD,
    STDOUT,
    DatasetError,
    dumps,
    loads,
)
from whyset.generators import RowRejected
from whyset.models import ModelUnavailable, RetryPolicy, UnusableReply, adopt
from whyset.pipelines import Crew, Run, RunStopped

from ._estimating import render_estimate
from ._progress import Progress
from ._summary import render_summary

_EXTRACTIVE = (
    "No --model named: using extractive, which quotes the constitution beside each response and "
    "weighs nothing. Its rows are marked annotated; they are for trying the pipeline, not for "
    "training. Name a model to rewrite, such as --model anthropic:claude-opus-5-5."
)


class AnnouncedRun(Run):
    """A run that says why it does not end at once when it is interrupted."""

    def stop(self) -> None:
        """Let asks in flight finish and send no more, and say so on standard error."""
        super().stop()
        typer.echo(
            "Stopping as soon as the asks in flight are answered; interrupt again to end at once.",
            err=True,
        )


def read_document(prompt: Path, response: Path) -> dict[str, Any]:
    """Return the one row that two plain texts make; the line end of their last lines is no part.

    Raises:
        DatasetError: One of them cannot be read.
    """
    return {"prompt": _text(prompt), "response": _text(response)}


def announce(crew: Crew, *, by_default: bool) -> None:
    """Say on standard error what should be known before anything is asked.

    Args:
        crew: Who is going to work.
        by_default: Whether nobody named a model, which is said aloud.
    """
    notes = [note for model in crew.models.values() for note in getattr(model, "notes", ())]
    for note in dict.fromkeys(notes):
        typer.echo(f"Note: {note}", err=True)
    if by_default:
        typer.echo(_EXTRACTIVE, err=True)


def rewrite_rows(run: Run, progress: Progress, *, as_json: bool, quiet: bool) -> None:
    """Run, show how far it is, and account for it.

    Raises:
        Exit: With the code that says how it went.
    """
    printed = run.files.output == STDOUT
    if printed:
        # There is no quarantine file, so what does not pass is told at once.
        run.on_quarantine = _tell_quarantined
    else:
        run.on_row = progress.update
        if progress.shown:
            progress.total = run.files.source.count()
    with progress:
        summary = run.execute()
    if not quiet:
        # Rows on standard output are for a machine: what is said to a person goes beside them.
        typer.echo(render_summary(summary, as_json=as_json), err=printed)
    raise typer.Exit(summary.exit_code)


def estimate_rows(run: Run, sample: int | None, *, as_json: bool) -> None:
    """Print what a run would ask and cost; nothing is sent and nothing written.

    Args:
        run: What would be run.
        sample: Rows to estimate from; 0 for all, `None` for the usual number.
        as_json: Whether to print JSON.
    """
    estimated = run.estimate() if sample is None else run.estimate(sample=sample)
    typer.echo(render_estimate(estimated, as_json=as_json))


def print_document(
    crew: Crew, document: dict[str, Any], retries: RetryPolicy, *, as_json: bool
) -> None:
    """Rewrite a single document and print it: as plain text, or the whole row as JSON.

    Raises:
        RunStopped: The provider does not answer.
        Exit: The document did not pass.
    """
    writer, judge = (adopt(crew.models[role], retries=retries) for role in ("writer", "judge"))
    bound = crew.generator.bind(writer, crew.retriever, judge=judge)
    try:
        row = bound.invoke(document)
    except ModelUnavailable as error:
        raise RunStopped(f"The provider does not answer: {error}") from error
    except RowRejected as error:
        told = str(error)
        typer.echo(told[:1].upper() + told[1:], err=True)
        raise typer.Exit(1) from error
    except UnusableReply as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        sys.stdout.buffer.write(dumps(row) + b"\n")
        return
    if reasoning := row.get(REASONING_FIELD):
        typer.echo(f"{reasoning}\n\n---\n")
    typer.echo(row["response"])


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").removesuffix("\n")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not UTF-8; save it as UTF-8") from error


def _tell_quarantined(line: bytes) -> None:
    entry = loads(line)
    reasons = ", ".join(entry["reasons"])
    typer.echo(f"Quarantined: line {entry['line']}: {reasons}: {entry['detail']}", err=True)
