"""Commands built from generators: what all of a kind share, and the generator's own options.

A generator's options are pydantic fields; each becomes an option of the command with the field's
description as its help. Nothing of a generator is imported before its command is called for.
"""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from ._options import with_signature
from ._rows import run_row_generator

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from typer._click import Command, Context

    from whyset.generators import Generator

_REWRITE_GENERATOR = "deliberation"
"""Whose command is `rewrite`."""

_FIRST_RUN_PARAMETER = "constitution"
"""The first of the parameters that say how something is carried out."""


def build_command(generator: "type[Generator]", template: Callable[..., None]) -> "Command":
    """Return a generator's command.

    Args:
        generator: Whose options it has.
        template: What is done, with what all such commands have: its parameters are options of
            the command, but for `generator`, which is the class, and `options`, a dictionary of
            the generator's own.

    Raises:
        GeneratorError: An option of the generator is called as one that all such commands have.
    """
    from whyset.generators import GeneratorError

    common = {
        name: parameter
        for name, parameter in inspect.signature(template).parameters.items()
        if name not in {"generator", "options"}
    }
    fields = generator.options_class.model_fields
    if clash := sorted(common.keys() & fields.keys()):
        raise GeneratorError(
            f"generator {generator.name!r}: its option {clash[0]} has the name of one that every "
            "command has; rename it"
        )

    def command(**values: Any) -> None:
        options = {name: values.pop(name) for name in fields}
        options = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in options.items()
        }
        template(generator=generator, options=options, **values)

    # Its own stand between what is to be made and how that is carried out.
    parameters: list[inspect.Parameter] = []
    for name, parameter in common.items():
        if name == _FIRST_RUN_PARAMETER:
            parameters += (_build_parameter(own, field) for own, field in fields.items())
        parameters.append(parameter)
    with_signature(command, parameters, like=template)
    summary = generator.summary[:1].upper() + generator.summary[1:]
    command.__doc__ = "\n\n".join(filter(None, [f"{summary}.", inspect.getdoc(template)]))
    app = typer.Typer(
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"max_content_width": 100},
    )
    app.command(name=generator.name)(command)
    return get_command(app)


class LazyCommand(TyperCommand):
    """The command of a built-in generator that takes rows; its options are read when called."""

    def __init__(self, name: str, summary: str) -> None:
        super().__init__(name, help=summary, short_help=summary, rich_markup_mode=None)

    def make_context(
        self, info_name: str | None, args: list[str], parent: "Context | None" = None, **extra: Any
    ) -> "Context":
        """Make the context of the command itself."""
        found = _find_row_command(str(self.name))
        assert found is not None, f"{self.name} is built in"
        return found.make_context(info_name, args, parent, **extra)


ROW_COMMANDS = {
    "diversify": "Put rows into varied environments of tools and system prompts.",
    "resample": "Sample responses under values that are then removed.",
    "choices": "Explain why the chosen response of a pair beats the rejected.",
}
"""Built-in generators that take rows → what the list of commands says of them."""


class CommandGroup(TyperGroup):
    """All commands, those of generators that take rows among them, plugged-in ones included."""

    def list_commands(self, ctx: "Context") -> list[str]:
        """Return the commands: what makes data first, then what shows things."""
        makers = ["rewrite", *ROW_COMMANDS, "write", "plan"]
        return [*makers, *(name for name in super().list_commands(ctx) if name not in makers)]

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """Return a command; `None` where there is none of that name."""
        if cmd_name in ROW_COMMANDS:
            return LazyCommand(cmd_name, ROW_COMMANDS[cmd_name])
        found = super().get_command(ctx, cmd_name)
        if found is None and cmd_name != _REWRITE_GENERATOR:
            return _find_row_command(cmd_name)
        return found


class DocumentGroup(TyperGroup):
    """A group with one command for each installed generator that writes documents."""

    template: Callable[..., None]

    def list_commands(self, ctx: "Context") -> list[str]:
        """Return the generators' names."""
        from whyset.generators import list_generators, load_generator_class

        return [
            name for name in list_generators() if load_generator_class(name).input_kind == "briefs"
        ]

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """Return a generator's command; `None` where none of that name writes documents."""
        found = _find_generator(cmd_name, takes="briefs")
        return None if found is None else build_command(found, type(self).template)


def _find_row_command(name: str) -> "Command | None":
    """Return the command of an installed generator that takes rows; `None` where none does."""
    found = _find_generator(name, takes="rows")
    return None if found is None else build_command(found, run_row_generator)


def _find_generator(name: str, *, takes: str) -> "type[Generator] | None":
    from whyset.generators import list_generators, load_generator_class

    if name not in list_generators():
        return None
    found = load_generator_class(name)
    return found if found.input_kind == takes else None


def option_flag(option: str) -> str:
    """Return how a generator's option is typed."""
    return "-k" if option == "k" else f"--{option.replace('_', '-')}"


def _build_parameter(name: str, field: "FieldInfo") -> inspect.Parameter:
    kind: Any = field.annotation
    default = field.get_default(call_default_factory=True)
    described = typer.Option(*([] if kind is bool else [option_flag(name)]), help=field.description)
    if get_origin(kind) is tuple:
        item = get_args(kind)[0]
        if get_origin(item) is Literal:
            # Typer has no lists of choices: the help names them, the generator checks them.
            described.metavar, item = "|".join(get_args(item)), str
        # A type made at run time, as the options of a generator are.
        kind, default = list[item], list(default or ())  # type: ignore[valid-type]
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if field.is_required() else default,
        annotation=Annotated[kind, described],
    )
