"""Axes as a generator's `variety.toml` lists them."""

import pytest
from pydantic import ValidationError

from whyset.generators import Axis, Brief, GeneratorError
from whyset.generators._brief import validate_axes
from whyset.generators._variety import AxisSpec, load_axis_specs

TONE = AxisSpec.model_validate(
    {
        "name": "tone",
        "meaning": "How it sounds.",
        "values": {
            "plain": "everyday words",
            "grave": {"told": "few words, slowly", "weight": 3, "words": [20, 40]},
            "as_it_goes": {"told": "as it comes", "weight": 0},
        },
    }
)


def test_what_weighs_nothing_is_told_and_never_drawn() -> None:
    assert TONE.axis == Axis("tone", "How it sounds.", {"plain": 1, "grave": 3})
    assert TONE.describe("as_it_goes") == "as it comes"


def test_of_a_persons_own_words_nothing_is_told() -> None:
    assert TONE.describe("like a tired pilot") == TONE.describe("") == ""


def test_a_value_may_say_how_long_its_texts_are() -> None:
    assert TONE.values["grave"].bounds.approximate == "about 20 to 40 words"
    assert TONE.values["plain"].bounds.approximate == "none"


def test_a_mean_is_over_what_is_drawn_as_often_as_it_is() -> None:
    assert TONE.weighted_mean(lambda value: {"plain": 10, "grave": 50}[value]) == 40


def test_a_misspelt_line_is_refused() -> None:
    with pytest.raises(ValidationError, match="wieght"):
        AxisSpec.model_validate(
            {"name": "a", "meaning": "b", "values": {"c": {"told": "d", "wieght": 2}}}
        )


@pytest.mark.parametrize("generator", ["advice", "diversify", "explanation", "story"])
def test_every_generator_with_axes_says_what_each_is_and_has_a_choice(generator: str) -> None:
    for name, listed in load_axis_specs(f"whyset.generators.{generator}").items():
        assert listed.name == name
        assert listed.meaning
        assert len(listed.weights) > 1, name
        assert all(held.told for held in listed.values.values()), name


def test_a_brief_may_vary_nothing_but_what_there_is_an_axis_of() -> None:
    validate_axes(Brief(3, variety={"tone": "grave"}), [TONE.axis], subject="a song")

    with pytest.raises(GeneratorError) as refused:
        validate_axes(Brief(3, variety={"size": "1", "hue": "red"}), [TONE.axis], subject="a song")
    assert str(refused.value) == "brief 3: there is no axis hue, size; a song has tone"
