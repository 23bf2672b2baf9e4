"""A provider that refuses, or is not there: what it says goes to the user, the key nowhere."""

from typing import Any

import pytest
from support.answers.deliberation import answer, name_of
from support.loopback import MODEL, Response, error

from .conftest import TALKING, Desk, Finished

COMMAND = ("rewrite", "sft.jsonl", "-o", "out.jsonl", *TALKING)
KEY = "a-key-made-up-for-this-test"


def assert_key_is_nowhere(desk: Desk, finished: Finished) -> None:
    assert any(KEY in sent for sent in desk.server.requests[0].headers.values())
    written = {path.name: path.read_bytes() for path in desk.folder.iterdir()}
    written |= {"stdout": finished.out.encode(), "stderr": finished.err.encode()}
    assert [name for name, content in written.items() if KEY.encode() in content] == []


def test_a_refused_key_ends_the_run_with_4_and_is_not_repeated(desk: Desk) -> None:
    desk.write_rows(40)
    with desk.server.failing(error(401, f"invalid x-api-key: {KEY}")):
        finished = desk.run(*COMMAND, "--concurrency", "4", ANTHROPIC_API_KEY=KEY)
    assert (finished.code, finished.out) == (4, "")
    assert finished.err == (
        f"Error: anthropic:{MODEL}: the API key is not valid (HTTP 401): invalid x-api-key: [key]\n"
    )
    assert 1 <= len(desk.server.requests) <= 4
    assert desk.names == ["manners.md", "out.ledger.sqlite", "sft.jsonl"]
    assert_key_is_nowhere(desk, finished)


def test_the_key_is_in_no_output_quarantine_manifest_or_ledger(desk: Desk) -> None:
    def repeating(body: dict[str, Any]) -> dict[str, Any] | Response:
        if name_of(body) == "row-1":
            return error(400, f"No such ask from {KEY}.")
        if name_of(body) == "row-2":
            return error(500, f"Out of order, {KEY}.")
        return answer(body)

    desk.write_rows(4)
    desk.server.answer = repeating
    finished = desk.run(*COMMAND, "--attempts", "1", ANTHROPIC_API_KEY=KEY)
    assert finished.code == 1
    assert [entry["detail"] for entry in desk.read("out.quarantine.jsonl")] == [
        f"anthropic:{MODEL}: the request was rejected (HTTP 400): No such ask from [key].",
        f"anthropic:{MODEL}: temporarily unavailable (HTTP 500): Out of order, [key].",
    ]
    assert {"out.jsonl", "out.ledger.sqlite", "out.run.json"} < set(desk.names)
    assert_key_is_nowhere(desk, finished)


@pytest.mark.parametrize(
    ("command", "then"),
    [
        (
            COMMAND,
            " finished; every reply so far is in out.ledger.sqlite. Run the same command "
            "again to resume: answered asks are not sent again.\n",
        ),
        (("rewrite", "--prompt", "manners.md", "--response", "manners.md", *TALKING), "\n"),
    ],
    ids=["rows", "texts"],
)
def test_a_provider_that_is_not_there_stops_the_command_with_3(
    desk: Desk, command: tuple[str, ...], then: str
) -> None:
    desk.write_rows(2)
    desk.server.stop()
    finished = desk.run(*command, "--attempts", "1")
    assert (finished.code, finished.out) == (3, "")
    start = f"The provider does not answer: anthropic:{MODEL}: the connection failed: "
    assert finished.err.startswith(start)
    assert finished.err.endswith(then)
    assert finished.err.count("\n") == 1
    assert "out.jsonl" not in desk.names
