"""Rehearsed replies: a dry run's steps must go as those of a row that passes at once."""

from typing import Any

import pytest
from support.row_scripts import draw_row, environment_of, run_row_with_mock_replies
from support.samples.diversify import ASKED, CHAT, PROMPTED

from whyset.constitution import estimate_tokens
from whyset.datasets import row_from_record
from whyset.generators import Ask, Finished, GeneratorError
from whyset.generators.diversify import Diversify, Environment, Options
from whyset.generators.diversify._variety import axes

RECORDS: list[dict[str, Any]] = [
    CHAT,
    PROMPTED,
    {"prompt": ASKED, "response": "No."},
    {"conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": "No."}]},
    {
        "messages": [
            {"role": "user", "content": "日記を読んでもいい?"},
            {"role": "assistant", "content": "いいえ。"},
        ]
    },
]


@pytest.mark.parametrize("at_stake", [True, False])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"respond": True},
        {"system": "replace", "persona": "draw"},
        {"language": "de"},
        {"language": "ja", "respond": True, "samples": 3},
        {"without": ("judge",)},
        {"without": ("tools",), "system": "keep"},
    ],
    ids=str,
)
def test_whatever_is_dealt_passes_at_once(options: dict[str, Any], at_stake: bool) -> None:
    generator = Diversify(**options)
    for number in range(4):
        for record in RECORDS:
            row = row_from_record({**record, "number": number})
            result, asked = run_row_with_mock_replies(generator, row, at_stake=at_stake)
            assert isinstance(result, Finished), result
            steps = [ask.step.removeprefix("diversify/") for ask, _ in asked]
            assert len(steps) == len(set(steps))


@pytest.mark.parametrize(("axis", "values"), axes().items())
def test_every_value_of_every_axis_can_be_rehearsed(axis: str, values: tuple[str, ...]) -> None:
    generator = Diversify(without=("judge",))
    for value in values:
        row = draw_row(PROMPTED, generator.options, **{axis: value})
        assert isinstance(run_row_with_mock_replies(generator, row)[0], Finished)


def test_texts_are_of_the_length_that_is_asked_for() -> None:
    row = draw_row(CHAT, system="operator_policy", tool_count="3")
    words = environment_of(row).words
    for at_stake, count in ((True, words.midpoint), (False, words.target_min)):
        _, asked = run_row_with_mock_replies(Diversify(), row, at_stake=at_stake)
        written = Environment.model_validate_json(asked[0][1].text)

        assert len(written.system.split()) == count
        assert len(written.tools) == 3


def test_the_usage_is_an_estimate_of_prompt_and_text() -> None:
    row = draw_row(CHAT, Options(respond=True), tool_count="2")
    _, asked = run_row_with_mock_replies(Diversify(respond=True), row)
    assert [ask.step for ask, _ in asked][2] == "diversify/respond"
    for ask, reply in asked:
        assert reply.usage.output_tokens == estimate_tokens(reply.text)
        assert reply.usage.input_tokens >= estimate_tokens(ask.user)


def test_the_step_that_mends_is_rehearsed_too() -> None:
    ask = Ask("writer", "diversify/revise", "", "", max_tokens=1)
    assert Environment.model_validate_json(Diversify().mock_reply(ask, row_from_record(CHAT)).text)


def test_an_unknown_step_is_said_to_be_unknown() -> None:
    ask = Ask("writer", "diversify/sing", "", "", max_tokens=1)
    with pytest.raises(GeneratorError, match="no mock reply for diversify/sing"):
        Diversify().mock_reply(ask, row_from_record(CHAT))
