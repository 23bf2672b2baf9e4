"""`docs/checks.md` says what there is: its tables are held to the code."""

import re
from contextlib import redirect_stdout
from dataclasses import asdict
from inspect import signature
from io import StringIO
from pathlib import Path

from whyset.generators import checks
from whyset.generators._names import draw_names, load_name_pool
from whyset.generators.checks import DEFAULT_STYLE_LIMITS

MANUAL = (Path(__file__).parents[2] / "docs" / "checks.md").read_text(encoding="utf-8")
FIXTURES = Path(__file__).parent / "fixtures" / "checks"


def table(heading: str) -> list[list[str]]:
    """Return the cells of the table under a heading, row by row."""
    part = MANUAL.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows[2:]]


def check_functions() -> list[str]:
    """Return the public functions that check a text; others make or filter `Check`s."""
    found = [getattr(checks, name) for name in checks.__all__ if name.startswith("check_")]
    return [check.__name__ for check in found if next(iter(signature(check).parameters)) == "text"]


def named(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_every_check_is_in_the_table_and_no_other() -> None:
    listed = sorted(name for row in table("All checks") for name in named(row[0]))

    assert listed == check_functions()


def test_every_row_says_what_it_reads_and_what_fails_it() -> None:
    for function, _, reads, fails, blind in table("All checks"):
        assert reads and fails, function
        assert blind or function == "`check_length`"


def test_names_are_those_in_the_provenance() -> None:
    sources = Path(__file__).parents[2] / "generators" / "checks"
    code = "".join(path.read_text(encoding="utf-8") for path in sources.glob("*.py"))

    for row in table("All checks"):
        for name in named(row[1]):
            assert f'"{name}"' in code, name


def test_every_check_has_cases_that_need_no_python() -> None:
    assert sorted(path.stem for path in FIXTURES.glob("*.jsonl")) == check_functions()


def test_limits_of_habits_are_the_defaults() -> None:
    written = {named(row[0])[0]: float(row[1]) for row in table("Habits of style")}

    assert written == asdict(DEFAULT_STYLE_LIMITS)


def test_the_example_prints_what_it_says() -> None:
    (block,) = re.findall(r"```python\n(.*?)```\n\nprints `([^`]+)`", MANUAL, re.DOTALL)
    printed = StringIO()

    with redirect_stdout(printed):
        exec(block[0], {})

    assert printed.getvalue().strip() == block[1]


def test_the_size_of_the_pool_is_right() -> None:
    pool = load_name_pool()
    regions = len({name.region for name in draw_names(0, 500)})

    assert f"{len(pool.given):,} given and {len(pool.family):,} family names of {regions}" in MANUAL
