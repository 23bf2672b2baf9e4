"""The `whyset` command. Commands import what they need when they run: `--help` stays quick."""

import errno
import gc
import io
import os
import sys
import warnings
from typing import Annotated

import typer

from whyset.errors import WhysetError

from ._commands import CommandGroup
from ._constitution import charter, passages, search
from ._export import card, export
from ._generators import generators, prompts
from ._interrupts import remember_interrupts, was_interrupted
from ._rows import rewrite
from ._status import status
from ._write import PlanGroup, WriteGroup

_INTERRUPTED = 130
_USAGE_ERROR = 2
_STOPPED = 3
_BUG = 70
_DISK_ERRORS = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})

# \b: the lines below it stay lines.
_EXIT_CODES = """\b
Exit codes:
  0  all rows done
  1  finished, but some rows are in quarantine
  2  wrong usage, unreadable input or unwritable output
  3  stopped early; run the same command again to go on
  4  the provider refused: key, model, permission or credit
  70 a bug in whyset; the traceback says where
"""

app = typer.Typer(
    name="whyset",
    cls=CommandGroup,
    help="Ground training data in a constitution: add the reasons to responses.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    # Plain text: it reads the same in a terminal, in a log and in docs/cli.md.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"max_content_width": 100},
)
app.command()(rewrite)
for group, name, summary in (
    (WriteGroup, "write", "Write documents: one, printed, or a planned corpus."),
    (PlanGroup, "plan", "Plan a corpus of documents, as a file to read and edit."),
):
    app.add_typer(
        typer.Typer(cls=group, rich_markup_mode=None, no_args_is_help=True),
        name=name,
        help=summary,
    )
for command in (export, card, generators, prompts, status, passages, search, charter):
    app.command()(command)


def main() -> None:
    """Run the command line; what the user can mend is said in a sentence, not in a traceback."""
    remember_interrupts()
    warnings.formatwarning = _format_warning
    if sys.stdout is None:
        # The next file to be opened would take its place, and be printed into.
        typer.echo("Error: standard output is closed; redirect it to a file or /dev/null", err=True)
        sys.exit(_USAGE_ERROR)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What is printed is read by other programs too: UTF-8 in every locale. Half a surrogate
        # pair, which no encoding takes, is printed as JSON would write it.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        code = _run_app()
        sys.stdout.flush()
    except Exception as error:
        code = _handle_error(error)
    # The system takes all memory back at once; to look for cycles in what the vendors' packages
    # hold took a quarter of a short command's time.
    gc.freeze()
    sys.exit(code)


def _handle_error(error: Exception) -> int:
    """Say what went wrong, where somebody can read it, and return the exit code."""
    if was_interrupted():
        return _report_interrupt()
    if isinstance(error, BrokenPipeError):
        # Whoever read standard output has left, as `head` does.
        _discard_stdout()
        return _STOPPED
    if isinstance(error, OSError) and error.errno in _DISK_ERRORS:
        _discard_stdout()
        where = error.filename or "standard output"
        typer.echo(f"Error: {where}: cannot be written: {error.strerror}", err=True)
        return _USAGE_ERROR
    # Python's own exit code would be 1, which means something else here.
    sys.excepthook(type(error), error, error.__traceback__)
    return _BUG


def _discard_stdout() -> None:
    """Lead standard output nowhere: what is still to be written would fail once more at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def _format_warning(message: Warning | str, *_: object, **__: object) -> str:
    return f"Note: {message}\n"


def _run_app() -> int:
    try:
        app()
    except WhysetError as error:
        if was_interrupted():
            return _report_interrupt()
        cause = error.__cause__
        if isinstance(cause, BrokenPipeError):
            raise cause from None
        # To stop early is no error: what to do next is all there is to say.
        typer.echo(str(error) if error.exit_code == _STOPPED else f"Error: {error}", err=True)
        if isinstance(cause, OSError) and cause.errno in _DISK_ERRORS:
            _discard_stdout()
        return error.exit_code
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None
        if end.code == _INTERRUPTED:
            return _report_interrupt()
        return end.code if isinstance(end.code, int) else 0
    return 0


def _report_interrupt() -> int:
    typer.echo("Interrupted.", err=True)
    return _STOPPED


def _print_version(is_asked: bool) -> None:
    if is_asked:
        from importlib.metadata import version

        typer.echo(f"whyset {version('whyset')}")
        raise typer.Exit


@app.callback()
def _root_options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Options that belong to no command."""
