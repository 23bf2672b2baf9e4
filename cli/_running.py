"""A run over rows, from what was typed to the account of it; what every such command shares."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from pathlib import Path

import typer

from whyset.constitution import Constitution
from whyset.datasets import STDOUT, Selection, Shape, Source, read_rows, recognise
from whyset.models import Prices, RetryPolicy
from whyset.pipelines import SAMPLE, Crew, Run, RunFiles

from ._announcing import announce, tell_quarantined, tell_stopping
from ._estimating import render_estimate
from ._interrupts import check_interrupts
from ._progress import Progress
from ._summary import render_summary
from ._typed import Typed

_LOOKED_AT = 1000
"""Rows looked at before a run, to say what they are: some tenths of a second."""

_REASONS_TOLD = 3


@dataclass(frozen=True, slots=True)
class Means:
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
    def of(cls, typed: Typed, *, budget: Decimal | None) -> "Means":
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
            sample=SAMPLE if typed.sample is None else typed.sample,
            as_json=typed.json_output,
            quiet=typed.quiet,
        )


class AnnouncedRun(Run):
    """A run that says why it does not end at once when it is interrupted."""

    def stop(self) -> None:
        """Let asks in flight finish and send no more, and say so on standard error."""
        super().stop()
        tell_stopping()


def opened(
    principles: Constitution, open_crew: Callable[[Constitution], Crew], progress: Progress
) -> Crew:
    """Open a crew, and say what is being waited for."""
    with progress.waiting(f"opening the index of {principles.title}"):
        crew = open_crew(principles)
    check_interrupts()
    return crew


def work_on_rows(
    files: RunFiles,
    crew: Crew,
    means: Means,
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
    announce(crew, by_default=by_default and not means.quiet)
    if not means.quiet:
        _tell_shapes(files.source, selection)
    run = AnnouncedRun(
        files,
        crew,
        concurrency=means.concurrency,
        retries=means.retries,
        prices=means.prices,
        batch=means.batch,
        budget=means.budget,
        selection=selection,
        to=to,
    )
    if means.dry_run:
        estimated = run.estimate(sample=means.sample)
        typer.echo(render_estimate(estimated, as_json=means.as_json))
        return
    printed = files.output == STDOUT
    if printed:
        # There is no quarantine file, so what does not pass is told at once.
        run.on_quarantine = tell_quarantined
    else:
        run.on_row = progress.update
        if progress.shown:
            progress.total = files.source.count()
    with progress:
        summary = run.execute()
    if not means.quiet:
        # Rows on standard output are for a machine: what is said to a person goes beside them.
        typer.echo(render_summary(summary, as_json=means.as_json), err=printed)
    raise typer.Exit(summary.exit_code)


def _tell_shapes(source: Source, selection: Selection) -> None:
    """Say what the rows are, where they can be looked at without being used up."""
    if not any(map(Path.is_file, source.files())):
        return
    found = recognise(islice(read_rows(source, selection=selection), _LOOKED_AT))
    if found.agree and not found.unusable:
        typer.echo(f"Rows are read as {found.shape}.", err=True)
        return
    among = "the first " if found.rows == _LOOKED_AT else ""
    typer.echo(f"Rows are read as what each is: {among}{found}", err=True)
    for reason, count in islice(found.reasons.items(), _REASONS_TOLD):
        typer.echo(f"  {count:,} × {reason}", err=True)
