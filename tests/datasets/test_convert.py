"""From one shape to another: nothing is lost, or the row is refused with the reason."""

from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.strategies import SHAPES, read_record, records_for

from whyset.datasets import (
    Conversation,
    DatasetError,
    Message,
    Selection,
    Shape,
    UnsupportedConversion,
    conversation_to_columns,
    convert_row,
    dumps,
    insert_deliberation,
    row_from_record,
)

USER = {"role": "user", "content": "Q"}
ANSWER = {"role": "assistant", "content": "A"}
SYSTEM = {"role": "system", "content": "S"}
THOUGHT = {"role": "assistant", "reasoning_content": "R", "content": "A"}
CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q":1}'}}
TOOL = {
    "type": "function",
    "function": {"name": "find", "description": "Finds.", "parameters": {"type": "object"}},
}
FLAT = TOOL["function"]

ALIKE: dict[Shape, dict[str, Any]] = {
    "messages": {"messages": [SYSTEM, USER, THOUGHT]},
    "completion": {"prompt": [SYSTEM, USER], "completion": [THOUGHT]},
    "sharegpt": {
        "conversations": [
            {"from": "system", "value": "S"},
            {"from": "human", "value": "Q"},
            {"from": "gpt", "value": "<think>\nR\n</think>\n\nA"},
        ]
    },
    "anthropic": {
        "system": "S",
        "messages": [
            USER,
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "R"},
                    {"type": "text", "text": "A"},
                ],
            },
        ],
    },
    "alpaca": {
        "instruction": "Q",
        "input": "",
        "output": "<think>\nR\n</think>\n\nA",
        "system": "S",
    },
    "prompt": {"system": "S", "prompt": "Q", "reasoning_content": "R", "response": "A"},
}


@pytest.mark.parametrize("source", ALIKE)
@pytest.mark.parametrize("to", ALIKE)
def test_a_conversation_is_laid_out_anew_and_other_columns_stay(source: Shape, to: Shape) -> None:
    record = {"id": 10**20, **ALIKE[source], "score": None}

    converted = convert_row(record, to=to)

    assert list(converted.items()) == [*{"id": 10**20, **ALIKE[to], "score": None}.items()]


AGENT = {
    "messages": [
        USER,
        {"role": "assistant", "reasoning_content": "R", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "r", "tool_call_id": "c1"},
        ANSWER,
    ],
    "tools": [TOOL],
}


def test_calls_and_their_results_are_written_as_sharegpt_has_them() -> None:
    assert convert_row(AGENT, to="sharegpt") == {
        "conversations": [
            {"from": "human", "value": "Q"},
            {
                "from": "function_call",
                "value": '<think>\nR\n</think>\n\n{"name":"find","arguments":{"q":1}}',
            },
            {"from": "observation", "value": "r"},
            {"from": "gpt", "value": "A"},
        ],
        "tools": dumps([FLAT]).decode(),
    }


def test_calls_and_their_results_are_written_as_the_messages_api_has_them() -> None:
    converted = convert_row(AGENT, to="anthropic")

    assert converted == {
        "messages": [
            USER,
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "R"},
                    {"type": "tool_use", "id": "c1", "name": "find", "input": {"q": 1}},
                ],
            },
            {
                "role": "user",
                "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "r"}],
            },
            ANSWER,
        ],
        "tools": [{"name": "find", "description": "Finds.", "input_schema": {"type": "object"}}],
    }
    assert read_record(converted).conversation == read_record(AGENT).conversation


def test_a_call_without_an_id_is_given_one_and_its_result_finds_it() -> None:
    record = {
        "conversations": [
            {"from": "human", "value": "Q"},
            {"from": "function_call", "value": '{"name": "f", "arguments": {}}'},
            {"from": "observation", "value": "r"},
            {"from": "gpt", "value": "A"},
        ]
    }

    _, call, result, _ = convert_row(record, to="anthropic")["messages"]

    assert call["content"][0]["id"] == result["content"][0]["tool_use_id"] == "call_1"
    assert convert_row(record, to="messages")["messages"][1]["tool_calls"][0]["id"] == "call_1"


NO_TOOLS = "tools that are not tool definitions"


