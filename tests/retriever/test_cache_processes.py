"""Processes that build and open one index at once: all are served, and one sound index stays."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.embedders import WordEmbedder

from whyset.constitution import Constitution
from whyset.retriever import PassageRetriever

TESTS = Path(__file__).parent.parent
ROUNDS = 4

# Opens the index in each folder that is named to it, line by line.
OPENER = """
import dataclasses, json, sys
from pathlib import Path
import whyset.retriever._chroma
from support.embedders import WordEmbedder
from whyset.constitution import Constitution
from whyset.retriever import PassageRetriever
constitution = Constitution.parse(sys.argv[1])
print("ready", flush=True)
for line in sys.stdin:
    embedder = WordEmbedder()
    opened = PassageRetriever.open(
        constitution, embedder=embedder, cache_dir=Path(line.rstrip("\\n"))
    )
    embedded = len(embedder.calls)
    [grounding] = opened.find_passages([["a diary, and a lie"]], k=9)
    print(json.dumps([embedded, repr(grounding)]), flush=True)
"""


class Opener:
    """A process that opens indexes on request."""

    def __init__(self, text: str, home: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-W", "error", "-c", OPENER, text],
            env={**os.environ, "PYTHONPATH": str(TESTS), "HOME": str(home)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def wait_until_ready(self) -> None:
        assert self._line() == "ready\n"

    def open(self, cache: Path) -> None:
        """Ask it to open an index; `opened` has what came of it."""
        assert self._process.stdin
        self._process.stdin.write(f"{cache}\n")
        self._process.stdin.flush()

    def opened(self) -> tuple[int, str]:
        """Wait, then say how often it embedded, and what it found."""
        embedded, grounding = json.loads(self._line())
        return embedded, grounding

    def close(self) -> None:
        self._process.communicate(timeout=30)

    def _line(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline()


@pytest.fixture(scope="module")
def openers(text: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Opener]]:
    started = [Opener(text, tmp_path_factory.mktemp("home")) for _ in range(2)]
    for opener in started:
        opener.wait_until_ready()
    yield started
    for opener in started:
        opener.close()


@pytest.fixture(scope="module")
def expected(constitution: Constitution) -> str:
    opened = PassageRetriever.open(constitution, embedder=WordEmbedder(), ephemeral=True)
    return repr(opened.find_passages([["a diary, and a lie"]], k=9)[0])


def open_at_once(openers: list[Opener], cache: Path) -> list[tuple[int, str]]:
    for opener in openers:
        opener.open(cache)
    return [opener.opened() for opener in openers]


def assert_one_sound_index(constitution: Constitution, cache: Path) -> Path:
    [folder] = (cache / "index").iterdir()
    embedder = WordEmbedder()
    PassageRetriever.open(constitution, embedder=embedder, cache_dir=cache)
    assert embedder.calls == []
    return folder


def test_two_that_build_at_once_both_succeed_and_leave_one_sound_index(
    openers: list[Opener], constitution: Constitution, expected: str, tmp_path: Path
) -> None:
    for number in range(ROUNDS):
        cache = tmp_path / str(number)

        found = open_at_once(openers, cache)

        assert [grounding for _, grounding in found] == [expected] * 2
        assert_one_sound_index(constitution, cache)


def test_two_that_meet_a_damaged_index_both_succeed_and_leave_one_sound_index(
    openers: list[Opener], constitution: Constitution, expected: str, tmp_path: Path
) -> None:
    PassageRetriever.open(constitution, embedder=WordEmbedder(), cache_dir=tmp_path)
    for _ in range(ROUNDS):
        folder = assert_one_sound_index(constitution, tmp_path)
        (folder / "chroma" / "chroma.sqlite3").write_bytes(b"no database")

        found = open_at_once(openers, tmp_path)

        assert [grounding for _, grounding in found] == [expected] * 2
        assert_one_sound_index(constitution, tmp_path)


def test_two_that_open_at_once_embed_nothing_and_change_nothing(
    openers: list[Opener], constitution: Constitution, expected: str, tmp_path: Path
) -> None:
    PassageRetriever.open(constitution, embedder=WordEmbedder(), cache_dir=tmp_path)
    folder = assert_one_sound_index(constitution, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}

    for _ in range(ROUNDS):
        assert open_at_once(openers, tmp_path) == [(0, expected)] * 2

    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
