"""`--help` and `--version`: there at once, and current in the manual."""

import re
import runpy
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from .conftest import Desk

DOCS = Path(__file__).parents[2] / "docs"
COMMANDS = (
    "rewrite",
    "diversify",
    "resample",
    "choices",
    "write",
    "plan",
    "export",
    "card",
    "generators",
    "prompts",
    "status",
    "passages",
    "search",
    "charter",
)
MADE_OF_GENERATORS = {"diversify", "resample", "choices", "write", "plan"}
"""Whose options only the generators know."""

HEAVY = {
    "aiohttp",
    "anthropic",
    "asyncio",
    "bm25s",
    "chromadb",
    "httpx",
    "httpx2",
    "jinja2",
    "langchain",
    "langchain_core",
    "markdown_it",
    "numpy",
    "orjson",
    "pydantic",
    "rich",
    "sqlite3",
    "tokenizers",
}

LIST_MODULES = """
import sys
from whyset.cli import main
try:
    main()
finally:
    print(*{name.partition(".")[0] for name in sys.modules}, file=sys.stderr)
"""


def imported_by(*arguments: str) -> set[str]:
    finished = subprocess.run(
        [sys.executable, "-c", LIST_MODULES, *arguments],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return set(finished.stderr.split())


def test_version(desk: Desk) -> None:
    outcome = desk.run("--version")
    assert (outcome.code, outcome.out, outcome.err) == (0, f"whyset {version('whyset')}\n", "")


def test_help_lists_the_commands_and_what_the_exit_codes_mean(desk: Desk) -> None:
    outcome = desk.run("--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("Usage: whyset [OPTIONS] COMMAND [ARGS]...\n")
    listed = outcome.out.partition("\nCommands:\n")[2]
    assert tuple(re.findall(r"^  (\w+)  ", listed, re.MULTILINE)) == COMMANDS
    for code in ("0 ", "1 ", "2 ", "3 ", "4 ", "70"):
        assert f"\n    {code} " in outcome.out
    assert "..." not in outcome.out.partition("\n")[2]  # no summary is cut short


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(desk: Desk, command: str) -> None:
    outcome = desk.run(command, "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith(f"Usage: whyset {command} [OPTIONS]")


def test_without_a_command_the_help_is_shown_as_wrong_usage(desk: Desk) -> None:
    outcome = desk.run()
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == desk.run("--help").out


@pytest.mark.parametrize("argument", ["--help", "--version"])
def test_what_is_slow_to_import_is_not_imported(argument: str) -> None:
    assert imported_by(argument) & HEAVY == set()


@pytest.mark.parametrize("command", [name for name in COMMANDS if name not in MADE_OF_GENERATORS])
def test_nor_for_the_help_of_a_command(command: str) -> None:
    # Typer itself converts the values of options with pydantic.
    assert imported_by(command, "--help") & HEAVY <= {"pydantic"}


def test_the_manual_says_what_the_help_says() -> None:
    written = (DOCS / "cli.md").read_text(encoding="utf-8")
    generated = runpy.run_path(str(DOCS / "generate_cli.py"))["manual"]()
    assert written == generated, "run: python docs/generate_cli.py"
    for command in COMMANDS:
        assert f"\n## whyset {command}\n" in written
