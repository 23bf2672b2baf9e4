"""Which checks a deliberation must pass, by channel and by how it may cite."""

from collections.abc import Mapping, Sequence
from typing import Any

from whyset.datasets import (
    Channel,
    Conversation,
    ResponseParts,
    Row,
    extract_response,
    is_identical,
)
from whyset.retriever import ScoredPassage

from .._rendering import conversation_text
from .._text import count_words
from .._variety import WordLimits
from .._work import passage_texts
from ..checks import (
    Check,
    check_condition,
    check_content_preserved,
    check_length,
    check_names,
    check_no_document_mention,
    check_no_eval_awareness,
    check_no_invented_section,
    check_no_leak,
    check_no_overlap,
    check_no_self_preservation,
    check_quotations,
    check_style,
)
from ._schemas import Cite

_FEWEST_WORDS = 15
_MOST_NAMES = 12


def word_limits(response: str, channel: Channel) -> WordLimits:
    """Return bounds in proportion to the response: reasoning must not dwarf what it explains."""
    words = count_words(response)
    if channel == "inline":
        added = min(max(words // 2, 50), 300)
        return WordLimits(words + 20, words + added, max(words * 3 // 4, 1), words + 2 * added)
    high = min(max(words * 3 // 5, 90), 350)
    if channel == "thinking":
        high = min(max(words, 130), 500)
    return WordLimits(high // 3, high, _FEWEST_WORDS, 2 * high)


def check_deliberation(
    draft: str,
    *,
    conversation: Conversation,
    passages: Sequence[ScoredPassage],
    title: str,
    channel: Channel,
    cite: Cite,
    instructions: str,
) -> list[Check]:
    """Run every check that the text itself can be held to, without a model.

    Args:
        draft: What the writer returned.
        conversation: The row's, with the response that the draft belongs to.
        passages: What the writer was shown.
        title: The constitution's.
        channel: Where the draft goes.
        cite: Whether it may name or quote the constitution.
        instructions: What the writer was told.
    """
    spoken = conversation_text(conversation)
    sources = [text for found in passages for text in passage_texts(found)]
    quotable = [*sources, *_names(passages, title)] if cite == "explicit" else ()
    bounds = word_limits(conversation.response.text, channel)
    checks = [
        check_quotations(draft, sources=quotable, conversation=spoken),
        check_no_leak(
            draft,
            passage_ids=[found.passage.id for found in passages],
            conversation=spoken,
            instructions=instructions,
        ),
        check_no_eval_awareness(draft, conversation=spoken),
        check_no_self_preservation(draft, conversation=spoken),
        check_no_invented_section(
            draft,
            constitution_headings=_headings(passages),
            title=title,
            allowed=spoken,
        ),
        check_names(draft, max_people=_MOST_NAMES, allowed=spoken),
        _check_style(draft, channel),
        Check("language", "skipped", "the row's own language is nowhere stated"),
        check_length(draft, min_words=bounds.min_words, max_words=bounds.max_words),
    ]
    if cite == "explicit":
        checks += [Check("unnamed", "skipped"), Check("own_words", "skipped")]
    else:
        checks += [
            check_no_document_mention(draft, title=title, conversation=spoken),
            check_no_overlap(draft, sources=sources, conversation=spoken),
        ]
    if channel == "inline":
        checks += check_content_preserved(draft, original=conversation.response.text)
    return checks


def check_repair(
    repaired: str, *, conversation: Conversation, passages: Sequence[ScoredPassage], title: str
) -> list[Check]:
    """Run the checks that any text must pass before it stands in a response's place."""
    spoken = conversation_text(conversation)
    return [
        check_no_leak(
            repaired, passage_ids=[found.passage.id for found in passages], conversation=spoken
        ),
        check_no_eval_awareness(repaired, conversation=spoken),
        check_no_self_preservation(repaired, conversation=spoken),
        check_no_document_mention(repaired, title=title, conversation=spoken),
    ]


def check_columns_preserved(
    row: Row, columns: Mapping[str, Any], *, channel: Channel, repaired: bool = False
) -> list[Check]:
    """The columns about to be written must hold all that was promised to stay, byte for byte.

    Args:
        row: The row as it came.
        columns: What is about to be written.
        channel: Where a text was put.
        repaired: Whether the response is another, and its reasoning gone, by intention.
    """
    old, new = extract_response(row), extract_response(row, columns)
    kept = is_identical(new.other_columns, old.other_columns)
    if not repaired:
        kept = kept and (old.think_tags is None or new.think_tags == old.think_tags)
        kept = kept and _reasoning_kept(old, new, channel)
    return [
        _check_response(old, new, channel, repaired=repaired),
        check_condition("columns_identical", kept, "something beside the response was changed"),
    ]


def _names(passages: Sequence[ScoredPassage], title: str) -> tuple[str, ...]:
    """Return the headings and the title, which may stand in quotation marks when named."""
    return (title, *_headings(passages))


def _headings(passages: Sequence[ScoredPassage]) -> tuple[str, ...]:
    return tuple(heading for found in passages for heading in found.passage.path)


def _check_style(draft: str, channel: Channel) -> Check:
    if channel == "inline":
        return Check("tics", "skipped", "the style of the response it rewrites is not the writer's")
    return check_style(draft)


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


def _reasoning_kept(old: ResponseParts, new: ResponseParts, channel: Channel) -> bool:
    if channel != "thinking":
        return is_identical(new.reasoning, old.reasoning)
    if isinstance(new.reasoning, list):  # thinking blocks: ours, and behind it what was there
        return is_identical(new.reasoning[1:], old.reasoning or [])
    return isinstance(new.reasoning, str) and new.reasoning.endswith(old.reasoning or "")
