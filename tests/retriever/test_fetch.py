"""Passages by name: what comes, what comes along, in which order."""

import pytest

from whyset.constitution import Constitution, ConstitutionLookupError
from whyset.retriever import FetchScope, fetch_passages

DOCUMENT = Constitution.parse(
    """\
# Ferry rules

## Boarding

Count the passengers twice.

Say so when the count is off.

## Crossing

Turn back in fog.

### At night

Lamps stay lit.
"""
)
COUNT, SAY, FOG, LAMPS = (passage.id for passage in DOCUMENT.passages)


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("passages", [SAY]),
        ("section", [SAY, COUNT]),
        ("document", [SAY, COUNT, FOG, LAMPS]),
    ],
)
def test_what_is_wanted_comes_first_and_what_comes_along_in_the_documents_order(
    scope: FetchScope, expected: list[str]
) -> None:
    found = fetch_passages(DOCUMENT, [SAY], scope=scope)

    assert [scored.passage.id for scored in found.passages] == expected
    assert [scored.score for scored in found.passages] == [1.0] + [0.0] * (len(expected) - 1)


def test_a_section_is_what_stands_under_the_same_headings_and_no_deeper() -> None:
    found = fetch_passages(DOCUMENT, [FOG], scope="section")

    assert [scored.passage.id for scored in found.passages] == [FOG]


def test_several_come_in_the_order_in_which_they_are_wanted_each_once() -> None:
    found = fetch_passages(DOCUMENT, [FOG, COUNT, FOG], scope="section")

    assert [scored.passage.id for scored in found.passages] == [FOG, COUNT, SAY]


def test_it_is_a_grounding_like_any_other() -> None:
    found = fetch_passages(DOCUMENT, [FOG])

    assert (found.queries, found.relevance) == ((FOG,), 1.0)
    assert (found.title, found.digest) == (DOCUMENT.title, DOCUMENT.digest)
    assert found.passages[0].matched_text == "Turn back in fog."


def test_a_passage_that_is_not_there_is_named_with_the_nearest() -> None:
    with pytest.raises(ConstitutionLookupError, match=f"no passage '{FOG}x'; nearest: '{FOG}'"):
        fetch_passages(DOCUMENT, [f"{FOG}x"])
