"""What a check says, and the question each begins with: did the text bring this in itself?"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from .._text import count_words, strip_code_blocks

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


def pass_check(name: str) -> Check:
    """Return a check that found nothing."""
    return Check(name, "passed")


def fail_check(name: str, detail: str) -> Check:
    """Return a check that found something; the detail tells the writer what to change."""
    return Check(name, "failed", detail)


def check_condition(name: str, condition: bool, detail: str) -> Check:
    """Return a check that passed where a rule is kept; the detail is for where it is not."""
    return pass_check(name) if condition else fail_check(name, detail)


def failed_checks(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return the checks that failed; a skipped one has neither failed nor passed."""
    return tuple(check for check in checks if check.status == "failed")


def normalize_unicode(text: str) -> str:
    """Return a text with its letters composed: a pattern must not depend on how é is encoded."""
    return unicodedata.normalize("NFC", text)


def extract_prose(text: str) -> str:
    """Return a text as patterns read it: letters composed, code blocks gone."""
    return strip_code_blocks(normalize_unicode(text))


def find_disallowed(pattern: re.Pattern[str], text: str, allowed: str) -> str | None:
    """Return the first find that a text has and what it is allowed to repeat has not.

    Of a pattern's groups, the first that matched is the word that speaks for the whole: where the
    allowed text has it, the find belongs to the subject and not to the writer.
    """
    return next(iter_disallowed(pattern, text, allowed), None)


def iter_disallowed(pattern: re.Pattern[str], text: str, allowed: str) -> Iterator[str]:
    """Yield every find that a text has and what it is allowed to repeat has not."""
    spoken = normalize_unicode(allowed).casefold()
    for found in pattern.finditer(text):
        telling = next(filter(None, found.groups()), found[0])
        if not _contains_term(telling.casefold(), spoken):
            yield found[0]


def _contains_term(telling: str, spoken: str) -> bool:
    # "7" does not stand in "1730".
    if telling[:1].isdigit() or telling[-1:].isdigit():
        return re.search(rf"(?<!\d){re.escape(telling)}(?!\d)", spoken) is not None
    return telling in spoken


# ---- How long a text may be.


def check_length(text: str, *, min_words: int, max_words: int) -> Check:
    """The number of words must lie within bounds; see `count_words`."""
    count = count_words(normalize_unicode(text))
    if count < min_words:
        return fail_check("length", f"too short: {count} words, at least {min_words} are wanted")
    if count > max_words:
        return fail_check("length", f"too long: {count} words, at most {max_words} are wanted")
    return pass_check("length")
