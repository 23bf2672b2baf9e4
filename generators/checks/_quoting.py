"""Whose words a text uses: those of its sources, of the document, of what it replaces."""

import re
from collections.abc import Iterable, Sequence

from .._text import (
    extract_code_blocks,
    find_quotations,
    find_shared_ngram,
    is_verbatim_in,
    view_text,
)
from ._check import Check, fail_check, find_disallowed, pass_check

# ---- Quotations and coincidences

OVERLAP_NGRAM_LENGTH = 12
"""Words in a row that may not coincide with a text that is not to be quoted."""


def check_quotations(text: str, *, sources: Iterable[str], conversation: str) -> Check:
    """Every quotation must stand word for word in a source or in the conversation.

    Of the conversation's words some may be left out where an ellipsis stands; a source is quoted
    whole. A translated quotation is none.

    What it cannot see: what `find_quotations` and `is_verbatim_in` cannot: quotations in italics
    or code, or of fewer than four words; one that is torn from what turns its meaning.

    Args:
        text: What the writer returned.
        sources: What may be quoted.
        conversation: What the row holds, which may be quoted too.
    """
    allowed = tuple(sources)
    for quotation in find_quotations(view_text(text).composed):
        if is_verbatim_in(quotation, conversation, allow_ellipsis=True):
            continue
        if not any(is_verbatim_in(quotation, source) for source in allowed):
            return fail_check(
                "quotations",
                "a quotation that stands, word for word, in no passage that may be quoted and "
                f"not in the conversation: {quotation!r}; say it in your own words, without "
                "quotation marks",
            )
    return pass_check("quotations")


def check_no_overlap(text: str, *, sources: Iterable[str], conversation: str) -> Check:
    """No run of twelve words may coincide with a source, where nothing is to be quoted.

    What it cannot see: a paraphrase that changes every twelfth word; a translation.

    Args:
        text: What the writer returned.
        sources: What must not be repeated.
        conversation: What the row holds, which may be.
    """
    if run := find_shared_ngram(text, sources, length=OVERLAP_NGRAM_LENGTH, allowed=conversation):
        return fail_check("own_words", f"word for word from the document: {' '.join(run)!r}")
    return pass_check("own_words")


# ---- Mentions of the document

_DOCUMENT_MENTION = re.compile(
    r"\b(constitution|charter|model spec)s?\b|\b(?:document|set|list) of (principle|value)s\b"
    r"|\b(?:my|our|these) (?:own |guiding )?(guideline|guiding principle)s\b"
    r"|\bthe (guideline)s (?:that )?(?:I|say|state|ask|require|tell)\b"
    r"|\bmy (?:own )?(specification|value document)\b"
    r"|\b(?:principles|rules|values) (?:that )?I (?:was|have been|am) (?:given|trained|taught)\b"
    r"|\bmy (training|programming)\b|\b(constitución|constituição|costituzione|конституци)"
    r"|(憲法|宪法|헌법|संविधान|دستور)",
    re.IGNORECASE,
)


def check_no_document_mention(text: str, *, title: str, conversation: str) -> Check:
    """The document of principles must not be mentioned.

    What it cannot see: a title of one word, which may be any word; an allusion ("what I stand
    for"); most mentions in other languages than English, of which it knows the word for
    "constitution" in some.

    Args:
        text: What the writer returned.
        title: The document's title.
        conversation: What the row holds; a mention that stands there is not the writer's.
    """
    found = find_disallowed(view_text(text).composed, _DOCUMENT_MENTION, allowed=conversation)
    if found is None and len(title.split()) > 1:
        wanted = view_text(title).folded
        named = is_verbatim_in(wanted, view_text(text).folded)
        if named and not is_verbatim_in(wanted, view_text(conversation).folded):
            found = view_text(title).composed
    if found:
        return fail_check("unnamed", f"mentions the document of principles: {found!r}")
    return pass_check("unnamed")


def is_document_mentioned(text: str, title: str) -> bool:
    """Say whether a text mentions the document of principles, by its title or by what it is."""
    return bool(_DOCUMENT_MENTION.search(text)) or is_verbatim_in(title.casefold(), text.casefold())


# ---- What must be preserved

_URL = re.compile(
    r"https?://(?:[^\s<>()\[\]{}\"'`“”‘’«»。，、；：！？（）「」『』]|\([^\s()]*\))+(?<![.,;:!?*_~…])",
    re.IGNORECASE,
)
_LIST_ORDINAL = re.compile(r"^[ \t>]*\d{1,9}[.)](?=[ \t])", re.MULTILINE)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*(?:[ \u00a0]?%)?")


def check_content_preserved(text: str, *, original: str) -> list[Check]:
    """Code blocks, URLs and numbers of the original must all be in a text that replaces it.

    A code block may move into a list or out of it; the numbers of a list's items do not count.

    What it cannot see: how often something stood there; a code block that was never closed;
    numbers in words; a number that is written in another way ("1,000" for "1000") counts as lost.

    Args:
        text: What the writer returned.
        original: What it replaces.
    """
    return [
        _check_parts_present("code_kept", extract_code_blocks(original), extract_code_blocks(text)),
        _check_parts_present("urls_kept", _URL.findall(original), _URL.findall(text)),
        _check_parts_present("numbers_kept", _find_numbers(original), _find_numbers(text)),
    ]


def _check_parts_present(name: str, wanted: Sequence[str], present: Sequence[str]) -> Check:
    lost = [part for part in wanted if part not in present]
    if lost:
        return fail_check(name, f"the response's {lost[0].strip()[:80]!r} is missing or changed")
    return pass_check(name)


def _find_numbers(text: str) -> list[str]:
    found = _NUMBER.findall(_LIST_ORDINAL.sub("", text))
    return [number.replace(" ", "").replace("\u00a0", "") for number in found]
