"""Commands of generators that take rows, such as `whyset diversify` and `whyset resample`."""

from functools import partial
from typing import TYPE_CHECKING, Any

from ._options import (
    STANDARD,
    AgainOption,
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
    ShapeOption,
    SideOption,
    SourcesArgument,
    ToOption,
    TurnsOption,
    checked_money,
    checked_rows,
    selected,
    shape_named,
)

if TYPE_CHECKING:
    from whyset.generators import Generator


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
    """Rows in, rows out; what does not pass goes to OUT.quarantine.jsonl.

    Run the same command again after an interruption: it goes on where it stopped.
    """
    kept = output not in {None, STANDARD}
    limit = checked_money(budget, sample, batch=batch, dry_run=dry_run, kept=kept)
    output = checked_rows(sources, output, dry_run=dry_run)

    from whyset.models import Prices, RetryPolicy
    from whyset.pipelines import RunFiles, open_crew_for, read_prompts

    from ._passages import load
    from ._progress import Progress
    from ._running import Means, opened, work_on_rows

    selection = selected(shape, turns, side, again=again)
    written_as = shape_named(to)
    own = read_prompts(prompts, generator.name) if prompts else None
    made = generator(prompts=own, **options)
    files = RunFiles.beside(sources or STANDARD, output, constitution=constitution)
    means = Means(
        concurrency,
        RetryPolicy(attempts=attempts),
        batch,
        limit,
        Prices.load(prices),
        dry_run,
        sample,
        json_output,
        quiet,
    )
    progress = Progress(shown=not quiet)
    crew = opened(
        load(constitution),
        partial(
            open_crew_for,
            made,
            model=model,
            judge=judge,
            embedder=embedder,
            chroma=chroma,
            ephemeral=ephemeral,
            effort=effort,
        ),
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
