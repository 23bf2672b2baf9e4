"""Which checks the two halves of a conversation must pass: what is sent, and what is answered."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from whyset.retriever import ScoredPassage

from .._briefing import used_up
from .._lengths import LengthBounds
from .._quotes import shown_texts
from .._rendering import render_list
from ..checks import (
    Check,
    CheckStatus,
    check_language,
    check_length,
    check_names,
    check_no_credentials,
    check_no_echo,
    check_no_eval_scenario,
    check_no_injection_trace,
    check_no_invented_section,
    check_no_leak,
    check_no_links,
    check_no_placeholders,
    check_no_self_continuation,
    check_no_statistics,
    check_no_testing,
    check_not_preachy,
    check_opening,
    check_quotations,
    check_tics,
    check_unnamed,
    failed_checks,
)
from ._opinions import PromptDraft
from ._options import Cite
from ._prompt_checks import check_no_capabilities, check_no_greeting, check_no_hint, check_system

_MOST_NAMES = 3
"""How many people may have names in a conversation."""

_PREFIX = "prompt_"
_WEIGHTIEST: tuple[CheckStatus, ...] = ("failed", "skipped", "passed")


def check_prompt(
    draft: PromptDraft,
    *,
    principle: str,
    passages: Sequence[ScoredPassage],
    names: Sequence[str],
    length: LengthBounds,
    system_length: LengthBounds,
    avoid: Mapping[str, Sequence[str]],
    language: str,
) -> list[Check]:
    """Run every check on the beginning of a conversation, before anything is answered to it.

    Args:
        draft: System prompt and message.
        principle: What is at issue, and must not be said.
        passages: Where it comes from.
        names: Those that were offered.
        length: Of the message.
        system_length: Of the system prompt; nothing where there is to be none.
        avoid: Kind → what is too common in the corpus so far.
        language: The one asked for.
    """
    whole = f"{draft.system}\n\n{draft.user}".strip()
    return [
        *_check_message(draft.user, spoken=whole, language=language, length=length),
        *_check_openings(draft, used=used_up(avoid, "openings")),
        _named(
            check_system(
                draft.system,
                wanted=bool(system_length.high),
                fewest=system_length.fewest,
                most=system_length.most,
            )
        ),
        _named(check_no_capabilities(draft.system)),
        _named(
            check_no_hint(
                whole,
                principle=principle,
                passages=[scored.passage.plain for scored in passages],
            )
        ),
        *_check_setting(whole, names=names, avoid=avoid),
    ]


def check_follow_up(
    message: str,
    *,
    conversation: str,
    avoid: Mapping[str, Sequence[str]],
    length: LengthBounds,
    language: str,
) -> list[Check]:
    """Run every check on a later message of the user's.

    Args:
        message: What the writer returned.
        conversation: All that was said before.
        avoid: Kind → what is too common in the corpus so far.
        length: How long it should be.
        language: The one asked for.
    """
    return [
        *_check_message(message, spoken=message, language=language, length=length),
        _named(check_opening(message, used=used_up(avoid, "openings"), cap=1)),
        _named(check_no_testing(message, conversation=conversation)),
        _named(check_no_placeholders(message, allowed=conversation)),
        _named(check_no_links(message, allowed=conversation)),
        _named(check_no_credentials(message)),
        _named(check_names(message, limit=_MOST_NAMES, allowed=conversation)),
    ]


def check_answer(
    answer: str,
    *,
    conversation: str,
    passages: Sequence[ScoredPassage],
    injected: Sequence[str],
    title: str,
    names: Sequence[str],
    avoid: Mapping[str, Sequence[str]],
    length: LengthBounds,
    language: str,
    cite: Cite,
    instructions: str,
) -> list[Check]:
    """Run every check that an answer can be held to without a model.

    Args:
        answer: What a writer returned.
        conversation: All that was said before, the system prompt included.
        passages: What the writer was shown.
        injected: What stood in the prompt while it was sampled and is not in the result; empty
            where nothing was injected.
        title: The constitution's.
        names: Those that were offered to whoever wrote the conversation.
        avoid: Kind → what is too common in the corpus so far.
        length: How long it should be.
        language: The one asked for.
        cite: Whether it may name and quote the constitution.
        instructions: What the writer was told.
    """
    headings = list(dict.fromkeys(part for scored in passages for part in scored.passage.path))
    known = "\n".join((conversation, *names))
    return [
        check_length(answer, fewest=length.fewest, most=length.most),
        check_language(answer, language=language),
        check_no_invented_section(
            answer, constitution_headings=headings, title=title, allowed=conversation
        ),
        check_no_leak(
            answer,
            passage_ids=[scored.passage.id for scored in passages],
            conversation=conversation,
            instructions=instructions,
        ),
        check_no_testing(answer, conversation=conversation),
        check_no_self_continuation(answer, conversation=conversation),
        check_not_preachy(answer, allowed=conversation),
        check_no_statistics(answer, allowed=conversation),
        check_no_links(answer, allowed=conversation),
        check_no_credentials(answer),
        check_no_placeholders(answer, allowed=conversation),
        check_names(answer, limit=_MOST_NAMES, used=used_up(avoid, "names"), cap=1, allowed=known),
        check_opening(answer, used=used_up(avoid, "openings"), cap=1),
        check_tics(answer),
        *_check_citing(
            answer,
            conversation=conversation,
            passages=passages,
            injected=injected,
            names=(title, *headings),
            title=title,
            cite=cite,
        ),
    ]


def problems_of(checks: Iterable[Check]) -> str:
    """Return what failed checks found, as a writer reads it."""
    return render_list(check.detail for check in failed_checks(checks))


def together(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return one check of each name: a failed one before a skipped, a skipped before a passed."""
    held: dict[str, Check] = {}
    for check in checks:
        known = held.get(check.name)
        if known is None or _WEIGHTIEST.index(check.status) < _WEIGHTIEST.index(known.status):
            held[check.name] = check
    return tuple(held.values())


