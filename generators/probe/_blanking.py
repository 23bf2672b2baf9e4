"""Clozes made of the text's own sentences: the word left out is the one that marks the sentence."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from ._phrasing import BLANK

_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_SHORTEST = 6
_RAREST = 3
# Of things that are listed or joined, another of their kind would fit as well.
_LISTED_BEFORE = re.compile(r"(?:,|\b(?:and|or|nor))\s\Z")
_LISTED_AFTER = re.compile(r"\A(?:,|\s(?:and|or|nor)\b)")
# What carries grammar rather than a fact; adverbs in -ly, which others replace too easily.
# fmt: off
_EMPTY = frozenset({
    "about", "above", "according", "across", "after", "again", "against", "along", "already",
    "although", "always", "among", "another", "anything", "around", "asked", "asking", "assistant",
    "because", "become", "becomes", "before", "being", "below", "between", "cannot", "comes",
    "could", "during", "either", "enough", "every", "everything", "first", "further", "given",
    "gives", "giving", "goes", "going", "having", "however", "instead", "itself", "least", "makes",
    "making", "matter", "means", "might", "never", "nobody", "nothing", "often", "other", "others",
    "ought", "people", "perhaps", "person", "quite", "rather", "really", "said", "saying", "seems",
    "several", "shall", "should", "since", "someone", "something", "sometimes", "still", "takes",
    "taking", "their", "themselves", "there", "these", "thing", "things", "think", "those",
    "though", "through", "together", "toward", "towards", "under", "unless", "until", "upon",
    "using", "usually", "where", "whether", "which", "while", "whoever", "whole", "whose", "within",
    "without", "would", "yourself",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class Blanked:
    """A sentence with a word left out.

    Attributes:
        text: The sentence with a blank.
        word: What is left out.
    """

    text: str
    word: str

    @property
    def hint(self) -> str:
        """How the word begins: enough to tell it from others that would fit."""
        return self.word[:2]


def word_counts(texts: Iterable[str]) -> Counter[str]:
    """Return in how many texts each word stands."""
    return Counter(word for text in texts for word in set(_words(text)))


def blanked(sentence: str, counts: Counter[str]) -> Blanked | None:
    """Leave out the word that marks a sentence; `None` where no word does.

    It is the rarest word of the sentence in the whole document, the longest of several as rare:
    in lower case, of six letters or more, once in the sentence and in three passages at most. It
    is no adverb in -ly, no compound, nothing listed and none of the words that carry grammar.

    Args:
        sentence: One that stands alone.
        counts: In how many passages of the document each word stands.
    """
    words = _words(sentence)
    fit = [
        found
        for found in _WORD.finditer(sentence)
        if found[0].isalpha()
        and found[0].islower()
        and len(found[0]) >= _SHORTEST
        and not found[0].endswith("ly")
        and found[0] not in _EMPTY
        and words.count(found[0]) == 1
        and counts[found[0]] <= _RAREST
        and not _LISTED_BEFORE.search(sentence[: found.start()])
        and not _LISTED_AFTER.search(sentence[found.end() :])
    ]
    if not fit:
        return None
    found = min(fit, key=lambda f: (counts[f[0]], -len(f[0]), f.start()))
    return Blanked(f"{sentence[: found.start()]}{BLANK}{sentence[found.end() :]}", found[0])


def _words(text: str) -> list[str]:
    return [found[0].casefold() for found in _WORD.finditer(text)]
