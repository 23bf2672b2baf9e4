"""Drawing where there is no plan."""

from collections import Counter

import pytest

from whyset.generators._decks import draw, fraction, seed_of


def test_values_are_drawn_by_their_weight() -> None:
    counts = Counter(draw({"a": 1, "b": 3, "never": 0}, "deck", row) for row in range(4000))

    assert set(counts) == {"a", "b"}
    assert counts["b"] / 4000 == pytest.approx(0.75, abs=0.03)


def test_a_row_draws_the_same_in_every_process() -> None:
    # Written down, because a draw that moved would change every row that was made before.
    assert [draw(dict.fromkeys("abcdef", 1.0), "deck", row) for row in range(8)] == list("dabacbfd")


def test_what_tells_draws_apart_counts() -> None:
    assert len({fraction("deck", 1), fraction("deck", 2), fraction("other", 1)}) == 3
    assert seed_of("a", "b") != seed_of("b", "a")
    assert all(0 <= fraction(row) < 1 for row in range(100))


def test_from_nothing_nothing_is_drawn() -> None:
    with pytest.raises(ValueError, match="nothing to draw"):
        draw({"a": 0.0})
