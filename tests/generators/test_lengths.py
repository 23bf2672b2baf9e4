"""How long a text should be, as a writer is told it and as it is checked."""

from hypothesis import given
from hypothesis import strategies as st

from whyset.generators._variety import LengthBounds


def test_a_writer_is_told_from_and_to() -> None:
    bounds = LengthBounds.around(1000)

    assert str(bounds) == "800 to 1250 words"
    assert bounds.about == "about 800 to 1250 words"
    assert (bounds.fewest, bounds.middle, bounds.most) == (600, 1025, 1600)


def test_where_there_is_to_be_no_text_none_is_wanted() -> None:
    bounds = LengthBounds.between(0, 0)

    assert str(bounds) == bounds.about == "none"
    assert bounds.most == 0


@given(st.integers(1, 5000), st.integers(0, 5000))
def test_a_check_allows_all_that_a_writer_is_told_and_somewhat_more(low: int, more: int) -> None:
    for bounds in (LengthBounds.between(low, low + more), LengthBounds.around(low)):
        assert bounds.fewest <= bounds.low <= bounds.middle <= bounds.high <= bounds.most
