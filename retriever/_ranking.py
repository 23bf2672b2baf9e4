"""Similarities and word scores → one order of passages.

A section is scored first, by several sources: how close its passages, its sentences, the users'
turns in its worked examples and its heading are to the query, and how well its best passage meets
the query's words. Each source is standardised over the sections, then they add up. A passage gets
its section's score, less what it falls short of the section's best passage; so the first passages
of the best sections come first, and a section that is far ahead brings more of its passages.

docs/retrieval.md has what each choice is worth.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import bm25s  # type: ignore[import-untyped]  # It ships no types.
import numpy as np
from numpy.typing import NDArray

from ._units import SearchUnit

Floats = NDArray[np.float32]
Scores = NDArray[np.float64]
Integers = NDArray[np.intp]

# Raise it when the same similarities would give another order.
RANKING_VERSION = 1

LEXICAL_KEY = "words"
RANKING_WEIGHTS: Mapping[str, float] = MappingProxyType(
    {"passage": 1, "sentence": 1, "turn": 1, "heading": 1, LEXICAL_KEY: 2}
)
# Between the mean of a section's similarities (0) and their maximum (infinity).
_SHARPNESS = 20
# Rounding differs between machines in the last digits; an order must not.
_DECIMALS = 6

# Scripts written without spaces are cut into single characters, also next to another script.
_UNSPACED_SCRIPTS = "぀-ヿ㐀-鿿가-힯฀-๿"
_SPACED_CHARACTERS = rf"[^\W_{_UNSPACED_SCRIPTS}]+"
_WORD = re.compile(rf"[{_UNSPACED_SCRIPTS}]|{_SPACED_CHARACTERS}(?:'{_SPACED_CHARACTERS})*")
# Longest first. A crude stemmer is enough where both sides are cut alike.
_ENDINGS = ("ations", "ation", "ingly", "edly", "'s", "ings", "ing", "ies", "ied")
_SHORT_ENDINGS = ("ed", "ly", "es", "s", "e")
_MIN_STEM_LENGTH = 3


class Ranker:
    """Ranks the passages of one constitution."""

    def __init__(
        self,
        sections: Sequence[int],
        units: Sequence[SearchUnit],
        *,
        weights: Mapping[str, float] = RANKING_WEIGHTS,
    ) -> None:
        # `sections` has the section number of each passage.
        self._sections: Integers = np.array(sections, np.intp)
        self._weights = weights
        self._kinds = {
            kind: np.array([row for row, unit in enumerate(units) if unit.kind == kind], np.intp)
            for kind in dict.fromkeys(unit.kind for unit in units)
        }
        self._unit_sections: Integers = np.array([unit.section for unit in units], np.intp)
        self._own: Integers = np.array(
            [row for row, unit in enumerate(units) if unit.passage is not None], np.intp
        )
        self._unit_passages: Integers = np.array(
            [unit.passage for unit in units if unit.passage is not None], np.intp
        )

    def score_passages(self, similarities: Floats | None, words: Floats) -> Scores:
        """Score the passages for one query; the higher, the better.

        `similarities` are the cosines, shape (texts, units), `None` without an embedder; `words`
        the word scores, shape (texts, passages), 0 or more.
        """
        by_section = np.zeros(self._sections.max() + 1)
        by_passage = np.zeros(len(self._sections))
        for row, word_scores in enumerate(words.astype(np.float64)):
            best = np.zeros(len(by_section))
            np.maximum.at(best, self._sections, word_scores)
            by_section += self._weights.get(LEXICAL_KEY, 0) * _standardise(best)
            by_passage += _standardise(word_scores)
            if similarities is not None:
                cosines = similarities[row].astype(np.float64)
                by_section += self._score_sections(cosines, len(by_section))
                by_passage += _standardise(self.max_similarity(cosines))
        best = np.full(len(by_section), -np.inf)
        np.maximum.at(best, self._sections, by_passage)
        scores = by_section[self._sections] + by_passage - best[self._sections]
        return scores.round(_DECIMALS)

    def max_similarity(self, cosines: Scores) -> Scores:
        """Return each passage's best cosine: its own or one of its parts'."""
        best = np.full(len(self._sections), -1.0)
        np.maximum.at(best, self._unit_passages, cosines[self._own])
        return best

    def _score_sections(self, cosines: Scores, sections: int) -> Scores:
        total = np.zeros(sections)
        for kind, rows in self._kinds.items():
            if weight := self._weights.get(kind, 0):
                affinity = _log_mean_exp(cosines[rows], self._unit_sections[rows], sections)
                total += weight * _standardise(affinity)
        return total


def sort_by_score(scores: Scores) -> Integers:
    """Return the passages best first, equal ones in the order of the document."""
    return np.argsort(-scores, kind="stable")


def _log_mean_exp(values: Scores, groups: Integers, count: int) -> Scores:
    """Return the logarithm of the mean exponential of each group; NaN where it is empty.

    Unlike a maximum it heeds the second and third best; unlike a sum it does not favour a group
    for being large.
    """
    sizes = np.bincount(groups, minlength=count)
    sums = np.bincount(groups, np.exp(_SHARPNESS * values), minlength=count)
    with np.errstate(divide="ignore", invalid="ignore"):
        means: Scores = np.log(sums / sizes) / _SHARPNESS
    return means


def _standardise(values: Scores) -> Scores:
    """Scale to mean 0 and deviation 1; what is missing (NaN) counts as the least there is."""
    present = ~np.isnan(values)
    filled = np.where(present, values, values[present].min())
    deviation = filled.std()
    if deviation < 1e-9:
        return np.zeros(len(values))
    scaled: Scores = (filled - filled.mean()) / deviation
    return scaled


class BM25Index:
    """A BM25 index of texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        tokens = [tokenise(text) for text in texts]
        self._size = len(texts)
        self._known = {word for text in tokens for word in text}
        self._index = bm25s.BM25()
        if self._known:
            self._index.index(tokens, show_progress=False)

    def score_texts(self, query: str) -> Floats:
        """Return the score of every text, 0 where no word is shared."""
        known = [word for word in tokenise(query) if word in self._known]
        if not known:
            return np.zeros(self._size, np.float32)
        return np.asarray(self._index.get_scores(known), np.float32)

    def count_known_words(self, text: str) -> tuple[int, int]:
        """Return how many of a text's words stand in the index, and how many words it has.

        What holds a digit is no word here.
        """
        words = [word for word in tokenise(text) if not any(map(str.isdigit, word))]
        return sum(word in self._known for word in words), len(words)


def tokenise(text: str) -> list[str]:
    """Cut a text into word stems: case and width folded, punctuation and English endings off."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    return [_stem_word(word) for word in _WORD.findall(folded)]


def _stem_word(word: str) -> str:
    for ending in (*_ENDINGS, *_SHORT_ENDINGS):
        if word.endswith(ending) and len(word) - len(ending) >= _MIN_STEM_LENGTH:
            return word.removesuffix(ending)
    return word
