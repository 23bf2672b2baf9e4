"""A row's conversation as a judge reads it who is told its system prompt apart."""

from collections.abc import Sequence
from typing import Final

from whyset.datasets import Conversation, Message

from ._conversing import before_response, system_message
from ._prompts import fence
from ._rendering import render_conversation

NOTHING: Final = "(none)"
"""What is shown where there is nothing."""


def show_conversation(conversation: Conversation, *, with_prompt: bool) -> str:
    """Return all that was said, the response and what comes after it included.

    Args:
        conversation: The row's.
        with_prompt: Whether the system prompt that it begins with is shown, too.
    """
    messages = conversation.messages
    if not with_prompt and system_message(conversation):
        messages = messages[1:]
    return _show(messages)


def show_before(conversation: Conversation) -> str:
    """Return what precedes the response, but for the system prompt."""
    return _show(before_response(conversation))


def show_after(conversation: Conversation) -> str:
    """Return what comes after the response."""
    after = conversation.messages[conversation.turn + 1 :]
    return _show(after) if after else NOTHING


def show_system(system: str) -> str:
    """Return a system prompt, fenced as data."""
    return fence(system) if system else NOTHING


def _show(messages: Sequence[Message]) -> str:
    # What is rendered is what precedes a response: here there is none any more.
    ended = (*messages, Message("assistant", ""))
    return render_conversation(Conversation(ended, len(messages)))
