"""Write docs/cli.md from what `whyset --help` says: python docs/generate_cli.py."""

import os
import re
import subprocess
import sys
from pathlib import Path

MANUAL = Path(__file__).with_name("cli.md")

_WIDTH = "92"
_WHYSET = Path(sys.executable).with_name("whyset")
_INTRODUCTION = """\
# The command line

What `whyset --help` says, command by command. [Rows in and out](rows.md) and \
[running and resuming](running.md) tell what goes into a run and what comes of it.

This page is written by `python docs/generate_cli.py`; to change it, change the help.
"""
_COMMAND = re.compile(r"^  (\w+)  ", re.MULTILINE)


def manual() -> str:
    """Return the text of docs/cli.md."""
    overview = _help()
    _, _, commands = overview.partition("\nCommands:\n")
    parts = [_INTRODUCTION, _section("whyset", overview)]
    parts += [_section(f"whyset {name}", _help(name)) for name in _COMMAND.findall(commands)]
    return "\n".join(parts)


def _section(title: str, text: str) -> str:
    return f"## {title}\n\n```text\n{text.strip()}\n```\n"


def _help(*command: str) -> str:
    finished = subprocess.run(
        [_WHYSET, *command, "--help"],
        env={**os.environ, "COLUMNS": _WIDTH},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return finished.stdout


if __name__ == "__main__":
    MANUAL.write_text(manual(), encoding="utf-8")
