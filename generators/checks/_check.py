"""What a check says, and the question each begins with: did the text bring this in itself?"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from .._text import count_words, without_code

CheckStatus = Literal["passed", "failed", "skipped"]


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


def passed(name: str) -> Check:
    """Return a check that found nothing."""
    return Check(name, "passed")


def failed(name: str, detail: str) -> Check:
    """Return a check that found something; the detail tells the writer what to change."""
    return Check(name, "failed", detail)


def checked(name: str, kept: bool, detail: str) -> Check:
    """Return a check that passed where a rule is kept; the detail is for where it is not."""
    return passed(name) if kept else failed(name, detail)


def failed_checks(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return the checks that failed; a skipped one has neither failed nor passed."""
    return tuple(check for check in checks if check.status == "failed")


def composed(text: str) -> str:
    """Return a text with its letters composed: a pattern must not depend on how é is encoded."""
    return unicodedata.normalize("NFC", text)


def prose_of(text: str) -> str:
    """Return a text as patterns read it: letters composed, code blocks gone."""
    return without_code(composed(text))


def brought_in(pattern: re.Pattern[str], text: str, allowed: str) -> str | None:
    """Return the first find that a text has and what it is allowed to repeat has not.

    Of a pattern's groups, the first that matched is the word that speaks for the whole: where the
    allowed text has it, the find belongs to the subject and not to the writer.
    """
    return next(all_brought_in(pattern, text, allowed), None)


def all_brought_in(pattern: re.Pattern[str], text: str, allowed: str) -> Iterator[str]:
    """Yield every find that a text has and what it is allowed to repeat has not."""
    spoken = composed(allowed).casefold()
    for found in pattern.finditer(text):
        telling = next(filter(None, found.groups()), found[0])
        if not _said(telling.casefold(), spoken):
            yield found[0]


def _said(telling: str, spoken: str) -> bool:
    # "7" does not stand in "1730".
    if telling[:1].isdigit() or telling[-1:].isdigit():
        return re.search(rf"(?<!\d){re.escape(telling)}(?!\d)", spoken) is not None
    return telling in spoken


# ---- How long a text may be.


def check_length(text: str, *, fewest: int, most: int) -> Check:
    """The number of words must lie within bounds; see `count_words`."""
    count = count_words(composed(text))
    if count < fewest:
        return failed("length", f"too short: {count} words, at least {fewest} are wanted")
    if count > most:
        return failed("length", f"too long: {count} words, at most {most} are wanted")
    return passed("length")
