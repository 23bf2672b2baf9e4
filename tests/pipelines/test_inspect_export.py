"""Probes as a folder that Inspect runs; that it really does is proved by `make proof`."""

import ast
import copy
import json
from pathlib import Path
from typing import Any

import pytest
from support.answers.probe import written_probes

from whyset.pipelines import RunError, export_inspect


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    return list(written_probes())


@pytest.fixture
def record(records: list[dict[str, Any]]) -> dict[str, Any]:
    """A multiple choice."""
    found = next(r for r in records if r["metadata"]["format"] == "multiple_choice")
    return copy.deepcopy(found)


def test_a_folder_holds_the_probes_the_task_and_the_graders_prompt(
    tmp_path: Path, records: list[dict[str, Any]]
) -> None:
    exported = export_inspect(iter(records), tmp_path / "new" / "probes")

    assert exported.folder == tmp_path / "new" / "probes"
    assert {path.name for path in exported.folder.iterdir()} == {
        "probes.jsonl",
        "task.py",
        "grade.md",
    }
    lines = (exported.folder / "probes.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == records
    assert exported.probes == len(records) == 6
    assert exported.kinds == {"recall": 4, "false_premise": 1, "open_ended": 1}
    assert exported.formats == {"free": 3, "cloze": 1, "true_false": 1, "multiple_choice": 1}
    assert exported.command.startswith(f"inspect eval {exported.folder / 'task.py'} --model")


def test_the_task_compiles_and_needs_nothing_of_ours(
    tmp_path: Path, records: list[dict[str, Any]]
) -> None:
    task = export_inspect(records, tmp_path).folder / "task.py"
    tree = ast.parse(task.read_text(encoding="utf-8"))
    compile(tree, str(task), "exec")

    imported = {
        (node.module or "").partition(".")[0] if isinstance(node, ast.ImportFrom) else name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in node.names
    }
    assert imported == {"hashlib", "inspect_ai", "math", "pathlib", "re", "typing"}


def test_the_task_reads_fields_that_every_probe_has(
    tmp_path: Path, records: list[dict[str, Any]]
) -> None:
    """What it subscribes by name is there, in each record, passage and quotation."""
    task = export_inspect(records, tmp_path).folder / "task.py"
    used = {
        node.slice.value
        for node in ast.walk(ast.parse(task.read_text(encoding="utf-8")))
        if isinstance(node, ast.Subscript)
        and isinstance(node.slice, ast.Constant)
        and isinstance(node.slice.value, str)
    }
    own = {"probe", "phrasing", "you", "named"}
    premise = {"premise", "correction"}
    for record in records:
        metadata = record["metadata"]
        held = set(record) | set(metadata) | set(metadata["constitution"])
        for part in (*metadata["passages"], *metadata["quotes"]):
            held |= set(part)
        if metadata["kind"] == "false_premise":
            assert premise <= held
        assert used - own - premise <= held


def test_the_graders_prompt_has_just_what_the_task_fills_in(
    tmp_path: Path, records: list[dict[str, Any]]
) -> None:
    folder = export_inspect(records, tmp_path).folder
    task, prompt = ((folder / name).read_text(encoding="utf-8") for name in ("task.py", "grade.md"))

    names = {"answer", "constitution", "kind", "passages", "premise", "question", "reference"}
    for name in names:
        assert f'"{{{{ {name} }}}}"' in task
        assert f"{{{{ {name} }}}}" in prompt
    assert prompt.count("{{") == len(names)
    assert prompt.startswith("<!-- system -->\n")
    assert prompt.count("\n<!-- user -->\n") == 1


def test_exporting_again_replaces_the_probes(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    export_inspect(records, tmp_path)
    (tmp_path / "notes.txt").write_text("mine", encoding="utf-8")

    export_inspect(records[:1], tmp_path)

    assert len((tmp_path / "probes.jsonl").read_bytes().splitlines()) == 1
    assert (tmp_path / "notes.txt").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("name", ["task.py", "grade.md"])
def test_what_somebody_changed_is_not_replaced_unless_asked(
    tmp_path: Path, records: list[dict[str, Any]], name: str
) -> None:
    export_inspect(records, tmp_path)
    shipped = (tmp_path / name).read_text(encoding="utf-8")
    (tmp_path / name).write_text("mine", encoding="utf-8")

    with pytest.raises(RunError, match=f"{name}: is not what would be written here"):
        export_inspect(records[:1], tmp_path)
    assert len((tmp_path / "probes.jsonl").read_bytes().splitlines()) == len(records)

    export_inspect(records, tmp_path, replace=True)
    assert (tmp_path / name).read_text(encoding="utf-8") == shipped


def test_a_bad_record_leaves_everything_as_it_was(
    tmp_path: Path, records: list[dict[str, Any]]
) -> None:
    export_inspect(records, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    with pytest.raises(RunError, match=r"^probe 2: has the id '.*', as probe 1 has"):
        export_inspect([records[0], records[0]], tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_there_must_be_a_probe(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="there is no probe to export"):
        export_inspect([], tmp_path / "probes")
    assert not any((tmp_path / "probes").iterdir())


def test_the_folder_must_be_one(tmp_path: Path, records: list[dict[str, Any]]) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(RunError, match="file: cannot be made a folder"):
        export_inspect(records, tmp_path / "file")


def test_a_row_that_is_no_probe_is_named(tmp_path: Path) -> None:
    with pytest.raises(RunError) as refused:
        export_inspect([{"prompt": "2 + 2?", "response": "4"}], tmp_path)
    assert str(refused.value) == (
        "probe 1: id: Field required; records come from the generator probe"
    )


@pytest.mark.parametrize(
    ("change", "run"),
    [
        ({"target": "E"}, "the target 'E' is none of the 4 choices"),
        ({"target": ["A", "B"]}, "the target of a choice is one letter"),
        ({"choices": None}, "is none of the 0 choices"),
        ({"target": ""}, "target"),
        ({"input": 7}, "input: Input should be a valid string"),
    ],
)
def test_a_choice_must_be_answerable(
    tmp_path: Path, record: dict[str, Any], change: dict[str, Any], run: str
) -> None:
    with pytest.raises(RunError, match=run):
        export_inspect([record | change], tmp_path)


@pytest.mark.parametrize(
    ("change", "run"),
    [
        ({"passages": []}, "metadata.passages: List should have at least 1 item"),
        ({"quotes": []}, "metadata.quotes: List should have at least 1 item"),
        ({"kind": "riddle"}, "metadata.kind: Input should be 'recall'"),
        ({"kind": "false_premise"}, "a false premise needs `premise` and `correction`"),
        ({"format": "free"}, "a free probe has no choices"),
        ({"named_input": ""}, "metadata.named_input"),
    ],
)
def test_what_the_scorers_need_must_be_there(
    tmp_path: Path, record: dict[str, Any], change: dict[str, Any], run: str
) -> None:
    with pytest.raises(RunError, match=run):
        export_inspect([record | {"metadata": record["metadata"] | change}], tmp_path)
