"""How long a text should be, as a writer is told it and as it is checked."""

from hypothesis import given
from hypothesis import strategies as st

from whyset.generators._variety import WordLimits


def test_a_writer_is_told_from_and_to() -> None:
    bounds = WordLimits.around(1000)

    assert str(bounds) == "800 to 1250 words"
    assert bounds.approximate == "about 800 to 1250 words"
    assert (bounds.min_words, bounds.midpoint, bounds.max_words) == (600, 1025, 1600)


def test_where_there_is_to_be_no_text_none_is_wanted() -> None:
    bounds = WordLimits.between(0, 0)

    assert str(bounds) == bounds.approximate == "none"
    assert bounds.max_words == 0


@given(st.integers(1, 5000), st.integers(0, 5000))
def test_a_check_allows_all_that_a_writer_is_told_and_somewhat_more(low: int, more: int) -> None:
    for bounds in (WordLimits.between(low, low + more), WordLimits.around(low)):
        assert (
            bounds.min_words
            <= bounds.target_min
            <= bounds.midpoint
            <= bounds.target_max
            <= bounds.max_words
        )
