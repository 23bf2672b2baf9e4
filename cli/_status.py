"""`whyset status`: how far a run is, from its ledger."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import require_nonempty
from ._text import format_table, pluralize, print_lines, render_json

if TYPE_CHECKING:
    from collections.abc import Iterator

    from whyset.pipelines import RunStatus


def status(
    output: Annotated[
        Path, typer.Argument(help="The run's output, as it was named with -o; or its ledger.")
    ],
    forget: Annotated[
        str | None,
        typer.Option(
            callback=require_nonempty,
            metavar="BATCH",
            help="Forget a batch that the provider no longer knows: its asks are sent again.",
        ),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Show the progress of a run: rows, replies and batches. Sends no requests.

    Works while the run is in progress, too.
    """
    from whyset.pipelines import RunFiles, RunStatus, forget_batch

    ledger = output if output.suffix == ".sqlite" else RunFiles.ledger_path(output)
    if forget is not None:
        forget_batch(ledger, forget)
    found = RunStatus.read(ledger)
    if json_output:
        typer.echo(render_json(found.record()))
    else:
        print_lines(_status_lines(found))


def _status_lines(found: "RunStatus") -> "Iterator[str]":
    yield f"{pluralize(found.rows, 'row')} done"
    if found.steps:
        steps = [
            (
                step.step,
                step.model,
                pluralize(step.replies, "reply", "replies"),
                f"{step.usage.input_tokens + step.usage.cache_read_tokens:,} tokens in",
                f"{step.usage.output_tokens:,} out",
                f"{step.batched:,} by batch" if step.batched else "",
            )
            for step in found.steps
        ]
        yield from format_table(steps, names=2)
    for wave, batches in found.waves.items():
        yield f"wave {wave}:"
        rows = [
            (
                batch.id or "(no id yet)",
                batch.model,
                batch.state,
                pluralize(batch.requests, "ask"),
                f"{batch.size / 1e6:,.1f} MB",
                f"since {batch.created_at or batch.intended_at}",
            )
            for batch in batches
        ]
        yield from format_table(rows, names=3)
    if found.pending:
        yield "Run the same command again to collect what has been answered."
