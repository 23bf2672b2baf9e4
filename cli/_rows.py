"""`whyset rewrite`: rows from files or standard input, or one prompt and its response."""

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
    build_selection,
    expand_options,
    parse_shape,
    resolve_output,
)

if TYPE_CHECKING:
    from whyset.generators import Generator


# ---- Commands of generators that take rows, such as `whyset diversify` and `whyset resample`.


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
    shape: ShapeOption = None,
    turns: TurnsOption = "last",
    side: SideOption = "chosen",
    again: AgainOption = False,
    to: ToOption = None,
    typed: RunOptions,
) -> None:
    """Rows in, rows out; what does not pass goes to OUT.quarantine.jsonl.

    Run the same command again after an interruption: it goes on where it stopped.
    """
    budget = typed.parse_budget(is_durable=output not in {None, STDIO})
    output = resolve_output(sources, output, dry_run=typed.dry_run)

    from whyset.pipelines import RunFiles

    from ._progress import Progress
    from ._run import open_with_progress, run_rows

    selection = build_selection(shape, turns, side, again=again)
    output_shape = parse_shape(to)
    made = generator(prompts=typed.load_prompts(generator.name), **options)
    files = RunFiles.from_output(sources or STDIO, output, constitution=constitution)
    config = typed.build_config(budget)
    progress = Progress(shown=not typed.quiet)
    principles = load_constitution(constitution)
    pipeline = open_with_progress(made, principles, typed, progress, model=model, judge=judge)
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
        typer.Option(help="What becomes of a response that goes against the constitution."),
    ] = "quarantine",
    prompt: Annotated[
        Path | None, typer.Option(help="A single prompt as plain text, with --response.")
    ] = None,
    response: Annotated[
        Path | None, typer.Option(help="Its response as plain text; the result is plain text too.")
    ] = None,
    shape: ShapeOption = None,
    turns: TurnsOption = "last",
    side: SideOption = "chosen",
    again: AgainOption = False,
    to: ToOption = None,
    k: Annotated[int, typer.Option("-k", min=1, help="Passages retrieved each time.")] = 8,
    settle_below: Annotated[
        float | None,
        typer.Option(
            help="Rows whose retrieval relevance is lower pass untouched without a call; 0 sends "
            "every row to the judge [default: the threshold measured for the embedder]."
        ),
    ] = None,
    max_revisions: Annotated[
        int, typer.Option(min=0, help="How often a draft that does not pass is revised.")
    ] = 2,
    *,
    typed: RunOptions,
) -> None:
    """Attach the why to the responses of an SFT dataset.

    Rows with nothing at stake pass through untouched; a response that conflicts with the
    constitution is never given a reason; what does not pass goes to OUT.quarantine.jsonl. Run
    the same command again after an interruption: it goes on where it stopped.
    """
    single = prompt is not None or response is not None
    if single:
        if prompt is None or response is None or sources or output:
            raise typer.BadParameter(
                "--prompt and --response go together, without a source and without -o; the "
                "result is printed"
            )
        if typed.dry_run:
            raise typer.BadParameter("--dry-run is for a file of rows")
    budget = typed.parse_budget(is_durable=not single and output not in {None, STDIO})
    if single:
        output = STDIO
    else:
        aside = ", or --prompt and --response"
        output = resolve_output(sources, output, dry_run=typed.dry_run, or_else=aside)

    from whyset.generators.deliberation import Deliberation
    from whyset.pipelines import RunFiles

    from ._progress import Progress
    from ._run import open_with_progress, print_notices, print_single, read_pair, run_rows

    selection = build_selection(shape, turns, side, again=again)
    output_shape = parse_shape(to)
    files = RunFiles.from_output(sources or STDIO, output, constitution=constitution)
    pair = read_pair(prompt, response) if prompt and response else None
    config = typed.build_config(budget)
    progress = Progress(shown=not typed.quiet)
    principles = load_constitution(constitution)
    generator = Deliberation(
        prompts=typed.load_prompts("deliberation"),
        channel=channel,
        cite=cite,
        on_conflict=on_conflict,
        k=k,
        settle_below=settle_below,
        max_revisions=max_revisions,
    )
    pipeline = open_with_progress(generator, principles, typed, progress, model=model, judge=judge)
    if pair is not None:
        print_notices(pipeline, by_default=model is None and not typed.quiet)
        print_single(pipeline, pair, config.retries, as_json=typed.json_output)
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
