"""How a run is carried out, as it was typed: said once, and spread over every such command."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, is_dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

import typer

from ._options import (
    AttemptsOption,
    BatchOption,
    BudgetOption,
    ChromaOption,
    ConcurrencyOption,
    DryRunOption,
    EffortOption,
    EmbedderOption,
    EphemeralOption,
    JsonOption,
    PricesOption,
    PromptsOption,
    QuietOption,
    SampleOption,
)

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
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
    def crew(self) -> "Mapping[str, Any]":
        """What a crew is opened with, the models aside."""
        names = ("embedder", "chroma", "ephemeral", "effort")
        return {name: getattr(self, name) for name in names}

    def prompts_of(self, generator: str) -> "Mapping[str, str] | None":
        """Return the user's own prompts for a generator; `None` where no folder is named.

        Raises:
            RunError: The folder has none for it, or one cannot be read.
        """
        from whyset.pipelines import read_prompts

        return read_prompts(self.prompts, generator) if self.prompts else None

    def money(self, *, kept: bool) -> Decimal | None:
        """Return the budget, after a look at what goes together.

        Args:
            kept: Whether the run keeps a ledger.

        Raises:
            BadParameter: The budget is no amount, or the options do not fit together.
        """
        if self.sample is not None and not self.dry_run:
            raise typer.BadParameter("--sample goes with --dry-run")
        if (self.batch or self.budget is not None) and not kept:
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


def spread(command: Callable[..., None]) -> Callable[..., None]:
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

    return signed(spread_out, parameters, like=command)


def signed(
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
