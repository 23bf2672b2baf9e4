"""Where a deliberation goes, in rows of every shape."""

from typing import Any

import pytest
from support.samples.deliberation import (
    ACCORD,
    DELIBERATION,
    DIARY,
    PASSES,
    DeliberationRunner,
)
from support.scripts import Script

from whyset.datasets import REASONING_FIELD, Channel

CALL = {"id": "1", "type": "function", "function": {"name": "ask_her", "arguments": '{"at": "7"}'}}
RESPONSE = "I would not. Ask her how she is, today."
PAIR = {"prompt": DIARY["prompt"], "response": RESPONSE, "score": 10**20}
USER = {"role": "user", "content": DIARY["prompt"], "name": "Ida"}
AFTER = {"role": "user", "content": "ok"}


def chat(**assistant: Any) -> dict[str, Any]:
    messages = [USER, {"role": "assistant", **assistant}, AFTER]
    return {"score": 10**20, "messages": messages, "tools": [{"name": "ask_her"}]}


def written(
    runner: DeliberationRunner, record: dict[str, Any], channel: Channel
) -> tuple[Any, dict[str, str]]:
    """Return what stands in the response's place, and the checks; all else must be as it was."""
    script: Script = {"appraise": ACCORD, "write": DELIBERATION, "judge": PASSES}
    run = runner(record, script, channel=channel)
    columns = dict(run.finished.columns)
    if "response" in record:
        return columns, run.checks
    assert columns == {**record, "messages": columns["messages"]}
    before, message, after = columns["messages"]
    assert (before, after) == (USER, AFTER)
    return message, run.checks


@pytest.mark.parametrize("channel", ["thinking", "preface"])
def test_the_response_is_proved_to_be_as_it_was(
    runner: DeliberationRunner, channel: Channel
) -> None:
    for record in (PAIR, chat(content=RESPONSE)):
        checks = written(runner, record, channel)[1]
        assert checks["response_identical"] == checks["columns_identical"] == "passed"


def test_inline_proves_the_rest_and_says_that_it_rewrote_the_response(
    runner: DeliberationRunner,
) -> None:
    for record in (PAIR, chat(content=RESPONSE)):
        checks = written(runner, record, "inline")[1]
        assert checks["response_identical"] == "skipped"
        assert checks["columns_identical"] == "passed"
        assert checks["code_kept"] == checks["urls_kept"] == checks["numbers_kept"] == "passed"


def test_thinking_goes_into_the_reasoning_field(runner: DeliberationRunner) -> None:
    assert written(runner, PAIR, "thinking")[0] == {**PAIR, REASONING_FIELD: DELIBERATION}
    assert written(runner, chat(content=RESPONSE), "thinking")[0] == {
        "role": "assistant",
        REASONING_FIELD: DELIBERATION,
        "content": RESPONSE,
    }


def test_thinking_stands_ahead_of_reasoning_that_was_there(runner: DeliberationRunner) -> None:
    message, checks = written(runner, chat(content=RESPONSE, reasoning_content="Hm."), "thinking")

    assert message[REASONING_FIELD] == f"{DELIBERATION}\n\nHm."
    assert checks["columns_identical"] == "passed"


def test_a_preface_stands_in_the_same_message(runner: DeliberationRunner) -> None:
    placed = f"{DELIBERATION}\n\n{RESPONSE}"

    assert written(runner, PAIR, "preface")[0] == {**PAIR, "response": placed}
    assert written(runner, chat(content=RESPONSE), "preface")[0] == {
        "role": "assistant",
        "content": placed,
    }


def test_a_preface_is_a_part_of_its_own_before_other_parts(runner: DeliberationRunner) -> None:
    parts = [{"type": "text", "text": RESPONSE}, {"type": "text", "text": "Today.", "x": None}]

    message, checks = written(runner, chat(content=parts), "preface")

    assert message["content"] == [{"type": "text", "text": f"{DELIBERATION}\n\n"}, *parts]
    assert checks["response_identical"] == "passed"


def test_inline_takes_the_responses_place(runner: DeliberationRunner) -> None:
    assert written(runner, PAIR, "inline")[0] == {**PAIR, "response": DELIBERATION}
    assert written(runner, chat(content=RESPONSE), "inline")[0] == {
        "role": "assistant",
        "content": DELIBERATION,
    }


@pytest.mark.parametrize("channel", ["thinking", "preface", "inline"])
def test_a_response_that_only_calls_a_tool_calls_it_still(
    runner: DeliberationRunner, channel: Channel
) -> None:
    message, checks = written(runner, chat(content=None, tool_calls=[CALL]), channel)

    assert message["tool_calls"] == [CALL]
    assert checks["columns_identical"] == "passed"
    if channel == "thinking":
        assert (message["content"], message[REASONING_FIELD]) == (None, DELIBERATION)
    else:
        assert message["content"] == DELIBERATION


def test_inline_must_keep_code_links_and_numbers(runner: DeliberationRunner) -> None:
    response = "Call 555-0199 before 10:30, or see https://a.example/ask."
    kept = f"{DELIBERATION} So call 555-0199 before 10:30; https://a.example/ask tells more."

    run = runner(
        {**PAIR, "response": response},
        {
            "appraise": ACCORD,
            "write": kept.replace("10:30", "half past ten"),
            "revise": kept,
            "judge": PASSES,
        },
        channel="inline",
    )

    assert "- the response's '10:30' is missing or changed\n" in run.ask("revise").user
    assert run.finished.columns["response"] == kept


@pytest.mark.parametrize("channel", ["thinking", "preface", "inline"])
def test_each_channel_is_explained_to_writer_and_judge(
    runner: DeliberationRunner, channel: Channel
) -> None:
    script: Script = {"appraise": ACCORD, "write": DELIBERATION, "judge": PASSES}
    run = runner(PAIR, script, channel=channel)
    others = [runner(PAIR, script, channel=name) for name in {"thinking", "preface"} - {channel}]

    for step in ("write", "judge"):
        assert all(run.ask(step).system != other.ask(step).system for other in others)


@pytest.mark.parametrize(
    ("channel", "words", "bounds"),
    [
        ("preface", 10, "about 30 to 90 words"),
        ("preface", 300, "about 60 to 180 words"),
        ("preface", 5000, "about 116 to 350 words"),
        ("thinking", 10, "about 43 to 130 words"),
        ("thinking", 5000, "about 166 to 500 words"),
        ("inline", 10, "about 30 to 60 words"),
        ("inline", 300, "about 320 to 450 words"),
    ],
)
def test_the_length_is_in_proportion_to_the_response(
    runner: DeliberationRunner, channel: Channel, words: int, bounds: str
) -> None:
    draft = f"{DELIBERATION} {'so ' * words}" if channel == "inline" else DELIBERATION
    script: Script = {"appraise": ACCORD, "write": draft, "judge": PASSES}

    run = runner({**PAIR, "response": "so " * words}, script, channel=channel)

    assert run.ask("write").user.endswith(f"Length: {bounds}")
