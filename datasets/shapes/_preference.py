"""Preference pairs, `chosen` and `rejected`: texts, transcripts or messages, with their prompt."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._row import Conversation, Message, Shape, Side, ToolDefinition
from ._base import (
    ParsedConversation,
    ResponseLocation,
    UnsupportedConversion,
    UnusableRecord,
    find_assistant_turns,
    reject_context,
    wrong_type_error,
)
from ._hh import TranscriptSlot, is_transcript, read_transcript
from ._messages import CONTENT_SLOT, read_chat, replace_system, replace_tools
from ._response import TEXT_SLOT, parse_response
from ._tools import read_tools


@dataclass(frozen=True, slots=True)
class _PairSide:
    """One side: the prompt's messages that stand beside it, and its own."""

    prompt: tuple[Message, ...]
    own: tuple[Message, ...]

    @property
    def messages(self) -> tuple[Message, ...]:
        return (*self.prompt, *self.own)


class PreferenceShape:
    """`{"prompt": …, "chosen": …, "rejected": …}`; the prompt may stand within the two instead."""

    name: Shape = "preference"
    sides: tuple[Side, ...] = ("chosen", "rejected")

    def matches(self, columns: Mapping[str, Any]) -> bool:
        """Say whether there are a chosen and a rejected response."""
        return "chosen" in columns and "rejected" in columns

    def conversation_columns(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversations."""
        return frozenset({"prompt", "chosen", "rejected", "tools"})

    def read(self, columns: Mapping[str, Any], side: Side) -> ParsedConversation:
        """Read one side's conversation; what both have in common is prompt, and not worked on."""
        chosen, rejected = _read_side(columns, "chosen"), _read_side(columns, "rejected")
        shared = _count_shared_messages(chosen.messages, rejected.messages)
        half = rejected if side == "rejected" else chosen
        first = max(shared, len(half.prompt))
        offered = read_tools(columns.get("tools")) if _is_chat(columns) else ()
        return ParsedConversation(
            half.messages, offered, find_assistant_turns(half.messages, first=first)
        )

    def locate_response(
        self, columns: Mapping[str, Any], turn: int, side: Side
    ) -> ResponseLocation:
        """Return where a response stands."""
        held = columns[side]
        if isinstance(held, list):
            return ResponseLocation(
                (side, turn - _count_prompt_messages(columns, held)), CONTENT_SLOT
            )
        return ResponseLocation((side,), TranscriptSlot(turn) if is_transcript(held) else TEXT_SLOT)

    def replace_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[ToolDefinition] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt and other tools, where there are messages."""
        changed = dict(columns)
        if not _is_chat(columns) or isinstance(columns.get("prompt"), str):
            reject_context(self.name, system, tools, " beside strings")
            return changed
        if system is not None:
            for name in ("prompt", *self.sides):
                held = columns.get(name)
                if isinstance(held, list) and (
                    name == "prompt" or not _starts_with_assistant(held)
                ):
                    changed[name] = replace_system(held, system)
        return changed if tools is None else replace_tools(changed, tools)

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Refuse: a conversation has but one response.

        Raises:
            ConversionRefused: Always.
        """
        raise UnsupportedConversion(self.name, "a single response: there is none to be rejected")


def _read_side(columns: Mapping[str, Any], side: Side) -> _PairSide:
    held, prompt = columns.get(side), columns.get("prompt")
    if isinstance(held, list):
        own = read_chat(held, side)
        return _PairSide(_read_prompt(prompt, side) if _starts_with_assistant(held) else (), own)
    if not isinstance(held, str):
        raise wrong_type_error(side, "a text or a list of messages", held)
    if is_transcript(held):
        return _PairSide((), read_transcript(held, side))
    return _PairSide(_read_prompt(prompt, side), (parse_response(held),))


def _read_prompt(prompt: Any, side: str) -> tuple[Message, ...]:
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


def _count_prompt_messages(columns: Mapping[str, Any], held: list[Any]) -> int:
    if not _starts_with_assistant(held):
        return 0
    prompt = columns["prompt"]
    return len(prompt) if isinstance(prompt, list) else len(_read_prompt(prompt, ""))


def _starts_with_assistant(held: list[Any]) -> bool:
    """Say whether a list begins with the assistant's message, so that its prompt is elsewhere."""
    return bool(held) and isinstance(held[0], dict) and held[0].get("role") == "assistant"


def _is_chat(columns: Mapping[str, Any]) -> bool:
    return isinstance(columns.get("chosen"), list) and isinstance(columns.get("rejected"), list)


def _count_shared_messages(chosen: Sequence[Message], rejected: Sequence[Message]) -> int:
    """Return how many messages both sides begin with; the last response of each is its own.

    Raises:
        UnusableRecord: They part elsewhere than at a response.
    """
    length = min(len(chosen), len(rejected))
    # As tuples they differ also where only what stands beside the text does.
    same = next((at for at in range(length) if tuple(chosen[at]) != tuple(rejected[at])), length)
    part = [messages[same].role if same < len(messages) else "" for messages in (chosen, rejected)]
    if part not in (["assistant", "assistant"], ["", ""]):
        raise UnusableRecord(
            f"chosen and rejected do not answer the same prompt: their message {same + 1} is "
            "neither the same nor a response of both"
        )
    last = [max(find_assistant_turns(messages), default=0) for messages in (chosen, rejected)]
    return min(same, *last)
