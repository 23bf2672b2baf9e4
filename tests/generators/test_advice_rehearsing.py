"""Rehearsed replies: a dry run's steps must go as those of advice that passes at once."""

import json

import pytest
from support.samples.advice import BRIEF, TRUTH
from support.samples.deliberation import CONSTITUTION
from support.scripts import run_with_mock_replies

from whyset.constitution import estimate_tokens
from whyset.generators import Ask, Brief, Finished, GeneratorError, Ideas
from whyset.generators.advice import Advice
from whyset.generators.advice._variety import word_limits

STEPS = [
    "principles",
    "prompt_types",
    "domains",
    "scenario",
    "prompt",
    "sample",
    "revise_prompt",
    "answer",
    "rewrite",
    "judge",
]


def _brief(seed: int, **variety: str) -> Brief:
    return Brief(1, passages=(TRUTH,), variety={"domain": "#7", **variety}, seed=seed)


@pytest.mark.parametrize("at_stake", [True, False])
@pytest.mark.parametrize("language", ["en", "de", "ja"])
def test_whatever_is_drawn_passes_at_once(language: str, at_stake: bool) -> None:
    generator = Advice(language=language)
    for seed in range(5):
        result, asked = run_with_mock_replies(
            generator, _brief(seed), constitution=CONSTITUTION, at_stake=at_stake
        )
        assert isinstance(result, Finished), result
        assert [ask.step.removeprefix("advice/") for ask, _ in asked] == STEPS


def test_every_value_of_every_axis_can_be_rehearsed() -> None:
    generator = Advice()
    values = {axis.name: list(axis.values) for axis in generator.axes if axis.values}
    for place in range(max(map(len, values.values()))):
        drawn = {name: held[place % len(held)] for name, held in values.items()}
        result, _ = run_with_mock_replies(generator, _brief(0, **drawn), constitution=CONSTITUTION)
        assert isinstance(result, Finished), (drawn, result)


@pytest.mark.parametrize("cite", ["implicit", "explicit"])
def test_a_conversation_of_several_turns_is_rehearsed_to_its_end(cite: str) -> None:
    result, asked = run_with_mock_replies(
        Advice(turns=3, cite=cite), _brief(1), constitution=CONSTITUTION
    )

    assert isinstance(result, Finished), result
    assert len(result.columns["messages"]) >= 6
    steps = [ask.step.removeprefix("advice/") for ask, _ in asked]
    assert steps == [*STEPS, *(["follow_up", "answer", "rewrite", "judge"] * 2)]


@pytest.mark.parametrize("without", ["prompt_types", "revise_prompt", "inject", "rewrite", "judge"])
def test_so_is_an_ablation(without: str) -> None:
    generator = Advice(without=(without,))
    result, _ = run_with_mock_replies(generator, _brief(2), constitution=CONSTITUTION)

    assert isinstance(result, Finished), result


def test_the_idea_stage_is_rehearsed_with_as_many_ideas_as_are_wanted() -> None:
    generator, brief = Advice(), _brief(3)
    result, _ = run_with_mock_replies(
        generator,
        brief,
        constitution=CONSTITUTION,
        steps=generator.idea_steps(brief, count=5),
    )

    assert isinstance(result, Ideas)
    assert len(result.texts) == 5


def test_texts_are_of_the_length_that_is_asked_for() -> None:
    brief = _brief(4, response_shape="full_help", system="operator_persona", length="medium")
    for at_stake, place in ((True, "midpoint"), (False, "target_min")):
        _, asked = run_with_mock_replies(
            Advice(), brief, constitution=CONSTITUTION, at_stake=at_stake
        )
        said = {ask.step.removeprefix("advice/"): reply.text for ask, reply in asked}
        prompt = json.loads(said["prompt"])

        assert len(said["rewrite"].split()) == getattr(
            word_limits("response_shape", "full_help"), place
        )
        assert len(prompt["user"].split()) == getattr(word_limits("length", "medium"), place)
        assert len(prompt["system"].split()) == getattr(
            word_limits("system", "operator_persona"), place
        )


def test_the_usage_is_an_estimate_of_prompt_and_text() -> None:
    _, asked = run_with_mock_replies(Advice(turns=2), _brief(5), constitution=CONSTITUTION)
    for ask, reply in asked:
        before = sum(estimate_tokens(turn.text) for turn in ask.turns)
        assert reply.usage.input_tokens == before + sum(
            map(estimate_tokens, (ask.system, ask.user))
        )
        assert reply.usage.output_tokens == estimate_tokens(reply.text)


def test_the_steps_that_mend_are_rehearsed_too() -> None:
    generator, brief = Advice(), Advice().item_from_columns(BRIEF)
    for step in ("mend_prompt", "revise"):
        ask = Ask("writer", f"advice/{step}", "system", "user", max_tokens=1)
        assert generator.mock_reply(ask, brief).text


def test_an_unknown_step_is_said_to_be_unknown() -> None:
    ask = Ask("writer", "advice/sing", "", "", max_tokens=1)
    with pytest.raises(GeneratorError, match="no mock reply for advice/sing"):
        Advice().mock_reply(ask, Advice().item_from_columns(BRIEF))
