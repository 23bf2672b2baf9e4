"""Similarities and word scores → an order: deterministic, by section, fair to large ones."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from whyset.retriever._ranking import Ranker, sort_by_score
from whyset.retriever._units import SearchUnit, UnitKind

exactly = settings(max_examples=100, derandomize=True, deadline=None, database=None)

# Three sections of three, two and one passages.
SECTIONS = (0, 0, 0, 1, 1, 2)
cosines = arrays.arrays(np.float32, (2, 8), elements=st.floats(-1, 1, width=32))
scores = arrays.arrays(np.float32, (2, 6), elements=st.floats(0, 30, width=32))


def unit(kind: UnitKind, place: int) -> SearchUnit:
    """Make a unit of a passage, or the heading of a section, by its number."""
    if kind == "heading":
        return SearchUnit(kind, "", place, None, f"heading-{place}")
    return SearchUnit(kind, "", SECTIONS[place], place, f"{kind}-{place}")


PASSAGES = tuple(unit("passage", place) for place in range(6))
NO_WORDS = np.zeros((1, 6), np.float32)


def ranked(units: tuple[SearchUnit, ...], *similarities: float) -> list[int]:
    found = Ranker(SECTIONS, units).score_passages(np.array([similarities], np.float32), NO_WORDS)
    return list(map(int, sort_by_score(found)))


def test_equal_passages_stay_in_the_order_of_the_document() -> None:
    assert ranked(PASSAGES, *[0.4] * 6) == [0, 1, 2, 3, 4, 5]
    assert sort_by_score(np.array([1.0, 2.0, 2.0, 1.0, 3.0])).tolist() == [4, 1, 2, 0, 3]


def test_the_closest_passage_of_the_closest_section_comes_first() -> None:
    assert ranked(PASSAGES, 0.1, 0.2, 0.1, 0.3, 0.8, 0.2)[0] == 4


def test_a_section_met_by_several_passages_is_lifted_above_one_met_by_one() -> None:
    sections = (0, 0, 0, 1, 1, 1)
    units = tuple(
        SearchUnit("passage", "", section, place, str(place))
        for place, section in enumerate(sections)
    )
    one_first = np.array([[0.6, 0.1, 0.1, 0.6, 0.6, 0.1]], np.float32)

    found = Ranker(sections, units).score_passages(one_first, NO_WORDS)

    assert sort_by_score(found).tolist()[0] == 3
    assert found[3] == found[4] > found[0]


def test_a_section_is_not_lifted_for_its_size() -> None:
    # Three passages at 0.5, two at 0.5, one at 0.5: no section is nearer than another.
    found = Ranker(SECTIONS, PASSAGES).score_passages(np.full((1, 6), 0.5, np.float32), NO_WORDS)

    assert set(found) == {0.0}


def test_a_section_far_ahead_brings_its_second_passage_before_the_next_section() -> None:
    assert ranked(PASSAGES, 0.8, 0.75, 0.0, 0.3, 0.1, 0.1)[:2] == [0, 1]


@pytest.mark.parametrize("kind", ["sentence", "turn", "heading"])
def test_a_sentence_a_turn_or_a_heading_that_is_met_lifts_its_section(kind: UnitKind) -> None:
    places = range(3) if kind == "heading" else (0, 3, 5)
    units = (*PASSAGES, *(unit(kind, place) for place in places))

    assert ranked(units, *[0.2] * 6, 0.1, 0.1, 0.9)[0] == 5


def test_a_section_without_an_example_is_no_nearer_than_the_farthest_example() -> None:
    units = (*PASSAGES, unit("turn", 0), unit("turn", 3))

    near = np.array([[*[0.2] * 6, 0.7, 0.3]], np.float32)
    found = Ranker(SECTIONS, units).score_passages(near, NO_WORDS)

    assert found[0] > found[3] == found[5]


def test_shared_words_decide_where_nothing_else_does() -> None:
    words = np.array([[0, 0, 0, 0, 0, 3], [0, 0, 0, 0, 0, 0]], np.float32)
    ranker = Ranker(SECTIONS, PASSAGES)

    assert sort_by_score(ranker.score_passages(None, words)).tolist() == [5, 0, 1, 2, 3, 4]
    assert (
        sort_by_score(ranker.score_passages(np.full((2, 6), 0.5, np.float32), words)).tolist()[0]
        == 5
    )


def test_a_weight_of_0_leaves_a_source_out() -> None:
    words = np.array([[0, 0, 0, 0, 0, 3]], np.float32)
    near_first = np.array([[0.9, 0, 0, 0, 0, 0]], np.float32)

    # Within a section the words of a passage still count; section 2 has one passage only.
    ranker = Ranker(SECTIONS, PASSAGES, weights={"passage": 1, "words": 0})
    assert sort_by_score(ranker.score_passages(near_first, words)).tolist()[0] == 0
    ranker = Ranker(SECTIONS, PASSAGES, weights={"passage": 0, "words": 1})
    assert sort_by_score(ranker.score_passages(near_first, words)).tolist()[0] == 5


def test_texts_are_fused_and_what_two_meet_comes_before_what_one_meets() -> None:
    first = [0.1, 0.1, 0.1, 0.5, 0.1, 0.6]
    second = [0.6, 0.1, 0.1, 0.5, 0.1, 0.1]
    similarities = np.array([first, second], np.float32)
    words = np.zeros((2, 6), np.float32)

    assert (
        sort_by_score(Ranker(SECTIONS, PASSAGES).score_passages(similarities, words)).tolist()[0]
        == 3
    )


def test_a_passage_is_as_close_as_the_closest_of_its_parts() -> None:
    units = (*PASSAGES, unit("sentence", 1), unit("turn", 4), unit("heading", 2))

    closest = Ranker(SECTIONS, units).max_similarity(np.array([0.1] * 6 + [0.5, 0.4, 0.9]))

    assert closest.tolist() == [0.1, 0.5, 0.1, 0.1, 0.4, 0.1]


@exactly
@given(cosines, scores)
def test_any_scores_give_a_finite_order_and_always_the_same(
    near: NDArray[np.float32], words: NDArray[np.float32]
) -> None:
    units = (*PASSAGES, unit("heading", 0), unit("heading", 1))

    found = Ranker(SECTIONS, units).score_passages(near, words)
    again = Ranker(SECTIONS, units).score_passages(near.copy(), words.copy())

    assert found.shape == (6,)
    assert np.isfinite(found).all()
    assert found.tobytes() == again.tobytes()
    assert sorted(sort_by_score(found).tolist()) == list(range(6))


@exactly
@given(cosines, scores)
def test_the_order_of_texts_does_not_matter(
    near: NDArray[np.float32], words: NDArray[np.float32]
) -> None:
    ranker = Ranker(SECTIONS, (*PASSAGES, unit("heading", 0), unit("heading", 1)))

    forward, backward = (
        ranker.score_passages(near, words),
        ranker.score_passages(near[::-1], words[::-1]),
    )

    assert np.allclose(forward, backward, atol=2e-6)


def test_a_constitution_of_one_passage_ranks_it() -> None:
    ranker = Ranker((0,), (SearchUnit("passage", "", 0, 0, "0"),))

    assert ranker.score_passages(
        np.array([[0.3]], np.float32), np.ones((1, 1), np.float32)
    ).tolist() == [0]
