"""The benchmarks in a short form: that they run, and that what they prove holds."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(script: str, *arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, f"benchmarks/{script}", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.mark.soak
def test_throughput_is_told_beside_that_of_the_bare_client() -> None:
    lines = run("throughput.py", "--quick").splitlines()
    assert [line.split(" | ")[1] for line in lines[2:]] == [
        "bare AsyncAnthropic on aiohttp",
        "whyset, anthropic:",
    ]
    assert re.search(r"\| \d\.\d\d \(\d\.\d\d to \d\.\d\d\) \|$", lines[-1])


@pytest.mark.soak
def test_scale_is_told_for_a_whole_run_and_for_one_that_has_nothing_to_do() -> None:
    lines = run("scale.py", "--rows", "60", "--resumed", "60").splitlines()
    assert [line.split(" | ")[1] for line in lines[2:]] == [
        "whole run",
        "run again, nothing to do",
        "whole run",
    ]


def test_reading_is_told_beside_pyarrows_own() -> None:
    lines = run("reading.py", "--megabytes", "2", "--turns", "1").splitlines()
    outcome = [re.match(r"\| (jsonl|parquet), \d+ MB \| (\w+) \|", line) for line in lines[2:]]
    assert [match and match.groups() for match in outcome] == [
        (kind, reader)
        for kind in ("jsonl", "parquet")
        for reader in ("rows", "records", "pylist", "batches")
    ]


def test_near_duplicates_are_told_beside_texts_that_are_none() -> None:
    rows = [line.split(" | ") for line in run("duplicates.py", "--texts", "2").splitlines()[4:]]
    assert [row[0] for row in rows][:3] == [
        "| one idea in other words",
        "| two ideas in one frame",
        "| 40 words, and the nearest other text",
    ]
    assert rows[1][-1] == "0 |"  # of texts that are not alike, none is found


@pytest.mark.soak
def test_a_run_that_is_killed_loses_nothing_and_pays_nothing_twice() -> None:
    said = run("soak.py", "--rows", "24", "--kills", "1", "--durable", "1")
    assert "killed 1 times" in said
    assert said.endswith("same bytes\n")
