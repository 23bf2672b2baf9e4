"""Messages with `role` and `content`, OpenAI's form, for every shape that has them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .._json import dumps
from .._row import REASONING_FIELD, Conversation, Message, Shape, Side, ToolDefinition
from ._base import (
    ParsedConversation,
    ResponseLocation,
    UnsupportedConversion,
    UnusableRecord,
    find_assistant_turns,
    get_extra_fields,
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
    count_preceding_calls,
    read_openai_calls,
    read_tools,
    to_openai_call,
    to_openai_tool,
    write_tools,
)

CHAT_ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
"""Every role a message may have."""

_ALLOWED_ROLES = ", ".join(CHAT_ROLES)
_MESSAGE_KEYS = frozenset(
    {"role", "content", "tool_calls", "function_call", "name", "tool_call_id"}
)
_MESSAGE_KEYS_WITH = {used: _MESSAGE_KEYS | {used} for used in REASONING_FIELDS}


def read_chat(messages: Any, where: str) -> tuple[Message, ...]:
    """Read a list of messages.

    Args:
        messages: The list as it stands in the record.
        where: The column it stands in.

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
        text = join_text(content, f"{where}.content")
        parts = keep_non_text(content)
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
    call_id = message.get("tool_call_id")
    return Message(
        role,
        text,
        drop_blank(reasoning),
        read_openai_calls(message, where),
        get_text(message, "name", where) or None,
        call_id if isinstance(call_id, str) else None,
        parts,
        get_extra_fields(message, known),
    )


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


def write_chat(messages: Sequence[Message], shape: str) -> list[dict[str, Any]]:
    """Write messages in this form.

    Raises:
        ConversionRefused: One holds what the form has no place for.
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


_FOREIGN_BLOCKS = frozenset(
    {"thinking", "redacted_thinking", "tool_use", "tool_result", "document"}
)
"""Blocks of the Messages API that no message of this form can hold."""


# ---- OpenAI's chat form: a list of messages with `role` and `content`, tools in a column beside
# it.

LIST_COLUMNS: Final = ("messages", "conversations", "conversation")
"""Columns that a list of messages may stand in."""

CONTENT_SLOT: Final = FieldSlot("content")


class MessagesShape:
    """`{"messages": [{"role": "user", "content": "…"}, …], "tools": […]}`."""

    name: Shape = "messages"
    sides: tuple[Side, ...] = ("",)

    def matches(self, columns: Mapping[str, Any]) -> bool:
        """Say whether there is such a list, or a column called `messages`."""
        return find_list_column(columns, "role") is not None or "messages" in columns

    def conversation_columns(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""
        return frozenset({self._column(columns), "tools"})

    def read(self, columns: Mapping[str, Any], side: Side) -> ParsedConversation:
        """Read a record's conversation."""
        column = self._column(columns)
        if column not in columns:
            raise UnusableRecord("messages is missing")
        messages = read_chat(columns[column], column)
        offered = read_tools(columns.get("tools"))
        return ParsedConversation(messages, offered, find_assistant_turns(messages))

    def locate_response(
        self, columns: Mapping[str, Any], turn: int, side: Side
    ) -> ResponseLocation:
        """Return where a response stands."""
        return ResponseLocation((self._column(columns), turn), CONTENT_SLOT)

    def replace_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[ToolDefinition] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt and other tools."""
        column = self._column(columns)
        changed = dict(columns)
        if system is not None:
            changed[column] = replace_system(columns[column], system)
        return changed if tools is None else replace_tools(changed, tools)

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as columns of this shape."""
        columns: dict[str, Any] = {"messages": write_chat(conversation.messages, self.name)}
        if conversation.tool_definitions:
            columns["tools"] = [
                to_openai_tool(tool) for tool in require_plain_tools(conversation, self.name)
            ]
        return columns

    def _column(self, columns: Mapping[str, Any]) -> str:
        return find_list_column(columns, "role") or "messages"


def find_list_column(columns: Mapping[str, Any], key: str) -> str | None:
    """Return the column that holds a list of messages, known by a key of the first of them."""
    for name in LIST_COLUMNS:
        held = columns.get(name)
        if isinstance(held, list) and held and isinstance(held[0], dict) and key in held[0]:
            return name
    return None


def replace_system(messages: Sequence[Any], system: str) -> list[Any]:
    """Return a list of messages with another system prompt; an empty one is taken away."""
    given = list(messages)
    first = given[0] if given else None
    if isinstance(first, dict) and first.get("role") in {"system", "developer"}:
        if not system:
            return given[1:]
        return [{**first, "content": system}, *given[1:]]
    return [{"role": "system", "content": system}, *given] if system else given


def replace_tools(columns: Mapping[str, Any], tools: Sequence[ToolDefinition]) -> dict[str, Any]:
    """Return columns with other tools; where there are none any more, the column becomes null."""
    held = columns.get("tools")
    if not tools and held is None:
        return dict(columns)
    written = write_tools(held, tools, to_openai_tool) or None
    if written and isinstance(held, str):
        return {**columns, "tools": dumps(written).decode()}
    return {**columns, "tools": written}


def require_plain_tools(conversation: Conversation, shape: str) -> Sequence[ToolDefinition]:
    """Return the tools on offer, where name, description and schema are all there is of each.

    Raises:
        ConversionRefused: A definition says more.
    """
    for tool in conversation.tool_definitions:
        function = tool.definition.get("function")
        described = function if isinstance(function, dict) else tool.definition
        more = {name for name, value in described.items() if value is not None} - _TOOL_KEYS
        if described is function:
            more |= tool.definition.keys() - {"type", "function"}
        if more:
            raise UnsupportedConversion(shape, f"{min(more)!r} of the tool {tool.name!r}")
        if described.get("type") not in {None, "function", "custom"}:
            raise UnsupportedConversion(shape, f"a tool of type {described['type']!r}")
    return conversation.tool_definitions


_TOOL_KEYS = frozenset({"name", "description", "parameters", "input_schema", "type"})
