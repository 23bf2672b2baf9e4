"""The `whyset` command. Commands import what they need when they run: `--help` stays quick."""

import os
import sys
from typing import Annotated

import typer

from whyset.errors import WhysetError

from ._passages import charter, passages
from ._rewrite import rewrite
from ._search import search

_INTERRUPTED = 130
_STOPPED = 3
_BUG = 70

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
    help="Ground training data in a constitution: attach the why to responses.",
    epilog=_EXIT_CODES,
    no_args_is_help=True,
    # Plain text: it reads the same in a terminal, in a log and in docs/cli.md.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"max_content_width": 100},
)
for command in (rewrite, passages, search, charter):
    app.command()(command)


def main() -> None:
    """Run the command line; what the user can mend is told in a sentence, not in a traceback."""
    try:
        code = _run()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read standard output has left, as `head` does: nobody is there to be told.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = _STOPPED
    except Exception:
        # Python's own exit code would be 1, which means something else here.
        sys.excepthook(*sys.exc_info())
        code = _BUG
    sys.exit(code)


def _run() -> int:
    try:
        app()
    except WhysetError as error:
        if isinstance(error.__cause__, BrokenPipeError):
            raise error.__cause__ from None
        # To stop early is no error: what to do next is all there is to say.
        told = str(error) if error.exit_code == _STOPPED else f"Error: {error}"
        typer.echo(told, err=True)
        return error.exit_code
    except SystemExit as end:
        if isinstance(end.__context__, BrokenPipeError):
            raise end.__context__ from None
        if end.code == _INTERRUPTED:
            typer.echo("Interrupted.", err=True)
            return _STOPPED
        return end.code if isinstance(end.code, int) else 0
    return 0


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"whyset {version('whyset')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Options that belong to no command."""
