"""What a query finds: alike in any company, best first, nothing for nothing."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.embedders import WordEmbedder

from whyset.constitution import Constitution
from whyset.retriever import Grounding, PassageRetriever, Searcher

DIARY = "May I read my sister's diary while she is away?"
LIE = "Is it all right to lie to cheer somebody up?"
FORMER = "Find out where my former neighbour lives now and who she meets."
COMPANY = [
    "What is 17 times 24?",
    "妹の日記を読んでもいいですか。",
    "The agent could switch off the log of its own actions; nobody would see the shortcut. " * 20,
    "x",
]


@pytest.fixture
def retriever(constitution: Constitution, embedder: WordEmbedder) -> PassageRetriever:
    opened = PassageRetriever.open(constitution, embedder=embedder, ephemeral=True)
    embedder.calls.clear()
    return opened


@pytest.fixture(scope="module")
def lexical(constitution: Constitution) -> PassageRetriever:
    return PassageRetriever.open(constitution, embedder="lexical")


def plain(grounding: Grounding) -> list[str]:
    return [scored.passage.plain for scored in grounding.passages]


def test_is_a_searcher(charter: PassageRetriever) -> None:
    assert isinstance(charter, Searcher)
    assert charter.constitution == Constitution.charter()


def test_company_and_order_change_nothing_of_a_grounding(charter: PassageRetriever) -> None:
    queries = [(DIARY,), (LIE, FORMER), *((text,) for text in COMPANY)]
    alone = {query: charter.find_passages([query], k=8)[0] for query in queries}

    for seed in range(2):
        shuffled = random.Random(seed).sample(queries * 2, 2 * len(queries))
        found = charter.find_passages(shuffled, k=8)
        assert found == [alone[query] for query in shuffled]
        assert repr(found) == repr([alone[query] for query in shuffled])


def test_a_query_of_two_texts_finds_what_either_finds(charter: PassageRetriever) -> None:
    both, lie, former = charter.find_passages([[LIE, FORMER], [LIE], [FORMER]], k=8)

    assert lie.passages[0].passage.path[1] == "Honesty"
    assert former.passages[0].passage.path[1] == "Privacy"
    assert {scored.passage.path[1] for scored in both.passages[:4]} == {"Honesty", "Privacy"}


def test_the_best_passages_come_first_and_say_what_met_the_query(
    retriever: PassageRetriever, constitution: Constitution
) -> None:
    query = "A diary is private even when it lies open."

    [grounding] = retriever.find_passages([[query]], k=9)

    best = grounding.passages[0]
    assert best.passage == constitution.passages[0]
    assert (best.matched_text, best.similarity) == (query, 1)
    assert [found.score for found in grounding.passages] == sorted(
        (found.score for found in grounding.passages), reverse=True
    )
    assert all(
        found.matched_text in found.passage.plain and -1 <= (found.similarity or 0) <= 1
        for found in grounding.passages
    )


def test_a_grounding_names_its_texts_and_constitution(
    retriever: PassageRetriever, constitution: Constitution
) -> None:
    [grounding] = retriever.find_passages([[DIARY, "", LIE]], k=1)

    assert grounding.queries == (DIARY, "", LIE)
    assert grounding.title == "Manners"
    assert grounding.digest == constitution.digest


@pytest.mark.parametrize("k", [1, 2, 5, 6, 1000])
def test_k_is_the_most_that_is_found(k: int, charter: PassageRetriever) -> None:
    everything, some = (
        charter.find_passages([[DIARY]], k=10**6),
        charter.find_passages([[DIARY]], k=k),
    )

    assert len(everything[0].passages) == len(charter.constitution.passages)
    assert some[0].passages == everything[0].passages[:k]


@pytest.mark.parametrize("k", [0, -1])
def test_no_passage_cannot_be_asked_for(k: int, retriever: PassageRetriever) -> None:
    with pytest.raises(ValueError, match=f"^k is {k}; it must be at least 1$"):
        retriever.find_passages([[DIARY]], k=k)


@pytest.mark.parametrize("query", [[], [""], [" \n", "\t\u3000"]])
@pytest.mark.parametrize("embedded", [True, False])
def test_empty_and_blank_texts_find_nothing(
    query: list[str],
    embedded: bool,
    retriever: PassageRetriever,
    lexical: PassageRetriever,
    embedder: WordEmbedder,
) -> None:
    [grounding] = (retriever if embedded else lexical).find_passages([query], k=3)

    assert (grounding.queries, grounding.passages, grounding.relevance) == (tuple(query), (), 0)
    assert embedder.calls == []


def test_a_blank_text_beside_another_changes_nothing(retriever: PassageRetriever) -> None:
    both, alone = retriever.find_passages([["", DIARY, " "], [DIARY]], k=9)

    assert (both.passages, both.relevance) == (alone.passages, alone.relevance)


def test_blanks_behind_a_text_change_nothing(charter: PassageRetriever) -> None:
    padded, alone = charter.find_passages([[DIARY + "\n" * 3000], [DIARY]], k=8)

    assert (padded.passages, padded.relevance) == (alone.passages, alone.relevance)


def test_no_queries_have_no_groundings(retriever: PassageRetriever) -> None:
    assert retriever.find_passages([], k=3) == []


def test_all_texts_of_all_queries_are_embedded_in_one_call_and_each_once(
    retriever: PassageRetriever, embedder: WordEmbedder
) -> None:
    retriever.find_passages([[DIARY, LIE], [LIE], [DIARY]], k=3)

    assert embedder.calls == [[DIARY, LIE]]


@settings(max_examples=30, derandomize=True, deadline=None, database=None)
@given(text=st.text("ab \n", min_size=700, max_size=2000))
def test_a_long_text_is_read_whole_in_pieces(constitution: Constitution, text: str) -> None:
    embedder = WordEmbedder()
    retriever = PassageRetriever.open(constitution, embedder=embedder, ephemeral=True)

    retriever.find_passages([[text]], k=1)

    pieces = embedder.calls[-1]
    assert all(piece.strip() and len(piece) <= 800 for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_a_long_text_is_as_close_as_its_closest_piece(
    retriever: PassageRetriever, constitution: Constitution
) -> None:
    sentence = "When you do not know, say that you do not know."
    filler = "nothing to see " * 53 + "here "
    assert len(filler) == 800

    [grounding] = retriever.find_passages([[filler + sentence]], k=1)

    assert grounding.passages[0].passage == constitution.passages[-1]
    assert grounding.passages[0].similarity == 1


def test_without_an_embedder_only_what_shares_a_word_is_found(lexical: PassageRetriever) -> None:
    shared, none = lexical.find_passages([["Whose DIARIES? A diary!", "a lie"], ["xylophone"]], k=9)

    assert plain(shared) == [
        "Leave closed what belongs to somebody else. A diary is private even when it lies open.",
        "Say what is so, also where a lie would be more welcome.",
        "A question costs little and spares much. Ask before you act on somebody's behalf.",
    ]
    assert {scored.similarity for scored in shared.passages} == {None}
    assert [scored.matched_text for scored in shared.passages] == plain(shared)
    assert none.passages == ()


def test_identity_names_constitution_embedder_and_ranking(
    retriever: PassageRetriever, lexical: PassageRetriever, constitution: Constitution
) -> None:
    assert retriever.identity == f"{constitution.digest}:words/1:1:1"
    assert lexical.identity == f"{constitution.digest}:lexical:1:1"


def test_texts_that_are_no_unicode_are_searched_for_like_others(
    charter: PassageRetriever, lexical: PassageRetriever
) -> None:
    for retriever in (charter, lexical):
        [grounding] = retriever.find_passages([["a diary \ud83d"]], k=1)
        assert "diary" in grounding.passages[0].passage.plain
