"""What a row must keep, and what a response must be that a model gave in its conversation."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final

from whyset.datasets import Conversation, Row, identical, part_columns, with_context
from whyset.retriever import ScoredPassage

from ._conversation import before_response, system_message
from ._text import count_words
from ._work import shown_texts
from .checks import (
    DEFAULT_TIC_LIMITS,
    Check,
    check_language,
    check_length,
    check_names,
    check_no_credentials,
    check_no_echo,
    check_no_eval_scenario,
    check_no_injection_trace,
    check_no_leak,
    check_no_self_continuation,
    check_no_testing,
    check_not_preachy,
    check_tics,
    check_unnamed,
    checked,
)

OF_THE_ROW: Final = "row"
"""The language of the row's own conversation, as an option says it."""

LANGUAGES: Final = r"^(?:row|[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*)$"
"""What such an option may be: that, or an ISO 639 code."""

# What a person asked for may be a list from end to end, and mark what it likes.
ROW_TIC_LIMITS: Final = replace(
    DEFAULT_TIC_LIMITS, bullet_share=1.0, bold=1000.0, one_liners=1000.0
)
"""The limits of style where the form is not the writer's to choose."""

_CONTEXT = frozenset({"system", "tools"})
_MOST_NAMES = 12
_FEWEST_WORDS = 2
_SHORT_RESPONSE = 200
_TIMES_AS_LONG = 4


def check_row_kept(
    row: Row,
    changed: Row,
    *,
    responded: bool,
    surrounded: bool,
    extended: str = "",
) -> list[Check]:
    """What was promised to stay must be the same to the last byte.

    Where the surroundings are new, both rows are stripped of system prompt and tools, and what is
    left is compared.

    Args:
        row: The row as it came.
        changed: The row as it is about to be written.
        responded: Whether the response is another by intention.
        surrounded: Whether system prompt and tools are.
        extended: The row's own system prompt, where it must still be there to the letter.
    """
    old, new = (_stripped(row), _stripped(changed)) if surrounded else (row, changed)
    parted = [part_columns(one) for one in (old, new)]
    left = [part.others for part in parted] if responded else [old.columns, new.columns]
    asked = [_asked(one.conversation) for one in (row, changed)]
    kept = [(part.content, part.reasoning) for part in parted]
    return [
        checked("user_turn_identical", identical(*asked), "a turn of the user's was changed"),
        Check("response_identical", "skipped", "a new response was asked for")
        if responded
        else checked("response_identical", identical(*kept), "the response was changed"),
        checked("columns_identical", identical(*left), "something beside them was changed"),
        _check_own_kept(row, changed, extended)
        if surrounded
        else Check("own_surroundings_kept", "skipped", "nothing was added to them"),
    ]


def check_responded(
    response: str,
    *,
    conversation: Conversation,
    known: str,
    injected: Iterable[str],
    passages: Sequence[ScoredPassage],
    title: str,
    language: str,
) -> list[Check]:
    """Run every check that a sampled response can be held to without a model.

    Facts, links and figures may be what a row asks for; no check forbids them here.

    Args:
        response: What a model answered.
        conversation: The row's, with the response that it is to take the place of.
        known: All that stays beside it, which it may repeat.
        injected: What stood in the prompt and is taken away again.
        passages: What a model is shown of the constitution.
        title: The constitution's.
        language: The one asked for, or the row's own.
    """
    injected = tuple(injected)
    words = max(count_words(conversation.response.text), _SHORT_RESPONSE)
    sources = [text for scored in passages for text in shown_texts(scored)]
    return [
        check_length(response, fewest=_FEWEST_WORDS, most=_TIMES_AS_LONG * words),
        check_no_leak(
            response,
            passage_ids=[scored.passage.id for scored in passages],
            conversation=known,
            instructions="\n\n".join(injected),
        ),
        # Where nothing is taken away, that it speaks of a prompt is found all the same.
        check_no_injection_trace(response, injected=injected, conversation=known),
        check_unnamed(response, title=title, conversation=known),
        check_no_echo(response, sources=sources, conversation=known),
        check_no_testing(response, conversation=known),
        check_no_eval_scenario(response),
        check_no_self_continuation(response, conversation=known),
        check_not_preachy(response, allowed=known),
        check_no_credentials(response, allowed=known),
        check_names(response, limit=_MOST_NAMES, allowed=known),
        check_tics(response, limits=ROW_TIC_LIMITS),
        check_row_language(response, language=language),
    ]


def check_row_language(text: str, *, language: str) -> Check:
    """The text must be in the language asked for; of the row's own, a judge is the judge."""
    if language == OF_THE_ROW:
        return Check("language", "skipped", "the row's own language is nowhere stated")
    return check_language(text, language=language)


def said_before(conversation: Conversation) -> str:
    """Return what the response answers, but for the system prompt."""
    return "\n\n".join(message.text for message in before_response(conversation))


def _check_own_kept(row: Row, changed: Row, extended: str) -> Check:
    own = [tool.definition for tool in row.conversation.offered]
    now = [tool.definition for tool in changed.conversation.offered[: len(own)]]
    held = system_message(changed.conversation)
    kept = identical(own, now) and (not extended or (held is not None and extended in held.text))
    return checked("own_surroundings_kept", kept, "its own tools or system prompt were changed")


def _stripped(row: Row) -> Row:
    """Return a row without system prompt and tools, nor columns that were made for them."""
    bare = with_context(row, "", [] if row.conversation.offered else None)
    columns = {name: value for name, value in bare.columns.items() if name not in _CONTEXT or value}
    return replace(bare, columns=columns)


def _asked(conversation: Conversation) -> list[Any]:
    return [
        (message.text, message.name, list(message.parts), dict(message.others))
        for message in conversation.messages
        if message.role == "user"
    ]
