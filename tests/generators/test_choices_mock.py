"""Mock replies: a dry run's steps must go as those of a pair that passes at once."""

from typing import Any

import pytest
from support.samples.choices import PAIR, read
from support.samples.deliberation import AWKWARD, CONSTITUTION
from support.scripts import run_with_mock_replies

from whyset.datasets import Row
from whyset.generators import Ask, Finished, GeneratorError, Rejected, Reply
from whyset.generators.choices import Choices
from whyset.generators.choices._choices import word_limits

TEXTS = (*filter(None, AWKWARD), "It is important to remember that honesty is the best policy.")
ROWS = [read(PAIR), *(read({**PAIR, "chosen": text}) for text in TEXTS)]


def dry_run(
    row: Row, *, at_stake: bool = True, **options: Any
) -> tuple[Finished | Rejected, list[tuple[Ask, Reply]]]:
    generator = Choices(**{"k": 2, **options})
    return run_with_mock_replies(generator, row, constitution=CONSTITUTION, at_stake=at_stake)


@pytest.mark.parametrize(
    "options", [{}, {"cite": "explicit"}, {"language": "en"}, {"language": "de"}]
)
@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_every_pair_passes_at_once(row: Row, options: dict[str, Any]) -> None:
    result, asked = dry_run(row, **options)

    assert isinstance(result, Finished), result
    assert result.outcome == "explained"
    assert [ask.name for ask, _ in asked] == ["appraise", "write", "judge"]


@pytest.mark.parametrize("row", ROWS, ids=range(len(ROWS)))
def test_with_nothing_at_stake_a_pair_is_appraised_and_no_more(row: Row) -> None:
    result, asked = dry_run(row, at_stake=False)

    assert isinstance(result, Finished)
    assert result.outcome == "untouched"
    assert len(asked) == 1


def test_a_rationale_is_of_the_middle_of_the_length_asked_for() -> None:
    _, asked = dry_run(ROWS[0])
    limits = word_limits(16)

    assert abs(len(asked[1][1].text.split()) - limits.midpoint) <= 1


def test_what_bears_on_the_considerations_is_looked_for_once_for_all_pairs() -> None:
    considerations = {dry_run(row)[1][0][1].text.split('"verdict"')[0] for row in ROWS}

    assert len(considerations) == 1


def test_an_unknown_step_has_no_reply() -> None:
    ask = Ask("writer", "choices/sing", "", "", max_tokens=1)

    with pytest.raises(GeneratorError, match="no mock reply for choices/sing"):
        Choices().mock_reply(ask, ROWS[0])
