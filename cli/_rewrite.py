"""`whyset rewrite`: rows from a file or standard input, or one prompt and its response."""

import sys
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Literal

import typer

from ._interrupts import check_interrupts
from ._options import ChromaOption, ConstitutionOption, EmbedderOption, EphemeralOption, given

_STANDARD = "-"


def rewrite(
    source: Annotated[
        str | None,
        typer.Argument(
            callback=given,
            help="JSON lines to rewrite; - reads rows, or one row, from standard input.",
        ),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", callback=given, help="Where finished rows go; - for standard output."
        ),
    ] = None,
    constitution: ConstitutionOption = None,
    model: Annotated[
        str | None,
        typer.Option(
            callback=given,
            # The example comes first: further on, a narrow terminal would break it in two.
            help="anthropic:claude-opus-5-5 or another provider:model writes; extractive only "
            "quotes and needs no key [default: extractive].",
        ),
    ] = None,
    judge: Annotated[
        str | None,
        typer.Option(callback=given, help="Who judges: provider:model [default: the writer]."),
    ] = None,
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
    concurrency: Annotated[
        int,
        typer.Option(
            min=1,
            max=1024,
            help="Asks in flight at most; how many the provider bears below it is found out.",
        ),
    ] = 64,
    attempts: Annotated[
        int,
        typer.Option(min=1, help="How often an ask that meets a passing fault is sent at most."),
    ] = 8,
    effort: Annotated[
        str | None,
        typer.Option(
            callback=given, help="How much models put into an answer, such as low or high."
        ),
    ] = None,
    embedder: EmbedderOption = "minilm",
    chroma: ChromaOption = None,
    ephemeral: EphemeralOption = False,
    batch: Annotated[
        bool,
        typer.Option(
            "--batch",
            help="Ask by message batches: half the price, each wave within a day. A run begun "
            "without can be finished with it, and the other way round.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Say what the run would ask and cost, and send nothing."),
    ] = False,
    sample: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="With --dry-run: rows to estimate from, drawn at random; 0 takes all "
            "[default: 500].",
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            callback=given,
            metavar="DOLLARS",
            help="Stop before the ask that could exceed it, earlier runs on this output included.",
        ),
    ] = None,
    prices: Annotated[
        Path | None, typer.Option(help="Prices laid over those that ship with whyset (TOML).")
    ] = None,
    json_output: Annotated[
        bool, typer.Option("--json", help="Summary, or a single result, as JSON.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")] = False,
) -> None:
    """Attach the why to the responses of an SFT dataset.

    Rows with nothing at stake pass through untouched; a response that conflicts with the
    constitution is never given a reason; what does not pass goes to OUT.quarantine.jsonl. Run
    the same command again after an interruption: it goes on where it stopped.
    """
    single = prompt is not None or response is not None
    limit = _checked_money(
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


def _checked_money(
    budget: str | None, sample: int | None, *, batch: bool, dry_run: bool, kept: bool
) -> Decimal | None:
    """Return the budget, after a look at what goes together.

    Args:
        budget: As it was typed.
        sample: As it was typed.
        batch: Whether to ask by message batches.
        dry_run: Whether to send nothing.
        kept: Whether the run keeps a ledger.

    Raises:
        BadParameter: The budget is no amount, or the options do not fit together.
    """
    if sample is not None and not dry_run:
        raise typer.BadParameter("--sample goes with --dry-run")
    if (batch or budget is not None) and not kept:
        raise typer.BadParameter(
            "--batch and --budget need a run that keeps a ledger: name a file with -o"
        )
    if budget is None:
        return None
    try:
        return Decimal(budget.removeprefix("$"))
    except InvalidOperation:
        raise typer.BadParameter(
            f"--budget is an amount of dollars, such as 25, not {budget!r}"
        ) from None


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
        return _STANDARD, _STANDARD
    if source is None:
        raise typer.BadParameter(
            "name a JSON-lines file, - for standard input, or --prompt and --response"
        )
    if source == _STANDARD and sys.stdin is None:
        raise typer.BadParameter("standard input is closed")
    if output is None and source != _STANDARD and not dry_run:
        raise typer.BadParameter("say where the rows go: -o out.jsonl, or -o - to print them")
    return source, output or _STANDARD
