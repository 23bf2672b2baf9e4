"""`whyset status`: what a run's ledger says of it."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._options import given
from ._tables import table
from ._words import counted

if TYPE_CHECKING:
    from whyset.pipelines import RunStatus


def status(
    output: Annotated[
        Path, typer.Argument(help="The run's output, as it was named with -o; or its ledger.")
    ],
    forget: Annotated[
        str | None,
        typer.Option(
            callback=given,
            metavar="BATCH",
            help="Forget a batch that the provider no longer knows: its asks are sent again.",
        ),
    ] = None,
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Say how far a run is: rows done, replies, message batches. Asks nobody.

    Works while a process is at work on the run, too.
    """
    from whyset.pipelines import RunFiles, RunStatus, forget_batch

    ledger = output if output.suffix == ".sqlite" else RunFiles.ledger_of(output)
    if forget is not None:
        forget_batch(ledger, forget)
    found = RunStatus.of(ledger)
    if json_output:
        typer.echo(json.dumps(found.record(), ensure_ascii=False, indent=2))
        return
    typer.echo("\n".join(_lines(found)))


def _lines(found: "RunStatus") -> list[str]:
    lines = [f"{counted(found.rows, 'row')} done"]
    if found.steps:
        rows = [
            (
                step.step,
                step.model,
                counted(step.replies, "reply", "replies"),
                f"{step.usage.input_tokens + step.usage.cache_read_tokens:,} tokens in",
                f"{step.usage.output_tokens:,} out",
                f"{step.batched:,} by batch" if step.batched else "",
            )
            for step in found.steps
        ]
        lines += table(rows, names=2)
    for wave, batches in found.waves.items():
        lines.append(f"wave {wave}:")
        rows = [
            (
                batch.id or "(not known yet)",
                batch.model,
                batch.state,
                counted(batch.requests, "ask"),
                f"{batch.size / 1e6:,.1f} MB",
                f"since {batch.created_at or batch.intended_at}",
            )
            for batch in batches
        ]
        lines += table(rows, names=3)
    if found.underway:
        lines.append("Run the same command again to collect what has been answered.")
    return lines
