"""Whose words a text uses: quotations that exist, and none where nothing is to be quoted."""

from collections.abc import Iterable

from .._quotations import quotations, stands_in
from .._words import shared_run
from ._check import Check, composed, failed, passed

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
