"""The names by which ShareGPT calls who speaks."""

import pytest

from whyset.datasets import Message, ToolCall, row_from_record

CALLED = {"from": "function_call", "value": '{"name": "find", "arguments": {}}'}
ANSWERED = {"from": "gpt", "value": "A"}


@pytest.mark.parametrize("who", ["human", "user", "prompter", "Human", "USER"])
def test_who_asks(who: str) -> None:
    row = row_from_record({"conversations": [{"from": who, "value": "Q"}, ANSWERED]})

    assert row.shape == "sharegpt"
    assert row.conversation.prompt == (Message("user", "Q"),)


@pytest.mark.parametrize(
    "who",
    [
        *("tool", "observation", "tool_response", "function_response", "function_result"),
        "Observation",
    ],
)
def test_what_a_tool_answers(who: str) -> None:
    turns = [{"from": "human", "value": "Q"}, CALLED, {"from": who, "value": "r"}, ANSWERED]

    row = row_from_record({"conversations": turns})

    assert [(message.role, message.text) for message in row.conversation.prompt] == [
        *(("user", "Q"), ("assistant", ""), ("tool", "r"))
    ]


@pytest.mark.parametrize("who", ["function_call", "tool_call", "Function_Call"])
def test_what_calls_one(who: str) -> None:
    turns = [{"from": "human", "value": "Q"}, {**CALLED, "from": who}, ANSWERED]

    row = row_from_record({"conversations": turns})

    assert row.conversation.prompt[1].tool_calls == (ToolCall("find", "{}"),)
    assert row.conversation.response.text == "A"
