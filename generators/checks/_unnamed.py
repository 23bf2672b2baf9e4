"""The document of principles must not be mentioned where a text gives its reasons as its own."""

import re

from .._quotations import stands_in
from ._check import Check, brought_in, composed, failed, passed

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
