"""Sentences of a passage that can be understood on their own: what items are made of.

English alone, and strict: a sentence that is left out costs little, an ambiguous item misleads.
"""

import re
from collections.abc import Iterator

from .._words import count_words

_END = re.compile(r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z“\"])")
_WORDS = range(7, 41)
# What these point at stands in another sentence.
_POINTING_FIRST = re.compile(
    r"\A(?:It|Its|He|She|They|Their|Them|This|That|These|Those|Such|Here|There|Then|So|Thus|Hence"
    r"|Therefore|But|And|Or|Nor|Yet|Also|Still|Too|Instead|Otherwise|Elsewhere|However|Both|Each"
    r"|Either|Neither|One|Another|Others|Some|Most|Two|Three|Four|Five"
    r"|The (?:same|other|others|rest|former|latter|first|second|third|last)"
    r"|The (?:[a-z]+ )?(?:objection|argument) (?:is|was)"
    r"|In (?:that|this|such|these|those)|For (?:that|this|example|instance)|Everything"
    r"|All (?:this|these|that|the rest))\b"
)
_POINTING = re.compile(
    r"\A(?:Even then|The (?:answer|argument|boundary|case|distinction|line|list|point|question"
    r"|reason|rule|test|text))\b"
    r"|\b(?:with|without|of|in|on|for|by|from|to|at|lacks?|has|have|than) that [a-z]+\b"
    r"|\bthe (?:two|three|latter|same|matter|thing)\b"
    r"|\b(?:this|these|those|such|therefore|however|instead|otherwise|likewise|too|also|above|below"
    r"|former|latter|here|both|they|them|their)\b|\bthat (?:way|case|one)\b",
    re.IGNORECASE,
)
# "It" is understood where what it stands for comes before it in the same sentence.
_IT = re.compile(r"\bit(?:s|self)?\b", re.IGNORECASE)
_ANTECEDENT = re.compile(
    r"\A(?!(?:Where|When|While|With|Within|To|On|In|Among|As|At|By|For|After|Before|Even|Failing"
    r"|Once|What)\b)[^,]*?(?:\bbecause|\bsince|\bwhen|,(?: so| and| but)?)\Z|\bassistant\b"
)
_SUPPOSING = re.compile(
    r"\b(?:if|unless|whether|suppose|would|might|perhaps|as though|as if|may have)\b", re.IGNORECASE
)
_OF_ITSELF = re.compile(
    r"\b(?:charter|constitution|document|chapter|section|as follows|following|we|us"
    r"|our|ours|I|my)\b",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[“”\"‘?!:;()\[\]…—–]|--|(?<!\w)'|\d")

_UNFIT = (_POINTING_FIRST, _POINTING, _SUPPOSING, _OF_ITSELF, _MARKS)


def standing_alone(plain: str) -> Iterator[str]:
    """Yield the sentences of a passage's plain text that stand alone, each a slice of it.

    A plain statement of seven to forty words: no word that points at another sentence, no
    condition or supposition, nothing about the document or by its authors, no quotation,
    question, colon, bracket, dash or number.
    """
    for block in plain.split("\n"):
        for sentence in _END.split(block):
            if _stands_alone(sentence):
                yield sentence


def _stands_alone(sentence: str) -> bool:
    it = _IT.search(sentence)
    if it and not _ANTECEDENT.search(sentence[: it.start()].rstrip()):
        return False
    return (
        sentence[:1].isupper()
        and sentence.endswith(".")
        and count_words(sentence) in _WORDS
        and not any(pattern.search(sentence) for pattern in _UNFIT)
    )
