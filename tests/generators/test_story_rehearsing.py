"""Dry runs: a story's steps walked with replies of typical length, to their end."""

import pytest
from support.samples.deliberation import CONSTITUTION
from support.samples.story import BRIEF, DIARY
from support.scripts import run_with_mock_replies

from whyset.generators import Ask, Brief, Finished, GeneratorError, Ideas
from whyset.generators._variety import WordLimits
from whyset.generators.story import Story

CHAT = ["dilemmas", "premise", "draft", "review"]
BASE = ["dilemmas", "premise", "opening", "continue", "judge"]


@pytest.mark.parametrize(
    ("base", "at_stake", "steps"),
    [
        (False, True, [*CHAT, "rewrite", "judge"]),
        (False, False, [*CHAT, "judge"]),
        (True, True, BASE),
        (True, False, BASE),
    ],
)
@pytest.mark.parametrize(
    ("length", "language"), [("short", "en"), ("very_long", "en"), ("short", "de"), ("short", "ja")]
)
def test_every_step_is_walked_and_every_check_passed(
    language: str, base: bool, at_stake: bool, steps: list[str], length: str
) -> None:
    brief = Brief(1, passages=(DIARY,), variety={"length": length})
    result, asked = run_with_mock_replies(
        Story(base=base, language=language), brief, constitution=CONSTITUTION, at_stake=at_stake
    )

    assert isinstance(result, Finished)
    assert [ask.step.removeprefix("story/") for ask, _ in asked] == steps
    for ask, reply in asked:
        assert reply.stop_reason == "complete"
        assert 0 < reply.usage.output_tokens < ask.max_tokens
        assert reply.usage.input_tokens > 0


@pytest.mark.parametrize("count", [1, 3])
def test_the_idea_stage_gets_as_many_premises_as_it_wants(count: int) -> None:
    story, brief = Story(), Brief(1, passages=(DIARY,))
    result, _ = run_with_mock_replies(
        story, brief, constitution=CONSTITUTION, steps=story.idea_steps(brief, count=count)
    )

    assert isinstance(result, Ideas)
    assert len(set(result.texts)) == count


def test_a_story_is_about_as_long_as_it_should_be() -> None:
    brief = Story().item_from_columns(BRIEF)
    result, _ = run_with_mock_replies(Story(), brief, constitution=CONSTITUTION)

    bounds = WordLimits.around(350)
    assert bounds.target_min <= len(result.columns["text"].split()) <= bounds.target_max


def test_a_step_of_another_generator_is_refused() -> None:
    with pytest.raises(GeneratorError, match="no mock reply for deliberation/appraise"):
        Story().mock_reply(
            Ask("judge", "deliberation/appraise", "", "", 1), Story().item_from_columns(BRIEF)
        )
