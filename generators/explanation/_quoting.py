"""Quotations of the constitution: told from people's speech, and held to its very words."""

import re
from collections.abc import Iterable, Sequence

from whyset.retriever import ScoredPassage

from .._quotations import quotations, stands_in
from .._quotes import shown_texts
from .._words import count_words, shared_run
from ..checks import Check

_SAYS = (
    r"(?:says?|said|states?|reads?|puts?|writes?|wrote|holds?|asks?|tells?|calls?|warns?|allows?"
    r"|adds?|goes on|begins?|ends?|speaks? of|words?)"
)
_TEXT = r"(?:constitution|charter|document|text|clause|sentence|paragraph|section|line|wording)"
_LONGEST_LEAD = 120
# A misquotation keeps most of the words; a person who happens to use a phrase does not.
_MOST_OF_IT = 0.6
_FEWEST_SHARED = 5


def check_quoted(text: str, *, passages: Sequence[ScoredPassage], names: Iterable[str]) -> Check:
    """What is quoted as the constitution's must stand in it word for word.

    People in a document may say what they like between quotation marks. A quotation counts as the
    constitution's where its sentence says so before or after it ("the charter says …"), or where
    most of its words stand, in this order, in a passage: then it is a quotation gone wrong.

    What it cannot see: a quotation of fewer than four words; an invented one that nothing
    attributes; attributions in other languages than English, unless by the name.

    Args:
        text: The document.
        passages: What may be quoted, with the headings above it.
        names: What the constitution is called.
    """
    called = tuple(filter(None, names))
    headings = {heading for scored in passages for heading in scored.passage.path}
    sources = [source for scored in passages for source in shown_texts(scored)]
    before, behind = _attributions(called)
    end = 0
    for quotation in quotations(text):
        # The place matters where a text has the same words twice; the later search is for those
        # that `quotations` took out of their order.
        place = max(text.find(quotation, end), text.find(quotation), 0)
        end = place + len(quotation)
        if any(stands_in(quotation, source) for source in (*sources, *headings, *called)):
            continue
        lead, rest = text[max(place - _LONGEST_LEAD, 0) : place], text[end : end + _LONGEST_LEAD]
        if _misquoted(quotation, sources) or before.search(lead) or behind.search(rest):
            return Check(
                "quotations",
                "failed",
                f"is quoted as the text's and does not stand in it word for word: {quotation!r}; "
                "quote exactly, or tell it without quotation marks",
            )
    return Check("quotations", "passed")


def _attributions(names: Sequence[str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what gives a quotation to the constitution, before it and behind it."""
    called = "|".join([*map(re.escape, names), _TEXT])
    inside = r"[^.!?\n“”\"]*[“„\"«‘'>\s]*\Z"
    # "Of the charter my aunt says …" is what she says.
    subject = rf"(?<!\b[Oo]f the )(?<!\b[Oo]f the whole )\b(?:{called})(?:['’]s)?[”’\"]?"
    before = (
        rf"{subject}(?: [\w'’-]+){{0,6}}? {_SAYS}\b{inside}"
        rf"|\b(?:in the words of|according to|as) (?:the |its |this )?(?:{called})\b{inside}"
    )
    behind = rf"\A[”\"»’',.\s]*{_SAYS} (?:the |its |this |that )?(?:{called})\b"
    return re.compile(before, re.IGNORECASE), re.compile(behind, re.IGNORECASE)


def _misquoted(quotation: str, sources: Sequence[str]) -> bool:
    words = count_words(quotation)
    length = max(round(words * _MOST_OF_IT), _FEWEST_SHARED)
    return words >= length and shared_run(quotation, sources, length=length) is not None
