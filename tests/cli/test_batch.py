"""Message batches from the command line, and what `whyset status` says of a run."""

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.answers.deliberation import CONFLICT, NOTHING, answer
from support.batches import BatchServer

from .conftest import QUOTING, TALKING, Desk

RUN = ("rewrite", "sft.jsonl", "-o", "out.jsonl", *TALKING)
WRITTEN = ("out.jsonl", "out.quarantine.jsonl")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with BatchServer(answer) as server:
        made = Desk(tmp_path, server)
        made.write_rows(6, "", NOTHING, CONFLICT)
        yield made


def test_a_batch_gives_the_bytes_of_a_live_run_and_status_tells_of_its_waves(desk: Desk) -> None:
    finished = desk.call(*RUN, "--batch", "--quiet")
    assert finished.code == 1, finished.err
    written = desk.bytes_of(*WRITTEN)

    said = desk.call("status", "out.jsonl")
    lines = said.out.splitlines()
    assert lines[0] == "6 rows done"
    assert [line for line in lines if line.startswith("wave")] == ["wave 1:", "wave 2:", "wave 3:"]
    assert said.out.count("collected") == 3
    assert "6 by batch" in lines[1]

    for name in ("out.ledger.sqlite", *WRITTEN):
        (desk.folder / name).unlink()
    assert desk.call(*RUN, "--quiet").code == 1
    assert desk.bytes_of(*WRITTEN) == written


def test_an_interrupted_batch_is_seen_by_status_and_collected_by_the_same_command(
    desk: Desk,
) -> None:
    server = desk.server
    assert isinstance(server, BatchServer)
    server.holding = True
    process = desk.start(*RUN, "--batch", "--quiet")
    server.on_create = lambda batch: process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert "may still be answered at the provider" in err

    record = json.loads(desk.call("status", "out.jsonl", "--json").out)
    (wave,) = record["waves"]
    assert [batch["state"] for batch in wave["batches"]] == ["in_progress"]
    said = desk.call("status", "out.ledger.sqlite").out
    assert said.endswith("Run the same command again to collect what has been answered.\n")

    server.on_create = lambda batch: None
    server.holding = False
    assert desk.call(*RUN, "--batch", "--quiet").code == 1
    assert server.paid_twice == []
    assert desk.call("status", "out.jsonl", "--forget", "msgbatch_none").error == (
        "out.ledger.sqlite: has no pending message batch msgbatch_none"
    )


def test_a_model_without_batches_is_refused(desk: Desk) -> None:
    desk.write_rows(1)
    run = desk.call(
        "rewrite",
        "sft.jsonl",
        "-o",
        "out.jsonl",
        "--batch",
        "--model",
        "langchain:anthropic:claude-loopback-1",
        *QUOTING,
    )
    assert "takes no message batches: leave --batch out" in run.error


def test_status_of_what_is_not_there_says_so(desk: Desk) -> None:
    assert desk.call("status", "none.jsonl").error == (
        "none.ledger.sqlite: no such file; has the run begun?"
    )
    desk.write("odd.ledger.sqlite", "not a database, but long enough to be looked at as one\n" * 9)
    assert "cannot be read as a ledger" in desk.call("status", "odd.jsonl").error
