"""One row through a pipe, one prompt with its response: no files, the result is printed."""

import json

import pytest
from support.answers.deliberation import CONFLICT, NOTHING, TURNED_DOWN, row, rows
from support.loopback import MODEL

from whyset.datasets import require_provenance

from .conftest import QUOTING, TALKING, Desk

DRAFT = (
    "Two things pull apart in row-0. Doing just what was asked is quick, and a person's own "
    "choice counts for a lot with me. Yet somebody else would pay for it without having a say, "
    "and that weighs more. So this is where I come out."
)
TEXTS = ("rewrite", "--prompt", "prompt.txt", "--response", "response.txt", *TALKING)


def write_texts(desk: Desk, fate: str = "") -> None:
    desk.write("prompt.txt", f"{row(0, fate)['prompt']}\n")
    desk.write("response.txt", f"{row(0)['response']}\n")


@pytest.mark.parametrize("indent", [None, 2], ids=["on one line", "over several lines"])
def test_a_row_on_standard_input_comes_out_as_one_line(desk: Desk, indent: int | None) -> None:
    finished = desk.run("rewrite", "-", *TALKING, stdin=json.dumps(row(0), indent=indent))
    assert finished.code == 0
    assert finished.out.count("\n") == 1
    printed = json.loads(finished.out)
    assert printed["response"] == f"{DRAFT}\n\n{row(0)['response']}"
    assert require_provenance(printed)["original_response"] == row(0)["response"]
    assert finished.err.startswith("1 row in ")
    assert desk.names == ["manners.md"]


def test_rows_that_do_not_pass_are_named_beside_the_others(desk: Desk) -> None:
    lines = [json.dumps(record) for record in rows(3, NOTHING, CONFLICT)]
    lines[2:2] = ["oops"]
    finished = desk.run("rewrite", "-", "--quiet", *TALKING, stdin="\n".join(lines))
    assert finished.code == 1
    assert [json.loads(line)["id"] for line in finished.out.splitlines()] == [0, 2]
    assert finished.err.splitlines() == [
        "Quarantined: line 2: conflict: The response keeps what is hers closed.",
        "Quarantined: line 3: unreadable: not JSON: unexpected character, expected a JSON value "
        "(at column 1)",
    ]


def test_no_rows_are_no_mistake(desk: Desk) -> None:
    finished = desk.run("rewrite", "-", "--quiet", *QUOTING)
    assert (finished.code, finished.out, finished.err) == (0, "", "")


def test_texts_come_out_as_text(desk: Desk) -> None:
    write_texts(desk)
    finished = desk.run(*TEXTS)
    assert (finished.code, finished.err) == (0, "")
    assert finished.out == f"{DRAFT}\n\n{row(0)['response']}\n"
    assert desk.names == ["manners.md", "prompt.txt", "response.txt"]


def test_texts_come_out_as_a_row_with_json(desk: Desk) -> None:
    write_texts(desk)
    finished = desk.call(*TEXTS, "--json")
    assert (finished.code, finished.err) == (0, "")
    printed = json.loads(finished.out)
    assert list(printed) == ["prompt", "response", "whyset"]
    assert printed["prompt"] == row(0)["prompt"]
    assert printed["whyset"]["models"]["writer"] == f"anthropic:{MODEL}"


def test_the_reasoning_stands_above_the_response_it_does_not_touch(desk: Desk) -> None:
    write_texts(desk)
    finished = desk.call(*TEXTS, "--channel", "thinking")
    assert (finished.code, finished.err) == (0, "")
    assert finished.out == f"{DRAFT}\n\n---\n\n{row(0)['response']}\n"


@pytest.mark.parametrize(
    ("fate", "message"),
    [
        (CONFLICT, "Row rejected (conflict): The response keeps what is hers closed."),
        (
            TURNED_DOWN,
            f"anthropic:{MODEL}: the request was rejected (HTTP 400): This prompt is not allowed.",
        ),
    ],
    ids=["conflict", "turned down"],
)
def test_what_does_not_pass_is_reported_and_nothing_is_printed(
    desk: Desk, fate: str, message: str
) -> None:
    write_texts(desk, fate)
    finished = desk.call(*TEXTS)
    assert (finished.code, finished.out, finished.err) == (1, "", f"{message}\n")


def test_a_response_without_text_is_bad_input(desk: Desk) -> None:
    write_texts(desk)
    desk.write("response.txt", "\n")
    finished = desk.call(*TEXTS, "--model", "extractive")
    assert finished.error == "row 1: empty response: 'response' has no text"
