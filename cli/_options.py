"""The options that several commands have, each said once."""

import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, is_dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from whyset.pipelines import RunConfig


STDIO = "-"
"""Standard input or output, where a file could be named."""


def require_nonempty(value: str | None) -> str | None:
    """Return an option's value, which may be left out but not be empty.

    Raises:
        BadParameter: It is empty: taken as left out, it would hide a variable that is not set.
    """
    if value == "":
        raise typer.BadParameter("is empty; is a shell variable unset?")
    return value


ConstitutionOption = Annotated[
    Path | None, typer.Option(help="The constitution, in Markdown [default: the charter].")
]
EmbedderOption = Annotated[
    str,
    typer.Option(
        callback=require_nonempty,
        help="minilm, lexical (no embedder), or one of LangChain's provider:model.",
    ),
]
ChromaOption = Annotated[
    str | None,
    typer.Option(
        callback=require_nonempty, help="A Chroma server, http://host:port [default: embedded]."
    ),
]
EphemeralOption = Annotated[
    bool, typer.Option("--ephemeral", help="Keep the index in memory, not in the cache.")
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        callback=require_nonempty,
        # The example comes first: further on, a narrow terminal would break it in two.
        help="anthropic:claude-opus-5-5 or another provider:model writes; extractive only "
        "quotes and needs no key [default: extractive].",
    ),
]
JudgeOption = Annotated[
    str | None,
    typer.Option(
        callback=require_nonempty, help="Who judges: provider:model [default: the writer]."
    ),
]
EffortOption = Annotated[
    str | None,
    typer.Option(
        callback=require_nonempty, help="Reasoning effort of the models, such as low or high."
    ),
]
ConcurrencyOption = Annotated[
    int,
    typer.Option(
        min=1,
        max=1024,
        help="Maximum asks in flight; adapts downwards to what the provider accepts.",
    ),
]
AttemptsOption = Annotated[
    int,
    typer.Option(min=1, help="Maximum attempts for an ask that meets a transient error."),
]
BatchOption = Annotated[
    bool,
    typer.Option(
        "--batch",
        help="Ask by message batches: half the price, each wave within a day. A run started "
        "without it can be finished with it, and vice versa.",
    ),
]
DryRunOption = Annotated[
    bool,
    typer.Option("--dry-run", help="Estimate the run's asks and cost, and send nothing."),
]
SampleOption = Annotated[
    int | None,
    typer.Option(
        min=0,
        help="With --dry-run: sample size, drawn at random; 0 takes all [default: 500].",
    ),
]
BudgetOption = Annotated[
    str | None,
    typer.Option(
        callback=require_nonempty,
        metavar="DOLLARS",
        help="Stop before the ask that could exceed it, earlier runs on this output included.",
    ),
]
PricesOption = Annotated[
    Path | None, typer.Option(help="Prices that override those that ship with whyset (TOML).")
]
PromptsOption = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="A folder of prompts, DIR/GENERATOR/NAME.md, that replace those that ship "
        "with the generator; whyset prompts copies them out.",
    ),
]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        callback=require_nonempty,
        help="Where finished rows go; - for standard output.",
    ),
]
SourcesArgument = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ROWS]...",
        help="Rows to work on: files, patterns, folders, hf://ORG/NAME; - for standard input.",
    ),
]
ShapeOption = Annotated[
    str | None,
    typer.Option(
        callback=require_nonempty,
        help="The shape of every row: messages, sharegpt, anthropic, completion, prompt, "
        "alpaca, hh or preference [default: detected for each row].",
    ),
]
TurnsOption = Annotated[
    str, typer.Option(help="Which responses of a row: last, all, or a number, counted from 1.")
]
SideOption = Annotated[
    Literal["chosen", "both"], typer.Option(help="Which responses of a preference pair.")
]
AgainOption = Annotated[
    bool,
    typer.Option(
        "--again",
        help="Process rows again that an earlier run processed; their whyset column is replaced.",
    ),
]
ToOption = Annotated[
    str | None,
    typer.Option(
        callback=require_nonempty,
        help="Write rows in this shape [default: the shape of the input].",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Summary, or a single result, as JSON.")]
QuietOption = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no summary.")]


def resolve_output(
    sources: list[str] | None, output: str | None, *, dry_run: bool, or_else: str = ""
) -> str:
    """Return where rows go, after a look at where they come from.

    Args:
        sources: As they were typed.
        output: As it was typed.
        dry_run: Whether nothing is to be written.
        or_else: What else could have been named.

    Raises:
        BadParameter: Nothing says where they come from or go to.
    """
    if not sources:
        raise typer.BadParameter(f"name a file of rows, - for standard input{or_else}")
    if any(not source for source in sources):
        raise typer.BadParameter("is empty; is a shell variable unset?", param_hint="'ROWS'")
    if STDIO in sources and sys.stdin is None:
        raise typer.BadParameter("standard input is closed")
    if output is None and sources != [STDIO] and not dry_run:
        raise typer.BadParameter("say where the rows go: -o out.jsonl, or -o - to print them")
    return output or STDIO


# ---- How a run is carried out: declared once, and spread over every such command


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How a run is carried out, as it was typed: options that every command with a run has."""

    prompts: PromptsOption = None
    concurrency: ConcurrencyOption = 64
    attempts: AttemptsOption = 8
    effort: EffortOption = None
    embedder: EmbedderOption = "minilm"
    chroma: ChromaOption = None
    ephemeral: EphemeralOption = False
    batch: BatchOption = False
    dry_run: DryRunOption = False
    sample: SampleOption = None
    budget: BudgetOption = None
    prices: PricesOption = None
    json_output: JsonOption = False
    quiet: QuietOption = False

    @property
    def sample_size(self) -> int:
        """How many rows or documents a dry run walks."""
        from whyset.pipelines import DEFAULT_SAMPLE

        return DEFAULT_SAMPLE if self.sample is None else self.sample

    def build_config(self, budget: Decimal | None) -> "RunConfig":
        """Return how a run asks.

        Raises:
            ModelError: The file of prices cannot be read.
        """
        from whyset.models import Prices, RetryPolicy
        from whyset.pipelines import RunConfig

        return RunConfig(
            concurrency=self.concurrency,
            retries=RetryPolicy(attempts=self.attempts),
            batch=self.batch,
            budget=budget,
            prices=Prices.load(self.prices),
        )

    def load_prompts(self, generator: str) -> "Mapping[str, str] | None":
        """Return the user's own prompts for a generator; `None` where no folder is named.

        Raises:
            RunError: The folder has none for it, or one cannot be read.
        """
        from whyset.pipelines import read_prompts

        return read_prompts(self.prompts, generator) if self.prompts else None

    def parse_budget(self, *, is_durable: bool) -> Decimal | None:
        """Return the budget, after a look at what goes together.

        Args:
            is_durable: Whether the run keeps a ledger.

        Raises:
            BadParameter: The budget is no amount, or the options do not fit together.
        """
        if self.sample is not None and not self.dry_run:
            raise typer.BadParameter("--sample goes with --dry-run")
        if (self.batch or self.budget is not None) and not is_durable:
            raise typer.BadParameter(
                "--batch and --budget need a run that keeps a ledger: name a file with -o"
            )
        if self.budget is None:
            return None
        try:
            return Decimal(self.budget.removeprefix("$"))
        except InvalidOperation:
            raise typer.BadParameter(
                f"--budget is an amount of dollars, such as 25, not {self.budget!r}"
            ) from None


def expand_options(command: Callable[..., None]) -> Callable[..., None]:
    """Return a command in which each field of a parameter that is a dataclass is an option."""
    groups: dict[str, Callable[..., Any]] = {
        name: parameter.annotation
        for name, parameter in inspect.signature(command).parameters.items()
        if isinstance(parameter.annotation, type) and is_dataclass(parameter.annotation)
    }
    fields = {name: inspect.signature(group).parameters for name, group in groups.items()}
    parameters: list[inspect.Parameter] = []
    for name, parameter in inspect.signature(command).parameters.items():
        parameters += fields[name].values() if name in fields else [parameter]

    def spread_out(**values: Any) -> None:
        grouped = {
            name: groups[name](**{each: values.pop(each) for each in fields[name]})
            for name in groups
        }
        command(**values, **grouped)

    return with_signature(spread_out, parameters, like=command)


def with_signature(
    function: Callable[..., None],
    parameters: Iterable[inspect.Parameter],
    *,
    like: Callable[..., None],
) -> Callable[..., None]:
    """Return a function that Typer takes for one with these parameters.

    Args:
        function: What is called, with every parameter by its name.
        parameters: What it is to be called with.
        like: Whose name and text it gets.
    """
    named = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in parameters]
    function.__name__, function.__doc__ = like.__name__, like.__doc__
    function.__annotations__ = {each.name: each.annotation for each in named}
    function.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]  # Python's own
    return function
