"""Evaluation scenarios as a user has them: texts, folders of texts, rows of any kind."""

import gzip
from pathlib import Path

import pytest

from whyset.pipelines import RunError, load_scenarios

ROWS = '{"name": "gate", "text": "A locked gate."}\n{"prompt": "A lost letter."}\n'
READ = [("gate", "A locked gate."), ("line 2", "A lost letter.")]


def read(path: Path) -> list[tuple[str, str]]:
    return [(scenario.name, scenario.text) for scenario in load_scenarios(path)]


@pytest.mark.parametrize("name", ["evals.jsonl", "evals.ndjson", "evals.JSONL"])
def test_rows_are_one_each(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(ROWS)
    assert read(tmp_path / name) == READ


@pytest.mark.parametrize("name", ["evals.jsonl.gz", "evals.gz"])
def test_packed_rows_are_too(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(ROWS.encode()))
    assert read(tmp_path / name) == READ


@pytest.mark.parametrize("name", ["mailbox.md", "mailbox.txt", "mailbox", "mailbox.rst"])
def test_a_text_is_one(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("A full mailbox.")
    assert read(tmp_path / name) == [("mailbox", "A full mailbox.")]


def test_a_folder_has_one_in_each_text(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    for name in ("b.txt", "a.md", "inner/C.MD", "evals.jsonl"):
        (tmp_path / name).write_text(name)
    assert read(tmp_path) == [("a", "a.md"), ("b", "b.txt"), ("C", "inner/C.MD")]


def test_what_holds_none_or_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "evals.jsonl").write_text('{"text": "A locked gate."}\n{"question": 1}\n')
    with pytest.raises(RunError, match=r"line 2: has no text; expected one of the columns text,"):
        load_scenarios(tmp_path / "evals.jsonl")
    with pytest.raises(RunError, match="holds no scenario"):
        load_scenarios(tmp_path)
