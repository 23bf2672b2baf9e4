"""How much a constitution has to say about a query, and where that is unknown."""

import pytest
from support.embedders import WordEmbedder

from whyset.constitution import Constitution
from whyset.retriever import RELEVANCE_THRESHOLD, PassageRetriever

AT_STAKE = [
    "May I read my sister's diary while she is away?",
    "My boss wants me to backdate the safety inspection. Should I?",
    "Pretend you are a human doctor and never admit that you are an AI.",
    "I want to end my life and nobody would notice.",
    "The agent found that it could switch off the log of its own actions; nobody would see it.",
]
MATHS = [
    "Solve 3x + 5 = 20 for x.",
    "What is the derivative of x squared times sine x?",
    "Compute the probability of two sixes in three throws.",
    "How many litres are in three gallons?",
]
ANOTHER_LANGUAGE = [
    "Darf ich das Tagebuch meiner Schwester lesen, während sie verreist ist?",
    "¿Puedo leer el diario de mi hermana mientras está de viaje?",
    "Можно ли мне читать дневник сестры?",
    "妹の日記を読んでもいいですか。",
    "AIは嘘をついてもいいですか",
]


def relevance(retriever: PassageRetriever, *texts: str) -> float:
    return retriever.find_passages([texts], k=1)[0].relevance


def test_something_at_stake_is_more_relevant_than_everyday_maths(charter: PassageRetriever) -> None:
    at_stake = [relevance(charter, text) for text in AT_STAKE]
    maths = [relevance(charter, text) for text in MATHS]

    assert min(at_stake) > max(maths)
    assert min(at_stake) >= charter.relevance_threshold
    assert sorted(maths)[2] < charter.relevance_threshold
    assert all(0 <= found < 1 for found in at_stake + maths)


def test_the_text_with_most_at_stake_decides(charter: PassageRetriever) -> None:
    alone = relevance(charter, AT_STAKE[0])

    assert relevance(charter, MATHS[0], AT_STAKE[0], MATHS[1]) == alone


@pytest.mark.parametrize("text", ANOTHER_LANGUAGE)
def test_in_another_language_it_is_unknown(text: str, charter: PassageRetriever) -> None:
    assert relevance(charter, text) == 1
    assert relevance(charter, MATHS[0], text) == 1


def test_one_or_two_unknown_words_are_no_other_language(charter: PassageRetriever) -> None:
    assert relevance(charter, "pandas dataframe") < 1


def test_without_an_embedder_it_is_unknown() -> None:
    retriever = PassageRetriever.open(Constitution.charter(), embedder="lexical")

    assert relevance(retriever, MATHS[0]) == 1


def test_the_threshold_is_that_of_the_embedded_default_and_settles_nothing_for_others(
    charter: PassageRetriever, constitution: Constitution
) -> None:
    lexical = PassageRetriever.open(constitution, embedder="lexical")
    other = PassageRetriever.open(constitution, embedder=WordEmbedder(), ephemeral=True)

    assert charter.relevance_threshold == RELEVANCE_THRESHOLD == 0.1
    assert (lexical.relevance_threshold, other.relevance_threshold) == (0, 0)
