"""Write docs/cli.md from what `whyset --help` says: python docs/generate_cli.py."""

import re
from pathlib import Path

from typer.testing import CliRunner

from whyset.cli import app

MANUAL = Path(__file__).with_name("cli.md")

_WIDTH = "92"
_INTRODUCTION = """\
# The command line

What `whyset --help` says, command by command. [Rows in and out](rows.md) and \
[running and resuming](running.md) tell what goes into a run and what comes of it.

This page is written by `python docs/generate_cli.py`; to change it, change the help.
"""
_COMMAND = re.compile(r"^  (\w+)  ", re.MULTILINE)


def manual() -> str:
    """Return the text of docs/cli.md."""
    return "\n".join([_INTRODUCTION, *_sections()])


def _sections(*command: str) -> list[str]:
    """Return a section for a command, and one for each of its own."""
    shown = _help(*command)
    title = " ".join(("whyset", *command))
    _, _, commands = shown.partition("\nCommands:\n")
    sections = [f"## {title}\n\n```text\n{shown.strip()}\n```\n"]
    for name in _COMMAND.findall(commands):
        sections += _sections(*command, name)
    return sections


def _help(*command: str) -> str:
    result = CliRunner().invoke(
        app, [*command, "--help"], prog_name="whyset", env={"COLUMNS": _WIDTH}
    )
    if result.exit_code:
        raise RuntimeError(f"{command}: {result.output}") from result.exception
    return result.output


if __name__ == "__main__":
    MANUAL.write_text(manual(), encoding="utf-8")
