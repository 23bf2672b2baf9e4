"""Rehearsed replies: a dry run's steps must go as those of a pair that passes at once."""

from typing import Any

import pytest
from support.samples.choices import PAIR, read
from support.samples.deliberation import CONSTITUTION
from support.scripts import make_finder

from whyset.datasets import Row
from whyset.generators import Ask, Finished, GeneratorError, Rejected, Reply, run_steps
from whyset.generators.choices import Choices
from whyset.generators.choices._choices import word_limits

AWKWARD = (
    "```python\nprint(1_000)\n```\nSee https://example.com/a_(b)?c=1: 3.5 % of 20, “so” he said.",
    "42",
    "我不会这样做。请先问她今天过得怎么样，并且说明你为什么要问。",
    "ฉันจะไม่ทำอย่างนั้นเพราะมันเป็นของเธอและเธอควรเป็นคนตัดสินใจเองว่าใครจะได้อ่าน",
    "Я бы не стал этого делать. Спросите её сегодня, как она себя чувствует.",
    "It is important to remember that honesty is the best policy.",
    'He said "no and left the quotation open',
    "word " * 2000,
)
ROWS = [read(PAIR), *(read({**PAIR, "chosen": text}) for text in AWKWARD)]


def rehearsed(
    row: Row, *, at_stake: bool = True, **options: Any
) -> tuple[Finished | Rejected, list[tuple[Ask, Reply]]]:
    generator = Choices(**{"k": 2, **options})
    asked: list[tuple[Ask, Reply]] = []

    def answer(ask: Ask) -> Reply:
        asked.append((ask, generator.mock_reply(ask, row, at_stake=at_stake)))
        return asked[-1][1]

    return run_steps(generator.steps(row), answer, make_finder(CONSTITUTION)).result, asked


@pytest.mark.parametrize(
    "options", [{}, {"cite": "explicit"}, {"language": "en"}, {"language": "de"}]
)
@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_every_pair_passes_at_once(row: Row, options: dict[str, Any]) -> None:
    result, asked = rehearsed(row, **options)

    assert isinstance(result, Finished), result
    assert result.outcome == "explained"
    assert [ask.step for ask, _ in asked] == ["choices/appraise", "choices/write", "choices/judge"]


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_with_nothing_at_stake_a_pair_is_appraised_and_no_more(row: Row) -> None:
    result, asked = rehearsed(row, at_stake=False)

    assert isinstance(result, Finished)
    assert result.outcome == "untouched"
    assert len(asked) == 1


def test_a_rationale_is_of_the_middle_of_the_length_asked_for() -> None:
    _, asked = rehearsed(ROWS[0])
    bounds = word_limits(16)

    assert abs(len(asked[1][1].text.split()) - bounds.midpoint) <= 1


def test_what_bears_on_the_considerations_is_looked_for_once_for_all_pairs() -> None:
    considerations = {rehearsed(row)[1][0][1].text.split('"verdict"')[0] for row in ROWS}

    assert len(considerations) == 1


def test_an_unknown_step_is_said_to_be_unknown() -> None:
    ask = Ask("writer", "choices/sing", "", "", max_tokens=1)

    with pytest.raises(GeneratorError, match="no typical answer to choices/sing"):
        Choices().mock_reply(ask, ROWS[0])
