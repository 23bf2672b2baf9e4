"""Preference pairs, `chosen` and `rejected`: texts, transcripts or messages, with their prompt."""

from collections.abc import Sequence
from typing import Any

from whyset.errors import UnsupportedContext, UnsupportedConversion

from .._row import Conversation, Message, Side, ToolDefinition
from ._base import (
    Columns,
    ParsedConversation,
    ResponseLocation,
    ShapeAdapter,
    UnusableRecord,
    find_assistant_turns,
    wrong_type_error,
)
from ._hh import TranscriptSlot, is_transcript, read_transcript
from ._messages import CONTENT_SLOT, read_chat, replace_system_message, replace_tools_column
from ._response import TEXT_SLOT, parse_response
from ._tools import read_tools

_Messages = tuple[Message, ...]


class PreferenceShape(ShapeAdapter):
    """`{"prompt": …, "chosen": …, "rejected": …}`; the prompt may stand within the two instead."""

    name = "preference"
    sides = ("chosen", "rejected")

    def matches(self, columns: Columns) -> bool:
        return "chosen" in columns and "rejected" in columns

    def conversation_columns(self, columns: Columns) -> frozenset[str]:
        return frozenset({"prompt", "chosen", "rejected", "tools"})

    def read(self, columns: Columns, side: Side) -> ParsedConversation:
        """Read one side's conversation; what both have in common is prompt, and not worked on."""
        chosen_prompt, chosen_own = _read_side(columns, "chosen")
        rejected_prompt, rejected_own = _read_side(columns, "rejected")
        chosen, rejected = chosen_prompt + chosen_own, rejected_prompt + rejected_own
        shared = _count_shared_messages(chosen, rejected)
        messages, prompt = (
            (rejected, rejected_prompt) if side == "rejected" else (chosen, chosen_prompt)
        )
        offered = read_tools(columns.get("tools")) if _is_chat(columns) else ()
        turns = find_assistant_turns(messages, first=max(shared, len(prompt)))
        return ParsedConversation(messages, offered, turns)

    def locate_response(self, columns: Columns, turn: int, side: Side) -> ResponseLocation:
        held = columns[side]
        if isinstance(held, list):
            at = turn - _count_prompt_messages(columns, held)
            return ResponseLocation((side, at), CONTENT_SLOT)
        return ResponseLocation((side,), TranscriptSlot(turn) if is_transcript(held) else TEXT_SLOT)

    def replace_system(self, columns: dict[str, Any], system: str) -> dict[str, Any]:
        if not _takes_context(columns):
            if system:
                raise UnsupportedContext(self.name, "a system prompt beside strings")
            return columns
        return columns | {
            name: replace_system_message(held, system)
            for name in ("prompt", *self.sides)
            if isinstance(held := columns.get(name), list)
            and (name == "prompt" or not _starts_with_assistant(held))
        }

    def replace_tools(
        self, columns: dict[str, Any], tools: Sequence[ToolDefinition]
    ) -> dict[str, Any]:
        if not _takes_context(columns):
            if tools:
                raise UnsupportedContext(self.name, "tools beside strings")
            return columns
        return replace_tools_column(columns, tools)

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Refuse: a conversation has but one response."""
        raise UnsupportedConversion(self.name, "a single response: there is no rejected one")


def _read_side(columns: Columns, side: Side) -> tuple[_Messages, _Messages]:
    """Return the messages of the prompt that stands beside a side, and its own."""
    held, prompt = columns.get(side), columns.get("prompt")
    if isinstance(held, list):
        own = read_chat(held, side)
        return _read_prompt(prompt, side) if _starts_with_assistant(held) else (), own
    if not isinstance(held, str):
        raise wrong_type_error(side, "a text or a list of messages", held)
    if is_transcript(held):
        return (), read_transcript(held, side)
    return _read_prompt(prompt, side), (parse_response(held),)


def _read_prompt(prompt: Any, side: str) -> _Messages:
    if isinstance(prompt, list):
        return read_chat(prompt, "prompt")
    if isinstance(prompt, str) and prompt.strip():
        if not is_transcript(prompt):
            return (Message("user", prompt),)
        messages = read_transcript(prompt, "prompt")
        # Such a prompt ends with the mark of the response that is to come.
        return messages[:-1] if messages[-1] == Message("assistant", "") else messages
    raise UnusableRecord(
        f"{side} has no prompt: expected a 'prompt' beside it, messages that begin with the "
        "user's, or a transcript that begins with 'Human:'"
    )


def _count_prompt_messages(columns: Columns, held: list[Any]) -> int:
    if not _starts_with_assistant(held):
        return 0
    prompt = columns["prompt"]
    return len(prompt) if isinstance(prompt, list) else len(_read_prompt(prompt, ""))


def _starts_with_assistant(held: list[Any]) -> bool:
    """Say whether a list begins with the assistant's message, so that its prompt is elsewhere."""
    return bool(held) and isinstance(held[0], dict) and held[0].get("role") == "assistant"


def _is_chat(columns: Columns) -> bool:
    return isinstance(columns.get("chosen"), list) and isinstance(columns.get("rejected"), list)


def _takes_context(columns: Columns) -> bool:
    return _is_chat(columns) and not isinstance(columns.get("prompt"), str)


def _count_shared_messages(chosen: _Messages, rejected: _Messages) -> int:
    """Return how many messages both sides begin with; the last response of each is its own."""
    length = min(len(chosen), len(rejected))
    # As tuples they differ also where only what stands beside the text does.
    same = next((at for at in range(length) if tuple(chosen[at]) != tuple(rejected[at])), length)
    roles = [messages[same].role if same < len(messages) else "" for messages in (chosen, rejected)]
    if roles not in (["assistant", "assistant"], ["", ""]):
        raise UnusableRecord(
            f"chosen and rejected do not answer the same prompt: their message {same + 1} is "
            "neither the same nor a response of both"
        )
    last = [max(find_assistant_turns(messages), default=0) for messages in (chosen, rejected)]
    return min(same, *last)
