"""The law of every shape: what is read and written unchanged is the same, and a deliberation
changes nothing beside its place."""

import copy

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.strategies import SHAPES, Record, read_record, records_for, said

from whyset.datasets import (
    Channel,
    Selection,
    Shape,
    convert_row,
    dumps,
    extract_response,
    insert_deliberation,
    is_identical,
    loads,
    replace_response,
    select_target,
)

CHANNELS: tuple[Channel, ...] = ("thinking", "preface", "inline")
EVERYTHING = Selection(turns="all", side="both")

few = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow], deadline=None)
each_shape = pytest.mark.parametrize("shape", SHAPES)


@each_shape
@few
@given(st.data())
def test_what_is_read_and_written_unchanged_is_the_same(shape: Shape, data: st.DataObject) -> None:
    record = data.draw(records_for(shape))

    row = read_record(record)

    assert row.shape == shape
    assert is_identical(row.columns, record)
    assert dumps(convert_row(row, to=shape)) == dumps(record)


@each_shape
@few
@given(st.data())
def test_all_but_the_response_stays_to_the_last_byte(shape: Shape, data: st.DataObject) -> None:
    row = read_record(data.draw(records_for(shape)), EVERYTHING)
    untouched, deliberation = copy.deepcopy(row.columns), data.draw(said)

    for target in row.targets:
        aimed = select_target(row, target)
        old = extract_response(aimed)
        for channel in CHANNELS:
            placed = insert_deliberation(aimed, deliberation, channel)
            new = extract_response(aimed, loads(dumps(placed)))
            assert is_identical(new.other_columns, old.other_columns)
            assert old.think_tags is None or new.think_tags == old.think_tags
            if channel == "thinking":
                assert is_identical(new.content, old.content)
            else:
                assert is_identical(new.reasoning, old.reasoning)

    assert is_identical(row.columns, untouched)


@each_shape
@few
@given(st.data())
def test_thinking_is_ahead_of_what_was_thought_and_never_empty(
    shape: Shape, data: st.DataObject
) -> None:
    row = read_record(data.draw(records_for(shape)))
    deliberation = data.draw(said)

    old = extract_response(row).reasoning
    new = extract_response(row, insert_deliberation(row, deliberation, "thinking")).reasoning

    if isinstance(new, list):
        assert new == [{"type": "thinking", "thinking": deliberation}, *(old or [])]
    else:
        assert new == (f"{deliberation}\n\n{old}" if old else deliberation)


@each_shape
@few
@given(st.data())
def test_a_preface_stands_before_the_response_as_it_was(shape: Shape, data: st.DataObject) -> None:
    row = read_record(data.draw(records_for(shape)))
    deliberation = data.draw(said)

    old = extract_response(row).content
    new = extract_response(row, insert_deliberation(row, deliberation, "preface")).content

    if isinstance(old, list):
        assert new == [{"type": "text", "text": f"{deliberation}\n\n"}, *old]
    else:
        assert new == (f"{deliberation}\n\n{old}" if old else deliberation)


@each_shape
@few
@given(st.data())
def test_what_was_placed_is_what_is_read_again(shape: Shape, data: st.DataObject) -> None:
    row = read_record(data.draw(records_for(shape)))
    before, deliberation = row.conversation, data.draw(said)

    for channel in CHANNELS:
        again = read_record(insert_deliberation(row, deliberation, channel), Selection(shape=shape))
        now = again.conversation
        assert (now.messages[: now.turn], now.turn) == (before.prompt, before.turn)
        assert now.messages[now.turn + 1 :] == before.messages[before.turn + 1 :]
        if channel == "thinking":
            assert now.response.text == before.response.text
            assert now.response.reasoning.startswith(deliberation)
        else:
            assert now.response.text.startswith(deliberation)
            assert now.response.reasoning == before.response.reasoning


@each_shape
@few
@given(st.data())
def test_another_response_does_not_inherit_the_reasoning_of_the_old(
    shape: Shape, data: st.DataObject
) -> None:
    record: Record = data.draw(records_for(shape))
    row, answer = read_record(record), data.draw(said)

    other = replace_response(row, answer)

    parted = extract_response(other)
    assert not parted.reasoning
    assert is_identical(parted.other_columns, extract_response(row).other_columns)
    assert (other.conversation.response.text, other.conversation.response.reasoning) == (answer, "")
    again = read_record(other.columns, Selection(shape=shape)).conversation.response
    assert (again.text, again.reasoning) == (answer, "")
    assert is_identical(row.columns, record)
