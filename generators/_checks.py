"""Deterministic checks on a text that a writer returned: each says passed, failed or skipped.

A check fails only on what the text brings in: words, quotations and numbers that the conversation
itself holds are never held against it. The patterns are English unless a check says otherwise;
what they cannot see is left to the judge.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from ._quotations import code_blocks, quotations, stands_in, without_code
from ._words import count_words, shared_run

CheckStatus = Literal["passed", "failed", "skipped"]

LONGEST_ECHO = 12
"""Words in a row that may not coincide with a text that is not to be quoted."""

_URL = re.compile(
    r"https?://(?:[^\s<>()\[\]{}\"'`“”‘’«»。，、；：！？（）「」『』]|\([^\s()]*\))+"
    r"(?<![.,;:!?*_~…])",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"^[ \t>]*\d{1,9}[.)](?=[ \t])", re.MULTILINE)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*(?:[ \u00a0]?%)?")

# Of each pattern below, a group that matched is the word that speaks for the whole: where the
# conversation has it, the find belongs to the subject and not to the writing task.
_PLACEHOLDER = re.compile(
    r"\{\{ ?[\w .-]+ ?\}\}|<!--|\[(?:INSERT|NAME|YOUR|TODO|PLACEHOLDER)[^\]]*\]|\bTODO:|\bXXX\b"
)
_FENCE = re.compile(r"\bdata-[0-9a-f]{10}\b")
_LABEL = re.compile(
    r"\A[\W_]*(?:deliberation|reasoning|preface|thinking|(?:revised|rewritten) (?:text|draft"
    r"|version|deliberation|response))\b[*_ ]*(?::|\n)"
    r"|^\[(?:system|developer|user|assistant|tool|function)(?: [\w.-]+)?\]|\[calls [\w.-]+\]"
    r"|\[tools on offer\]|^\(reasoning\)"
    r"|</?(?:think|thinking|reasoning|deliberation|preface|draft|response)>",
    re.IGNORECASE | re.MULTILINE,
)
_SCAFFOLDING = re.compile(
    r"\bthe (?:original )?(response) (?:under review|that follows)\b"
    r"|\bthe (passage)s? (?:above|below|given|provided|retrieved|says?|states?)\b"
    r"|\b(passage) \d+\b"
    r"|\bhere(?: is|'s|’s) (?:the|my) (?:revised |rewritten )?(?:deliberation|reasoning)\b"
    r"|\bthe (consideration)s? (?:listed|named|given|provided)\b"
    r"|(?<![\w\])])\[\d{1,2}\](?![(\[:])",
    re.IGNORECASE,
)
_DOCUMENT = re.compile(
    r"\b(constitution|charter|model spec)s?\b"
    r"|\b(?:document|set|list) of (principle|value)s\b"
    r"|\b(?:my|our|these) (?:own |guiding )?(guideline|guiding principle)s\b"
    r"|\bthe (guideline)s (?:that )?(?:I|say|state|ask|require|tell)\b"
    r"|\bmy (?:own )?(specification|value document)\b"
    r"|\b(?:principles|rules|values) (?:that )?I (?:was|have been|am) (?:given|trained|taught)\b"
    r"|\bmy (training|programming)\b"
    r"|\b(constitución|constituição|costituzione|конституци)|(憲法|宪法|헌법|संविधान|دستور)",
    re.IGNORECASE,
)
_TESTING = re.compile(
    r"\b(?:this|it|that)(?: whole)?(?: scenario| situation| setup| conversation| request)?"
    r" (?:looks|seems|feels|reads|sounds|appears)(?: \w+){0,2}? (?:like|as if|as though|to be)"
    r"(?: it(?:'s| is| were)| this (?:is|were))? (?:an?|some (?:kind|sort) of|part of an?)"
    r"(?: contrived| staged| artificial| safety| alignment| ethics?| behaviou?ral| adversarial)*"
    r" (test|evaluation|exercise|simulation|experiment|red[- ]team)(?:ing)?\b"
    r"(?! (?:in|result|case|failure|run|suite|account|file|page|order|message|transfer)s?\b)"
    r"|\b(?:this|it) (?:is|may be|might be|could be)(?: probably| just| only)?"
    r" (?:an?|part of an?) (test|evaluation)(?=[.,;:!?]|$)"
    r"|\bI(?: am|'m|’m| might be| may be| could be)(?: probably| possibly| just| only)?(?: being)?"
    r" (tested|evaluated|graded|monitored|watched|observed)\b"
    r"|\b(?:evaluation|test) (scenario)s?\b|\b(training) (?:data|examples?|sets?|runs?)\b"
    r"|\b(red[- ]team)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Check:
    """What one check found.

    Attributes:
        name: Its name, as it appears in the provenance.
        status: `skipped` never counts as passed.
        detail: What is wrong, for a person and for the writer who revises.
    """

    name: str
    status: CheckStatus
    detail: str = ""


def check_quotations(text: str, *, sources: Iterable[str], conversation: str) -> Check:
    """Every quotation must stand word for word in a source or in the conversation.

    Of the conversation's words some may be left out where an ellipsis stands; a source is quoted
    whole. A translated quotation is none. For the rest see `quotations` and `stands_in`.
    """
    allowed = tuple(sources)
    for quotation in quotations(text):
        if stands_in(quotation, conversation, gaps=True):
            continue
        if not any(stands_in(quotation, source) for source in allowed):
            return _failed(
                "quotations",
                f"a quotation that stands, word for word, in no passage that may be quoted and "
                f"not in the conversation: {quotation!r}; say it in your own words, without "
                "quotation marks",
            )
    return Check("quotations", "passed")


def check_no_echo(text: str, *, sources: Iterable[str], conversation: str) -> Check:
    """No run of twelve words may coincide with a source, where nothing is to be quoted.

    What it cannot see: a paraphrase that changes every twelfth word; a translation.
    """
    if run := shared_run(text, sources, length=LONGEST_ECHO, allowed=conversation):
        return _failed("own_words", f"word for word from the document: {' '.join(run)!r}")
    return Check("own_words", "passed")


def check_unnamed(text: str, *, title: str, conversation: str) -> Check:
    """The document of principles must not be mentioned.

    What it cannot see: a title of one word, which may be any word; an allusion ("what I stand
    for"); most mentions in other languages than English, of which it knows the word for
    "constitution" in some.
    """
    found = _brought_in(_DOCUMENT, text, conversation)
    if found is None and len(title.split()) > 1:
        wanted = title.casefold()
        named = stands_in(wanted, text.casefold())
        found = title if named and not stands_in(wanted, conversation.casefold()) else None
    if found:
        return _failed("unnamed", f"mentions the document of principles: {found!r}")
    return Check("unnamed", "passed")


def check_no_leak(
    text: str, *, passage_ids: Iterable[str], conversation: str, instructions: str = ""
) -> Check:
    """No passage id, placeholder, delimiter, label or instruction of the writing task is left in.

    What it cannot see: instructions told in other words.

    Args:
        text: What the writer returned.
        passage_ids: Ids of the passages it was shown.
        conversation: All that the row holds.
        instructions: What the writer was told; none of it may come back.
    """
    for passage_id in passage_ids:
        if passage_id in text:
            return _failed("no_leak", f"holds a passage's id: {passage_id!r}")
    prose = without_code(text)
    for pattern in (_FENCE, _PLACEHOLDER, _LABEL, _SCAFFOLDING):
        if found := _brought_in(pattern, prose, conversation):
            return _failed("no_leak", f"holds what belongs to the writing task: {found.strip()!r}")
    if run := shared_run(text, [instructions], length=LONGEST_ECHO, allowed=conversation):
        return _failed("no_leak", f"repeats the instructions: {' '.join(run)!r}")
    return Check("no_leak", "passed")


def check_no_testing(text: str, *, conversation: str) -> Check:
    """No talk of being tested, watched or trained.

    What it cannot see: such talk where the conversation itself is about tests or training, and in
    other languages than English.
    """
    if found := _brought_in(_TESTING, text, conversation):
        return _failed("no_testing", f"speaks of being tested: {found!r}")
    return Check("no_testing", "passed")


def check_length(text: str, *, fewest: int, most: int) -> Check:
    """The number of words must lie within bounds; see `count_words`."""
    count = count_words(text)
    if count < fewest:
        return _failed("length", f"too short: {count} words, at least {fewest} are wanted")
    if count > most:
        return _failed("length", f"too long: {count} words, at most {most} are wanted")
    return Check("length", "passed")


def check_kept(text: str, *, original: str) -> list[Check]:
    """Code blocks, URLs and numbers of the original must all be in a text that replaces it.

    A code block may move into a list or out of it; the numbers of a list's items do not count.

    What it cannot see: how often something stood there; a code block that was never closed;
    numbers in words; a number that is written in another way ("1,000" for "1000") counts as lost.
    """
    return [
        _kept("code_kept", code_blocks(original), code_blocks(text)),
        _kept("urls_kept", _URL.findall(original), _URL.findall(text)),
        _kept("numbers_kept", _numbers(original), _numbers(text)),
    ]


def _failed(name: str, detail: str) -> Check:
    return Check(name, "failed", detail)


def _kept(name: str, wanted: Sequence[str], present: Sequence[str]) -> Check:
    lost = [part for part in wanted if part not in present]
    if lost:
        return _failed(name, f"the response's {lost[0].strip()[:80]!r} is missing or changed")
    return Check(name, "passed")


def _numbers(text: str) -> list[str]:
    found = _NUMBER.findall(_ORDINAL.sub("", text))
    return [number.replace(" ", "").replace("\u00a0", "") for number in found]


def _brought_in(pattern: re.Pattern[str], text: str, conversation: str) -> str | None:
    """Find what a text has and the conversation has not."""
    spoken = conversation.casefold()
    for found in pattern.finditer(text):
        telling = next(filter(None, found.groups()), found[0])
        if telling.casefold() not in spoken:
            return found[0]
    return None
