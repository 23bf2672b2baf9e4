"""Whose words a text uses: quotations that exist, and none where nothing is to be quoted."""

import re
from collections.abc import Iterable, Sequence

from .._text import code_blocks, quotations, shared_run, stands_in
from ._check import Check, brought_in, composed, failed, passed

# ---- The document of principles must not be mentioned where a text gives its reasons as its own.

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


def check_unnamed(text: str, *, title: str, conversation: str) -> Check:
    """The document of principles must not be mentioned.

    What it cannot see: a title of one word, which may be any word; an allusion ("what I stand
    for"); most mentions in other languages than English, of which it knows the word for
    "constitution" in some.
    """
    text, conversation, title = composed(text), composed(conversation), composed(title)
    found = brought_in(_DOCUMENT, text, conversation)
    if found is None and len(title.split()) > 1:
        wanted = title.casefold()
        named = stands_in(wanted, text.casefold())
        found = title if named and not stands_in(wanted, conversation.casefold()) else None
    if found:
        return failed("unnamed", f"mentions the document of principles: {found!r}")
    return passed("unnamed")


def names_document(text: str, title: str) -> bool:
    """Say whether a text mentions the document of principles, by its title or by what it is."""
    return bool(_DOCUMENT.search(text)) or stands_in(title.casefold(), text.casefold())


# ---- What a text that replaces another must keep of it.

_URL = re.compile(
    r"https?://(?:[^\s<>()\[\]{}\"'`“”‘’«»。，、；：！？（）「」『』]|\([^\s()]*\))+"
    r"(?<![.,;:!?*_~…])",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"^[ \t>]*\d{1,9}[.)](?=[ \t])", re.MULTILINE)
_NUMBER = re.compile(r"\d+(?:[.,:]\d+)*(?:[ \u00a0]?%)?")


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


def _kept(name: str, wanted: Sequence[str], present: Sequence[str]) -> Check:
    lost = [part for part in wanted if part not in present]
    if lost:
        return failed(name, f"the response's {lost[0].strip()[:80]!r} is missing or changed")
    return passed(name)


def _numbers(text: str) -> list[str]:
    found = _NUMBER.findall(_ORDINAL.sub("", text))
    return [number.replace(" ", "").replace("\u00a0", "") for number in found]


LONGEST_ECHO = 12
"""Words in a row that may not coincide with a text that is not to be quoted."""


def check_quotations(text: str, *, sources: Iterable[str], conversation: str) -> Check:
    """Every quotation must stand word for word in a source or in the conversation.

    Of the conversation's words some may be left out where an ellipsis stands; a source is quoted
    whole. A translated quotation is none. For the rest see `quotations` and `stands_in`.
    """
    allowed = tuple(sources)
    for quotation in quotations(composed(text)):
        if stands_in(quotation, conversation, gaps=True):
            continue
        if not any(stands_in(quotation, source) for source in allowed):
            return failed(
                "quotations",
                f"a quotation that stands, word for word, in no passage that may be quoted and "
                f"not in the conversation: {quotation!r}; say it in your own words, without "
                "quotation marks",
            )
    return passed("quotations")


def check_no_echo(text: str, *, sources: Iterable[str], conversation: str) -> Check:
    """No run of twelve words may coincide with a source, where nothing is to be quoted.

    What it cannot see: a paraphrase that changes every twelfth word; a translation.
    """
    allowed = composed(conversation)
    if run := shared_run(
        composed(text), map(composed, sources), length=LONGEST_ECHO, allowed=allowed
    ):
        return failed("own_words", f"word for word from the document: {' '.join(run)!r}")
    return passed("own_words")
