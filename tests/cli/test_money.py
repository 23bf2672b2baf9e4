"""What a run will cost, before it does; and a budget that it keeps to."""

import json
import re
from pathlib import Path

from support.answers.deliberation import NOTHING
from support.loopback import MODEL

from .conftest import TALKING, Desk

PRICES = f"""
dated = 2026-11-24

[models."anthropic:{MODEL}"]
input = 5
output = 25
cache_read = 0.5
cache_write = 6.25
"""
RUN = ("rewrite", "sft.jsonl", "-o", "out.jsonl", "--prices", "prices.toml", *TALKING)


def priced(desk: Desk, rows: int, *fates: str) -> None:
    desk.write_rows(rows, *fates)
    desk.write("prices.toml", PRICES)


def test_a_dry_run_says_what_would_be_asked_and_sends_nothing(desk: Desk) -> None:
    priced(desk, 6)
    before = desk.names

    run = desk.call(*RUN, "--dry-run")

    assert run.code == 0
    assert run.err == ""
    lines = run.out.splitlines()
    assert lines[0] == "Dry run: nothing was sent. 6 rows to do"
    assert [line.split()[0] for line in lines[3:6]] == [
        "deliberation/appraise",
        "deliberation/judge",
        "deliberation/write",
    ]
    least, most = lines[7:9]
    assert least.startswith("  at least  if nothing is at stake in any row")
    assert " 6 asks " in least
    assert " 18 asks " in most
    assert lines[-1] == "Run some rows and estimate again for a more accurate projection."
    assert desk.server.requests == []
    assert desk.names == sorted([*before, "out.estimate.json"])


def test_what_a_dry_run_said_stands_beside_what_was_spent(desk: Desk) -> None:
    priced(desk, 6, "", NOTHING)
    desk.call(*RUN, "--dry-run")

    run = desk.call(*RUN)
    assert re.search(r"\n  the dry run estimated \$0\.\d{4} to \$0\.\d{4}, for 6 rows\n", run.out)
    record = json.loads(desk.call(*RUN, "--json").out)
    assert record["foretold"]["rows"] == 6
    assert 0 < record["foretold"]["least"] < record["foretold"]["most"]

    other = desk.call(*RUN, "--channel", "thinking")
    assert "the dry run estimated" not in other.out  # it was said of another run


def test_rows_that_are_done_make_the_estimate_sharper_and_cost_nothing_more(desk: Desk) -> None:
    priced(desk, 4, "", NOTHING)
    assert desk.call(*RUN).code == 0
    desk.write_rows(10, "", NOTHING)

    run = desk.call(*RUN, "--dry-run", "--json")

    record = json.loads(run.out)
    assert (record["rows"], record["finished"], record["remaining"]) == (10, 4, 6)
    assert record["projected_from"] == 4
    assert record["as_so_far"]["asks"] == 12  # half of them three asks, half of them one
    assert record["least"]["asks"] < record["as_so_far"]["asks"] < record["most"]["asks"]


def test_a_sample_says_how_far_it_may_be_off(desk: Desk) -> None:
    priced(desk, 40)
    run = desk.call(*RUN, "--dry-run", "--sample", "10")
    assert "estimated from 10 of them, drawn at random (seed 0)" in run.out
    assert run.out.count(" to ") >= 2


def test_a_model_without_a_price_is_unpriced(desk: Desk) -> None:
    desk.write_rows(2)
    run = desk.call("rewrite", "sft.jsonl", "--dry-run", *TALKING)
    assert f"No price is known for anthropic:{MODEL}: add one with --prices." in run.out
    assert "$" not in run.out


def test_a_run_without_requests_costs_nothing(desk: Desk) -> None:
    desk.write_rows(2)
    run = desk.call(
        "rewrite", "sft.jsonl", "--dry-run", "--constitution", "manners.md", "--embedder", "lexical"
    )
    assert run.out.splitlines()[1] == "No requests would be sent: the run costs nothing."


def test_a_budget_ends_a_run_in_time_and_a_larger_one_goes_on(desk: Desk) -> None:
    priced(desk, 12)
    ended = desk.call(*RUN, "--budget", "0.17")

    assert ended.code == 3
    assert ended.err.startswith("The budget of $0.1700 ends here: $0.")
    assert "Raise --budget to go on" in ended.err
    assert "out.jsonl" not in desk.names
    asked = len(desk.server.requests)
    assert 0 < asked < 36

    finished = desk.call(*RUN, "--budget", "$25", "--json")
    assert finished.code == 0
    record = json.loads(finished.out)
    assert record["rewritten"] == 12
    assert len(desk.server.requests) == 36
    assert sum(step["dollars"] for step in record["spent"]) < 25


def test_a_budget_for_a_model_without_a_price_is_refused_before_anything_is_asked(
    desk: Desk,
) -> None:
    desk.write_rows(2)
    run = desk.call("rewrite", "sft.jsonl", "-o", "out.jsonl", "--budget", "5", *TALKING)
    assert run.error.startswith(f"no price is known for anthropic:{MODEL}, so no budget")
    assert desk.server.requests == []


def test_what_is_no_amount_or_does_not_go_together_is_refused(desk: Desk) -> None:
    priced(desk, 1)
    desk.write("p.txt", "May I?")
    single = ("rewrite", "--prompt", "p.txt", "--response", "p.txt")
    for arguments, why in (
        ((*RUN, "--budget", "much"), "--budget is an amount of dollars, such as 25, not 'much'"),
        ((*RUN, "--budget", "-1"), "a budget is an amount of dollars above 0, not -1"),
        ((*RUN, "--budget", "nan"), "a budget is an amount of dollars above 0, not NaN"),
        ((*RUN, "--sample", "3"), "--sample goes with --dry-run"),
        (
            ("rewrite", "sft.jsonl", "-o", "-", "--budget", "5"),
            "--batch and --budget need a run that keeps a ledger: name a file with -o",
        ),
        (
            (*single, "--batch"),
            "--batch and --budget need a run that keeps a ledger: name a file with -o",
        ),
        ((*single, "--dry-run"), "--dry-run is for a file of rows"),
    ):
        assert why in desk.call(*arguments).error, arguments
    assert Path(desk.folder / "out.jsonl").exists() is False
