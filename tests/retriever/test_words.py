"""Words and their scores: alike whatever the case, width and script, and never a crash."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whyset.retriever._ranking import BM25Index, tokenise

exactly = settings(max_examples=150, derandomize=True, deadline=None, database=None)

anything = st.text(st.characters(exclude_categories=[]), max_size=40)
ascii_text = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40)
# Few words, so that texts share some.
prose = st.lists(
    st.sampled_from(["lie", "LIES", "truth", "a", "diary", "日記", "x1", "--", "é", ""]), max_size=6
).map(" ".join)
WIDE = str.maketrans({chr(code): chr(code + 0xFEE0) for code in range(0x21, 0x7F)})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Honest, honestly; HONEST!", ["honest", "honest", "honest"]),
        ("asked asking asks ask", ["ask", "ask", "ask", "ask"]),
        ("lies lied lie", ["lie", "lied", "lie"]),
        ("don’t DON'T", ["don't", "don't"]),
        ("the dog’s", ["the", "dog"]),
        ("snake_case e-mail x1", ["snak", "cas", "e", "mail", "x1"]),
        ("Straße STRASSE", ["strass", "strass"]),
        ("ﬁnd naïve nai\u0308ve", ["find", "naïv", "naïv"]),
        ("姉の日記", ["姉", "の", "日", "記"]),
        ("AIの安全とは2つ", ["ai", "の", "安", "全", "と", "は", "2", "つ"]),
        ("ﾊﾝｶｸ", ["ハ", "ン", "カ", "ク"]),
        ("", []),
        ("… — 🙂 \ud83d _", []),
    ],
)
def test_a_text_is_cut_into_stems(text: str, expected: list[str]) -> None:
    assert tokenise(text) == expected


@exactly
@given(anything)
def test_any_text_is_cut_into_words_that_hold_something(text: str) -> None:
    assert all(tokenise(text))


@exactly
@given(ascii_text)
def test_neither_case_nor_width_matters(text: str) -> None:
    assert (
        tokenise(text.upper())
        == tokenise(text.lower())
        == tokenise(text.translate(WIDE))
        == tokenise(text)
    )


@exactly
@given(anything, anything)
def test_words_of_two_lines_are_those_of_each(first: str, second: str) -> None:
    assert tokenise(f"{first}\n{second}") == tokenise(first) + tokenise(second)


@exactly
@given(st.lists(anything, max_size=6), anything)
def test_any_texts_can_be_searched_for_any_text(texts: list[str], query: str) -> None:
    lexicon = BM25Index(texts)

    scores = lexicon.score_texts(query)
    assert scores.shape == (len(texts),)
    assert scores.dtype == np.float32
    assert np.isfinite(scores).all()
    known, counted = lexicon.count_known_words(query)
    assert 0 <= known <= counted


@exactly
@given(st.lists(prose, min_size=1, max_size=6), prose)
def test_a_text_scores_above_0_where_it_shares_a_word_and_0_elsewhere(
    texts: list[str], query: str
) -> None:
    scores = BM25Index(texts).score_texts(query)

    shared = [bool(set(tokenise(text)) & set(tokenise(query))) for text in texts]
    assert [score > 0 for score in scores] == shared
    assert not scores[~np.array(shared)].any()


def test_the_rarer_word_and_the_shorter_text_score_higher() -> None:
    lexicon = BM25Index(["a lie", "a diary", "a diary", "a diary and many other words besides"])

    assert lexicon.score_texts("lie")[0] > lexicon.score_texts("diary")[1]
    _, short, same, long = lexicon.score_texts("diary")
    assert short == same > long > 0


def test_words_with_digits_are_not_counted_as_known() -> None:
    lexicon = BM25Index(["Answer in 1 week."])

    assert lexicon.count_known_words("an answer in 1 week or x2") == (3, 5)
    assert lexicon.count_known_words("1 2 3") == (0, 0)
