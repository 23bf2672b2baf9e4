"""The shipped fake: ranks by shared words, keeps what it was asked."""

from whyset.constitution import Constitution
from whyset.retriever import Searcher
from whyset.retriever.testing import FakeSearcher


def test_it_ranks_by_shared_words_and_keeps_the_order_of_the_document(
    constitution: Constitution,
) -> None:
    searcher = FakeSearcher(constitution)

    [grounding] = searcher.find_passages([["Ask before", "somebody acts"]], k=3)

    assert isinstance(searcher, Searcher)
    assert [(scored.passage, scored.score) for scored in grounding.passages] == [
        (constitution.passages[2], 2.0),
        (constitution.passages[0], 1.0),
        (constitution.passages[1], 0.0),
    ]
    assert grounding.queries == ("Ask before", "somebody acts")
    assert (grounding.title, grounding.digest) == (constitution.title, constitution.digest)


def test_it_keeps_every_query_and_gives_the_relevance_it_was_given(
    constitution: Constitution,
) -> None:
    searcher = FakeSearcher(constitution, relevance=0.05)

    groundings = [
        *searcher.find_passages([["a"], ["b", "c"]], k=1),
        *searcher.find_passages([["d"]], k=1),
    ]

    assert [grounding.relevance for grounding in groundings] == [0.05] * 3
    assert searcher.queries == [("a",), ("b", "c"), ("d",)]
    assert searcher.identity == f"fake {constitution.digest}"
