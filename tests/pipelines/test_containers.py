"""A run from any container to any: nothing lost, resumable, the same bytes."""

import json
import os
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from support.answers.deliberation import CONFLICT, rows, script, write_rows
from support.runs import run_options

from whyset.constitution import Constitution
from whyset.datasets import DatasetError, Row, read_rows, require_provenance
from whyset.generators.deliberation import Deliberation
from whyset.models.testing import ScriptedModel
from whyset.pipelines import Pipeline, Run, RunConfig, RunCounts, RunFiles, RunStopped, Summary
from whyset.retriever.testing import FakeSearcher

from .conftest import QUICK, TEXT

EXACT = {
    "image": pa.array([{"bytes": b"PNG", "path": None}] * 4),
    "at": pa.array([1, None, 3, 4], pa.timestamp("ns", "UTC")),
    "score": pa.array([float("inf"), 0.1, None, 2.0], pa.float32()),
    "kind": pa.array(["a", "b", "a", None], pa.dictionary(pa.int8(), pa.string())),
}


def crew(**options: Any) -> Pipeline:
    model = ScriptedModel(script)
    return Pipeline.build(
        Deliberation(**options), model, model, FakeSearcher(Constitution.parse(TEXT))
    )


def run(source: Any, output: str, **options: Any) -> Summary:
    files = RunFiles.from_output(source, output)
    return Run(files, crew(), **run_options(retries=QUICK, **options)).execute()


@pytest.fixture
def table(tmp_path: Path) -> Path:
    outcome = pa.Table.from_pylist(rows(4, "", CONFLICT))
    for name, column in EXACT.items():
        outcome = outcome.append_column(name, column)
    pq.write_table(outcome, tmp_path / "in.parquet")
    return tmp_path / "in.parquet"


def test_a_table_comes_out_as_a_table_with_what_json_could_not_hold(
    tmp_path: Path, table: Path
) -> None:
    summary = run(str(table), str(tmp_path / "out.parquet"))

    before, after = pq.read_table(table), pq.read_table(tmp_path / "out.parquet")
    kept = [number for number, row in enumerate(rows(4, "", CONFLICT)) if CONFLICT not in str(row)]
    assert (summary.exit_code, after.num_rows) == (1, len(kept))
    assert after.column_names == [*before.column_names, "whyset"]
    for name in EXACT:
        assert after[name].type == before[name].type
        assert after[name].to_pylist() == before[name].take(kept).to_pylist()
    provenance = require_provenance({"whyset": after["whyset"][0].as_py()})
    assert provenance["outcome"] == "rewritten"


@pytest.mark.parametrize("ending", [".jsonl", ".json.gz", ".csv", ".parquet", ".arrow", "/"])
def test_a_run_that_was_stopped_ends_with_the_same_bytes(
    tmp_path: Path, table: Path, ending: str
) -> None:
    def written(folder: Path) -> dict[str, bytes]:
        return {
            str(path.relative_to(folder)): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and not path.name.endswith((".sqlite", ".run.json"))
        }

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    run(str(table), f"{whole}/out{ending}")

    stopped = Run(
        RunFiles.from_output(str(table), f"{broken}/out{ending}"), crew(), RunConfig(concurrency=1)
    )

    def stop(tally: RunCounts, traffic: object) -> None:
        if tally.rows == 2:
            stopped.stop()

    stopped.on_row = stop
    with pytest.raises(RunStopped):
        stopped.execute()
    assert written(broken) == {}
    summary = run(str(table), f"{broken}/out{ending}")

    assert summary.counts.reused >= 1
    assert written(broken) == written(whole)


def test_several_inputs_are_one_run_and_quarantine_tells_them_apart(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_rows(tmp_path / "in" / "a.jsonl", rows(3, CONFLICT))
    write_rows(tmp_path / "in" / "b.jsonl", rows(2, "", CONFLICT))

    run([str(tmp_path / "in" / "b.jsonl"), str(tmp_path / "in" / "a.jsonl")],
        str(tmp_path / "out.jsonl"))  # fmt: skip

    outcome = (tmp_path / "out.quarantine.jsonl").read_text(encoding="utf-8").splitlines()
    entries = [json.loads(line) for line in outcome]
    assert [entry["line"] for entry in entries] == sorted({entry["line"] for entry in entries})
    assert {entry["source"].partition(":")[0] for entry in entries} == {"a.jsonl", "b.jsonl"}
    manifest = json.loads((tmp_path / "out.run.json").read_text(encoding="utf-8"))
    assert manifest["input"] == ["b.jsonl", "a.jsonl"]
    assert str(tmp_path) not in "".join(outcome)


def test_an_output_without_an_ending_is_what_the_input_is(tmp_path: Path, table: Path) -> None:
    run(str(table), str(tmp_path / "out"))
    assert pq.read_table(tmp_path / "out").num_rows
    assert all(isinstance(row, Row) for row in read_rows(tmp_path / "in.parquet"))


def test_a_folder_has_its_files_beside_it(tmp_path: Path, table: Path) -> None:
    for _ in range(2):
        run(str(table), f"{tmp_path}/out/")
    assert sorted(os.listdir(tmp_path)) == [
        "in.parquet",
        "out",
        "out.ledger.sqlite",
        "out.quarantine.jsonl",
        "out.run.json",
    ]


def test_what_a_killed_process_left_of_a_table_is_removed(tmp_path: Path, table: Path) -> None:
    (tmp_path / ".out.4711.part").mkdir()
    (tmp_path / ".out.4711.part" / "data-00000.parquet").touch()
    (tmp_path / ".out.4711.rows.part").touch()
    run(str(table), f"{tmp_path}/out/")
    assert not list(tmp_path.glob(".*"))


def test_input_that_ends_too_early_leaves_the_output_of_an_earlier_run(
    tmp_path: Path, table: Path
) -> None:
    run(str(table), str(tmp_path / "out.parquet"))
    before = {path: path.read_bytes() for path in tmp_path.glob("out.parquet*")}
    with table.open("r+b") as file:
        file.truncate(table.stat().st_size - 20)

    with pytest.raises(DatasetError, match="is damaged or cut off") as refused:
        run(str(table), str(tmp_path / "out.parquet"))

    assert refused.value.exit_code == 2
    for path in (tmp_path / "out.parquet", tmp_path / "out.parquet.quarantine.jsonl"):
        assert path.read_bytes() == before[path]
