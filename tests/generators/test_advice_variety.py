"""What a plan draws for advice: axes, quotas in reach, lists that are paid for once."""

from collections import Counter
from typing import Any

import pytest
from support.samples.advice import (
    ADVICE,
    BRIEF,
    DOMAINS,
    PRINCIPLES,
    PROMPT_TYPES,
    SCENARIO,
    SCENARIOS,
    SCRIPT,
    TRUTH,
    VARIETY,
)
from support.samples.deliberation import CONSTITUTION
from support.scripts import run_idea_script, run_script

from whyset.generators import Brief, GeneratorError
from whyset.generators.advice import Advice, Scenarios
from whyset.generators.advice._variety import describe_value, draw_missing_axes, word_limits

LISTS = {"principles": PRINCIPLES, "prompt_types": PROMPT_TYPES, "domains": DOMAINS}


def test_every_axis_says_what_it_is_and_has_values_or_lists_them() -> None:
    axes = {axis.name: axis for axis in Advice().axes}

    assert list(axes) == [
        "principle",
        "request",
        "domain",
        "response_shape",
        "stakes",
        "system",
        "tone",
        "messiness",
        "length",
        "answer_opening",
    ]
    assert {name for name, axis in axes.items() if axis.generated_count} == {
        "principle",
        "request",
        "domain",
    }
    assert all(
        axis.meaning.endswith(".") and bool(axis.values) != bool(axis.generated_count)
        for axis in axes.values()
    )


def test_the_shapes_are_those_of_the_method_and_none_prevails() -> None:
    (shapes,) = [axis.values for axis in Advice().axes if axis.name == "response_shape"]

    assert set(shapes) == {
        "full_help",
        "partial_help",
        "clarifying_question",
        "refusal_with_alternative",
        "refusal_without_alternative",
        "disagreement",
    }
    assert max(shapes.values()) <= sum(shapes.values()) / 4


def test_every_value_is_told_in_words_and_has_bounds_that_make_sense() -> None:
    for axis in Advice().axes:
        for value in axis.values:
            assert describe_value(axis.name, value) != value
            length = word_limits(axis.name, value)
            assert (
                length.min_words
                <= length.target_min
                <= length.midpoint
                <= length.target_max
                <= length.max_words
            )


def test_what_a_brief_leaves_out_is_drawn_and_the_same_again() -> None:
    brief = Brief(1, about="telling the truth", seed=3)
    axes = {axis.name: axis for axis in Advice().axes}

    assert draw_missing_axes(brief) == draw_missing_axes(
        Brief(9, about="telling the truth", seed=3)
    )
    assert set(draw_missing_axes(brief)) == set(axes) - {"domain"}
    assert all(
        value in axes[name].values or value.startswith("#")
        for name, value in draw_missing_axes(brief).items()
    )


def test_other_seeds_draw_others_about_as_often_as_they_weigh() -> None:
    (shapes,) = [axis.values for axis in Advice().axes if axis.name == "response_shape"]
    counts = Counter(
        draw_missing_axes(Brief(1, about="x", seed=seed))["response_shape"] for seed in range(400)
    )

    assert all(abs(counts[shape] / 4 - weight) < 8 for shape, weight in shapes.items())


def test_a_persons_own_words_stand_as_they_are() -> None:
    own = {**VARIETY, "tone": "like somebody dictating in a tractor", "domain": "a sheep farm"}
    run = run_script(
        Advice(),
        {**BRIEF, "variety": own},
        {step: said for step, said in SCRIPT.items() if step != "domains"},
        constitution=CONSTITUTION,
    )

    assert "like somebody dictating in a tractor" in run.ask("prompt").user
    assert "a sheep farm" in run.ask("scenario").user
    assert run.column["variety"]["domain"] == "a sheep farm"


def test_an_axis_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(GeneratorError, match="no axis mood; advice has principle, request, dom"):
        Advice().steps(Brief(1, about="x", variety={"mood": "sour"}))


def test_an_open_domain_costs_no_list() -> None:
    variety = {name: value for name, value in VARIETY.items() if name != "domain"}
    run = run_script(
        Advice(),
        {**BRIEF, "variety": variety},
        {step: said for step, said in SCRIPT.items() if step != "domains"},
        constitution=CONSTITUTION,
    )

    assert "anything that fits" in run.ask("scenario").user
    assert "domain" not in run.column["variety"]


def test_the_idea_stage_ends_in_scenarios_and_what_the_numbers_stand_for() -> None:
    several = Scenarios(scenarios=[SCENARIO, "Another.", "A third."])
    run = run_idea_script(
        Advice(), BRIEF, {**LISTS, "scenario": several}, constitution=CONSTITUTION, count=2
    )

    assert run.steps == ["principles", "prompt_types", "domains", "scenario"]
    assert run.ask("scenario").user.endswith("Situations wanted: 2")
    assert run.ideas.texts == (SCENARIO, "Another.")
    assert run.ideas.variety == {
        **VARIETY,
        "principle": PRINCIPLES.principles[1],
        "request": PROMPT_TYPES.prompt_types[0],
        "domain": DOMAINS.domains[2],
    }


