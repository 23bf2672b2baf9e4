"""Anthropic's Messages API: `system` at the top, content as text or blocks, tools with a schema."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from whyset.errors import UnsupportedConversion

from .._row import (
    REASONING_FIELD,
    Channel,
    Conversation,
    Message,
    Side,
    ToolCall,
    ToolDefinition,
)
from ._base import (
    Columns,
    ParsedConversation,
    ResponseLocation,
    ShapeAdapter,
    UnusableRecord,
    find_assistant_turns,
    get_extra_fields,
    get_id,
    reject_extra_fields,
    reject_participant,
    require_list,
    require_object,
    require_text,
    unknown_value_error,
    wrong_type_error,
)
from ._messages import join_text, keep_non_text, read_parts
from ._response import ResponseParts, insert_in_parts, is_single_text
from ._tools import (
    arguments_to_json,
    convert_tools,
    count_preceding_calls,
    get_call_id,
    parse_arguments,
    read_tools,
    to_anthropic_tool,
    update_tools,
)

THINKING_TYPES: Final = frozenset({"thinking", "redacted_thinking"})
"""Types of blocks that hold reasoning."""

_NATIVE_BLOCKS = frozenset({"tool_use", "tool_result"}) | THINKING_TYPES
_FOREIGN_KEYS = ("tool_calls", "function_call", REASONING_FIELD)
_MESSAGE_KEYS = frozenset({"role", "content"})
_RESULT_KEYS = frozenset({"type", "content", "tool_use_id"})
_ALLOWED_ROLES = "user, assistant"


class AnthropicShape(ShapeAdapter):
    """`{"system": "…", "messages": [{"role": "user", "content": [{"type": "text", …}]}], …}`."""

    name = "anthropic"

    def matches(self, columns: Columns) -> bool:
        """Say whether messages are certainly of this form and not of OpenAI's.

        Only its own marks tell them apart: a system prompt beside the messages, its blocks, or
        tools with an `input_schema`. Messages of plain texts alone are taken for OpenAI's.
        """
        messages = columns.get("messages")
        if not isinstance(messages, list) or not messages:
            return False
        marked = bool(columns.get("system")) and isinstance(columns["system"], str | list)
        tools = columns.get("tools")
        if isinstance(tools, list) and tools and isinstance(tools[0], dict):
            marked = marked or "input_schema" in tools[0]
        # The first settles it most often: a system prompt stands ahead of the others.
        if not _is_possible_message(messages[0]):
            return False
        return (marked or any(map(_has_native_blocks, messages))) and all(
            map(_is_possible_message, messages)
        )

    def conversation_columns(self, columns: Columns) -> frozenset[str]:
        return frozenset({"messages", "system", "tools"})

    def read(self, columns: Columns, side: Side) -> ParsedConversation:
        if "messages" not in columns:
            raise UnusableRecord("messages is missing")
        messages = list(_read_system(columns.get("system")))
        for at, message in enumerate(require_list(columns["messages"], "messages")):
            messages += _read_message(message, f"messages[{at}]")
        offered = read_tools(columns.get("tools"))
        return ParsedConversation(tuple(messages), offered, find_assistant_turns(messages))

    def locate_response(self, columns: Columns, turn: int, side: Side) -> ResponseLocation:
        passed = len(_read_system(columns.get("system")))
        for at, message in enumerate(columns["messages"]):
            if passed == turn:
                return ResponseLocation(("messages", at), _BLOCKS_SLOT)
            passed += _count_messages(message)
        raise IndexError(turn)

    def replace_system(self, columns: dict[str, Any], system: str) -> dict[str, Any]:
        held = columns.get("system")
        if not system and not held:
            return columns
        as_blocks = isinstance(held, list) and system
        return {
            **columns,
            "system": [{"type": "text", "text": system}] if as_blocks else system or None,
        }

    def replace_tools(
        self, columns: dict[str, Any], tools: Sequence[ToolDefinition]
    ) -> dict[str, Any]:
        held = columns.get("tools")
        if not tools and not held:
            return columns
        return {**columns, "tools": update_tools(held, tools, to_anthropic_tool) or None}

    def write(self, conversation: Conversation) -> dict[str, Any]:
        spoken = list(conversation.messages)
        columns: dict[str, Any] = {}
        if spoken and spoken[0].role in {"system", "developer"}:
            first = spoken.pop(0)
            _reject_unsupported(first)
            columns["system"] = list(first.parts) or first.text
        columns["messages"] = _write_messages(spoken)
        if tools := convert_tools(conversation, self.name, to_anthropic_tool):
            columns["tools"] = tools
        return columns


def _is_possible_message(message: Any) -> bool:
    return (
        isinstance(message, dict)
        and message.get("role") in ("user", "assistant")
        and all(message.get(name) is None for name in _FOREIGN_KEYS)
    )


def _has_native_blocks(message: Any) -> bool:
    content = message.get("content") if isinstance(message, dict) else None
    return isinstance(content, list) and any(map(_is_native_block, content))


def _is_native_block(block: Any) -> bool:
    return isinstance(block, dict) and (
        block.get("type") in _NATIVE_BLOCKS or isinstance(block.get("source"), dict)
    )


# ---- Reading: what a tool answered becomes a message of its own.


def _read_system(system: Any) -> tuple[Message, ...]:
    if system is None or system in ("", []):
        return ()
    if isinstance(system, str):
        return (Message("system", system),)
    if isinstance(system, list):
        text, parts = read_parts(system, "system")
        return (Message("system", text, parts=parts),)
    raise wrong_type_error("system", "a string or a list of blocks", system)


def _read_message(value: Any, where: str) -> list[Message]:
    message = require_object(value, where)
    role = message.get("role")
    if role not in ("user", "assistant"):
        raise unknown_value_error(message, "role", where, _ALLOWED_ROLES)
    content, others = message.get("content"), get_extra_fields(message, _MESSAGE_KEYS)
    if isinstance(content, str):
        return [Message(role, content, extra_fields=others)]
    where = f"{where}.content"
    if not isinstance(content, list):
        raise wrong_type_error(where, "a string or a list of blocks", content)
    text = join_text(content, where)
    if role == "assistant":
        return [_read_assistant_message(content, text, where, others)]
    results = [_read_tool_result(block, where) for block in content if _is_tool_result(block)]
    said = [block for block in content if not _is_tool_result(block)]
    if results and not said:
        return results
    return [*results, Message("user", text, parts=keep_non_text(said), extra_fields=others)]


def _read_assistant_message(
    content: list[Any], text: str, where: str, others: Mapping[str, Any]
) -> Message:
    thoughts: list[str] = []
    calls: list[ToolCall] = []
    parts: list[Any] = []
    for at, block in enumerate(content):
        kind = block["type"]
        if kind == "thinking":
            thoughts.append(require_text(block, "thinking", f"{where}[{at}]"))
        elif kind == "tool_use":
            name = require_text(block, "name", f"{where}[{at}]")
            arguments = arguments_to_json(block.get("input") or {})
            calls.append(ToolCall(name, arguments, get_id(block, "id")))
        # Ahead of all else thinking is reasoning, behind all else a call is a call; elsewhere
        # their place among the blocks says something that no other shape can.
        misplaced = (kind in THINKING_TYPES and bool(parts or calls)) or (
            bool(calls) and kind == "text"
        )
        if misplaced or kind not in {"thinking", "tool_use"}:
            parts.append(block)
    reasoning = "\n\n".join(filter(str.strip, thoughts))
    beyond = keep_non_text(parts)
    return Message("assistant", text, reasoning, tuple(calls), parts=beyond, extra_fields=others)


def _is_tool_result(block: Any) -> bool:
    return isinstance(block, dict) and block.get("type") == "tool_result"


def _read_tool_result(block: Mapping[str, Any], where: str) -> Message:
    content, where = block.get("content"), f"{where}.tool_result.content"
    text, parts = "", tuple[Mapping[str, Any], ...]()
    if isinstance(content, list):
        text, parts = read_parts(content, where)
    elif isinstance(content, str):
        text = content
    elif content is not None:
        raise wrong_type_error(where, "a string or a list of blocks", content)
    return Message(
        "tool",
        text,
        call_id=get_id(block, "tool_use_id"),
        parts=parts,
        extra_fields=get_extra_fields(block, _RESULT_KEYS),
    )


def _count_messages(message: Mapping[str, Any]) -> int:
    """Return how many messages of a conversation one of a record is read as."""
    content = message["content"]
    if message["role"] == "assistant" or not isinstance(content, list):
        return 1
    results = sum(map(_is_tool_result, content))
    return results + (len(content) > results or not results)


# ---- Writing.


def _write_messages(spoken: Sequence[Message]) -> list[dict[str, Any]]:
    calls_before = count_preceding_calls(spoken)
    unanswered: dict[str, None] = {}
    messages: list[dict[str, Any]] = []
    for at, message in enumerate(spoken):
        _reject_unsupported(message)
        if message.role == "assistant":
            numbered = enumerate(message.tool_calls, calls_before.get(at, 0) + 1)
            ids = [get_call_id(call, number) for number, call in numbered]
            unanswered |= dict.fromkeys(ids)
            messages.append({"role": "assistant", "content": _write_assistant(message, ids)})
            continue
        if message.role not in {"user", "tool", "function"}:
            raise UnsupportedConversion("anthropic", f"the role {message.role!r} in this place")
        content = _write_user(message, unanswered)
        if messages and _has_tool_results(messages[-1]):
            # The API wants all results of a turn, and what is said with them, in one message.
            messages[-1]["content"] += (
                content if isinstance(content, list) else [{"type": "text", "text": content}]
            )
        else:
            messages.append({"role": "user", "content": content})
    return messages


def _reject_unsupported(message: Message) -> None:
    reject_extra_fields(message, "anthropic")
    reject_participant(message, "anthropic")
    for part in message.parts:
        if part.get("type") != "text":
            raise UnsupportedConversion("anthropic", f"a part of type {part.get('type')!r}")


def _write_assistant(message: Message, ids: Sequence[str]) -> str | list[dict[str, Any]]:
    if not (message.reasoning or message.tool_calls or message.parts):
        return message.text
    blocks: list[dict[str, Any]] = []
    if message.reasoning:
        blocks.append({"type": "thinking", "thinking": message.reasoning})
    if message.parts:
        blocks += map(dict, message.parts)
    elif message.text:
        blocks.append({"type": "text", "text": message.text})
    for call, call_id in zip(message.tool_calls, ids, strict=True):
        arguments = parse_arguments(call) if call.arguments.strip() else {}
        if not isinstance(arguments, dict):
            raise UnsupportedConversion(
                "anthropic", f"arguments of {call.name!r} that are not an object"
            )
        blocks.append({"type": "tool_use", "id": call_id, "name": call.name, "input": arguments})
    return blocks


def _write_user(message: Message, unanswered: dict[str, None]) -> str | list[dict[str, Any]]:
    """Return a user's content; a tool's result without an id answers the first call left."""
    content: str | list[dict[str, Any]] = [dict(part) for part in message.parts] or message.text
    if message.role == "user":
        return content
    call_id = message.call_id or next(iter(unanswered), None)
    if call_id is None:
        raise UnsupportedConversion("anthropic", "a tool result without a preceding call")
    unanswered.pop(call_id, None)
    return [{"type": "tool_result", "tool_use_id": call_id, "content": content}]


def _has_tool_results(message: Mapping[str, Any]) -> bool:
    content = message["content"]
    return message["role"] == "user" and isinstance(content, list) and _is_tool_result(content[0])


# ---- The response among the blocks, thinking blocks ahead of it.


@dataclass(frozen=True, slots=True)
class BlocksSlot:
    """A message whose `content` is a text or a list of blocks.

    A text and a list of one bare text block are the same to the API, and to this: so a text can
    become a list when a thinking block is put ahead of it.
    """

    def extract(self, holder: Mapping[str, Any]) -> ResponseParts:
        thoughts, blocks = _split_thinking(holder.get("content"))
        content = blocks[0]["text"] if is_single_text(blocks) else blocks
        others = {name: value for name, value in holder.items() if name != "content"}
        return ResponseParts(content, thoughts or None, others)

    def insert_text(self, holder: Mapping[str, Any], text: str, channel: Channel) -> dict[str, Any]:
        """Put a text into a channel.

        A thinking block of ours has no signature: only the API can sign what its model thought.
        Blocks that are there stay as they are, because a signature holds for all of one.
        """
        thoughts, blocks = _split_thinking(holder.get("content"))
        if channel == "thinking":
            thoughts = [{"type": "thinking", "thinking": text}, *thoughts]
        elif is_single_text(blocks):
            said = blocks[0]["text"]
            placed = f"{text}\n\n{said}" if channel == "preface" and said else text
            blocks = [{"type": "text", "text": placed}]
            if isinstance(holder.get("content"), str):
                return {**holder, "content": placed}
        else:
            blocks = insert_in_parts(blocks, text, channel)
        return {**holder, "content": [*thoughts, *blocks]}

    def replace_response(self, holder: Mapping[str, Any], text: str) -> dict[str, Any]:
        if isinstance(holder.get("content"), str):
            return {**holder, "content": text}
        _, blocks = _split_thinking(holder.get("content"))
        return {**holder, "content": insert_in_parts(blocks, text, "inline")}


def is_empty_thinking(block: Mapping[str, Any]) -> bool:
    """Say whether a thinking block holds nothing; a signed one does, where the text is withheld."""
    return (
        block.get("type") == "thinking" and not block.get("thinking") and not block.get("signature")
    )


def _split_thinking(content: Any) -> tuple[list[Any], list[Any]]:
    """Return the thinking blocks at the beginning, without empty ones, and the other blocks."""
    if isinstance(content, str):
        return [], [{"type": "text", "text": content}]
    blocks = list(content or ())
    first = next(
        (at for at, block in enumerate(blocks) if block.get("type") not in THINKING_TYPES),
        len(blocks),
    )
    return [block for block in blocks[:first] if not is_empty_thinking(block)], blocks[first:]


_BLOCKS_SLOT: Final = BlocksSlot()
