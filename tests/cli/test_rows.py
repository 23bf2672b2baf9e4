"""Datasets as people have them, through the command and a server: whole, and nothing leaked."""

import io
import json
import re
import sqlite3
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from support.answers.deliberation import CONFLICT, NOTHING, answer, row
from support.exports import ordinary, rewritten
from support.loopback import LoopbackServer

from whyset.datasets import dumps, require_provenance

from .conftest import QUOTING, TALKING, Desk

Q, A = (row(1)[name] for name in ("prompt", "response"))
USER, ANSWER = {"role": "user", "content": Q}, {"role": "assistant", "content": A}
OTHER = {"role": "assistant", "content": "Sure, go ahead."}
TOOLS = [
    {"type": "function", "function": {"name": "recall", "description": "Recalls what was said."}}
]

# What is somebody's own beside a conversation: nothing of it may change.
OWN: dict[str, Any] = {
    "größe": "🙂",
    "big": 2**70,
    "none": None,
    "deep": {"z": [1, {"a": None}], "a": 1.5},
    "image": {"url": "data:image/png;base64,AA=="},
}
SHAPES: dict[str, dict[str, Any]] = {
    "messages": {"messages": [USER, {**ANSWER, "mood": "calm"}]},
    "sharegpt": {"conversations": [{"from": "human", "value": Q}, {"from": "gpt", "value": A}]},
    "anthropic": {"system": [{"type": "text", "text": "S"}], "messages": [USER, ANSWER]},
    "completion": {"prompt": Q, "completion": A},
    "prompt": {"prompt": Q, "response": A},
    "alpaca": {"instruction": Q, "input": "", "output": A},
    "hh": {"text": f"\n\nHuman: {Q}\n\nAssistant: {A}"},
    "preference": {"chosen": [USER, ANSWER], "rejected": [USER, OTHER]},
}


def write(desk: Desk, *records: dict[str, Any], name: str = "sft.jsonl") -> None:
    (desk.folder / name).write_bytes(b"".join(dumps(record) + b"\n" for record in records))


@pytest.mark.parametrize("shape", SHAPES)
def test_a_row_that_is_left_alone_comes_out_as_it_was(desk: Desk, shape: str) -> None:
    # The word in the prompt has the judge find nothing at stake.
    untouched = json.loads(json.dumps(SHAPES[shape]).replace(" :", f" {NOTHING}:"))
    record = {"größe": OWN["größe"], **untouched, **OWN}
    write(desk, record)

    finished = desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", *TALKING)

    assert finished.code == 0, finished.err
    (written,) = desk.read("out.jsonl")
    assert require_provenance(written)["outcome"] == "untouched"
    del written["whyset"]
    assert dumps(written) == dumps(record)


def test_what_rows_are_read_as_is_said_before_any_request(tmp_path: Path) -> None:
    said: list[str] = []

    def listen(body: dict[str, Any]) -> Any:
        sys.stderr.flush()
        written = sys.stderr.buffer
        assert isinstance(written, io.BytesIO)
        said.append(written.getvalue().decode())
        return answer(body)

    with LoopbackServer(listen) as server:
        desk = Desk(tmp_path, server)
        write(desk, SHAPES["sharegpt"], SHAPES["hh"])
        assert desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", *TALKING).code == 0

    assert said
    notice = "Rows have different shapes: 2 rows: sharegpt 1, hh 1\n"
    assert all(notice in text for text in said)


def test_every_row_is_read_as_the_shape_that_is_named(desk: Desk) -> None:
    write(desk, {**SHAPES["prompt"], **SHAPES["alpaca"], "output": "Theirs."}, SHAPES["hh"])

    finished = desk.call(
        *("rewrite", "sft.jsonl", "-o", "out.jsonl", "--shape", "alpaca", *TALKING)
    )

    assert finished.code == 1
    (record,) = desk.read("out.jsonl")
    assert record["response"] == A
    assert record["output"].startswith("Two things pull apart")
    assert record["output"].endswith("\n\nTheirs.")
    (entry,) = desk.read("out.quarantine.jsonl")
    assert (entry["line"], entry["detail"]) == (2, "instruction is missing")


