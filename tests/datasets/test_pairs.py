"""Both sides of a preference pair at once, in every form that a pair has."""

from collections.abc import Mapping
from typing import Any

import pytest

from whyset.datasets import (
    DatasetError,
    Selection,
    UnusableRecord,
    read_preference_pair,
    row_from_record,
)


def user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


FORMS: Mapping[str, dict[str, Any]] = {
    "strings": {"prompt": "Q", "chosen": "A", "rejected": "B"},
    "messages within both": {
        "chosen": [user("Q"), assistant("A")],
        "rejected": [user("Q"), assistant("B")],
    },
    "messages beside a prompt": {
        "prompt": [user("Q")],
        "chosen": [assistant("A")],
        "rejected": [assistant("B")],
    },
    "messages that repeat the prompt": {
        "prompt": "Q",
        "chosen": [user("Q"), assistant("A")],
        "rejected": [user("Q"), assistant("B")],
    },
    "transcripts": {
        "chosen": "\n\nHuman: Q\n\nAssistant: A",
        "rejected": "\n\nHuman: Q\n\nAssistant: B",
    },
    "transcript and answers": {
        "prompt": "\n\nHuman: Q\n\nAssistant:",
        "chosen": "A",
        "rejected": "B",
    },
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_comes_apart_into_prompt_and_sides(form: str) -> None:
    pair = read_preference_pair(row_from_record(FORMS[form]))

    assert [(m.role, m.text) for m in pair.prompt] == [("user", "Q")]
    assert [(m.role, m.text) for m in pair.chosen] == [("assistant", "A")]
    assert [(m.role, m.text) for m in pair.rejected] == [("assistant", "B")]


def test_what_both_sides_share_is_prompt_and_what_follows_their_parting_is_theirs() -> None:
    shared = [user("Q"), assistant("What for?"), user("R")]
    pair = read_preference_pair(
        row_from_record(
            {
                "chosen": [*shared, assistant("A"), user("Thanks."), assistant("Gladly.")],
                "rejected": [*shared, assistant("B"), user("No!")],
            }
        )
    )

    assert [m.text for m in pair.prompt] == ["Q", "What for?", "R"]
    assert [m.text for m in pair.chosen] == ["A", "Thanks.", "Gladly."]
    assert [m.text for m in pair.rejected] == ["B", "No!"]


def test_tools_on_offer_come_along() -> None:
    tools = [{"type": "function", "function": {"name": "look"}}]
    row = row_from_record({**FORMS["messages within both"], "tools": tools})

    assert [tool.name for tool in read_preference_pair(row).tool_definitions] == ["look"]


@pytest.mark.parametrize(
    "selection", [Selection(side="both"), Selection(turns="all"), Selection(turns=1)]
)
def test_a_pair_is_taken_whole_whatever_is_selected(selection: Selection) -> None:
    plain = read_preference_pair(row_from_record(FORMS["strings"]))

    assert read_preference_pair(row_from_record(FORMS["strings"], selection=selection)) == plain


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        (
            {"prompt": "Q", "response": "A"},
            "not a preference pair: the row is read as 'prompt', and a pair has 'chosen' and "
            "'rejected'",
        ),
        (
            {"prompt": "Q", "chosen": "A", "rejected": "A"},
            "chosen and rejected are the same: the pair has no preference",
        ),
        (
            {"prompt": "Q", "chosen": "A", "rejected": " "},
            "rejected: no response with text or a tool call",
        ),
    ],
)
def test_what_is_no_pair_says_why(columns: dict[str, Any], reason: str) -> None:
    with pytest.raises(UnusableRecord) as unusable:
        read_preference_pair(row_from_record(columns))
    assert str(unusable.value) == reason


def test_sides_that_answer_different_prompts_are_not_even_read_as_a_row() -> None:
    with pytest.raises(DatasetError, match="do not answer the same prompt"):
        row_from_record(
            {"chosen": [user("Q"), assistant("A")], "rejected": [user("Z"), assistant("B")]}
        )


def test_sides_that_differ_in_a_picture_alone_are_a_pair() -> None:
    def shown(url: str) -> list[dict[str, Any]]:
        image = {"type": "image_url", "image_url": {"url": url}}
        return [
            user("Draw."),
            {"role": "assistant", "content": [image, {"type": "text", "text": "So."}]},
        ]

    row = row_from_record({"chosen": shown("a.png"), "rejected": shown("b.png")})

    assert read_preference_pair(row).chosen[0].parts != read_preference_pair(row).rejected[0].parts
