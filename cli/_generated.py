"""Commands made of generators: what all of a kind have in common, and the generator's options.

A generator's options are pydantic fields; each becomes an option of the command with the field's
description as its help. Nothing of a generator is imported before its command is called for.
"""

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, get_args, get_origin

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from whyset.errors import WhysetError

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo
    from typer._click import Command, Context

    from whyset.generators import Generator

_SHORT = {"k": "-k", "language": "--language"}
GENERATOR, OPTIONS = "generator", "options"
"""The parameters of a template that are no options of the command."""


def command_of(generator: "type[Generator]", template: Callable[..., None]) -> "Command":
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
        for name, parameter in inspect.signature(template, eval_str=True).parameters.items()
        if name not in {GENERATOR, OPTIONS}
    }
    fields = generator.options_class.model_fields
    if taken := sorted(common.keys() & fields.keys()):
        raise GeneratorError(
            f"generator {generator.name!r}: its option {taken[0]} is called as one that every "
            "command has; it needs another name"
        )

    def command(**values: Any) -> None:
        options = {name: _plain(values.pop(name)) for name in fields}
        template(generator=generator, options=options, **values)

    own = [_parameter(name, field) for name, field in fields.items()]
    # Own options first, behind the arguments: they are what the command is about.
    arguments = [p for p in common.values() if _is_argument(p)]
    rest = [p for p in common.values() if not _is_argument(p)]
    ordered = [p.replace(kind=p.KEYWORD_ONLY) for p in (*arguments, *own, *rest)]
    command.__signature__ = inspect.Signature(ordered)  # type: ignore[attr-defined]
    command.__annotations__ = {p.name: p.annotation for p in ordered}
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
    """A command whose options are not known before it is called for.

    Args:
        name: What it is called.
        summary: What it does, in a line.
        make: Returns the command itself.
    """

    def __init__(self, name: str, summary: str, make: "Callable[[], Command]") -> None:
        super().__init__(name, help=summary, short_help=summary, rich_markup_mode=None)
        self._make = make

    def make_context(
        self, info_name: str | None, args: list[str], parent: "Context | None" = None, **extra: Any
    ) -> "Context":
        """Hand over to the command itself."""
        return self._make().make_context(info_name, args, parent, **extra)


class DocumentGroup(TyperGroup):
    """A group with one command for each installed generator that writes documents."""

    template: Callable[..., None]

    def list_commands(self, ctx: "Context") -> list[str]:
        """Return the generators' names, built-in ones in the order of the method first."""
        from whyset.generators import installed_generators, open_generator

        return [name for name in installed_generators() if open_generator(name).takes == "briefs"]

    def get_command(self, ctx: "Context", cmd_name: str) -> "Command | None":
        """Return a generator's command; `None` where none of that name writes documents."""
        found = _generator(cmd_name, takes="briefs")
        return None if found is None else command_of(found, type(self).template)


def row_command(name: str, template: Callable[..., None]) -> "Command | None":
    """Return the command of an installed generator that takes rows; `None` where none does."""
    found = _generator(name, takes="rows")
    return None if found is None else command_of(found, template)


def _generator(name: str, *, takes: str) -> "type[Generator] | None":
    from whyset.generators import GeneratorError, open_generator

    try:
        found = open_generator(name)
    except GeneratorError as error:
        if f"no generator {name!r}" in str(error):
            return None
        raise WhysetError(str(error)) from error
    return found if found.takes == takes else None


def _is_argument(parameter: inspect.Parameter) -> bool:
    return any(
        isinstance(said, typer.models.ArgumentInfo) for said in get_args(parameter.annotation)
    )


def _parameter(name: str, field: "FieldInfo") -> inspect.Parameter:
    kind: Any = field.annotation
    default = field.get_default(call_default_factory=True)
    if get_origin(kind) is tuple:
        kind, default = list[get_args(kind)[0]], list(default or ())
    flags = [_SHORT[name]] if name in _SHORT else []
    described = typer.Option(*flags, help=_help(field))
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if field.is_required() else default,
        annotation=Annotated[kind, described],
    )


def _help(field: "FieldInfo") -> str:
    return field.description or ""


def _plain(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
