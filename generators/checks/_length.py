"""How long a text may be."""

from .._words import count_words
from ._check import Check, composed, failed, passed


def check_length(text: str, *, fewest: int, most: int) -> Check:
    """The number of words must lie within bounds; see `count_words`."""
    count = count_words(composed(text))
    if count < fewest:
        return failed("length", f"too short: {count} words, at least {fewest} are wanted")
    if count > most:
        return failed("length", f"too long: {count} words, at most {most} are wanted")
    return passed("length")
