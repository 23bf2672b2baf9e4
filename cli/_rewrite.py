"""`whyset rewrite`: rows from a file or standard input, or one prompt and its response."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from ._interrupts import check_interrupts
from ._options import (
    STANDARD,
    AttemptsOption,
    BatchOption,
    BudgetOption,
    ChromaOption,
    ConcurrencyOption,
    ConstitutionOption,
    DryRunOption,
    EffortOption,
    EmbedderOption,
    EphemeralOption,
    JsonOption,
    JudgeOption,
    ModelOption,
    OutputOption,
    PricesOption,
    PromptsOption,
    QuietOption,
    SampleOption,
    checked_money,
    given,
)


def rewrite(
    source: Annotated[
        str | None,
        typer.Argument(
            callback=given,
            help="JSON lines to rewrite; - reads rows, or one row, from standard input.",
        ),
    ] = None,
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
    k: Annotated[int, typer.Option("-k", min=1, help="Passages retrieved each time.")] = 8,
    settle_below: Annotated[
        float | None,
        typer.Option(
            help="Rows whose retrieval relevance is lower pass untouched without a call; 0 sends "
            "every row to the judge [default: the threshold measured for the embedder]."
        ),
    ] = None,
    prompts: PromptsOption = None,
    concurrency: ConcurrencyOption = 64,
    attempts: AttemptsOption = 8,
    effort: EffortOption = None,
    embedder: EmbedderOption = "minilm",
    chroma: ChromaOption = None,
    ephemeral: EphemeralOption = False,
    batch: BatchOption = False,
    dry_run: DryRunOption = False,
    sample: SampleOption = None,
    budget: BudgetOption = None,
    prices: PricesOption = None,
    json_output: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Attach the why to the responses of an SFT dataset.

    Rows with nothing at stake pass through untouched; a response that conflicts with the
    constitution is never given a reason; what does not pass goes to OUT.quarantine.jsonl. Run
    the same command again after an interruption: it goes on where it stopped.
    """
    single = prompt is not None or response is not None
    limit = checked_money(
        budget, sample, batch=batch, dry_run=dry_run, kept=not single and output not in {None, "-"}
    )
    source, output = _checked(source, output, prompt, response, dry_run=dry_run)

    from whyset.models import Prices, RetryPolicy
    from whyset.pipelines import RunFiles, open_crew

    from ._passages import load
    from ._progress import Progress
    from ._rewriting import (
        AnnouncedRun,
        announce,
        estimate_rows,
        print_document,
        read_document,
        rewrite_rows,
    )

    files = RunFiles.beside(source, output, constitution=constitution)
    document = read_document(prompt, response) if prompt and response else None
    known_prices = Prices.load(prices)
    retries = RetryPolicy(attempts=attempts)
    principles = load(constitution)
    progress = Progress(shown=not quiet)
    with progress.waiting(f"opening the index of {principles.title}"):
        crew = open_crew(
            principles,
            model=model,
            judge=judge,
            channel=channel,
            cite=cite,
            on_conflict=on_conflict,
            k=k,
            settle_below=settle_below,
            embedder=embedder,
            chroma=chroma,
            ephemeral=ephemeral,
            effort=effort,
        )
    check_interrupts()
    announce(crew, by_default=model is None and not quiet)
    if document is not None:
        print_document(crew, document, retries, as_json=json_output)
        return
    run = AnnouncedRun(
        files,
        crew,
        concurrency=concurrency,
        retries=retries,
        prices=known_prices,
        batch=batch,
        budget=limit,
    )
    if dry_run:
        estimate_rows(run, sample, as_json=json_output)
        return
    rewrite_rows(run, progress, as_json=json_output, quiet=quiet)


def _checked(
    source: str | None,
    output: str | None,
    prompt: Path | None,
    response: Path | None,
    *,
    dry_run: bool,
) -> tuple[str, str]:
    """Return where rows come from and go to, before anything is imported or opened.

    Raises:
        BadParameter: The options do not fit together.
    """
    if prompt is not None or response is not None:
        if dry_run:
            raise typer.BadParameter("--dry-run is for a file of rows")
        if prompt is None or response is None or source or output:
            raise typer.BadParameter(
                "--prompt and --response go together, without a source and without -o; the "
                "result is printed"
            )
        return STANDARD, STANDARD
    if source is None:
        raise typer.BadParameter(
            "name a JSON-lines file, - for standard input, or --prompt and --response"
        )
    if source == STANDARD and sys.stdin is None:
        raise typer.BadParameter("standard input is closed")
    if output is None and source != STANDARD and not dry_run:
        raise typer.BadParameter("say where the rows go: -o out.jsonl, or -o - to print them")
    return source, output or STANDARD
