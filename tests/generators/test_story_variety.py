"""What a story gets on each axis: drawn, put in a person's own words, or refused."""

import re
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.samples.story import BRIEF, DIARY, DILEMMAS, PREMISES, tell_ideas

from whyset.generators import Brief, GeneratorError
from whyset.generators._variety import load_axis_specs
from whyset.generators.story import Story
from whyset.generators.story._variety import assign_axes

AXES = {axis.name: axis for axis in Story().axes}


@pytest.mark.parametrize(
    ("axis", "fewest"),
    [("scene", 60), ("character", 60), ("register", 20), ("ending", 10), ("inner_focus", 6)],
)
def test_there_is_enough_to_draw_from(axis: str, fewest: int) -> None:
    assert len(AXES[axis].values) >= fewest


def test_every_axis_of_the_method_is_there() -> None:
    assert [*AXES] == [
        "scene",
        "character",
        "register",
        "point_of_view",
        "tense",
        "length",
        "ending",
        "inner_focus",
        "dilemma",
    ]
    assert AXES["dilemma"].generated_count == 12
    assert not AXES["dilemma"].values


def test_values_are_told_apart_by_name_and_by_what_is_told() -> None:
    for name, held in load_axis_specs("whyset.generators.story").items():
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", value) for value in held.values), name
        assert len({value.told for value in held.values.values()}) == len(held.values), name


def test_endings_are_not_all_happy_and_happy_ones_are_among_them() -> None:
    assert {"plain_good", "loss_accepted", "unresolved", "partly_mistaken"} <= {
        *AXES["ending"].values
    }


def premise_prompt(**columns: object) -> str:
    """Return what is told to whoever invents the premise."""
    run = tell_ideas(
        Story(), {"passages": [DIARY], **columns}, {"dilemmas": DILEMMAS, "premise": PREMISES}
    )
    return run.ask("premise").user


def test_what_is_drawn_is_told_in_words() -> None:
    prompt = premise_prompt(variety=BRIEF["variety"])

    assert "Scene: a cellar full of papers that got wet" in prompt
    assert "Tense: told in the past tense" in prompt
    assert "archive_cellar" not in prompt


def test_a_persons_own_words_are_told_as_they_stand() -> None:
    prompt = premise_prompt(variety={**BRIEF["variety"], "character": "a  tram's\ntimetable"})

    assert "Character: a tram's timetable" in prompt


def test_what_is_left_open_is_drawn_by_the_seed() -> None:
    first, again, other = (premise_prompt(seed=seed) for seed in (1, 1, 2))

    assert first == again != other


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"variety": {"genre": "noir"}}, "there is no axis genre; a story has scene, character"),
        ({"variety": {"length": "huge"}}, "length must be one of short, medium, long, very_long"),
        ({"variety": {"length": "99"}}, "a number of words from 100 to 6000, not '99'"),
        ({"passages": []}, "a story needs a subject: name passages"),
    ],
)
def test_what_makes_no_story_says_what_to_do(columns: dict[str, object], said: str) -> None:
    story = Story()
    brief = story.item_from_columns({"passages": [DIARY], **columns}, line=3)
    for steps in (story.steps, story.idea_steps):
        with pytest.raises(GeneratorError) as caught:
            steps(brief)
        assert said in str(caught.value)
        assert "brief 3: " in str(caught.value)


@settings(max_examples=30)
@given(st.integers(0, 2**63), st.text(max_size=20))
def test_a_brief_draws_the_same_again_and_nothing_but_what_there_is(seed: int, about: str) -> None:
    brief = Brief(1, about=about, passages=(DIARY,), seed=seed)
    variety = assign_axes(brief).variety

    assert variety == assign_axes(brief).variety
    for name, value in variety.items():
        assert value in AXES[name].values or re.fullmatch(r"#(\d|1[01])", value)


def test_weights_count_where_a_value_is_drawn() -> None:
    tenses = Counter(
        assign_axes(Brief(1, passages=(DIARY,), seed=seed)).variety["tense"] for seed in range(400)
    )

    assert 0.5 < tenses["past"] / 400 < 0.7


def test_a_story_is_of_a_typical_length() -> None:
    assert 1000 < Story().typical_tokens < 1800