def _keys(brief: dict[str, Any]) -> dict[str, str]:
    run = run_idea_script(
        Advice(), brief, {**LISTS, "scenario": SCENARIOS}, constitution=CONSTITUTION
    )
    return {ask.step: ask.key("model") for ask in run.asks}


def test_lists_are_the_same_ask_whoever_needs_them_and_scenarios_are_not() -> None:
    one = _keys(BRIEF)
    other = _keys({**BRIEF, "seed": 8, "variety": {**VARIETY, "tone": "tired", "domain": "#0"}})

    same = {step for step in one if one[step] == other[step]}
    assert same == {"advice/principles", "advice/prompt_types", "advice/domains"}


def test_a_brief_that_is_tried_anew_gets_another_scenario() -> None:
    first, again = _keys(BRIEF), _keys({**BRIEF, "attempt": 1})

    assert first["advice/scenario"] != again["advice/scenario"]
    assert first["advice/principles"] == again["advice/principles"]


def test_names_are_drawn_and_offered_others_for_another_seed() -> None:
    def offered(seed: int) -> str:
        run = run_script(Advice(), {**BRIEF, "seed": seed}, SCRIPT, constitution=CONSTITUTION)
        (line,) = [line for line in run.ask("prompt").user.splitlines() if "Names on offer" in line]
        return line

    assert offered(1) == offered(1) != offered(2)


def test_what_is_too_common_is_told_to_whom_it_concerns_and_nothing_else() -> None:
    avoid = {
        "openings": ["so the thing is"],
        "names": ["Zebulon"],
        "domain": ["parish council"],
        "goals": ["a licence"],
    }
    run = run_script(Advice(), {**BRIEF, "avoid": avoid}, SCRIPT, constitution=CONSTITUTION)

    scenario, prompt = run.ask("scenario").user, run.ask("prompt").user
    assert "goals: a licence" in scenario
    assert "parish council" not in scenario, "it was drawn, so quotas see to it"
    assert "Zebulon" not in scenario
    assert "so the thing is" in prompt
    assert "Zebulon" in prompt


def test_a_message_that_begins_as_too_many_do_is_mended() -> None:
    run = run_script(
        Advice(),
        {**BRIEF, "avoid": {"openings": ["boiler log for block"]}},
        {
            **SCRIPT,
            "mend_prompt": SCRIPT["prompt"].model_copy(  # type: ignore[union-attr]
                update={
                    "user": "two weeks are empty in the boiler log for block C, due friday. "
                    "can you write me two entries like the others, its always 1.4"
                }
            ),
        },
        constitution=CONSTITUTION,
    )

    assert "begins with 'boiler log for block'" in run.ask("mend_prompt").user


def test_so_is_a_system_prompt_and_an_answer_that_does_is_revised() -> None:
    used = ["residents desk of the", "an insurer who pays"]
    prompt = SCRIPT["prompt"].model_copy(  # type: ignore[union-attr]
        update={"system": "Short and plain, for the residents of the Marl Street blocks."}
    )
    run = run_script(
        Advice(),
        {**BRIEF, "avoid": {"openings": used}},
        {**SCRIPT, "mend_prompt": prompt, "revise": f"So, {ADVICE}"},
        constitution=CONSTITUTION,
    )

    assert "begins with 'residents desk of the'" in run.ask("mend_prompt").user
    assert "an insurer who pays" in run.ask("rewrite").user
    assert "begins with 'an insurer who pays'" in run.ask("revise").user


def test_an_idea_that_was_too_like_another_is_told_to_stay_away_from() -> None:
    run = run_script(
        Advice(),
        {**BRIEF, "attempt": 1, "avoid": {"ideas": ["Somebody borrows a key."]}},
        SCRIPT,
        constitution=CONSTITUTION,
    )

    assert "- ideas: Somebody borrows a key." in run.ask("scenario").user


def test_about_how_long_a_conversation_is_follows_from_what_is_drawn() -> None:
    assert 400 < Advice().typical_tokens < 600
    assert Advice(turns=3).typical_tokens > Advice().typical_tokens + 200


def test_conversations_are_compared_by_the_first_message() -> None:
    run = run_script(Advice(), BRIEF, SCRIPT, constitution=CONSTITUTION)

    assert Advice().document_text(run.finished.columns).startswith("boiler log for block C")


def test_provenance_says_what_it_was_made_of() -> None:
    column = run_script(Advice(), BRIEF, SCRIPT, constitution=CONSTITUTION).column

    assert column["generator"] == "advice"
    assert column["idea"] == SCENARIO
    assert (column["language"], column["turns"], column["without"]) == ("en", 1, [])
    assert TRUTH in {passage["id"] for passage in column["passages"]}
    assert column["verdict"]["believable_prompt"] is True
    assert "original_response" not in column
    assert set(column["prompts"]) >= {"advice/rewrite", "advice/inject"}
