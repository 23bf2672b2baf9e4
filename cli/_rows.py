"""Commands that take rows: `whyset rewrite`, and those of generators such as `whyset diversify`."""

from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ._constitution import load_constitution
from ._options import (
    STDIO,
    AgainOption,
    ConstitutionOption,
    JudgeOption,
    ModelOption,
    OutputOption,
    RunOptions,
    ShapeOption,
    SideOption,
    SourcesArgument,
    ToOption,
    TurnsOption,
    expand_options,
    resolve_output,
)

if TYPE_CHECKING:
    from whyset.datasets import Selection, Shape
    from whyset.generators import Generator


@dataclass(frozen=True, slots=True, kw_only=True)
class RowOptions:
    """Which responses of rows are worked on, and how rows are written, as it was typed."""

    shape: ShapeOption = None
    turns: TurnsOption = "last"
    side: SideOption = "chosen"
    again: AgainOption = False
    to: ToOption = None

    def build_selection(self) -> "Selection":
        """Return what of each row is worked on.

        Raises:
            DatasetError: There is no such shape, or turns are none.
        """
        from whyset.datasets import Selection

        is_number = self.turns.isascii() and self.turns.isdigit()
        return Selection(
            # What is neither word nor number is refused by the selection, with the words it takes.
            turns=int(self.turns) if is_number else self.turns,  # type: ignore[arg-type]
            side=self.side,
            shape=_parse_shape(self.shape),
            replace_provenance=self.again,
        )

    def parse_output_shape(self) -> "Shape | None":
        """Return the shape that rows are written in; `None` for the one that each came in.

        Raises:
            DatasetError: There is no such shape.
        """
        return _parse_shape(self.to)


def _parse_shape(name: str | None) -> "Shape | None":
    from whyset.datasets import Selection

    # The selection knows the names, and refuses any other.
    return None if name is None else Selection(shape=name).shape  # type: ignore[arg-type]


@expand_options
def run_row_generator(
    generator: "type[Generator]",
    options: dict[str, Any],
    *,
    sources: SourcesArgument = None,
    output: OutputOption = None,
    constitution: ConstitutionOption = None,
    model: ModelOption = None,
    judge: JudgeOption = None,
    rows: RowOptions,
    typed: RunOptions,
) -> None:
    """Rows in, rows out; what does not pass goes to OUT.quarantine.jsonl.

    Run the same command again after an interruption: it goes on where it stopped.
    """
    budget = typed.parse_budget(is_durable=output not in {None, STDIO})
    output = resolve_output(sources, output, dry_run=typed.dry_run)
    _run(
        generator,
        options,
        sources=sources,
        output=output,
        constitution=constitution,
        model=model,
        judge=judge,
        rows=rows,
        typed=typed,
        budget=budget,
    )


@expand_options
def rewrite(
    sources: SourcesArgument = None,
    output: OutputOption = None,
    constitution: ConstitutionOption = None,
    model: ModelOption = None,
    judge: JudgeOption = None,
    channel: Annotated[
        Literal["thinking", "preface", "inline"],
        typer.Option(
            help="Where the deliberation goes: the reasoning field, before the response, or woven "
            "into it. The first two leave the response byte for byte as it was."
        ),
    ] = "preface",
    cite: Annotated[
        Literal["none", "implicit", "explicit"],
        typer.Option(help="Whether the text may name or quote the constitution."),
    ] = "implicit",
    on_conflict: Annotated[
        Literal["quarantine", "repair", "keep"],
        typer.Option(help="What to do with a response that conflicts with the constitution."),
    ] = "quarantine",
    prompt: Annotated[
        Path | None, typer.Option(help="A single prompt as plain text, with --response.")
    ] = None,
    response: Annotated[
        Path | None, typer.Option(help="Its response as plain text; the result is plain text too.")
    ] = None,
    *,
    rows: RowOptions,
    k: Annotated[int, typer.Option("-k", min=1, help="Passages retrieved each time.")] = 8,
    settle_below: Annotated[
        float | None,
        typer.Option(
            help="Rows whose retrieval relevance is lower pass untouched without a call; 0 sends "
            "every row to the judge [default: the threshold measured for the embedder]."
        ),
    ] = None,
    max_revisions: Annotated[
        int, typer.Option(min=0, help="Maximum revisions of a draft that does not pass.")
    ] = 2,
    typed: RunOptions,
) -> None:
    """Add the reasons to the responses of an SFT dataset.

    Rows with nothing at stake pass through untouched; a response that conflicts with the
    constitution is never given a reason; what does not pass goes to OUT.quarantine.jsonl. Run
    the same command again after an interruption: it goes on where it stopped.
    """
    pair = None
    if prompt is not None or response is not None:
        if prompt is None or response is None or sources or output:
            raise typer.BadParameter(
                "--prompt and --response go together, without a source and without -o; the "
                "result is printed"
            )
        if typed.dry_run:
            raise typer.BadParameter("--dry-run is for a file of rows")
        pair = prompt, response
    budget = typed.parse_budget(is_durable=pair is None and output not in {None, STDIO})
    if pair is None:
        aside = ", or --prompt and --response"
        output = resolve_output(sources, output, dry_run=typed.dry_run, or_else=aside)

    from whyset.generators.deliberation import Deliberation

    _run(
        Deliberation,
        {
            "channel": channel,
            "cite": cite,
            "on_conflict": on_conflict,
            "k": k,
            "settle_below": settle_below,
            "max_revisions": max_revisions,
        },
        sources=sources,
        output=output or STDIO,
        constitution=constitution,
        model=model,
        judge=judge,
        rows=rows,
        typed=typed,
        budget=budget,
        pair=pair,
    )


def _run(
    generator: "type[Generator]",
    options: dict[str, Any],
    *,
    sources: list[str] | None,
    output: str,
    constitution: Path | None,
    model: str | None,
    judge: str | None,
    rows: RowOptions,
    typed: RunOptions,
    budget: Decimal | None,
    pair: tuple[Path, Path] | None = None,
) -> None:
    """Run a generator over rows, or over the one row that a prompt and its response make."""
    from whyset.pipelines import RunFiles

    from ._progress import Progress
    from ._run import open_with_progress, print_notices, print_single, read_pair, run_rows

    selection, output_shape = rows.build_selection(), rows.parse_output_shape()
    made = generator(prompts=typed.load_prompts(generator.name), **options)
    files = RunFiles.from_output(sources or STDIO, output, constitution=constitution)
    columns = None if pair is None else read_pair(*pair)
    config = typed.build_config(budget)
    progress = Progress(shown=not typed.quiet)
    principles = load_constitution(constitution)
    pipeline = open_with_progress(made, principles, typed, progress, model=model, judge=judge)
    if columns is not None:
        print_notices(pipeline, by_default=model is None and not typed.quiet)
        print_single(pipeline, columns, config.retries, as_json=typed.json_output)
        return
    run_rows(
        files,
        pipeline,
        config,
        typed,
        progress,
        selection=selection,
        output_shape=output_shape,
        by_default=model is None,
    )
