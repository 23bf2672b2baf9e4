"""What a check says, and the question each begins with: did the text bring this in itself?"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from .._text import view_text

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


def find_disallowed(text: str, *patterns: re.Pattern[str], allowed: str) -> str | None:
    """Return the first find that a text has and what it is allowed to repeat has not.

    The patterns are tried in turn. Of a pattern's groups, the first that matched is the word that
    speaks for the whole: where the allowed text has it, the find belongs to the subject and not to
    the writer.
    """
    folded = view_text(allowed).folded
    for pattern in patterns:
        for found in pattern.finditer(text):
            term = next(filter(None, found.groups()), found[0])
            if not _contains_term(folded, term.casefold()):
                return found[0]
    return None


def _contains_term(text: str, term: str) -> bool:
    # "7" does not stand in "1730".
    if term[:1].isdigit() or term[-1:].isdigit():
        return re.search(rf"(?<!\d){re.escape(term)}(?!\d)", text) is not None
    return term in text


def check_length(text: str, *, min_words: int, max_words: int) -> Check:
    """The number of words must lie within bounds; see `count_words`."""
    count = view_text(text).word_count
    if count < min_words:
        return fail_check("length", f"too short: {count} words, at least {min_words} are wanted")
    if count > max_words:
        return fail_check("length", f"too long: {count} words, at most {max_words} are wanted")
    return pass_check("length")
