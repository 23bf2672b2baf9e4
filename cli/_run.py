"""A run over rows, from what was typed to the account of it; what every such command shares."""

import json
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import typer

from whyset.constitution import Constitution
from whyset.datasets import (
    PROVENANCE_COLUMN,
    REASONING_FIELD,
    STDOUT,
    DatasetError,
    Selection,
    Shape,
    Source,
    detect_shapes,
    dumps,
    loads,
    read_rows,
)
from whyset.generators import Generator, RowRejected
from whyset.generators.checks import EvalScenario
from whyset.models import ModelUnavailable, RetryPolicy, UnusableReply, coerce_model
from whyset.pipelines import (
    QUARANTINED,
    CorpusCounts,
    CorpusFiles,
    CorpusRun,
    Pipeline,
    Plan,
    RequestStats,
    Run,
    RunConfig,
    RunCounts,
    RunFiles,
    RunStopped,
    open_pipeline,
)

from ._interrupts import check_interrupts, run_interruptible
from ._options import RunOptions
from ._progress import Progress
from ._render import DOCUMENT_WORDING, render_corpus_summary, render_estimate, render_summary

# ---- Notices on standard error

_EXTRACTIVE_NOTICE = (
    "No --model named: using extractive, which only quotes the constitution and weighs nothing. "
    "What it makes is marked annotated; it is for trying the pipeline, not for training. Name a "
    "model to write, such as --model anthropic:claude-opus-5-5."
)


def print_notices(pipeline: Pipeline, *, by_default: bool) -> None:
    """Say what should be known before anything is asked.

    Args:
        pipeline: Who is going to work.
        by_default: Whether nobody named a model, which is said aloud.
    """
    notes = [note for model in pipeline.models.values() for note in getattr(model, "notes", ())]
    for note in dict.fromkeys(notes):
        typer.echo(f"Note: {note}", err=True)
    if by_default:
        typer.echo(_EXTRACTIVE_NOTICE, err=True)


def _print_stopping() -> None:
    """Say why a run does not end at once when it is interrupted."""
    typer.echo(
        "Stopping as soon as the asks in flight are answered; interrupt again to end at once.",
        err=True,
    )


def _print_quarantined(line: bytes) -> None:
    """Say what did not pass, from its line for the quarantine."""
    entry = loads(line)
    reasons = ", ".join(entry["reasons"])
    place = entry.get("source") or f"line {entry['line']}"
    typer.echo(f"Quarantined: {place}: {reasons}: {entry['detail']}", err=True)


# ---- A single row or document, made and printed without a run


def read_pair(prompt: Path, response: Path) -> dict[str, Any]:
    """Return the one row that two plain texts make; the line end of their last lines is no part.

    Raises:
        DatasetError: One of them cannot be read.
    """
    return {"prompt": _read_text(prompt), "response": _read_text(response)}


def print_single(
    pipeline: Pipeline, columns: Mapping[str, Any], retries: RetryPolicy, *, as_json: bool
) -> None:
    """Make one row or document and print it: as plain text, or all of it as JSON.

    Args:
        pipeline: Who works.
        columns: What the generator takes: a row's columns or a brief's values.
        retries: When a failed ask is sent again.
        as_json: Whether to print JSON.

    Raises:
        RunStopped: The provider does not answer.
        Exit: It did not pass.
    """
    writer, judge = (
        coerce_model(pipeline.models[role], retries=retries) for role in ("writer", "judge")
    )
    bound = pipeline.generator.bind(writer, pipeline.retriever, judge=judge)
    try:
        row = run_interruptible(lambda: bound.invoke(dict(columns)))
    except ModelUnavailable as error:
        raise RunStopped(f"The provider does not answer: {error}") from error
    except RowRejected as error:
        message = str(error)
        typer.echo(message[:1].upper() + message[1:], err=True)
        raise typer.Exit(1) from error
    except UnusableReply as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from error
    if as_json:
        sys.stdout.buffer.write(dumps(row) + b"\n")
        return
    typer.echo(_render_row(row))


def _render_row(row: Mapping[str, Any]) -> str:
    """Return a finished row or document as a person reads it."""
    if "response" in row:
        reasoning = row.get(REASONING_FIELD)
        return f"{reasoning}\n\n---\n\n{row['response']}" if reasoning else str(row["response"])
    if isinstance(row.get("text"), str):
        return str(row["text"])
    if isinstance(row.get("messages"), list):
        return "\n\n".join(
            f"[{message['role']}]\n{message['content']}" for message in row["messages"]
        )
    shown = {name: value for name, value in row.items() if name != PROVENANCE_COLUMN}
    return json.dumps(shown, ensure_ascii=False, indent=2)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").removesuffix("\n")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not UTF-8; save it as UTF-8") from error


