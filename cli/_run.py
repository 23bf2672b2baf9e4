"""A run over rows, from what was typed to the account of it; what every such command shares."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
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
from whyset.generators import RowRejected
from whyset.generators.checks import EvalScenario
from whyset.models import ModelUnavailable, Prices, RetryPolicy, UnusableReply, coerce_model
from whyset.pipelines import (
    DEFAULT_SAMPLE,
    QUARANTINED,
    CorpusCounts,
    CorpusFiles,
    CorpusRun,
    Pipeline,
    Plan,
    RequestStats,
    Run,
    RunCounts,
    RunFiles,
    RunStopped,
)

from ._interrupts import check_interrupts
from ._options import RunOptions
from ._progress import Progress
from ._render import DOCUMENT_WORDING, render_corpus_summary, render_estimate, render_summary

# ---- What is said on standard error around a run.

_EXTRACTIVE_NOTICE = (
    "No --model named: using extractive, which only quotes the constitution and weighs nothing. "
    "What it makes is marked annotated; it is for trying the pipeline, not for training. Name a "
    "model to write, such as --model anthropic:claude-opus-5-5."
)


def print_notices(crew: Pipeline, *, by_default: bool) -> None:
    """Say what should be known before anything is asked.

    Args:
        crew: Who is going to work.
        by_default: Whether nobody named a model, which is said aloud.
    """
    notes = [note for model in crew.models.values() for note in getattr(model, "notes", ())]
    for note in dict.fromkeys(notes):
        typer.echo(f"Note: {note}", err=True)
    if by_default:
        typer.echo(_EXTRACTIVE_NOTICE, err=True)


def print_stopping() -> None:
    """Say why a run does not end at once when it is interrupted."""
    typer.echo(
        "Stopping as soon as the asks in flight are answered; interrupt again to end at once.",
        err=True,
    )


def print_quarantined(line: bytes) -> None:
    """Say what did not pass, from its line for the quarantine."""
    entry = loads(line)
    reasons = ", ".join(entry["reasons"])
    place = entry.get("source") or f"line {entry['line']}"
    typer.echo(f"Quarantined: {place}: {reasons}: {entry['detail']}", err=True)


# ---- A single row or document, made and printed without a run.


def read_pair(prompt: Path, response: Path) -> dict[str, Any]:
    """Return the one row that two plain texts make; the line end of their last lines is no part.

    Raises:
        DatasetError: One of them cannot be read.
    """
    return {"prompt": _read_text(prompt), "response": _read_text(response)}


def print_single(
    crew: Pipeline, columns: Mapping[str, Any], retries: RetryPolicy, *, as_json: bool
) -> None:
    """Make one row or document and print it: as plain text, or all of it as JSON.

    Args:
        crew: Who works.
        columns: What the generator takes: a row's columns or a brief's values.
        retries: When a failed ask is sent again.
        as_json: Whether to print JSON.

    Raises:
        RunStopped: The provider does not answer.
        Exit: It did not pass.
    """
    writer, judge = (
        coerce_model(crew.models[role], retries=retries) for role in ("writer", "judge")
    )
    bound = crew.generator.bind(writer, crew.retriever, judge=judge)
    try:
        row = bound.invoke(dict(columns))
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
    typer.echo(_render_row(row))


def _render_row(row: Mapping[str, Any]) -> str:
    """Return a finished row or document as a person reads it."""
    if "response" in row:
        reasoning = row.get(REASONING_FIELD)
        return f"{reasoning}\n\n---\n\n{row['response']}" if reasoning else str(row["response"])
    if isinstance(row.get("text"), str):
        return str(row["text"])
    if isinstance(row.get("messages"), list):
        return "\n\n".join(f"[{said['role']}]\n{said['content']}" for said in row["messages"])
    shown = {name: value for name, value in row.items() if name != PROVENANCE_COLUMN}
    return json.dumps(shown, ensure_ascii=False, indent=2)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").removesuffix("\n")
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not UTF-8; save it as UTF-8") from error


_SHAPE_SAMPLE = 1000
"""Rows looked at before a run, to say what they are: some tenths of a second."""

_REASONS_SHOWN = 3


@dataclass(frozen=True, slots=True)
class CommandConfig:
    """How a run is carried out."""

    concurrency: int
    retries: RetryPolicy
    batch: bool
    budget: Decimal | None
    prices: Prices
    dry_run: bool
    sample: int
    as_json: bool
    quiet: bool

    @classmethod
    def from_options(cls, typed: RunOptions, *, budget: Decimal | None) -> "CommandConfig":
        """Return the means that options come to.

        Raises:
            ModelError: The file of prices cannot be read.
        """
        return cls(
            concurrency=typed.concurrency,
            retries=RetryPolicy(attempts=typed.attempts),
            batch=typed.batch,
            budget=budget,
            prices=Prices.load(typed.prices),
            dry_run=typed.dry_run,
            sample=DEFAULT_SAMPLE if typed.sample is None else typed.sample,
            as_json=typed.json_output,
            quiet=typed.quiet,
        )


class CliRun(Run):
    """A run that says why it does not end at once when it is interrupted."""

    def stop(self) -> None:
        """Let asks in flight finish and send no more, and say so on standard error."""
        super().stop()
        print_stopping()


def open_with_progress(
    principles: Constitution, open_crew: Callable[[Constitution], Pipeline], progress: Progress
) -> Pipeline:
    """Open a crew, and say what is being waited for."""
    with progress.show_waiting(f"opening the index of {principles.title}"):
        crew = open_crew(principles)
    check_interrupts()
    return crew


def run_rows(
    files: RunFiles,
    crew: Pipeline,
    means: CommandConfig,
    progress: Progress,
    *,
    selection: Selection,
    to: Shape | None,
    by_default: bool,
) -> None:
    """Run a generator over rows, or say what that would cost, and account for it.

    Args:
        files: Where to read and write.
        crew: Who works.
        means: How.
        progress: Where it is shown.
        selection: What of each row is worked on.
        to: The shape that rows are written in.
        by_default: Whether nobody named a model, which is said aloud.

    Raises:
        Exit: With the code that says how it went.
    """
    print_notices(crew, by_default=by_default and not means.quiet)
    if not means.quiet:
        _print_shapes(files.source, selection)
    run = CliRun(
        files,
        crew,
        concurrency=means.concurrency,
        retries=means.retries,
        prices=means.prices,
        batch=means.batch,
        budget=means.budget,
        selection=selection,
        output_shape=to,
    )
    if means.dry_run:
        estimated = run.estimate(sample=means.sample)
        typer.echo(render_estimate(estimated, as_json=means.as_json))
        return
    printed = files.output == STDOUT
    if printed:
        # There is no quarantine file, so what does not pass is told at once.
        run.on_quarantine = print_quarantined
    else:
        run.on_row = progress.update
        if progress.is_shown:
            progress.total = files.source.count_rows()
    with progress:
        summary = run.execute()
    if not means.quiet:
        # Rows on standard output are for a machine: what is said to a person goes beside them.
        typer.echo(render_summary(summary, as_json=means.as_json), err=printed)
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
    typer.echo(f"Rows are read as what each is: {among}{found}", err=True)
    for reason, count in islice(found.reasons.items(), _REASONS_SHOWN):
        typer.echo(f"  {count:,} × {reason}", err=True)


# ---- A corpus, from its plan to the account of it.


class CliCorpusRun(CorpusRun):
    """A run that says why it does not end at once when it is interrupted."""

    def stop(self) -> None:
        """Let asks in flight finish and send no more, and say so on standard error."""
        super().stop()
        print_stopping()


def run_corpus(
    files: CorpusFiles,
    plan: Plan,
    crew: Pipeline,
    means: CommandConfig,
    progress: Progress,
    *,
    held_out: Sequence[EvalScenario],
) -> None:
    """Carry a plan out, or say what that would cost, and account for it.

    Raises:
        Exit: With the code that says how it went.
    """
    run = CliCorpusRun(
        files,
        plan,
        crew,
        concurrency=means.concurrency,
        retries=means.retries,
        prices=means.prices,
        batch=means.batch,
        budget=means.budget,
        holdout=held_out,
    )
    if means.dry_run:
        estimated = run.estimate(sample=means.sample)
        typer.echo(render_estimate(estimated, as_json=means.as_json, wording=DOCUMENT_WORDING))
        return
    printed = files.output == STDOUT
    if printed:
        # There is no quarantine file, so what does not pass is told at once.
        run.on_quarantine = print_quarantined
    else:
        progress.total = plan.documents
        run.on_progress = lambda tally, traffic: _update_progress(progress, tally, traffic)
    with progress:
        summary = run.execute()
    if not means.quiet:
        typer.echo(render_corpus_summary(summary, as_json=means.as_json), err=printed)
    raise typer.Exit(summary.exit_code)


def _update_progress(progress: Progress, tally: CorpusCounts, traffic: RequestStats) -> None:
    counts = RunCounts(rows=tally.documents, reused=tally.reused)
    counts.outcomes[QUARANTINED] = tally.quarantined
    progress.update(counts, traffic, also=f"{tally.answered:,} ideas and drafts")