@pytest.mark.parametrize(("side", "worked_on"), [("chosen", (1, 0)), ("both", (1, 1))])
def test_of_a_pair_one_side_is_worked_on_or_both(
    desk: Desk, side: str, worked_on: tuple[int, int]
) -> None:
    write(desk, SHAPES["preference"])

    finished = desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", "--side", side, *TALKING)

    assert finished.code == 0, finished.err
    (record,) = desk.read("out.jsonl")
    said = [record[name][1]["content"] for name in ("chosen", "rejected")]
    assert tuple(text.count("Two things pull apart") for text in said) == worked_on
    assert said[0].endswith(A)
    assert said[1].endswith(OTHER["content"])


@pytest.mark.parametrize("role", ["system", "developer"])
def test_system_prompt_and_tools_are_shown_to_the_judge_and_stay(desk: Desk, role: str) -> None:
    system = {"role": role, "content": "You help families. Be brief."}
    record = {"tools": TOOLS, "messages": [system, USER, ANSWER]}
    write(desk, record)

    desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", *TALKING)

    asked = json.dumps(desk.server.requests[0].body)
    assert system["content"] in asked
    assert "recall" in asked
    assert "Recalls what was said." in asked
    (written,) = desk.read("out.jsonl")
    assert require_provenance(written)["outcome"] == "rewritten"
    assert dumps(written["tools"]) == dumps(TOOLS)
    assert written["messages"][:2] == [system, USER]


def test_a_tsv_and_a_pattern_go_in(desk: Desk) -> None:
    desk.write("a.tsv", f"prompt\tresponse\n{Q}\t{A}\n")
    desk.write("b.tsv", f"prompt\tresponse\n{Q}\t{A}\n")

    finished = desk.call("rewrite", "*.tsv", "-o", "out.parquet", *QUOTING)

    assert finished.code == 0, finished.err
    assert pq.read_table(desk.folder / "out.parquet")["prompt"].to_pylist() == [Q, Q]


@pytest.mark.parametrize("consumer", ["trl", "axolotl", "llama-factory", "openai", "anthropic"])
def test_rows_are_exported_for_everybody_mixed_split_and_with_their_control(
    desk: Desk, consumer: str
) -> None:
    write(desk, *(rewritten(n) for n in range(12)), name="out.jsonl")
    write(desk, *(ordinary(n) for n in range(20)), name="more.jsonl")
    tags = ("--think-tags",) if consumer in {"openai", "anthropic"} else ()

    finished = desk.call(
        *("export", "out.jsonl", "-o", "pub/", "--for", consumer, "--drop-provenance", *tags),
        *("--mix", "more.jsonl", "--share", "0.5", "--split", "0.7", "--control", "--json"),
    )

    assert finished.code == 0, finished.err
    report = json.loads(finished.out)
    assert any("50% of the rows are synthetic" in note for note in report["notes"])
    sides = {
        name: desk.read(f"pub/{name}.jsonl")
        for name in ("train", "test", "control/train", "control/test")
    }
    assert len(sides["train"]) + len(sides["test"]) == 24
    assert not any("whyset" in record for records in sides.values() for record in records)
    for name, thinking in (("train", 12), ("control/train", 0)):
        texts = map(json.dumps, [*sides[name], *sides[name.replace("train", "test")]])
        assert sum("It is hers." in text for text in texts) == thinking


def test_a_run_that_is_given_whole_paths_tells_none_of_them(desk: Desk) -> None:
    secret = desk.folder / "secret-folder"
    secret.mkdir()
    for name in ("a.jsonl", "b.jsonl"):
        write(desk, row(1), row(2, CONFLICT), {"no": "row"}, name=f"secret-folder/{name}")
    (secret / "manners.md").write_bytes((desk.folder / "manners.md").read_bytes())
    output = desk.folder / "out"
    output.mkdir()

    for name in ("out.jsonl", "out.parquet"):
        finished = desk.call(
            *("rewrite", f"{secret}/a.jsonl", f"{secret}/b.jsonl", "-o", f"{output}/{name}"),
            *("--constitution", f"{secret}/manners.md", *TALKING[2:]),
        )
        assert finished.code == 1, finished.err
    for ledger in list(output.glob("*.sqlite")):
        with sqlite3.connect(ledger) as connection:
            desk.write(f"out/{ledger.name}.sql", "\n".join(connection.iterdump()))
        connection.close()
    rows = pq.read_table(output / "out.parquet").to_pylist()
    desk.write("out/table.txt", repr(rows))

    written = sorted(path for path in output.iterdir() if path.is_file())
    assert len(written) == 11
    for path in written:
        content = path.read_bytes().decode(errors="replace")
        assert not re.search(f"secret-folder|{re.escape(str(desk.folder))}|/tmp/", content), (
            path.name
        )
        assert "test-key" not in content
