"""Placing a deliberation: the response and every other column stay what they were."""

import copy
import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyset.datasets import (
    Channel,
    ResponseParts,
    Row,
    dumps,
    extract_response,
    insert_deliberation,
    loads,
    read_stream,
    replace_response,
    row_from_record,
)

CHANNELS: tuple[Channel, ...] = ("thinking", "preface", "inline")
CALL = {"id": "1", "type": "function", "function": {"name": "find", "arguments": "{}"}}

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
said = text.filter(str.strip)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**30), 10**30)
    | st.floats(allow_nan=False, allow_infinity=False)
    | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)
RESERVED = {"messages", "prompt", "response", "reasoning_content", "whyset"}
others = st.dictionaries(text.filter(lambda name: name not in RESERVED), json_values, max_size=4)
reasoning = st.fixed_dictionaries({}, optional={"reasoning_content": st.none() | text})
parts = st.lists(
    st.builds(lambda said: {"type": "text", "text": said}, said)
    | st.just({"type": "image_url", "image_url": {"url": "x"}}),
    max_size=3,
)


@st.composite
def responses(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an assistant's message: text, parts or null beside a tool call; keys in any order."""
    content = draw(said | parts | st.none())
    message = {"role": "assistant", "content": content, **draw(reasoning)}
    if not isinstance(content, str):
        message["tool_calls"] = [CALL]
    return dict(draw(st.permutations(list(message.items()))))


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    core: dict[str, Any]
    if draw(st.booleans()):
        core = {"prompt": draw(said), "response": draw(said), **draw(reasoning)}
    else:
        user = {"role": "user", "content": draw(text), **draw(others)}
        after = draw(st.sampled_from([[], [{"role": "user", "content": "thanks"}]]))
        core = {"messages": [user, draw(responses()), *after]}
    return dict(draw(st.permutations([*draw(others).items(), *core.items()])))


def read(record: dict[str, Any]) -> Row:
    (row,) = read_stream(io.BytesIO(dumps(record)), name="x")
    assert isinstance(row, Row)
    return row


def without_response(row: Row, columns: dict[str, Any]) -> str:
    return json.dumps(extract_response(row, columns).other_columns)


@given(records(), said, st.sampled_from(CHANNELS))
def test_all_but_the_response_survives_in_order_and_value(
    record: dict[str, Any], deliberation: str, channel: Channel
) -> None:
    row = read(record)
    untouched = copy.deepcopy(row.columns)

    written = loads(dumps(insert_deliberation(row, deliberation, channel)))

    assert without_response(row, written) == without_response(row, record)
    assert list(written) == [
        *dict.fromkeys(name for name in _with_reasoning_before_response(record, row, channel))
    ]
    assert row.columns == untouched


def _with_reasoning_before_response(
    record: dict[str, Any], row: Row, channel: Channel
) -> list[str]:
    names = []
    new = row.shape == "prompt" and channel == "thinking" and "reasoning_content" not in record
    for name in record:
        if new and name == "response":
            names.append("reasoning_content")
        names.append(name)
    return names


@given(records(), said)
def test_thinking_leaves_the_response_and_keeps_earlier_reasoning(
    record: dict[str, Any], deliberation: str
) -> None:
    row = read(record)

    old, new = (
        extract_response(row),
        extract_response(row, insert_deliberation(row, deliberation, "thinking")),
    )

    assert new.content == old.content
    assert new.reasoning == (
        f"{deliberation}\n\n{old.reasoning}" if old.reasoning else deliberation
    )


@given(records(), said)
def test_a_preface_stands_before_the_response_as_it_was(
    record: dict[str, Any], deliberation: str
) -> None:
    row = read(record)

    old, new = (
        extract_response(row),
        extract_response(row, insert_deliberation(row, deliberation, "preface")),
    )

    assert new.reasoning == old.reasoning
    match old.content:
        case list():
            assert new.content == [{"type": "text", "text": f"{deliberation}\n\n"}, *old.content]
        case None | "":
            assert new.content == deliberation
        case _:
            assert new.content == f"{deliberation}\n\n{old.content}"


@given(records(), said)
def test_inline_takes_the_place_of_text_and_of_nothing_else(
    record: dict[str, Any], deliberation: str
) -> None:
    row = read(record)

    old, new = (
        extract_response(row),
        extract_response(row, insert_deliberation(row, deliberation, "inline")),
    )

    assert new.reasoning == old.reasoning
    if isinstance(old.content, list):
        images = [part for part in old.content if part["type"] != "text"]
        assert new.content == [{"type": "text", "text": deliberation}, *images]
    else:
        assert new.content == deliberation


def test_new_reasoning_stands_right_before_the_response() -> None:
    pair = row_from_record({"id": 1, "prompt": "a", "response": "b", "source": "x"})
    chat = row_from_record({"messages": [{"role": "assistant", "content": "b", "name": "n"}]})
    bare = row_from_record({"messages": [{"role": "assistant", "tool_calls": [CALL]}]})

    assert list(insert_deliberation(pair, "t", "thinking")) == [
        *("id", "prompt", "reasoning_content", "response", "source")
    ]
    assert insert_deliberation(chat, "t", "thinking")["messages"] == [
        {"role": "assistant", "reasoning_content": "t", "content": "b", "name": "n"}
    ]
    assert insert_deliberation(bare, "t", "thinking")["messages"] == [
        {"role": "assistant", "tool_calls": [CALL], "reasoning_content": "t"}
    ]


def test_a_column_called_reasoning_content_beside_messages_is_just_a_column() -> None:
    row = row_from_record(
        {"reasoning_content": 5, "messages": [{"role": "assistant", "content": "b"}]}
    )

    written = insert_deliberation(row, "t", "thinking")

    assert written["reasoning_content"] == 5
    assert "reasoning_content" in extract_response(row).other_columns


def test_columns_are_parted_into_response_reasoning_and_the_rest() -> None:
    row = row_from_record(
        {
            "id": 1,
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "content": "b", "reasoning_content": "c", "name": "n"},
            ],
        }
    )

    assert extract_response(row) == ResponseParts(
        "b",
        "c",
        {
            "id": 1,
            "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "name": "n"}],
        },
    )


@pytest.mark.parametrize(
    "record",
    [
        {"prompt": "a", "reasoning_content": "old reasons", "response": "old", "id": 1},
        {
            "messages": [
                {"role": "user", "content": "a"},
                {"role": "assistant", "reasoning_content": "old reasons", "content": "old"},
                {"role": "user", "content": "c"},
            ],
            "id": 1,
        },
    ],
    ids=["prompt", "messages"],
)
def test_another_response_does_not_inherit_the_reasoning_of_the_old(record: dict[str, Any]) -> None:
    row = row_from_record(record)

    other = replace_response(row, "new")

    assert extract_response(other) == ResponseParts(
        "new", None, extract_response(row).other_columns
    )
    assert list(other.columns) == list(record)
    assert (other.conversation.response.text, other.conversation.response.reasoning) == ("new", "")
    assert other.conversation.prompt == row.conversation.prompt
    assert "old" in dumps(dict(row.columns)).decode()
    assert "old" not in dumps(dict(other.columns)).decode()
