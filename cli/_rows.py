"""Commands of generators that take rows, such as `whyset diversify` and `whyset resample`."""

from functools import partial
from typing import TYPE_CHECKING, Any

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
    checked_rows,
    selected,
    shape_named,
)
from ._typed import Typed, spread

if TYPE_CHECKING:
    from whyset.generators import Generator


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

    from ._passages import load
    from ._progress import Progress
    from ._running import Means, opened, work_on_rows

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