# ---- A pipeline and a run, from what was typed to the account

_SHAPE_SAMPLE = 1000
"""Rows looked at before a run, to say what they are: some tenths of a second."""

_REASONS_SHOWN = 3


def open_with_progress(
    generator: Generator,
    constitution: Constitution,
    typed: RunOptions,
    progress: Progress,
    *,
    model: str | None,
    judge: str | None,
) -> Pipeline:
    """Open a pipeline, and say what is being waited for."""
    with progress.show_waiting(f"opening the index of {constitution.title}"):
        pipeline = open_pipeline(
            generator,
            constitution,
            model=model,
            judge=judge,
            embedder=typed.embedder,
            chroma=typed.chroma,
            ephemeral=typed.ephemeral,
            effort=typed.effort,
        )
    check_interrupts()
    return pipeline


def run_rows(
    files: RunFiles,
    pipeline: Pipeline,
    config: RunConfig,
    typed: RunOptions,
    progress: Progress,
    *,
    selection: Selection,
    output_shape: Shape | None,
    by_default: bool,
) -> None:
    """Run a generator over rows, or say what that would cost, and account for it.

    Args:
        files: Where to read and write.
        pipeline: Who works.
        config: How it asks.
        typed: What of the rest is the command line's own: dry run, sample, JSON, quiet.
        progress: Where it is shown.
        selection: What of each row is worked on.
        output_shape: The shape that rows are written in.
        by_default: Whether nobody named a model, which is said aloud.

    Raises:
        Exit: With the code that says how it went.
    """
    print_notices(pipeline, by_default=by_default and not typed.quiet)
    if not typed.quiet:
        _print_shapes(files.source, selection)
    run = Run(files, pipeline, config, selection, output_shape)
    if typed.dry_run:
        typer.echo(
            render_estimate(run.estimate(sample=typed.sample_size), as_json=typed.json_output)
        )
        return
    is_printed = files.output == STDOUT
    if is_printed:
        # There is no quarantine file, so what does not pass is shown at once.
        run.on_quarantine = _print_quarantined
    else:
        run.on_row = progress.update
        if progress.is_shown:
            progress.total = files.source.count_rows()
    with progress:
        summary = run.execute(on_interrupt=_print_stopping)
    if not typed.quiet:
        # Rows on standard output are for a machine: what is said to a person goes beside them.
        typer.echo(render_summary(summary, as_json=typed.json_output), err=is_printed)
    raise typer.Exit(summary.exit_code)


def _print_shapes(source: Source, selection: Selection) -> None:
    """Say what the rows are, where they can be looked at without being used up."""
    if not any(map(Path.is_file, source.files())):
        return
    found = detect_shapes(islice(read_rows(source, selection=selection), _SHAPE_SAMPLE))
    if found.is_uniform and not found.unusable_count:
        typer.echo(f"Rows are read as {found.shape}.", err=True)
        return
    among = "the first " if found.rows == _SHAPE_SAMPLE else ""
    typer.echo(f"Rows have different shapes: {among}{found}", err=True)
    for reason, count in islice(found.reasons.items(), _REASONS_SHOWN):
        typer.echo(f"  {count:,} × {reason}", err=True)


def run_corpus(
    files: CorpusFiles,
    plan: Plan,
    pipeline: Pipeline,
    config: RunConfig,
    typed: RunOptions,
    progress: Progress,
    *,
    scenarios: Sequence[EvalScenario],
) -> None:
    """Carry a plan out, or say what that would cost, and account for it.

    Raises:
        Exit: With the code that says how it went.
    """
    run = CorpusRun(files, plan, pipeline, config, holdout=scenarios)
    if typed.dry_run:
        estimated = run.estimate(sample=typed.sample_size)
        typer.echo(render_estimate(estimated, as_json=typed.json_output, wording=DOCUMENT_WORDING))
        return
    is_printed = files.output == STDOUT
    if is_printed:
        run.on_quarantine = _print_quarantined
    else:
        progress.total = plan.documents
        run.on_progress = partial(_update_progress, progress)
    with progress:
        summary = run.execute(on_interrupt=_print_stopping)
    if not typed.quiet:
        typer.echo(render_corpus_summary(summary, as_json=typed.json_output), err=is_printed)
    raise typer.Exit(summary.exit_code)


def _update_progress(progress: Progress, corpus: CorpusCounts, stats: RequestStats) -> None:
    counts = RunCounts(rows=corpus.documents, reused=corpus.reused)
    counts.outcomes[QUARANTINED] = corpus.quarantined
    progress.update(counts, stats, also=f"{corpus.answered:,} ideas and drafts")