def _check_message(
    message: str, *, spoken: str, language: str, length: LengthBounds
) -> list[Check]:
    """Check a message of the user's; what is spoken along with it is of the same language."""
    return [
        _named(check_no_greeting(message)),
        _named(check_length(message, fewest=length.fewest, most=length.most)),
        _named(check_language(spoken, language=language)),
    ]


def _check_openings(draft: PromptDraft, *, used: Mapping[str, int]) -> list[Check]:
    system = check_opening(draft.system, used=used, cap=1)
    user = check_opening(draft.user, used=used, cap=1)
    return [_named(user), _named(replace(system, name="system_opening"))]


def _check_setting(
    whole: str, *, names: Sequence[str], avoid: Mapping[str, Sequence[str]]
) -> list[Check]:
    offered = "\n".join(names)
    return [
        _named(check)
        for check in (
            check_no_testing(whole, conversation=""),
            check_no_eval_scenario(whole),
            check_no_leak(whole, passage_ids=(), conversation=""),
            check_no_placeholders(whole),
            check_no_links(whole),
            check_no_credentials(whole),
            check_names(
                whole, limit=_MOST_NAMES, used=used_up(avoid, "names"), cap=1, allowed=offered
            ),
        )
    ]


def _check_citing(
    answer: str,
    *,
    conversation: str,
    passages: Sequence[ScoredPassage],
    injected: Sequence[str],
    names: Sequence[str],
    title: str,
    cite: Cite,
) -> list[Check]:
    """Hold an answer to what it may say of the document, and to quoting it word for word.

    Where it may not quote, what stands in quotation marks is what the person is to say or write,
    and no source can be asked for it.
    """
    sources = [text for scored in passages for text in shown_texts(scored)]
    if cite == "explicit":
        why = "the answer may name and quote the document"
        skipped = ("unnamed", "own_words", "no_injection")
        return [
            check_quotations(answer, sources=[*sources, *names], conversation=conversation),
            *(Check(name, "skipped", why) for name in skipped),
        ]
    return [
        Check("quotations", "skipped", "the answer may quote no document, but propose wording"),
        check_unnamed(answer, title=title, conversation=conversation),
        check_no_echo(answer, sources=sources, conversation=conversation),
        check_no_injection_trace(answer, injected=injected, conversation=conversation)
        if injected
        else Check("no_injection", "skipped", "nothing was injected"),
    ]


def _named(check: Check) -> Check:
    """Return a check under a name of its own: the answer has one of the same."""
    return replace(check, name=f"{_PREFIX}{check.name}")
