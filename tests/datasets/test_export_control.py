"""The matched control: the original response in its place again, everything else untouched."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.exports import (
    ANSWER,
    THOUGHT,
    USER,
    Record,
    document,
    provenance,
    read,
    rewritten,
    run_export,
)
from support.strategies import SHAPES, records_for
from support.strategies import read_record as read_row

from whyset.datasets import (
    DEFAULT_SELECTION,
    PROVENANCE_COLUMN,
    Channel,
    Row,
    Selection,
    Shape,
    extract_response,
    free_provenance_column,
    insert_deliberation,
    is_identical,
    replace_response,
    require_provenance,
    select_target,
)
from whyset.datasets.export import CONTROL_OUTCOME, UnsupportedRow, restore_original

CHANNELS: tuple[Channel, ...] = get_args(Channel)


def record_of(row: Row, channel: Channel, outcome: str = "rewritten") -> dict[str, Any]:
    """Return what a deliberation says of the response that it worked on."""
    before = extract_response(row)
    record = {"outcome": outcome, "original_response": before.content}
    if before.reasoning and (channel == "thinking" or outcome == "repaired"):
        record["original_reasoning"] = before.reasoning
    return record


def finished(columns: Any, **column: Any) -> Record:
    return {
        **free_provenance_column(columns),
        PROVENANCE_COLUMN: {"generator": "deliberation", "version": "1", **column},
    }


def without_provenance(columns: Record) -> Record:
    return {name: value for name, value in columns.items() if name != PROVENANCE_COLUMN}


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_in_every_shape_and_channel_the_response_is_what_it_was(
    shape: Shape, data: st.DataObject
) -> None:
    row = read_row(data.draw(records_for(shape)))
    channel = data.draw(st.sampled_from(CHANNELS))
    written = insert_deliberation(row, "It is hers.", channel)

    again = restore_original(
        finished(written, channel=channel, **record_of(row, channel)), DEFAULT_SELECTION
    )

    before, after = extract_response(row), extract_response(row, without_provenance(again))
    assert is_identical(after.content, before.content)
    assert after.reasoning == before.reasoning or not (after.reasoning or before.reasoning)
    others = before.other_columns
    wanted = free_provenance_column(others) if isinstance(others, dict) else others
    assert is_identical(after.other_columns, wanted)
    assert require_provenance(again)["outcome"] == CONTROL_OUTCOME


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=10, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_a_repaired_response_gets_its_reasoning_back(shape: Shape, data: st.DataObject) -> None:
    row = read_row(data.draw(records_for(shape)))
    channel = data.draw(st.sampled_from(CHANNELS))
    written = insert_deliberation(replace_response(row, "Ask her."), "It is hers.", channel)

    again = restore_original(
        finished(written, channel=channel, **record_of(row, channel, "repaired")), DEFAULT_SELECTION
    )

    before, after = extract_response(row), extract_response(row, without_provenance(again))
    assert is_identical(after.content, before.content)
    assert after.reasoning == before.reasoning or not (after.reasoning or before.reasoning)


@pytest.mark.parametrize("channel", CHANNELS)
def test_of_several_responses_each_is_restored(channel: Channel) -> None:
    record = {"messages": [USER, ANSWER, USER, {**THOUGHT, "content": "Still: ask."}]}
    row = read_row(record, Selection(turns="all"))
    columns, targets = row.columns, []
    for target in row.targets:
        aimed = select_target(row, target, columns)
        columns = insert_deliberation(aimed, f"Reason {target}.", channel)
        targets.append({"target": str(target), **record_of(aimed, channel)})

    again = restore_original(
        finished(columns, outcome="rewritten", channel=channel, targets=targets), DEFAULT_SELECTION
    )

    assert without_provenance(again) == record


def test_of_a_pair_both_sides_are_restored() -> None:
    record = {"prompt": "May I?", "chosen": "Ask her.", "rejected": "Sure."}
    row = read_row(record, Selection(side="both"))
    columns, targets = row.columns, []
    for target in row.targets:
        aimed = select_target(row, target, columns)
        columns = insert_deliberation(aimed, "It is hers.", "thinking")
        targets.append({"target": str(target), **record_of(aimed, "thinking")})

    again = restore_original(
        finished(columns, outcome="rewritten", channel="thinking", targets=targets),
        DEFAULT_SELECTION,
    )

    assert without_provenance(again) == record


def test_a_row_that_was_left_alone_stays_as_it_is() -> None:
    row = rewritten(0, "untouched")

    assert restore_original(row, DEFAULT_SELECTION) == row
    assert restore_original({"messages": [USER, ANSWER]}, DEFAULT_SELECTION) == {
        "messages": [USER, ANSWER]
    }


def test_the_run_knows_which_turn_was_worked_on() -> None:
    record = {"messages": [USER, ANSWER, USER, {**ANSWER, "content": "No."}]}
    selection = Selection(turns=1)
    row = read_row(record, selection)
    written = finished(
        insert_deliberation(row, "It is hers.", "preface"),
        channel="preface",
        **record_of(row, "preface"),
    )

    assert without_provenance(restore_original(written, selection)) == record
    with pytest.raises(UnsupportedRow, match="another one was worked on, and the run's manifest"):
        restore_original(written, DEFAULT_SELECTION)


@pytest.mark.parametrize(
    "column",
    [
        {"targets": [1]},
        {"targets": [{"target": "turn 9", "outcome": "rewritten", "original_response": "x"}]},
        {"targets": [{"outcome": "rewritten"}]},
        {"original_response": {"a": 1}, "channel": "thinking"},
        {"original_response": "Ask her.", "original_reasoning": 3, "channel": ["x"]},
    ],
)
def test_edited_provenance_is_refused_or_accepted(column: Record) -> None:
    try:
        restore_original(finished(rewritten(), outcome="rewritten", **column), DEFAULT_SELECTION)
    except UnsupportedRow as refused:
        assert refused.reason == "no_original"


def test_a_document_has_no_control(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedRow, match="from scratch: it has no original response"):
        restore_original(document("A."), DEFAULT_SELECTION)
    rows = [document("A."), document("B.")]
    with pytest.raises(Exception, match="2 refused: no_original"):
        run_export(tmp_path, rows, control=True)


def test_the_control_holds_the_same_rows_in_the_same_order(tmp_path: Path) -> None:
    refused = {
        **rewritten(3),
        PROVENANCE_COLUMN: provenance(generator="advice", original_response="gone"),
    }
    rows = [rewritten(n) for n in range(3)] + [rewritten(9, "untouched"), refused]
    mix = [{"prompt": f"Count to {n}.", "response": f"{n}."} for n in range(40)]

    made = run_export(tmp_path, rows, mix=mix, share=0.25, control=True)

    folder = tmp_path / "out"
    treated, control = (read(folder / name) for name in ("train.jsonl", "control/train.jsonl"))
    assert [row["messages"][0] for row in treated] == [row["messages"][0] for row in control]
    assert len(control) == made.rows == 12
    assert dict(made.own_counts.rejected) == {"no_original": 1}
    for row, before in zip(treated, control, strict=True):
        last, original = row["messages"][-1], before["messages"][-1]
        assert original == {name: v for name, v in last.items() if name != "reasoning_content"}
    outcomes = {
        json.loads(row[PROVENANCE_COLUMN])["outcome"] for row in control if PROVENANCE_COLUMN in row
    }
    assert outcomes == {CONTROL_OUTCOME, "untouched"}
    assert [("reasoning_content" in row["messages"][-1]) for row in control] == [False] * 12
