"""Words: BM25 over texts, the one module that knows bm25s."""

import re
import unicodedata
from collections.abc import Sequence

import bm25s  # type: ignore[import-untyped]  # It ships no types.
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]

# Scripts written without spaces are cut into single characters, also next to another script.
_UNSPACED = "぀-ヿ㐀-鿿가-힯฀-๿"
_SPACED = rf"[^\W_{_UNSPACED}]+"
_WORD = re.compile(rf"[{_UNSPACED}]|{_SPACED}(?:'{_SPACED})*")
# Longest first. A crude stemmer is enough where both sides are cut alike.
_ENDINGS = ("ations", "ation", "ingly", "edly", "'s", "ings", "ing", "ies", "ied")
_SHORT_ENDINGS = ("ed", "ly", "es", "s", "e")
_SHORTEST_STEM = 3


class Lexicon:
    """A BM25 index of texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        tokens = [words(text) for text in texts]
        self._size = len(texts)
        self._known = {word for text in tokens for word in text}
        self._index = bm25s.BM25()
        if self._known:
            self._index.index(tokens, show_progress=False)

    def scores(self, query: str) -> Floats:
        """Return the score of every text, 0 where no word is shared."""
        known = [word for word in words(query) if word in self._known]
        if not known:
            return np.zeros(self._size, np.float32)
        return np.asarray(self._index.get_scores(known), np.float32)

    def known(self, text: str) -> tuple[int, int]:
        """Return how many of a text's words stand in the index, and how many words it has.

        What holds a digit is no word here.
        """
        counted = [word for word in words(text) if not any(map(str.isdigit, word))]
        return sum(word in self._known for word in counted), len(counted)


def words(text: str) -> list[str]:
    """Cut a text into word stems: case and width folded, punctuation and English endings off."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return [_stem(word) for word in _WORD.findall(folded)]


def _stem(word: str) -> str:
    for ending in (*_ENDINGS, *_SHORT_ENDINGS):
        if word.endswith(ending) and len(word) - len(ending) >= _SHORTEST_STEM:
            return word.removesuffix(ending)
    return word
