"""A corpus, from its plan to the account of it."""

from collections.abc import Sequence

import typer

from whyset.datasets import STDOUT
from whyset.generators.checks import EvalScenario
from whyset.pipelines import (
    QUARANTINED,
    CorpusFiles,
    CorpusRun,
    CorpusTally,
    Crew,
    Plan,
    Tally,
    Traffic,
)

from ._announcing import tell_quarantined, tell_stopping
from ._corpus_summary import render_corpus_summary
from ._estimating import OF_DOCUMENTS, render_estimate
from ._progress import Progress
from ._running import Means


class AnnouncedCorpus(CorpusRun):
    """A run that says why it does not end at once when it is interrupted."""

    def stop(self) -> None:
        """Let asks in flight finish and send no more, and say so on standard error."""
        super().stop()
        tell_stopping()


def work_on_corpus(
    files: CorpusFiles,
    plan: Plan,
    crew: Crew,
    means: Means,
    progress: Progress,
    *,
    held_out: Sequence[EvalScenario],
) -> None:
    """Carry a plan out, or say what that would cost, and account for it.

    Raises:
        Exit: With the code that says how it went.
    """
    run = AnnouncedCorpus(
        files,
        plan,
        crew,
        concurrency=means.concurrency,
        retries=means.retries,
        prices=means.prices,
        batch=means.batch,
        budget=means.budget,
        held_out=held_out,
    )
    if means.dry_run:
        estimated = run.estimate(sample=means.sample)
        typer.echo(render_estimate(estimated, as_json=means.as_json, wording=OF_DOCUMENTS))
        return
    printed = files.output == STDOUT
    if printed:
        # There is no quarantine file, so what does not pass is told at once.
        run.on_quarantine = tell_quarantined
    else:
        progress.total = plan.documents
        run.on_progress = lambda tally, traffic: _show(progress, tally, traffic)
    with progress:
        summary = run.execute()
    if not means.quiet:
        typer.echo(render_corpus_summary(summary, as_json=means.as_json), err=printed)
    raise typer.Exit(summary.exit_code)


def _show(progress: Progress, tally: CorpusTally, traffic: Traffic) -> None:
    counts = Tally(rows=tally.documents, reused=tally.reused)
    counts.outcomes[QUARANTINED] = tally.quarantined
    progress.update(counts, traffic, also=f"{tally.answered:,} ideas and drafts")
