"""What rows are read as is said before a run; and which turns, which side, which shape out."""

import json

import pytest
from support.answers.deliberation import row

from whyset.datasets import require_provenance

from .conftest import QUOTING, TALKING, Desk


def sharegpt(number: int) -> dict[str, object]:
    pair = row(number)
    return {
        "conversations": [
            {"from": "human", "value": pair["prompt"]},
            {"from": "gpt", "value": pair["response"]},
            {"from": "human", "value": f"And in row-{number}00?"},
            {"from": "gpt", "value": "The same: I would ask her."},
        ]
    }


def write(desk: Desk, *records: dict[str, object]) -> None:
    desk.write("sft.jsonl", "".join(f"{json.dumps(record)}\n" for record in records))


def test_the_shape_of_rows_is_said(desk: Desk) -> None:
    write(desk, sharegpt(1))

    run = desk.run_in_shell(f'"$0" rewrite sft.jsonl -o out.jsonl {" ".join(QUOTING)} 2>said')

    assert run.code == 0
    said = (desk.folder / "said").read_text(encoding="utf-8")
    assert "\nRows are read as sharegpt.\n" in said


def test_rows_that_disagree_are_counted_with_reasons(desk: Desk) -> None:
    write(desk, sharegpt(1), row(2), row(3), {"nothing": 1})

    run = desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", *QUOTING, "--model", "extractive")

    first, reason = run.err.splitlines()
    assert first == "Rows have different shapes: 4 rows: prompt 2, sharegpt 1, unusable 1"
    assert reason.startswith("  1 × no conversation")
    assert run.code == 1


def test_all_turns_are_worked_on_where_that_is_asked_for(desk: Desk) -> None:
    write(desk, sharegpt(1))

    run = desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", "--turns", "all", *TALKING)

    assert run.code == 0
    (record,) = desk.read("out.jsonl")
    said = [turn["value"] for turn in record["conversations"] if turn["from"] == "gpt"]
    assert all("Two things pull apart" in text for text in said)
    assert len(require_provenance(record)["targets"]) == 2


def test_or_the_first(desk: Desk) -> None:
    write(desk, sharegpt(1))

    desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", "--turns", "1", *TALKING)

    (record,) = desk.read("out.jsonl")
    first, second = (turn["value"] for turn in record["conversations"] if turn["from"] == "gpt")
    assert "Two things pull apart" in first
    assert second == "The same: I would ask her."


def test_rows_are_written_in_another_shape(desk: Desk) -> None:
    write(desk, sharegpt(1))

    run = desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", "--to", "messages", *QUOTING)

    assert run.code == 0
    (record,) = desk.read("out.jsonl")
    assert [message["role"] for message in record["messages"]] == ["user", "assistant"] * 2
    assert require_provenance(record)["outcome"] == "annotated"


def test_what_the_other_shape_cannot_hold_is_quarantined_whole(desk: Desk) -> None:
    write(desk, sharegpt(1), row(2))

    run = desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", "--to", "prompt", *QUOTING)

    assert run.code == 1
    assert len(desk.read("out.jsonl")) == 1
    (entry,) = desk.read("out.quarantine.jsonl")
    assert entry["reasons"] == ["shape"]
    assert entry["row"] == sharegpt(1)


def test_a_finished_row_is_written_in_another_shape_without_a_request(desk: Desk) -> None:
    write(desk, sharegpt(1))
    desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", *TALKING)
    asked = len(desk.server.requests)

    run = desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", "--to", "messages", *TALKING)

    assert run.code == 0
    assert len(desk.server.requests) == asked
    assert "messages" in desk.read("out.jsonl")[0]


def test_rows_of_an_earlier_pass_are_refused_unless_asked_for_again(desk: Desk) -> None:
    write(desk, row(1))
    desk.call("rewrite", "sft.jsonl", "-o", "first.jsonl", *QUOTING)

    refused = desk.call("rewrite", "first.jsonl", "-o", "second.jsonl", *QUOTING)
    again = desk.call("rewrite", "first.jsonl", "-o", "third.jsonl", "--again", *QUOTING)

    assert (refused.code, again.code) == (1, 0)
    assert len(desk.read("third.jsonl")) == 1


@pytest.mark.parametrize("ending", ["jsonl.gz", "parquet", "json"])
def test_containers_go_in_and_out(desk: Desk, ending: str) -> None:
    write(desk, row(1), row(2))

    there = desk.call("rewrite", "sft.jsonl", "-o", f"out.{ending}", *QUOTING)
    back = desk.call("rewrite", f"out.{ending}", "-o", "back.jsonl", "--again", *QUOTING)

    assert (there.code, back.code) == (0, 0)
    assert [record["id"] for record in desk.read("back.jsonl")] == [1, 2]


def test_several_files_are_read_one_after_another(desk: Desk) -> None:
    write(desk, row(1))
    (desk.folder / "more.jsonl").write_bytes((desk.folder / "sft.jsonl").read_bytes())

    run = desk.call("rewrite", "sft.jsonl", "more.jsonl", "-o", "out.jsonl", *QUOTING)

    assert run.code == 0
    assert len(desk.read("out.jsonl")) == 2
