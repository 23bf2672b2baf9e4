"""What a row must keep when its surroundings, or its response, are changed."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.samples.diversify import ANSWER, ASKED, CHAT
from support.strategies import read_record, records_for

from whyset.datasets import (
    Row,
    Shape,
    UnsupportedContext,
    replace_context,
    replace_response,
    row_from_record,
)
from whyset.generators._row_checks import check_row_preserved
from whyset.generators.checks import failed_checks

TOOL = {"name": "weigh", "description": "Weighs.", "parameters": {"type": "object"}}


def _failed(row: Row, changed: Row, **how: Any) -> set[str]:
    checks = check_row_preserved(
        row, changed, **{"response_changed": False, "context_changed": True, **how}
    )
    return {check.name for check in failed_checks(checks)}


@pytest.mark.parametrize("shape", ["messages", "sharegpt", "anthropic", "completion", "preference"])
@settings(max_examples=8, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.data())
def test_new_surroundings_leave_a_row_of_any_shape_as_it_is(
    shape: Shape, data: st.DataObject
) -> None:
    row = read_record(data.draw(records_for(shape)))
    own = [dict(tool.definition) for tool in row.conversation.tool_definitions]
    try:
        changed = replace_context(row, "S", [*own, TOOL])
    except UnsupportedContext:
        return

    assert not _failed(row, changed)
    assert not _failed(row, replace_response(changed, "Another."), response_changed=True)


def _changed(at: int, content: str) -> Row:
    messages = [dict(message) for message in CHAT["messages"]]
    messages[at]["content"] = content
    return replace_context(row_from_record({**CHAT, "messages": messages}), "S", [TOOL])


@pytest.mark.parametrize(
    ("changed", "names"),
    [
        (_changed(0, ASKED + " "), {"user_turn_identical", "columns_identical"}),
        (_changed(1, ANSWER + " "), {"response_identical", "columns_identical"}),
        (
            replace_context(row_from_record({**CHAT, "id": 7.0}), "S", [TOOL]),
            {"columns_identical"},
        ),
        (
            replace_context(row_from_record({"tags": 1, **CHAT}), "S", [TOOL]),
            {"columns_identical"},
        ),
    ],
)
def test_whatever_else_was_changed_is_found(changed: Row, names: set[str]) -> None:
    assert _failed(row_from_record(CHAT), changed) == names


def test_where_a_new_response_was_asked_for_only_that_may_be_another() -> None:
    row = row_from_record(CHAT)
    other = replace_response(row, "Another.")

    assert not _failed(row, other, response_changed=True, context_changed=False)
    assert _failed(
        row, replace_context(other, "S", None), response_changed=True, context_changed=False
    ) == {"columns_identical"}
    assert _failed(row, _changed(0, "Else?"), response_changed=True) == {
        "user_turn_identical",
        "columns_identical",
    }


def test_what_a_row_had_of_its_own_is_still_there() -> None:
    row = replace_context(row_from_record(CHAT), "Mine.", [TOOL])
    more = {**TOOL, "name": "measure"}

    assert not _failed(
        row, replace_context(row, "Mine.\n\nMore.", [TOOL, more]), extended_system="Mine."
    )
    for changed in (
        replace_context(row, "Other.", [TOOL, more]),
        replace_context(row, "Mine. More.", [more, TOOL]),
        replace_context(row, "", []),
    ):
        assert "own_surroundings_kept" in _failed(row, changed, extended_system="Mine.")
