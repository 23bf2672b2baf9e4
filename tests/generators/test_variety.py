"""Variety: seeded draws, word limits, and axes as a generator's `variety.toml` lists them."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from whyset.generators import Axis, Brief, GeneratorError, WordLimits
from whyset.generators._brief import validate_axes
from whyset.generators._variety import (
    AxisSpec,
    derive_seed,
    draw_axis_value,
    draw_weighted,
    load_axis_specs,
    seeded_fraction,
)

# ---- Draws.


def test_values_are_drawn_by_their_weight() -> None:
    counts = Counter(
        draw_weighted({"a": 1, "b": 3, "never": 0}, "deck", row) for row in range(4000)
    )

    assert set(counts) == {"a", "b"}
    assert counts["b"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_a_row_draws_the_same_in_every_process() -> None:
    # Written down, because a draw that moved would change every row that was made before.
    assert [draw_weighted(dict.fromkeys("abcdef", 1.0), "deck", row) for row in range(8)] == list(
        "dabacbfd"
    )


def test_what_tells_draws_apart_counts() -> None:
    assert (
        len({seeded_fraction("deck", 1), seeded_fraction("deck", 2), seeded_fraction("other", 1)})
        == 3
    )
    assert derive_seed("a", "b") != derive_seed("b", "a")
    assert all(0 <= seeded_fraction(row) < 1 for row in range(100))


def test_a_draw_needs_a_value_that_weighs_something() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw_weighted({"a": 0.0})


def test_an_axis_is_drawn_on_by_its_name_and_weights() -> None:
    tone = Axis("tone", "How it sounds.", {"plain": 1, "grave": 3})
    counts = Counter(draw_axis_value(tone, seed) for seed in range(1000))

    assert draw_axis_value(tone, 7, "tea") == draw_weighted(tone.values, "tone", 7, "tea")
    assert counts["grave"] / 1000 == pytest.approx(0.75, abs=0.05)


def test_of_values_that_a_model_is_to_list_numbers_are_drawn() -> None:
    listed = Axis("point", "What is at issue.", {}, generated_count=4)

    assert {draw_axis_value(listed, seed) for seed in range(100)} == {"#0", "#1", "#2", "#3"}


# ---- Word limits.


def test_a_target_reads_as_from_and_to() -> None:
    limits = WordLimits.around(1000)

    assert str(limits) == "800 to 1250 words"
    assert limits.approximate == "about 800 to 1250 words"
    assert (limits.min_words, limits.midpoint, limits.max_words) == (600, 1025, 1600)


def test_a_target_of_no_text_allows_none() -> None:
    limits = WordLimits.between(0, 0)

    assert str(limits) == limits.approximate == "none"
    assert limits.max_words == 0


@given(st.integers(1, 5000), st.integers(0, 5000))
def test_a_check_allows_the_target_and_somewhat_more(low: int, more: int) -> None:
    for limits in (WordLimits.between(low, low + more), WordLimits.around(low)):
        assert (
            limits.min_words
            <= limits.target_min
            <= limits.midpoint
            <= limits.target_max
            <= limits.max_words
        )


# ---- Axes.

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


def test_what_weighs_nothing_is_described_and_never_drawn() -> None:
    assert TONE.axis == Axis("tone", "How it sounds.", {"plain": 1, "grave": 3})
    assert TONE.describe("as_it_goes") == "as it comes"


def test_a_persons_own_words_are_not_described() -> None:
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
        assert all(spec.told for spec in listed.values.values()), name


def test_a_brief_may_vary_nothing_but_what_there_is_an_axis_of() -> None:
    validate_axes(Brief(3, variety={"tone": "grave"}), [TONE.axis], subject="a song")

    with pytest.raises(GeneratorError) as refused:
        validate_axes(Brief(3, variety={"size": "1", "hue": "red"}), [TONE.axis], subject="a song")
    assert str(refused.value) == "brief 3: there is no axis hue, size; a song has tone"
