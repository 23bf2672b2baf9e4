"""`whyset write GENERATOR` and `whyset plan GENERATOR`: one document, a corpus, or its plan."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._generated import DocumentGroup
from ._interrupts import check_interrupts
from ._options import (
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
    PricesOption,
    PromptsOption,
    QuietOption,
    SampleOption,
    checked_money,
    given,
)

if TYPE_CHECKING:
    from whyset.constitution import Constitution
    from whyset.generators import DocumentGenerator
    from whyset.pipelines import Plan

_FORM = "form"

AboutOption = Annotated[
    str | None,
    typer.Option(callback=given, help="What one document is to be about, in your own words."),
]
AsOption = Annotated[
    str | None,
    typer.Option(
        "--as", callback=given, help="What kind of document: one of the generator's, or your own."
    ),
]
VaryOption = Annotated[
    list[str],
    typer.Option(
        metavar="AXIS=VALUE,…",
        help="Draw these values only on an axis, such as register=plain,dry; whyset generators "
        "NAME lists the axes. May be given several times.",
    ),
]
SectionOption = Annotated[
    list[str],
    typer.Option(
        help="A section of the constitution to write about, with its subsections; its heading is "
        "enough. May be given several times [default: all]."
    ),
]
NumberOption = Annotated[
    int | None, typer.Option("-n", "--number", min=1, help="How many documents.")
]
TokensOption = Annotated[
    str | None,
    typer.Option(callback=given, metavar="COUNT", help="How many tokens instead: 3M, 250k."),
]
PerPassageOption = Annotated[
    int, typer.Option(min=0, help="How many documents at least each passage grounds.")
]
DraftsOption = Annotated[
    int, typer.Option(min=1, help="How many documents, each by an idea of its own, a context gets.")
]
SeedOption = Annotated[int, typer.Option(help="What everything is drawn with.")]
BestEffortOption = Annotated[
    bool,
    typer.Option(
        "--best-effort", help="Let a small corpus leave passages uncovered, and say which."
    ),
]
HeldOutOption = Annotated[
    Path | None,
    typer.Option(
        help="Evaluation scenarios (text, or JSON lines with a 'text' column) that no document "
        "may resemble."
    ),
]


def plan_documents(
    generator: "type[DocumentGenerator]",
    options: dict[str, Any],
    *,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", metavar="PLAN.yaml", help="Where the plan goes [default: printed]."
        ),
    ] = None,
    number: NumberOption = None,
    tokens: TokensOption = None,
    section: SectionOption = [],  # noqa: B006
    per_passage: PerPassageOption = 1,
    drafts: DraftsOption = 1,
    vary: VaryOption = [],  # noqa: B006
    seed: SeedOption = 0,
    best_effort: BestEffortOption = False,
    held_out: HeldOutOption = None,
    constitution: ConstitutionOption = None,
) -> None:
    """Plan a corpus: how many documents, over which sections, with which variety.

    The plan is a file to read and to edit; whyset write GENERATOR --plan PLAN.yaml follows it.
    """
    from whyset.pipelines import coverage_text, plan_text, write_plan

    from ._passages import load

    principles = load(constitution)
    made = _planned(
        generator(**options),
        principles,
        number=number,
        tokens=tokens,
        section=section,
        per_passage=per_passage,
        drafts=drafts,
        vary=vary,
        seed=seed,
        best_effort=best_effort,
        held_out=held_out,
    )
    if output is None:
        typer.echo(plan_text(made, principles))
        return
    write_plan(made, output, principles)
    typer.echo(coverage_text(made, principles))
    typer.echo(f"\nplan        {output}")


def write_documents(
    generator: "type[DocumentGenerator]",
    options: dict[str, Any],
    *,
    about: AboutOption = None,
    as_: AsOption = None,
    number: NumberOption = None,
    tokens: TokensOption = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", callback=given, help="Where a corpus goes."),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(metavar="PLAN.yaml", help="Follow a plan that whyset plan has made."),
    ] = None,
    section: SectionOption = [],  # noqa: B006
    per_passage: PerPassageOption = 1,
    drafts: DraftsOption = 1,
    vary: VaryOption = [],  # noqa: B006
    seed: SeedOption = 0,
    best_effort: BestEffortOption = False,
    against: Annotated[
        list[Path],
        typer.Option(help="A corpus whose documents none may resemble. May be given several times."),
    ] = [],  # noqa: B006
    held_out: HeldOutOption = None,
    constitution: ConstitutionOption = None,
    model: ModelOption = None,
    judge: JudgeOption = None,
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
    """Name --about or --section for one document, printed; -n or --tokens and -o for a corpus.

    A corpus is planned: every passage of the chosen sections grounds its share, and variety is
    drawn with exact quotas. What does not pass goes to OUT.quarantine.jsonl and is replaced. Run
    the same command again after an interruption: it goes on where it stopped.
    """
