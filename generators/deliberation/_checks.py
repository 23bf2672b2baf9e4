"""What a deliberation is checked for, by channel and by how it may cite."""

from collections.abc import Mapping
from typing import Any

from whyset.datasets import (
    Channel,
    ResponseParts,
    Row,
    extract_response,
    is_identical,
)

from .._rendering import conversation_text, passage_texts
from .._text import count_words
from .._variety import WordLimits
from .._work import WorkState
from ..checks import (
    Check,
    CheckContext,
    Checks,
    check_condition,
    check_content_preserved,
)
from ._schemas import Options

_MIN_WORDS = 15
_MAX_PEOPLE = 12

CHECKS = Checks(
    "quotations",
    "no_leak",
    "no_testing",
    "no_self_continuation",
    "invented_section",
    "names",
    "tics",
    "language",
    "length",
    "unnamed",
    "own_words",
    skip={"language": "the row's own language is nowhere stated"},
)
"""What the text that a writer returned is held to."""

REPAIR_CHECKS = Checks("no_leak", "no_testing", "no_self_continuation", "unnamed")
"""What a response is held to that replaces the row's own."""


def word_limits(response: str, channel: Channel) -> WordLimits:
    """Return limits in proportion to the response: reasoning must not dwarf what it explains."""
    words = count_words(response)
    if channel == "inline":
        added = min(max(words // 2, 50), 300)
        return WordLimits(words + 20, words + added, max(words * 3 // 4, 1), words + 2 * added)
    high = min(max(words * 3 // 5, 90), 350)
    if channel == "thinking":
        high = min(max(words, 130), 500)
    return WordLimits(high // 3, high, _MIN_WORDS, 2 * high)


def check_deliberation(draft: str, row: Row, options: Options, work: WorkState) -> list[Check]:
    """Check what a writer returned for a row."""
    response = row.conversation.response.text
    sources = [text for found in work.passages for text in passage_texts(found)]
    headings = [heading for found in work.passages for heading in found.passage.path]
    explicit, inline = options.cite == "explicit", options.channel == "inline"
    skip = {"unnamed": "", "own_words": ""} if explicit else {}
    if inline:
        skip["tics"] = "the style of the response it rewrites is not the writer's"
    context = CheckContext(
        conversation=conversation_text(row.conversation),
        limits=word_limits(response, options.channel),
        title=work.title,
        passages=work.passages,
        # Headings and title may stand in quotation marks where they are named.
        quotable=[*sources, work.title, *headings] if explicit else [],
        instructions=work.instructions("write"),
        max_people=_MAX_PEOPLE,
    )
    checks = CHECKS.run(draft, context, skip=skip)
    return [*checks, *check_content_preserved(draft, original=response)] if inline else checks


def check_repair(repaired: str, row: Row, work: WorkState) -> list[Check]:
    """Check a response that is to replace a row's own."""
    context = CheckContext(
        conversation=conversation_text(row.conversation), title=work.title, passages=work.passages
    )
    return REPAIR_CHECKS.run(repaired, context)


def check_columns_preserved(
    row: Row, columns: Mapping[str, Any], *, channel: Channel, repaired: bool = False
) -> list[Check]:
    """The columns about to be written must hold all that was promised to stay, byte for byte."""
    old, new = extract_response(row), extract_response(row, columns)
    kept = is_identical(new.other_columns, old.other_columns)
    if not repaired:
        kept = kept and (old.think_tags is None or new.think_tags == old.think_tags)
        kept = kept and _is_reasoning_preserved(old, new, channel)
    return [
        _check_response(old, new, channel, repaired=repaired),
        check_condition("columns_identical", kept, "something beside the response was changed"),
    ]


def _check_response(
    old: ResponseParts, new: ResponseParts, channel: Channel, *, repaired: bool
) -> Check:
    name = "response_identical"
    if repaired:
        return Check(name, "skipped", "the response was repaired")
    if channel == "inline":
        return Check(name, "skipped", "an inline deliberation rewrites the response")
    if channel == "thinking":
        kept = is_identical(new.content, old.content)
    elif isinstance(old.content, list):
        kept = isinstance(new.content, list) and is_identical(new.content[1:], old.content)
    else:
        kept = isinstance(new.content, str) and new.content.endswith(old.content or "")
    return check_condition(name, kept, "the response was changed")


def _is_reasoning_preserved(old: ResponseParts, new: ResponseParts, channel: Channel) -> bool:
    if channel != "thinking":
        return is_identical(new.reasoning, old.reasoning)
    if isinstance(new.reasoning, list):  # thinking blocks: ours, and behind it what was there
        return is_identical(new.reasoning[1:], old.reasoning or [])
    return isinstance(new.reasoning, str) and new.reasoning.endswith(old.reasoning or "")
