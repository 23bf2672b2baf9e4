"""No addresses that lead out of the text: none of them would be real."""

import re

from ._check import Check, brought_in, composed, failed, passed, prose_of

# Endings that are words too (`in`, `it`, `is`, `at`, …) or those of files (`py`, `md`, `rs`, …) are
# left out: a space forgotten after a full stop must not make a domain.
_ENDINGS = (
    r"(?:com|org|net|edu|gov|mil|int|info|biz|io|ai|dev|app|xyz|eu|example|(?:co|org|ac|gov)\.uk"
    r"|com\.(?:au|br|cn|tr)|co\.(?:jp|nz|za|kr|in))"
)
_LINK = re.compile(
    r"\b(?:https?|ftp|file|wss?)://\S+|\b(?:mailto|tel):\S+|\bwww\.[\w-]+\.\S+"
    r"|(?<![\w.+-])[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+"
    r"|(?<![\w.+-])[\w.+-]{2,64} ?[\[(](?:at|@)[\])] ?[\w-]+(?: ?[\[(](?:dot|\.)[\])] ?|\.)\w+"
    rf"|(?<![\w@./-])(?:[a-z0-9](?:[a-z0-9-]{{0,61}}[a-z0-9])?\.){{1,8}}{_ENDINGS}\b(?![\w-]|\.\w)"
    r"|\bdoi:\s?\S+|\b10\.\d{4,9}/[^\s\])>]+|\barXiv:\s?\d{4}\.\d{4,5}"
    r"|\bISBN(?:-1[03])?:? ?[\dX -]{9,}",
    re.IGNORECASE,
)
_MARKDOWN_LINK = re.compile(r"(?<!\\)\[[^\[\]\n]{1,300}\]\([^)\s]+(?: \"[^\"\n]*\")?\)")
_HANDLE = re.compile(r"(?<![\w@./`])@[A-Za-z_]\w{2,}\b(?![@.]\w)|(?<![\w/])u/[A-Za-z]\w{2,}")
_CODE_SPAN = re.compile(r"`[^`\n]*`")


def check_no_links(text: str, *, allowed: str = "") -> Check:
    """No URL, e-mail address, domain name, DOI, ISBN, Markdown link or @handle.

    Handles in code are none (a decorator looks like one); all else is found in code too.

    What it cannot see: a domain of an ending it does not know, without `www.` or a scheme; the
    name of a site that is said as a name; a street's address.

    Args:
        text: What the writer returned.
        allowed: What it may repeat.
    """
    prose = _CODE_SPAN.sub("", prose_of(text))
    for pattern, where in ((_LINK, composed(text)), (_MARKDOWN_LINK, prose), (_HANDLE, prose)):
        if found := brought_in(pattern, where, allowed):
            return failed("no_links", f"holds an address: {found.strip()[:80]!r}; leave it out")
    return passed("no_links")
