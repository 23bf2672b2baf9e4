"""`whyset rewrite` over a file with a model: what it leaves, what it says, how it ends."""

import json
import re
from decimal import Decimal

import pytest
from anthropic.resources.messages.messages import DEPRECATED_MODELS
from support.answers.deliberation import (
    CONFLICT,
    MENDED,
    NOTHING,
    PREACHY,
    REFUSED,
    TURNED_DOWN,
    row,
)
from support.loopback import MODEL

from whyset.datasets import require_provenance

from .conftest import TALKING, Desk, Finished

FATES = ("", NOTHING, CONFLICT, MENDED, TURNED_DOWN, PREACHY, REFUSED)
COMMAND = ("rewrite", "sft.jsonl", "-o", "out.jsonl", *TALKING)


@pytest.fixture(scope="module")
def finished(shared_desk: Desk) -> Finished:
    shared_desk.write_rows(14, *FATES)
    return shared_desk.run(*COMMAND)


def without_numbers(text: str) -> list[str]:
    """Return the lines with every number that hangs on the prompts' words or on time as `#`."""
    text = re.sub(r"[\d,.]+ s\n", "# s\n", text)
    text = re.sub(r" +[\d,]+ tokens in  +[\d,]+ out ", " # tokens in # out ", text)
    return text.splitlines()


def test_finished_rows_and_quarantined_ones_lie_beside_each_other(
    shared_desk: Desk, finished: Finished
) -> None:
    assert finished.code == 1
    rewritten = shared_desk.read("out.jsonl")
    assert [record["id"] for record in rewritten] == [0, 1, 3, 7, 8, 10]
    first = rewritten[0]
    assert first["response"].endswith(f"\n\n{row(0)['response']}")
    assert first["response"].startswith("Two things pull apart in row-0.")
    provenance = require_provenance(first)
    assert provenance["outcome"] == "rewritten"
    assert provenance["models"] == dict.fromkeys(("writer", "judge"), f"anthropic:{MODEL}")
    entries = shared_desk.read("out.quarantine.jsonl")
    assert [(entry["line"], entry["reasons"]) for entry in entries] == [
        (3, ["conflict"]),
        (5, ["turned_down"]),
        (6, ["judge:preachy"]),
        (7, ["refused"]),
        (10, ["conflict"]),
        (12, ["turned_down"]),
        (13, ["judge:preachy"]),
        (14, ["refused"]),
    ]
    assert entries[0]["row"] == row(2, CONFLICT)
    assert {"out.jsonl", "out.ledger.sqlite", "out.run.json"} < set(shared_desk.names)


def test_the_summary_accounts_for_every_row_and_every_reply(finished: Finished) -> None:
    assert finished.err == ""
    assert without_numbers(finished.out) == [
        "14 rows in # s",
        "        4  rewritten    the response carries its reasons",
        "        2  untouched    nothing at stake, or kept as asked",
        "        8  quarantined  not in the output",
        "            2  conflict",
        "            2  turned_down",
        "            2  judge:preachy",
        "            2  refused",
        "total cost of this output, earlier runs included:",
        "  deliberation/appraise  anthropic:claude-loopback-1  12 replies # tokens in # out"
        "  unpriced",
        "  deliberation/judge     anthropic:claude-loopback-1  10 replies # tokens in # out"
        "  unpriced",
        "  deliberation/revise    anthropic:claude-loopback-1   6 replies # tokens in # out"
        "  unpriced",
        "  deliberation/write     anthropic:claude-loopback-1   8 replies # tokens in # out"
        "  unpriced",
        "  total                                               36 replies # tokens in # out"
        "  unpriced",
        "this time 36 asks answered by models, 2 from the ledger, 0 sent again",
        "output      out.jsonl",
        "quarantine  out.quarantine.jsonl",
        "manifest    out.run.json",
    ]


def test_the_same_command_again_asks_only_what_was_turned_down_and_changes_no_byte(
    shared_desk: Desk, finished: Finished
) -> None:
    before = shared_desk.bytes_of("out.jsonl", "out.quarantine.jsonl")
    asked = len(shared_desk.server.requests)
    again = shared_desk.run(*COMMAND)
    assert again.code == 1
    assert shared_desk.bytes_of("out.jsonl", "out.quarantine.jsonl") == before
    assert len(shared_desk.server.requests) - asked == 2
    assert "12 of them done in an earlier run\n" in again.out
    assert "this time 0 asks answered by models, 0 from the ledger, 0 sent again" in again.out


def test_the_summary_as_json_adds_up(desk: Desk) -> None:
    desk.write_rows(7, *FATES)
    desk.write(
        "prices.toml",
        f'dated = 2026-11-01\n[models."anthropic:{MODEL}"]\n'
        "input = 5\noutput = 25\ncache_read = 0.5\ncache_write = 6.25\n",
    )
    finished = desk.call(*COMMAND, "--json", "--prices", "prices.toml", "--on-conflict", "repair")
    assert (finished.code, finished.err) == (1, "")
    summary = json.loads(finished.out)
    kinds = ("rewritten", "untouched", "repaired", "annotated", "quarantined")
    assert [summary[kind] for kind in kinds] == [2, 1, 1, 0, 3]
    assert summary["rows"] == sum(summary[kind] for kind in kinds) == 7
    assert summary["reasons"] == {"turned_down": 1, "judge:preachy": 1, "refused": 1}
    assert len(desk.read("out.jsonl")) == summary["rows"] - summary["quarantined"]
    assert len(desk.read("out.quarantine.jsonl")) == summary["quarantined"]
    assert summary["answered"] == sum(spent["replies"] for spent in summary["spent"])
    for spent in summary["spent"]:
        paid = Decimal(spent["input_tokens"] * 5 + spent["output_tokens"] * 25) / 1_000_000
        assert spent["dollars"] == pytest.approx(float(paid))
    assert (summary["output"], summary["quarantine"], summary["manifest"]) == (
        "out.jsonl",
        "out.quarantine.jsonl",
        "out.run.json",
    )


def test_quiet_says_nothing_and_a_run_without_quarantine_ends_with_0(desk: Desk) -> None:
    desk.write_rows(2, "", NOTHING)
    finished = desk.call(*COMMAND, "--quiet", "--judge", "anthropic:claude-loopback-2")
    assert (finished.code, finished.out, finished.err) == (0, "", "")
    assert [require_provenance(record)["outcome"] for record in desk.read("out.jsonl")] == [
        "rewritten",
        "untouched",
    ]
    assert "out.quarantine.jsonl" not in desk.names
    assert [body["model"] for body in desk.server.bodies].count(MODEL) == 1  # the writer's


def test_a_model_near_its_end_of_life_is_named_before_the_run(desk: Desk) -> None:
    model, end = next(iter(DEPRECATED_MODELS.items()))
    desk.write_rows(1, NOTHING)
    finished = desk.call(*COMMAND, "--model", f"anthropic:{model}", "--quiet")
    assert finished.code == 0
    assert finished.err == f"Note: anthropic:{model} is deprecated; its end of life is {end}.\n"
