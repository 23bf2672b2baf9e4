"""Standard output that is closed, full, or left by its reader: no traceback, no lie."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from support.answers.deliberation import rows

from .conftest import QUOTING, WHYSET, Desk

FULL = Path("/dev/full")
PRINTING = [
    ("--help",),
    ("passages",),
    ("passages", "manners.md", "--json"),
    ("charter",),
    ("search", "May I ask?", *QUOTING),
    ("rewrite", "sft.jsonl", "-o", "-", "--quiet", *QUOTING),
]
NAMES = [" ".join(command[:2]) for command in PRINTING]


@pytest.mark.parametrize("command", PRINTING, ids=NAMES)
def test_a_reader_that_has_left_ends_the_command_silently(
    desk: Desk, command: tuple[str, ...]
) -> None:
    desk.write_rows(1)
    reading, writing = os.pipe()
    os.close(reading)
    try:
        finished = subprocess.run(
            [WHYSET, *command],
            cwd=desk.folder,
            env=desk.environment,
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (finished.returncode, finished.stderr) == (3, b"")


def test_head_gets_its_line(desk: Desk) -> None:
    finished = desk.run_in_shell('"$0" passages | head -n 1')
    assert (finished.code, finished.out, finished.err) == (
        0,
        "A charter for an AI assistant\n",
        "",
    )


@pytest.mark.skipif(not FULL.exists(), reason="there is no device that is always full")
@pytest.mark.parametrize("command", PRINTING, ids=NAMES)
def test_a_full_disk_is_reported(desk: Desk, command: tuple[str, ...]) -> None:
    desk.write_rows(1)
    with FULL.open("wb") as full:
        finished = subprocess.run(
            [WHYSET, *command],
            cwd=desk.folder,
            env=desk.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            encoding="utf-8",
            timeout=60,
            check=False,
        )
    assert finished.returncode == 2
    assert finished.stderr == (
        "Error: standard output: cannot be written: No space left on device\n"
    )


def test_a_closed_standard_output_is_reported(desk: Desk) -> None:
    finished = desk.run_in_shell('"$0" charter >&-')
    assert finished.error == "standard output is closed; redirect it to a file or /dev/null"


def test_rows_go_to_standard_output_and_all_else_goes_beside_them(desk: Desk) -> None:
    desk.write_rows(2)
    finished = desk.run("rewrite", "sft.jsonl", "-o", "-", *QUOTING)
    assert finished.code == 0
    printed = [json.loads(line) for line in finished.out.splitlines()]
    assert [record["id"] for record in printed] == [record["id"] for record in rows(2)]
    assert "using extractive" in finished.err
    assert "\n2 rows in " in finished.err
    assert desk.names == ["manners.md", "sft.jsonl"]


def test_what_a_room_warns_of_is_a_note_without_code(desk: Desk) -> None:
    desk.write("cache", "a file where a folder should be")
    found = desk.run(
        "search", "honesty", "--constitution", "manners.md", WHYSET_CACHE_DIR="cache/x"
    )
    assert found.code == 0
    assert found.err.startswith("Note: the index cannot be cached in cache/x")
    assert found.err.count("\n") == 1


def test_half_a_surrogate_pair_is_printed_as_json_would_write_it(desk: Desk) -> None:
    found = desk.run_in_shell(
        f"""LC_ALL=C "$0" search "$(printf 'a\\377')" --json {" ".join(QUOTING)}"""
    )
    assert (found.code, found.err) == (0, "")
    assert json.loads(found.out)["query"] == "a\udcff"