@pytest.mark.parametrize(
    ("record", "to", "obstacle"),
    [
        (AGENT, "alpaca", "a call of the tool 'find'"),
        (AGENT, "hh", "a call of the tool 'find'"),
        (AGENT, "prompt", "a call of the tool 'find'"),
        ({"messages": [USER, ANSWER], "tools": [TOOL]}, "alpaca", "tools on offer"),
        ({"messages": [USER, ANSWER], "tools": [5]}, "sharegpt", NO_TOOLS),
        ({"messages": [USER, ANSWER], "tools": "none"}, "alpaca", NO_TOOLS),
        ({"messages": [USER, ANSWER], "tools": [{**TOOL, "strict": True}]}, "anthropic",
         "'strict' of the tool 'find'"),
        ({"messages": [SYSTEM, USER, ANSWER]}, "hh", "the role 'system' in this place"),
        ({"messages": [USER, SYSTEM, ANSWER]}, "anthropic", "the role 'system' in this place"),
        ({"messages": [USER, ANSWER, USER]}, "alpaca",
         "a conversation that does not end with a response"),
        ({"messages": [USER, ANSWER, USER]}, "completion", "a turn after the response"),
        ({"messages": [USER, USER, ANSWER, ANSWER]}, "alpaca", "turns that do not alternate"),
        ({"messages": [USER, ANSWER] * 2}, "prompt", "more than one question and its response"),
        ({"messages": [{**USER, "name": "Ida"}, ANSWER]}, "sharegpt",
         "the name of a participant, 'Ida'"),
        ({"messages": [USER, {**ANSWER, "weight": 0}]}, "sharegpt", "a message's 'weight'"),
        ({"messages": [USER, {**ANSWER, "weight": 0}]}, "anthropic", "a message's 'weight'"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}, ANSWER]}, "sharegpt",
         "a part of type 'image_url'"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}, ANSWER]}, "anthropic",
         "a part of type 'image_url'"),
        ({"system": "s", "messages": [{"role": "user", "content": [
            {"type": "image", "source": {}}]}, ANSWER]}, "messages", "a block of type 'image'"),
        ({"system": "s", "messages": [USER, {"role": "assistant", "content": [
            {"type": "redacted_thinking", "data": ""}, {"type": "text", "text": "A"}]}]},
         "messages", "a block of type 'redacted_thinking'"),
        ({"messages": [{"role": "user", "content": [{"type": "text", "text": "a", "x": 1}]},
                       ANSWER]}, "sharegpt", "more than a part's text"),
        ({"messages": [USER, {**ANSWER, "tool_calls": [CALL]}]}, "sharegpt",
         "a turn with both text and a tool call"),
        ({"messages": [{**USER, "content": "x\n\nHuman: y"}, ANSWER]}, "hh",
         "a turn that would parse as two, or leading or trailing white space"),
        ({"messages": [{**USER, "content": ""}, ANSWER]}, "alpaca", "an empty question"),
        ({"messages": [USER, ANSWER]}, "preference",
         "a single response: there is no rejected one"),
        ({"prompt": "Q", "chosen": "A", "rejected": "B"}, "messages",
         "a rejected response beside the chosen one"),
        ({"messages": [USER, ANSWER], "prompt": "mine"}, "prompt",
         "another column 'prompt' beside its own"),
        ({"messages": [USER, ANSWER], "history": []}, "alpaca",
         "another column 'history' beside its own"),
    ],
)  # fmt: skip
def test_what_a_shape_cannot_hold_is_refused(
    record: dict[str, Any], to: Shape, obstacle: str
) -> None:
    with pytest.raises(UnsupportedConversion) as refused:
        convert_row(record, to=to)

    assert str(refused.value) == f"shape {to!r} cannot hold {obstacle}"


def test_what_is_no_row_is_not_converted() -> None:
    with pytest.raises(DatasetError, match="cannot be converted: no conversation"):
        convert_row({"x": 1}, to="messages")


def test_what_a_run_wrote_is_converted_with_its_deliberation_and_provenance() -> None:
    row = row_from_record({"prompt": "Q", "response": "A"})
    written = {**insert_deliberation(row, "T", "thinking"), "whyset": {"outcome": "rewritten"}}

    assert convert_row(written, to="messages") == {
        "messages": [USER, {"role": "assistant", "reasoning_content": "T", "content": "A"}],
        "whyset": {"outcome": "rewritten"},
    }


def test_a_conversation_can_be_written_without_a_row() -> None:
    spoken = Conversation((Message("user", "Q"), Message("assistant", "A")), turn=1)

    assert conversation_to_columns(spoken, shape="hh") == {"text": "\n\nHuman: Q\n\nAssistant: A"}


@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape != "preference"])
@settings(
    max_examples=8,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    deadline=None,
)
@given(st.data())
def test_what_is_converted_says_the_same(shape: Shape, data: st.DataObject) -> None:
    """Ids of calls aside, of which the shapes that need them make their own."""
    record = data.draw(records_for(shape))
    to: Shape = data.draw(st.sampled_from([other for other in ALIKE if other != shape]))
    before = read_record(record).conversation
    assume(to != "sharegpt" or before.response.text)  # a bare call is no response there
    try:
        converted = convert_row(record, to=to)
    except UnsupportedConversion:
        assume(False)
    now = read_record(converted, Selection(shape=to)).conversation

    assert now.tool_names == before.tool_names
    assert _said(now) == _said(before)


def _said(conversation: Conversation) -> list[tuple[str, str, list[str]]]:
    """Return what messages say; a system prompt without a text says nothing, and may go."""
    return [
        (message.text, message.reasoning.strip(), [call.name for call in message.tool_calls])
        for message in conversation.messages
        if message.text or message.role not in {"system", "developer"}
    ]
