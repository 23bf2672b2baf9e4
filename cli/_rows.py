"""`whyset rewrite`: rows from files or standard input, or one prompt and its response."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ._options import (
    STANDARD,
    AgainOption,
    ConstitutionOption,
    JudgeOption,
    ModelOption,
    OutputOption,
    ShapeOption,
    SideOption,
    SourcesArgument,
    ToOption,
    TurnsOption,
    Typed,
    checked_rows,
    selected,
    shape_named,
    spread,
)

if TYPE_CHECKING:
    from whyset.generators import Generator


# ---- Commands of generators that take rows, such as `whyset diversify` and `whyset resample`.


@spread
def work(
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
    typed: Typed,
) -> None:
    """Rows in, rows out; what does not pass goes to OUT.quarantine.jsonl.

    Run the same command again after an interruption: it goes on where it stopped.
    """
    limit = typed.money(kept=output not in {None, STANDARD})
    output = checked_rows(sources, output, dry_run=typed.dry_run)

    from whyset.pipelines import RunFiles, open_crew_for

    from ._progress import Progress
    from ._run import Means, load, opened, work_on_rows

    selection = selected(shape, turns, side, again=again)
    written_as = shape_named(to)
    made = generator(prompts=typed.prompts_of(generator.name), **options)
    files = RunFiles.beside(sources or STANDARD, output, constitution=constitution)
    means = Means.of(typed, budget=limit)
    progress = Progress(shown=not typed.quiet)
    crew = opened(
        load(constitution),
        partial(open_crew_for, made, model=model, judge=judge, **typed.crew),
        progress,
    )
    work_on_rows(
        files,
        crew,
        means,
        progress,
        selection=selection,
        to=written_as,
        by_default=model is None,
    )


@spread
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
    typed: Typed,
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
    limit = typed.money(kept=not single and output not in {None, STANDARD})
    if single:
        output = STANDARD
    else:
        aside = ", or --prompt and --response"
        output = checked_rows(sources, output, dry_run=typed.dry_run, or_else=aside)

    from whyset.pipelines import RunFiles, open_crew

    from ._progress import Progress
    from ._run import Means, announce, load, opened, print_single, read_pair, work_on_rows

    selection = selected(shape, turns, side, again=again)
    written_as = shape_named(to)
    files = RunFiles.beside(sources or STANDARD, output, constitution=constitution)
    pair = read_pair(prompt, response) if prompt and response else None
    means = Means.of(typed, budget=limit)
    progress = Progress(shown=not typed.quiet)
    crew = opened(
        load(constitution),
        partial(
            open_crew,
            model=model,
            judge=judge,
            channel=channel,
            cite=cite,
            on_conflict=on_conflict,
            k=k,
            settle_below=settle_below,
            max_revisions=max_revisions,
            prompts=typed.prompts_of("deliberation"),
            **typed.crew,
        ),
        progress,
    )
    if pair is not None:
        announce(crew, by_default=model is None and not typed.quiet)
        print_single(crew, pair, means.retries, as_json=typed.json_output)
        return
    work_on_rows(
        files,
        crew,
        means,
        progress,
        selection=selection,
        to=written_as,
        by_default=model is None,
    )
