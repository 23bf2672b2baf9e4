"""What a row must keep, and what is checked of a response that a model gave in its conversation."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from whyset.datasets import Conversation, Row, extract_response, is_identical, replace_context
from whyset.retriever import ScoredPassage

from ._conversation import find_system_message, messages_before_response
from ._text import count_words
from ._variety import WordLimits
from .checks import (
    DEFAULT_STYLE_LIMITS,
    Check,
    CheckContext,
    Checks,
    check_condition,
    check_language,
)

ROW_LANGUAGE: Final = "row"
"""The language of the row's own conversation, as an option says it."""

LANGUAGE_PATTERN: Final = r"^(?:row|[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*)$"
"""What such an option may be: that, or an ISO 639 code."""

# What a person asked for may be a list from end to end, and mark what it likes.
ROW_STYLE_LIMITS: Final = replace(
    DEFAULT_STYLE_LIMITS, bullet_share=1.0, bold=1000.0, one_liners=1000.0
)
"""The limits of style where the form is not the writer's to choose."""

RESPONSE_CHECKS = Checks(
    "length",
    "no_leak",
    "no_injection",
    "unnamed",
    "own_words",
    "no_testing",
    "no_eval_scenario",
    "no_self_continuation",
    "preachy",
    "no_credentials",
    "names",
    "tics",
)
"""Of a response. Facts, links and figures may be what a row asks for; no check forbids them."""

_CONTEXT_COLUMNS = frozenset({"system", "tools"})
_MAX_PEOPLE = 12
_MIN_WORDS = 2
_MIN_REFERENCE_WORDS = 200
_MAX_LENGTH_RATIO = 4


def check_row_preserved(
    row: Row,
    changed: Row,
    *,
    response_changed: bool,
    context_changed: bool,
    extended_system: str = "",
) -> list[Check]:
    """What was promised to stay must be the same to the last byte.

    Where the surroundings are new, both rows are stripped of system prompt and tools, and what is
    left is compared.
    """
    old, new = (_strip_context(row), _strip_context(changed)) if context_changed else (row, changed)
    parted = [extract_response(one) for one in (old, new)]
    left = (
        [part.other_columns for part in parted] if response_changed else [old.columns, new.columns]
    )
    asked = [_user_turns(one.conversation) for one in (row, changed)]
    kept = [(part.content, part.reasoning) for part in parted]
    return [
        check_condition(
            "user_turn_identical", is_identical(*asked), "a turn of the user's was changed"
        ),
        Check("response_identical", "skipped", "a new response was asked for")
        if response_changed
        else check_condition("response_identical", is_identical(*kept), "the response was changed"),
        check_condition(
            "columns_identical", is_identical(*left), "something beside them was changed"
        ),
        _check_context_preserved(row, changed, extended_system)
        if context_changed
        else Check("own_surroundings_kept", "skipped", "nothing was added to them"),
    ]


def check_sampled_response(
    response: str,
    *,
    conversation: Conversation,
    allowed: str,
    injected: Iterable[str],
    passages: Sequence[ScoredPassage],
    title: str,
    language: str,
) -> list[Check]:
    """Run every check that a sampled response can be held to without a model."""
    # Where nothing was injected, a response that speaks of a prompt is found all the same.
    injected = tuple(injected)
    words = max(count_words(conversation.response.text), _MIN_REFERENCE_WORDS)
    context = CheckContext(
        conversation=allowed,
        limits=WordLimits(0, words, _MIN_WORDS, _MAX_LENGTH_RATIO * words),
        title=title,
        passages=passages,
        instructions="\n\n".join(injected),
        injected=injected,
        max_people=_MAX_PEOPLE,
        style=ROW_STYLE_LIMITS,
    )
    return [
        *RESPONSE_CHECKS.run(response, context),
        check_row_language(response, language=language),
    ]


def check_row_language(text: str, *, language: str) -> Check:
    """The text must be in the language asked for; whether it is in the row's, the judge says."""
    if language == ROW_LANGUAGE:
        return Check("language", "skipped", "the row's own language is nowhere stated")
    return check_language(text, language=language)


def text_before_response(conversation: Conversation) -> str:
    """Return what the response answers, but for the system prompt."""
    return "\n\n".join(message.text for message in messages_before_response(conversation))


def _check_context_preserved(row: Row, changed: Row, extended: str) -> Check:
    own = [tool.definition for tool in row.conversation.tool_definitions]
    now = [tool.definition for tool in changed.conversation.tool_definitions[: len(own)]]
    system = find_system_message(changed.conversation)
    kept = is_identical(own, now) and (
        not extended or (system is not None and extended in system.text)
    )
    return check_condition(
        "own_surroundings_kept", kept, "its own tools or system prompt were changed"
    )


def _strip_context(row: Row) -> Row:
    """Return a row without system prompt and tools, nor columns that were made for them."""
    bare = replace_context(row, "", [] if row.conversation.tool_definitions else None)
    columns = {
        name: value for name, value in bare.columns.items() if name not in _CONTEXT_COLUMNS or value
    }
    return replace(bare, columns=columns)


def _user_turns(conversation: Conversation) -> list[Any]:
    return [
        (message.text, message.name, list(message.parts), dict(message.extra_fields))
        for message in conversation.messages
        if message.role == "user"
    ]
