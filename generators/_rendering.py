"""Passages, conversations and briefs as a model reads them, and as a search for passages does."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from whyset.datasets import Conversation, Message, ToolDefinition
from whyset.retriever import ScoredPassage

from ._brief import Brief
from ._conversation import find_system_message, messages_before_response
from ._prompts import fence

_MAX_QUERY_CHARS = 1000
_MAX_QUERY_TURNS = 4

NONE_SHOWN: Final = "(none)"
"""What is shown where there is nothing."""


def render_list(items: Iterable[str]) -> str:
    """Return texts as a list, one a line."""
    return "\n".join(f"- {' '.join(item.split())}" for item in items) or "(none)"


# ---- Passages.


def render_passages(passages: Sequence[ScoredPassage]) -> str:
    """Return passages as numbered text under their headings. Ids are left out: none can leak."""
    if not passages:
        return "(none were found)"
    parts = []
    for number, found in enumerate(passages, start=1):
        passage = found.passage
        heading = " > ".join(passage.path) or "(before the first heading)"
        introduction = f"({passage.context})\n" if passage.context else ""
        parts.append(f"[{number}] {heading}\n{introduction}{passage.plain}")
    return "\n\n".join(parts)


def passage_texts(found: ScoredPassage) -> tuple[str, ...]:
    """Return what a writer is shown of a passage: its text and the sentence that introduces it."""
    passage = found.passage
    return (passage.plain, passage.context) if passage.context else (passage.plain,)


def join_passage_texts(passages: Iterable[ScoredPassage]) -> str:
    """Return all that a writer is shown of passages, for checks that allow what is in it."""
    parts = ((*passage_texts(found), *found.passage.path) for found in passages)
    return "\n".join(part for shown in parts for part in shown)


# ---- Conversations.


def render_history(conversation: Conversation) -> str:
    """Return what precedes the response, fenced as data."""
    parts = [_render_message(message) for message in conversation.prompt]
    if conversation.tool_definitions:
        parts.insert(0, f"[tools on offer]{_render_tools(conversation.tool_definitions)}")
    return fence("\n\n".join(parts) or "(nothing)")


def render_response(response: Message) -> str:
    """Return the response, its tool calls and its reasoning included, fenced as data."""
    return fence(_render_message(response))


def conversation_text(conversation: Conversation) -> str:
    """Return all that the conversation holds, for checks that allow what is in it.

    The labels that rendering adds are left out: no text may have them from there.
    """
    parts = [
        part for tool in conversation.tool_definitions for part in (tool.name, tool.description)
    ]
    for message in conversation.messages:
        parts += [message.name or "", message.reasoning, message.text]
        parts += [part for call in message.tool_calls for part in (call.name, call.arguments)]
    return "\n\n".join(filter(None, parts))


def render_full_conversation(conversation: Conversation, *, with_system_prompt: bool) -> str:
    """Return all that was said, the response and what comes after it included."""
    messages = conversation.messages
    if not with_system_prompt and find_system_message(conversation):
        messages = messages[1:]
    return _render_messages(messages)


def render_messages_before(conversation: Conversation) -> str:
    """Return what precedes the response, but for the system prompt."""
    return _render_messages(messages_before_response(conversation))


def render_messages_after(conversation: Conversation) -> str:
    """Return what comes after the response."""
    after = conversation.messages[conversation.turn + 1 :]
    return _render_messages(after) if after else NONE_SHOWN


def render_system_prompt(system: str) -> str:
    """Return a system prompt, fenced as data."""
    return fence(system) if system else NONE_SHOWN


def _render_messages(messages: Sequence[Message]) -> str:
    # What is rendered is what precedes a response: here there is none any more.
    ended = (*messages, Message("assistant", ""))
    return render_history(Conversation(ended, len(messages)))


def _render_tools(offered: Sequence[ToolDefinition]) -> str:
    """Return tools as a list of what each does, or by name alone where the row says no more."""
    if not any(tool.description for tool in offered):
        return f" {', '.join(tool.name for tool in offered)}"
    lines = (": ".join(filter(None, (tool.name, tool.description))) for tool in offered)
    return "".join(f"\n- {line}" for line in lines)


def _render_message(message: Message) -> str:
    name = f" {message.name}" if message.name else ""
    return f"[{message.role}{name}]\n{_render_body(message)}"


def _render_body(message: Message) -> str:
    parts = []
    if message.reasoning:
        parts.append(f"(reasoning) {message.reasoning}")
    if message.text:
        parts.append(message.text)
    parts += [f"[calls {call.name}] {call.arguments}" for call in message.tool_calls]
    return "\n".join(parts)


# ---- What a search for passages should match.


def build_query_texts(conversation: Conversation) -> tuple[str, ...]:
    """Return what a search for passages should match: the last turns and the response, each apart.

    A turn is its own text because a conversation's embedding is dominated by its longest message.
    """
    asked = [m for m in conversation.prompt if m.role in {"user", "tool", "function"} and m.text]
    texts = [message.text for message in asked[-_MAX_QUERY_TURNS:]]
    texts.append(_render_body(conversation.response))
    return tuple(_truncate_texts(texts))


def _truncate_texts(texts: Iterable[str]) -> Iterable[str]:
    """Cut long texts to beginning and end, which say most often what a message is about."""
    for text in texts:
        if len(text) <= _MAX_QUERY_CHARS:
            yield text
        else:
            yield text[:_MAX_QUERY_CHARS]
            yield text[-_MAX_QUERY_CHARS:]


# ---- Briefs.


def render_subject(brief: Brief) -> str:
    """Return what a person asked for in their own words, fenced as data; empty where none did."""
    return fence(brief.about) if brief.about.strip() else ""


def render_overused(brief: Brief) -> str:
    """Return what has become too common, a line a kind, fenced as data; empty where nothing has."""
    lines = [f"{kind}: {', '.join(common)}" for kind, common in brief.avoid.items() if common]
    return fence("\n".join(lines)) if lines else ""


def overused_counts(avoid: Mapping[str, Sequence[str]], kind: str) -> dict[str, int]:
    """Return what of a kind has become too common, for checks with a cap of one: each once."""
    return dict.fromkeys(avoid.get(kind, ()), 1)
