"""How a text begins: no opening may become a corpus's habit."""

import re
from collections.abc import Mapping

from .._words import first_words
from ._check import Check, composed, failed, passed

_WORDS = 4
_HEADING = re.compile(
    r"^[ \t]*#{1,6}[ \t][^\n]*(?:\n|\Z)|^[^\n]+\n(?:={3,}|-{3,})[ \t]*(?:\n|\Z)", re.M
)


def opening_of(text: str) -> str:
    """Return the first four words of a text's prose, in lower case and without marks.

    Headings are passed over: they say nothing of how the prose begins; where there is nothing
    else they are taken. Of a script without spaces, what counts as four words (see `count_words`).
    """
    text = composed(text)
    return " ".join(first_words(_HEADING.sub("", text), _WORDS) or first_words(text, _WORDS))


def check_opening(text: str, *, used: Mapping[str, int], cap: int) -> Check:
    """The opening must not have begun so many texts of the corpus already.

    What it cannot see: the same opening with another word among the first four.

    Args:
        text: What the writer returned.
        used: How often each opening was used, by what `opening_of` returns.
        cap: From so many uses on, an opening is used up.
    """
    opening = opening_of(text)
    if opening and used.get(opening, 0) >= cap:
        return failed(
            "opening", f"begins with {opening!r}, as {used[opening]} others do; begin otherwise"
        )
    return passed("opening")
