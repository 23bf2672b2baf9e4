"""OpenAI's chat form: messages with `role` and `content`, tools in a column beside them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from whyset.errors import UnsupportedConversion

from .._json import dumps
from .._row import REASONING_FIELD, Conversation, Message, Side, ToolDefinition
from ._base import (
    Columns,
    ParsedConversation,
    ResponseLocation,
    ShapeAdapter,
    UnusableRecord,
    find_assistant_turns,
    get_extra_fields,
    get_id,
    get_text,
    require_list,
    require_object,
    require_text,
    unknown_value_error,
    wrong_type_error,
)
from ._response import (
    REASONING_FIELDS,
    FieldSlot,
    drop_blank,
    find_reasoning_field,
    is_single_text,
    parse_think_tags,
)
from ._tools import (
    convert_tools,
    count_preceding_calls,
    read_openai_calls,
    read_tools,
    to_openai_call,
    to_openai_tool,
    update_tools,
)

LIST_COLUMNS: Final = ("messages", "conversations", "conversation")
"""Columns that a list of messages may stand in."""

CONTENT_SLOT: Final = FieldSlot("content")


class MessagesShape(ShapeAdapter):
    """`{"messages": [{"role": "user", "content": "…"}, …], "tools": […]}`."""

    name = "messages"

    def matches(self, columns: Columns) -> bool:
        return find_list_column(columns, "role") is not None or "messages" in columns

    def conversation_columns(self, columns: Columns) -> frozenset[str]:
        return frozenset({self._column(columns), "tools"})

    def read(self, columns: Columns, side: Side) -> ParsedConversation:
        column = self._column(columns)
        if column not in columns:
            raise UnusableRecord("messages is missing")
        messages = read_chat(columns[column], column)
        offered = read_tools(columns.get("tools"))
        return ParsedConversation(messages, offered, find_assistant_turns(messages))

    def locate_response(self, columns: Columns, turn: int, side: Side) -> ResponseLocation:
        return ResponseLocation((self._column(columns), turn), CONTENT_SLOT)

    def replace_system(self, columns: dict[str, Any], system: str) -> dict[str, Any]:
        column = self._column(columns)
        return {**columns, column: replace_system_message(columns[column], system)}

    def replace_tools(
        self, columns: dict[str, Any], tools: Sequence[ToolDefinition]
    ) -> dict[str, Any]:
        return replace_tools_column(columns, tools)

    def write(self, conversation: Conversation) -> dict[str, Any]:
        messages = write_chat(conversation.messages, self.name)
        return {"messages": messages, **write_tools_column(conversation, self.name)}

    def _column(self, columns: Columns) -> str:
        return find_list_column(columns, "role") or "messages"


def find_list_column(columns: Columns, key: str) -> str | None:
    """Return the column that holds a list of messages, known by a key of the first of them."""
    for name in LIST_COLUMNS:
        held = columns.get(name)
        if isinstance(held, list) and held and isinstance(held[0], dict) and key in held[0]:
            return name
    return None


# ---- Reading.

CHAT_ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
"""Every role a message may have."""

_ALLOWED_ROLES = ", ".join(CHAT_ROLES)
_MESSAGE_KEYS = frozenset(
    {"role", "content", "tool_calls", "function_call", "name", "tool_call_id"}
)
_MESSAGE_KEYS_WITH = {used: _MESSAGE_KEYS | {used} for used in REASONING_FIELDS}


def read_chat(messages: Any, where: str) -> tuple[Message, ...]:
    """Read a list of messages that stands in a column.

    Raises:
        UnusableRecord: It is no list of messages; the reason names the place.
    """
    return tuple(
        [
            _read_plain_message(message) or read_message(message, f"{where}[{at}]")
            for at, message in enumerate(require_list(messages, where))
        ]
    )


def read_plain_chat(messages: list[Any]) -> tuple[Message, ...] | None:
    """Read messages as `read_chat` does; `None` where one of them is more than role and text."""
    plain = [message for message in map(_read_plain_message, messages) if message is not None]
    return tuple(plain) if len(plain) == len(messages) else None


def _read_plain_message(message: Any) -> Message | None:
    """Read a message that is a role and a text alone, as most are; `None` for any other."""
    if not isinstance(message, dict):
        return None
    role, text = message.get("role"), message.get("content")
    if role not in CHAT_ROLES or not isinstance(text, str):
        return None
    if role == "assistant" and text.lstrip().startswith("<think>"):
        return None
    # A table has every field in every message, null where there is none.
    if len(message) != 2 and list(message.values()).count(None) != len(message) - 2:
        return None
    return Message(role, text)


def read_message(value: Any, where: str) -> Message:
    """Read one message; see `read_chat`."""
    message = require_object(value, where)
    role = message.get("role")
    if role not in CHAT_ROLES:
        raise unknown_value_error(message, "role", where, _ALLOWED_ROLES)
    content = message.get("content")
    parts: tuple[Mapping[str, Any], ...] = ()
    if isinstance(content, str):
        text = content
    elif content is None:
        text = ""
    elif isinstance(content, list):
        text, parts = read_parts(content, f"{where}.content")
    else:
        raise wrong_type_error(f"{where}.content", "a string, a list of parts or null", content)
    reasoning, known = "", _MESSAGE_KEYS
    if role == "assistant":
        get_text(message, REASONING_FIELD, where)
        used = find_reasoning_field(message)
        reasoning = message.get(used) or ""
        known = _MESSAGE_KEYS_WITH[used]
        if not reasoning and isinstance(content, str) and "<think>" in content:
            thought = parse_think_tags(content)
            reasoning, text = thought.reasoning.strip(), thought.answer
    return Message(
        role,
        text,
        drop_blank(reasoning),
        read_openai_calls(message, where),
        get_text(message, "name", where) or None,
        get_id(message, "tool_call_id"),
        parts,
        get_extra_fields(message, known),
    )


def read_parts(parts: list[Any], where: str) -> tuple[str, tuple[Mapping[str, Any], ...]]:
    """Return the text of parts or blocks, and those that it does not wholly hold."""
    return join_text(parts, where), keep_non_text(parts)


def join_text(parts: list[Any], where: str) -> str:
    """Return the text of parts or blocks, joined.

    Raises:
        UnusableRecord: One of them is none; the reason names the place.
    """
    texts = []
    for at, value in enumerate(parts):
        place = f"{where}[{at}]"
        part = require_object(value, place)
        kind, text = require_text(part, "type", place), get_text(part, "text", place)
        if kind == "text" and text:
            texts.append(text)
    return "\n".join(texts)


def keep_non_text(parts: list[Any]) -> tuple[Mapping[str, Any], ...]:
    """Return parts as they stand; none where they are a single text, which says as much alone."""
    return () if is_single_text(parts) else tuple(parts)


# ---- Writing.

_FOREIGN_BLOCKS = frozenset(
    {"thinking", "redacted_thinking", "tool_use", "tool_result", "document"}
)
"""Blocks of the Messages API that no message of this form can hold."""


def write_chat(messages: Sequence[Message], shape: str) -> list[dict[str, Any]]:
    """Write messages in this form.

    Raises:
        UnsupportedConversion: One holds what the form has no place for.
    """
    calls = count_preceding_calls(messages)
    return [_write_message(message, calls.get(at, 0), shape) for at, message in enumerate(messages)]


def _write_message(message: Message, calls_before: int, shape: str) -> dict[str, Any]:
    for part in message.parts:
        if part.get("type") in _FOREIGN_BLOCKS or "source" in part:
            raise UnsupportedConversion(shape, f"a block of type {part.get('type')!r}")
    written: dict[str, Any] = {"role": message.role}
    if message.reasoning:
        written[REASONING_FIELD] = message.reasoning
    written["content"] = list(message.parts) or message.text
    if message.tool_calls:
        numbered = enumerate(message.tool_calls, start=calls_before + 1)
        written["tool_calls"] = [to_openai_call(call, number) for number, call in numbered]
        written["content"] = written["content"] or None
    if message.call_id is not None:
        written["tool_call_id"] = message.call_id
    if message.name is not None:
        written["name"] = message.name
    return {**written, **message.extra_fields}


def write_tools_column(conversation: Conversation, shape: str) -> dict[str, Any]:
    """Return the column of tools, where any were on offer."""
    tools = convert_tools(conversation, shape, to_openai_tool)
    return {"tools": tools} if tools else {}


def replace_system_message(messages: Sequence[Any], system: str) -> list[Any]:
    """Return a list of messages with another system prompt; an empty one is taken away."""
    given = list(messages)
    first = given[0] if given else None
    if isinstance(first, dict) and first.get("role") in {"system", "developer"}:
        return [{**first, "content": system}, *given[1:]] if system else given[1:]
    return [{"role": "system", "content": system}, *given] if system else given


def replace_tools_column(
    columns: dict[str, Any], tools: Sequence[ToolDefinition]
) -> dict[str, Any]:
    """Return columns with other tools; where there are none any more, the column becomes null."""
    held = columns.get("tools")
    if not tools and held is None:
        return columns
    written = update_tools(held, tools, to_openai_tool) or None
    if written and isinstance(held, str):
        return {**columns, "tools": dumps(written).decode()}
    return {**columns, "tools": written}
