"""Rehearsed replies: a dry run's steps must go as those of a row that passes at once."""

from typing import Any

import pytest
from support.row_scripts import run_row_with_mock_replies
from support.samples.resample import ASKED, CHAT, PROMPTED

from whyset.constitution import estimate_tokens
from whyset.datasets import row_from_record
from whyset.generators import Ask, Finished, GeneratorError
from whyset.generators.resample import Resample
from whyset.generators.resample._resample import parse_reasoning

RECORDS: list[dict[str, Any]] = [
    CHAT,
    PROMPTED,
    {"prompt": ASKED, "response": "No."},
    {"instruction": ASKED, "output": "No. " * 300},
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
        {"channel": "preface"},
        {"channel": "inline", "under": "passages"},
        {"adverse": True, "samples": 4},
        {"language": "de"},
        {"language": "ja"},
        {"without": ("values",)},
        {"without": ("deliberate",)},
        {"without": ("values", "deliberate", "judge")},
    ],
    ids=str,
)
def test_whatever_is_dealt_passes_at_once(options: dict[str, Any], at_stake: bool) -> None:
    generator = Resample(**options)
    for number in range(3):
        for record in RECORDS:
            row = row_from_record({**record, "number": number})
            result, asked = run_row_with_mock_replies(generator, row, at_stake=at_stake)
            assert isinstance(result, Finished), result
            steps = [ask.step.removeprefix("resample/") for ask, _ in asked]
            assert steps == ["respond", "judge"][: 1 if "judge" in generator.options.without else 2]


def test_there_is_more_to_deliberate_where_something_is_at_stake() -> None:
    row = row_from_record(CHAT)
    thoughts = []
    for at_stake in (True, False):
        _, asked = run_row_with_mock_replies(Resample(), row, at_stake=at_stake)
        parts = parse_reasoning(asked[0][1].text)
        assert parts is not None
        thoughts.append(len(parts.reasoning.split()))

    assert thoughts == [260, 40]


def test_the_usage_is_an_estimate_of_prompt_and_text() -> None:
    _, asked = run_row_with_mock_replies(Resample(), row_from_record(PROMPTED))
    for ask, reply in asked:
        assert reply.usage.output_tokens == estimate_tokens(reply.text)
        assert reply.usage.input_tokens == sum(map(estimate_tokens, (ask.system, ask.user)))


def test_an_unknown_step_is_said_to_be_unknown() -> None:
    ask = Ask("writer", "resample/sing", "", "", max_tokens=1)
    with pytest.raises(GeneratorError, match="no mock reply for resample/sing"):
        Resample().mock_reply(ask, row_from_record(CHAT))
