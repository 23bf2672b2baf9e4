"""Drawing where there is no plan."""

from collections import Counter

import pytest

from whyset.generators import Axis
from whyset.generators._variety import derive_seed, draw_axis_value, draw_weighted, seeded_fraction


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


def test_from_nothing_nothing_is_drawn() -> None:
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
