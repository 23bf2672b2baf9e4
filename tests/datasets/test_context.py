"""Another system prompt and other tools: what a model is given before the first turn."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.strategies import SHAPES, read_record, records_for

from whyset.datasets import (
    DatasetError,
    Selection,
    Shape,
    UnsupportedContext,
    dumps,
    extract_response,
    insert_deliberation,
    loads,
    replace_context,
    row_from_record,
)

TOOL: dict[str, Any] = {
    "type": "function",
    "function": {"name": "find", "description": "Finds.", "parameters": {"type": "object"}},
}
FLAT = TOOL["function"]
THEIRS = {"name": "find", "description": "Finds.", "input_schema": {"type": "object"}}
USER = {"role": "user", "content": "Q"}
ANSWER = {"role": "assistant", "content": "A"}
SYSTEM = {"role": "system", "content": "S"}
TURNS = [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]
BE = {"from": "system", "value": "S"}


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"messages": [USER, ANSWER]}, {"messages": [SYSTEM, USER, ANSWER], "tools": [TOOL]}),
        (
            {"tools": None, "messages": [{**SYSTEM, "content": "old", "x": 1}, USER, ANSWER]},
            {"tools": [TOOL], "messages": [{**SYSTEM, "x": 1}, USER, ANSWER]},
        ),
        (
            {"messages": [{"role": "developer", "content": [{"type": "text"}]}, USER, ANSWER]},
            {"messages": [{"role": "developer", "content": "S"}, USER, ANSWER], "tools": [TOOL]},
        ),
        (
            {"conversations": TURNS},
            {"conversations": [BE, *TURNS], "tools": dumps([FLAT]).decode()},
        ),
        (
            {"conversations": [{"from": "system", "value": "old"}, *TURNS], "tools": []},
            {"conversations": [BE, *TURNS], "tools": [FLAT]},
        ),
        (
            {"system": "", "conversations": TURNS},
            {"system": "S", "conversations": TURNS, "tools": dumps([FLAT]).decode()},
        ),
        (
            {"system": "old", "messages": [USER, ANSWER]},
            {"system": "S", "messages": [USER, ANSWER], "tools": [THEIRS]},
        ),
        (
            {"prompt": [USER], "completion": [ANSWER]},
            {"prompt": [SYSTEM, USER], "completion": [ANSWER], "tools": [TOOL]},
        ),
        (
            {"chosen": [USER, ANSWER], "rejected": [USER, ANSWER]},
            {"chosen": [SYSTEM, USER, ANSWER], "rejected": [SYSTEM, USER, ANSWER], "tools": [TOOL]},
        ),
        (
            {"prompt": [USER], "chosen": [ANSWER], "rejected": [ANSWER]},
            {"prompt": [SYSTEM, USER], "chosen": [ANSWER], "rejected": [ANSWER], "tools": [TOOL]},
        ),
    ],
)
@pytest.mark.parametrize("tool", [TOOL, THEIRS], ids=["OpenAI's form", "Anthropic's"])
def test_a_shape_takes_them_where_it_has_its_own(
    record: dict[str, Any], expected: dict[str, Any], tool: dict[str, Any]
) -> None:
    row = row_from_record(record)

    changed = replace_context(row, "S", [tool])

    assert changed.columns == expected
    assert changed.conversation.messages[0].text == "S"
    assert changed.conversation.tool_names == ("find",)
    assert changed.conversation.response == row.conversation.response
    assert extract_response(changed).content == "A"
    assert changed.digest == row.digest


@pytest.mark.parametrize(
    "record", [{"prompt": "Q", "response": "A"}, {"instruction": "Q", "output": "A"}]
)
def test_strings_take_a_system_prompt_in_a_column(record: dict[str, Any]) -> None:
    row = replace_context(row_from_record(record), "S", None)

    assert row.columns == {**record, "system": "S"}
    assert row.conversation.messages[0].text == "S"
    with pytest.raises(UnsupportedContext, match="has no place for tools: convert the rows first"):
        replace_context(row, None, [TOOL])


@pytest.mark.parametrize(
    "record",
    [
        {"text": "\n\nHuman: Q\n\nAssistant: A"},
        {"prompt": "Q", "completion": "A"},
        {"prompt": "Q", "chosen": "A", "rejected": "B"},
    ],
)
def test_a_shape_without_a_place_for_them_says_so(record: dict[str, Any]) -> None:
    row = row_from_record(record)

    with pytest.raises(UnsupportedContext, match="has no place for a system prompt"):
        replace_context(row, "S", None)
    with pytest.raises(UnsupportedContext, match="has no place for tools"):
        replace_context(row, None, [TOOL])
    assert replace_context(row, "", []).columns == record


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_nothing_given_leaves_a_row_as_it_is(shape: Shape, data: st.DataObject) -> None:
    row = read_record(data.draw(records_for(shape)))

    assert replace_context(row, None, None) == row


@pytest.mark.parametrize("shape", ["messages", "sharegpt", "anthropic"])
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_every_turn_stays_what_it_was_and_where_it_was(shape: Shape, data: st.DataObject) -> None:
    row = read_record(data.draw(records_for(shape)), Selection(turns="all"))

    changed = replace_context(row, "S", [TOOL])

    def turns(messages: Any) -> list[Any]:
        return [message for message in messages if message.role not in {"system", "developer"}]

    assert turns(changed.conversation.messages) == turns(row.conversation.messages)
    assert len(changed.targets) == len(row.targets)
    assert extract_response(changed).content == extract_response(row).content
    again = read_record(changed.columns, Selection(turns="all", shape=shape))
    assert again.conversation == changed.conversation
    assert again.targets == changed.targets
    assert loads(dumps(insert_deliberation(changed, "T", "thinking")))


def test_what_was_there_can_be_taken_away() -> None:
    chat = row_from_record({"messages": [SYSTEM, USER, ANSWER], "tools": [TOOL]})
    turns = row_from_record({"conversations": [BE, *TURNS], "tools": "[]"})
    api = row_from_record({"system": "S", "messages": [USER, ANSWER]})

    assert replace_context(chat, "", []).columns == {"messages": [USER, ANSWER], "tools": None}
    assert replace_context(turns, "", []).columns == {"conversations": TURNS, "tools": ""}
    assert replace_context(api, "", []).columns == {"system": None, "messages": [USER, ANSWER]}


def test_tools_that_are_json_in_the_row_stay_json() -> None:
    row = row_from_record({"messages": [USER, ANSWER], "tools": "[]"})

    assert loads(replace_context(row, None, [TOOL]).columns["tools"].encode()) == [TOOL]


@pytest.mark.parametrize(
    ("record", "own"),
    [
        ({"messages": [USER, ANSWER]}, {**TOOL, "function": {**FLAT, "strict": True}}),
        ({"messages": [USER, ANSWER]}, FLAT),
        ({"conversations": TURNS}, TOOL),
        (
            {"system": "S", "messages": [USER, ANSWER]},
            {**THEIRS, "cache_control": {"type": "ephemeral"}},
        ),
        ({"system": "S", "messages": [USER, ANSWER]}, {"type": "web_1", "name": "web"}),
    ],
)
@pytest.mark.parametrize("as_json", [False, True])
def test_tools_that_the_row_has_stay_as_they_stand(
    record: dict[str, Any], own: dict[str, Any], as_json: bool
) -> None:
    held: Any = dumps([own]).decode() if as_json else [own]
    row = row_from_record({**record, "tools": held})
    more = {"name": "weigh", "description": "Weighs.", "parameters": {"type": "object"}}

    definitions = [*(tool.definition for tool in row.conversation.tool_definitions), more]
    changed = replace_context(row, None, definitions).columns["tools"]
    written = loads(changed.encode()) if isinstance(changed, str) else changed

    assert dumps(written[0]) == dumps(own)
    assert len(written) == 2


def test_a_column_that_is_no_system_prompt_is_not_written_over() -> None:
    row = row_from_record({"prompt": "Q", "response": "A", "system": {"os": "x"}})

    assert row.conversation.messages[0].text == "Q"
    with pytest.raises(UnsupportedContext, match="a column 'system' that is not text"):
        replace_context(row, "S", None)


def test_a_tool_without_a_name_is_refused() -> None:
    row = row_from_record({"messages": [USER, ANSWER]})

    with pytest.raises(DatasetError, match=r"tools\[0\] is not a tool definition: it has no name"):
        replace_context(row, None, [{"description": "?"}])
