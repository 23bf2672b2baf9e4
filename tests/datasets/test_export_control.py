"""The matched control: the original response in its place again, everything else untouched."""

import json
from pathlib import Path
from typing import Any, get_args

import pytest
from exporting import ANSWER, THOUGHT, USER, Record, document, exported, provenance, read, rewritten
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shaping import SHAPES, records_of
from shaping import read as read_row

from whyset.datasets import (
    COLUMN,
    DEFAULT,
    Channel,
    Row,
    Selection,
    Shape,
    aimed_at,
    identical,
    part_columns,
    provenance_of,
    room_for_provenance,
    with_deliberation,
    with_response,
)
from whyset.datasets.export import CONTROL, NotExported, restored

CHANNELS: tuple[Channel, ...] = get_args(Channel)


def told(row: Row, channel: Channel, outcome: str = "rewritten") -> dict[str, Any]:
    """Return what a deliberation says of the response that it worked on."""
    before = part_columns(row)
    record = {"outcome": outcome, "original_response": before.content}
    if before.reasoning and (channel == "thinking" or outcome == "repaired"):
        record["original_reasoning"] = before.reasoning
    return record


def finished(columns: Any, **column: Any) -> Record:
    return {
        **room_for_provenance(columns),
        COLUMN: {"generator": "deliberation", "version": "1", **column},
    }


def without_provenance(columns: Record) -> Record:
    return {name: value for name, value in columns.items() if name != COLUMN}


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=15, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_in_every_shape_and_channel_the_response_is_what_it_was(
    shape: Shape, data: st.DataObject
) -> None:
    row = read_row(data.draw(records_of(shape)))
    channel = data.draw(st.sampled_from(CHANNELS))
    written = with_deliberation(row, "It is hers.", channel)

    again = restored(finished(written, channel=channel, **told(row, channel)), DEFAULT)

    before, after = part_columns(row), part_columns(row, without_provenance(again))
    assert identical(after.content, before.content)
    assert after.reasoning == before.reasoning or not (after.reasoning or before.reasoning)
    assert identical(after.others, room_for_provenance(before.others) if isinstance(
        before.others, dict) else before.others)  # fmt: skip
    assert provenance_of(again)["outcome"] == CONTROL


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=10, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_a_repaired_response_gets_its_reasoning_back(shape: Shape, data: st.DataObject) -> None:
    row = read_row(data.draw(records_of(shape)))
    channel = data.draw(st.sampled_from(CHANNELS))
    written = with_deliberation(with_response(row, "Ask her."), "It is hers.", channel)

    again = restored(finished(written, channel=channel, **told(row, channel, "repaired")), DEFAULT)

    before, after = part_columns(row), part_columns(row, without_provenance(again))
    assert identical(after.content, before.content)
    assert after.reasoning == before.reasoning or not (after.reasoning or before.reasoning)


@pytest.mark.parametrize("channel", CHANNELS)
def test_of_several_responses_each_is_restored(channel: Channel) -> None:
    record = {"messages": [USER, ANSWER, USER, {**THOUGHT, "content": "Still: ask."}]}
    row = read_row(record, Selection(turns="all"))
    columns, targets = row.columns, []
    for target in row.targets:
        aimed = aimed_at(row, target, columns)
        columns = with_deliberation(aimed, f"Reason {target}.", channel)
        targets.append({"target": str(target), **told(aimed, channel)})

    again = restored(
        finished(columns, outcome="rewritten", channel=channel, targets=targets), DEFAULT
    )

    assert without_provenance(again) == record


def test_of_a_pair_both_sides_are_restored() -> None:
    record = {"prompt": "May I?", "chosen": "Ask her.", "rejected": "Sure."}
    row = read_row(record, Selection(side="both"))
    columns, targets = row.columns, []
    for target in row.targets:
        aimed = aimed_at(row, target, columns)
        columns = with_deliberation(aimed, "It is hers.", "thinking")
        targets.append({"target": str(target), **told(aimed, "thinking")})

    again = restored(
        finished(columns, outcome="rewritten", channel="thinking", targets=targets), DEFAULT
    )

    assert without_provenance(again) == record


def test_a_row_that_was_left_alone_stays_as_it_is() -> None:
    row = rewritten(0, "untouched")

    assert restored(row, DEFAULT) == row
    assert restored({"messages": [USER, ANSWER]}, DEFAULT) == {"messages": [USER, ANSWER]}


def test_which_turn_was_worked_on_is_told_by_the_run() -> None:
    record = {"messages": [USER, ANSWER, USER, {**ANSWER, "content": "No."}]}
    selection = Selection(turns=1)
    row = read_row(record, selection)
    written = finished(
        with_deliberation(row, "It is hers.", "preface"),
        channel="preface",
        **told(row, "preface"),
    )

    assert without_provenance(restored(written, selection)) == record
    with pytest.raises(NotExported, match="another one was worked on, and the run's manifest"):
        restored(written, DEFAULT)


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
def test_provenance_that_somebody_has_edited_is_refused_or_borne(column: Record) -> None:
    try:
        restored(finished(rewritten(), outcome="rewritten", **column), DEFAULT)
    except NotExported as refused:
        assert refused.reason == "no_original"


def test_a_document_has_no_control(tmp_path: Path) -> None:
    with pytest.raises(NotExported, match="from nothing: it has no original response"):
        restored(document("A."), DEFAULT)
    rows = [document("A."), document("B.")]
    with pytest.raises(Exception, match="2 refused: no_original"):
        exported(tmp_path, rows, control=True)


def test_the_control_holds_the_same_rows_in_the_same_order(tmp_path: Path) -> None:
    refused = {**rewritten(3), COLUMN: provenance(generator="advice", original_response="gone")}
    rows = [rewritten(n) for n in range(3)] + [rewritten(9, "untouched"), refused]
    mix = [{"prompt": f"Count to {n}.", "response": f"{n}."} for n in range(40)]

    made = exported(tmp_path, rows, mix=mix, share=0.25, control=True)

    folder = tmp_path / "out"
    treated, control = (read(folder / name) for name in ("train.jsonl", "control/train.jsonl"))
    assert [row["messages"][0] for row in treated] == [row["messages"][0] for row in control]
    assert len(control) == made.rows == 12
    assert dict(made.own.refused) == {"no_original": 1}
    for row, before in zip(treated, control, strict=True):
        last, original = row["messages"][-1], before["messages"][-1]
        assert original == {name: v for name, v in last.items() if name != "reasoning_content"}
    outcomes = {json.loads(row[COLUMN])["outcome"] for row in control if COLUMN in row}
    assert outcomes == {CONTROL, "untouched"}
    assert [("reasoning_content" in row["messages"][-1]) for row in control] == [False] * 12
