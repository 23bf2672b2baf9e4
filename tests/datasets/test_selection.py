"""Which responses of a row are worked on, and what that does to how the row is known."""

from typing import Any

import pytest

from whyset.datasets import (
    DEFAULT_SELECTION,
    DatasetError,
    Row,
    Selection,
    Target,
    insert_deliberation,
    row_from_record,
    select_target,
)


def said(*texts: str) -> list[dict[str, Any]]:
    """Return messages of user and assistant in turn."""
    roles = ("user", "assistant")
    return [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)]


THREE = {"messages": said("a", "A", "b", "B", "c", "C")}
PAIR = {"chosen": said("a", "A", "b", "B"), "rejected": said("a", "A", "b", "X", "c", "Y")}


def select(record: dict[str, Any], **selected: Any) -> Row:
    return row_from_record(record, selection=Selection(**selected))


def refusal(record: dict[str, Any], **selected: Any) -> str:
    with pytest.raises(DatasetError) as refused:
        select(record, **selected)
    return str(refused.value).removeprefix("row 1: ")


def responses(row: Row) -> list[str]:
    return [select_target(row, target).conversation.response.text for target in row.targets]


@pytest.mark.parametrize(
    ("turns", "expected"), [("last", ["C"]), ("all", ["A", "B", "C"]), (1, ["A"]), (3, ["C"])]
)
def test_turns_are_the_last_all_or_one_by_its_number(turns: Any, expected: list[str]) -> None:
    row = select(THREE, turns=turns)

    assert responses(row) == expected
    assert row.conversation.response.text == expected[0]


def test_targets_are_called_by_number_and_side() -> None:
    assert [str(target) for target in select(THREE, turns="all").targets] == [
        *("turn 1", "turn 2", "turn 3")
    ]
    assert [str(target) for target in select(PAIR, turns="all", side="both").targets] == [
        *("chosen turn 2", "rejected turn 2", "rejected turn 3")
    ]


def test_of_a_pair_the_chosen_side_is_worked_on_or_both() -> None:
    assert select(PAIR).targets == (Target(3, "chosen", 2),)
    assert responses(select(PAIR)) == ["B"]
    assert responses(select(PAIR, side="both")) == ["B", "Y"]


def test_each_target_is_placed_in_its_own_response() -> None:
    row = select(PAIR, turns="all", side="both")
    columns: Any = row.columns
    for target in row.targets:
        columns = insert_deliberation(select_target(row, target, columns), f"[{target}]", "preface")

    assert [message["content"] for message in columns["chosen"]] == [
        *("a", "A", "b", "[chosen turn 2]\n\nB")
    ]
    assert [message["content"] for message in columns["rejected"]] == [
        *("a", "A", "b", "[rejected turn 2]\n\nX", "c", "[rejected turn 3]\n\nY")
    ]


def test_what_both_sides_begin_with_is_their_prompt() -> None:
    assert responses(select(PAIR, turns="all")) == ["B"]
    assert refusal(PAIR, turns=1) == (
        "chosen: turn 1 is not to be worked on: it belongs to the prompt, or is nothing but a call"
    )
    same = {"chosen": said("a", "A"), "rejected": said("a", "A")}
    assert responses(select(same, turns="all", side="both")) == ["A", "A"]


def test_the_assistants_turns_in_a_prompt_are_not_worked_on() -> None:
    record = {"prompt": said("a", "A", "b"), "completion": [{"role": "assistant", "content": "B"}]}

    assert responses(select(record, turns="all")) == ["B"]
    assert select(record, turns=2).targets == (Target(3, "", 2),)
    assert "belongs to the prompt" in refusal(record, turns=1)


def test_of_a_history_every_answer_may_be_worked_on() -> None:
    record = {"instruction": "c", "output": "C", "history": [["a", "A"], ["b", "B"]], "system": "s"}
    row = select(record, turns="all")

    assert responses(row) == ["A", "B", "C"]
    placed = insert_deliberation(select_target(row, row.targets[1]), "T", "preface")
    assert placed == {**record, "history": [["a", "A"], ["b", "T\n\nB"]]}


def test_turns_that_say_nothing_are_passed_over_among_all_and_refused_alone() -> None:
    record = {"messages": said("a", " ", "b", "B", "c", "")}

    assert responses(select(record, turns="all")) == ["B"]
    assert refusal(record, turns=1) == "empty response: turn 1 has no text and no tool call"
    assert refusal(record) == (
        "empty response: the last assistant turn has no text and no tool call"
    )
    assert refusal({"messages": said("a", "")}, turns="all") == (
        "empty response: no assistant turn has text or a tool call"
    )


def test_a_turn_that_is_not_there_is_refused() -> None:
    assert refusal(THREE, turns=4) == "no turn 4: the assistant has 3 turns"
    assert refusal({"prompt": "a", "response": "A"}, turns=2) == (
        "no turn 2: the assistant has 1 turn"
    )


def test_by_default_a_row_is_known_by_its_record_alone() -> None:
    default = row_from_record(THREE)

    assert select(THREE).digest == default.digest
    assert Selection() == DEFAULT_SELECTION
    assert DEFAULT_SELECTION.digest("ab") == "ab"


def test_another_selection_makes_it_another_row_to_the_ledger() -> None:
    selections: list[dict[str, Any]] = [
        {},
        {"turns": "all"},
        {"turns": 1},
        {"turns": 3},
        {"side": "both"},
        {"shape": "messages"},
        {"replace_provenance": True},
    ]

    assert len({select(THREE, **selected).digest for selected in selections}) == len(selections)


@pytest.mark.parametrize(
    ("selected", "reason"),
    [
        ({"turns": 0}, "turns must be 'last', 'all' or a number from 1 on, not 0"),
        ({"turns": True}, "turns must be 'last', 'all' or a number from 1 on, not True"),
        ({"turns": "first"}, "turns must be 'last', 'all' or a number from 1 on, not 'first'"),
        ({"turns": [1]}, "turns must be 'last', 'all' or a number from 1 on, not [1]"),
        ({"side": "rejected"}, "side must be 'chosen' or 'both', not 'rejected'"),
        (
            {"shape": "csv"},
            "no shape 'csv'; there are: alpaca, anthropic, completion, hh, messages, preference, "
            "prompt, sharegpt",
        ),
    ],
)
def test_a_selection_that_selects_nothing_is_refused(selected: Any, reason: str) -> None:
    with pytest.raises(DatasetError) as refused:
        Selection(**selected)
    assert str(refused.value) == reason
