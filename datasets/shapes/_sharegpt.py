"""ShareGPT: turns with `from` and `value`; system prompt and tools among them or in columns."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from whyset.errors import UnsupportedConversion

from .._json import dumps
from .._row import Conversation, Message, Side, ToolDefinition
from ._base import (
    Columns,
    ParsedConversation,
    ResponseLocation,
    ShapeAdapter,
    UnusableRecord,
    get_extra_fields,
    get_text,
    reject_non_text,
    require_list,
    require_object,
    require_text,
    unknown_value_error,
)
from ._messages import find_list_column
from ._response import TEXT_SLOT, add_think_tags, parse_think_tags
from ._tools import (
    convert_tools,
    parse_arguments,
    parse_calls,
    read_tools,
    to_flat_tool,
    update_tools,
)

SHAREGPT_ROLES: Final[Mapping[str, str]] = {
    "human": "user",
    "user": "user",
    "prompter": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "system": "system",
    "tool": "tool",
    "tool_response": "tool",
    "observation": "tool",
    "function_response": "tool",
    "function_result": "tool",
    "function_call": "call",
    "tool_call": "call",
}
"""Who speaks, as data sets call them → role; `call` is an assistant's call, written as JSON."""

_SPEAKER_OF_ROLE = {
    "system": "system",
    "user": "human",
    "assistant": "gpt",
    "tool": "observation",
    "function": "observation",
}
_TURN_KEYS = frozenset({"from", "value"})


class ShareGptShape(ShapeAdapter):
    """`{"conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}]}`."""

    name = "sharegpt"

    def matches(self, columns: Columns) -> bool:
        if find_list_column(columns, "from") is not None:
            return True
        return "conversations" in columns and find_list_column(columns, "role") is None

    def conversation_columns(self, columns: Columns) -> frozenset[str]:
        return frozenset({self._column(columns), "system", "tools"})

    def read(self, columns: Columns, side: Side) -> ParsedConversation:
        column = self._column(columns)
        if column not in columns:
            raise UnusableRecord("conversations is missing")
        messages, turns = [], []
        if system := get_text(columns, "system"):
            messages.append(Message("system", system))
        for at, turn in enumerate(require_list(columns[column], column)):
            message, is_response = _read_turn(turn, f"{column}[{at}]")
            if is_response:
                turns.append(len(messages))
            messages.append(message)
        offered = read_tools(columns.get("tools"))
        return ParsedConversation(tuple(messages), offered, tuple(turns))

    def locate_response(self, columns: Columns, turn: int, side: Side) -> ResponseLocation:
        before = 1 if columns.get("system") else 0
        return ResponseLocation((self._column(columns), turn - before, "value"), TEXT_SLOT)

    def replace_system(self, columns: dict[str, Any], system: str) -> dict[str, Any]:
        """Put the prompt where the row has its own: in the first turn, else in the column."""
        column = self._column(columns)
        turns = list(columns[column])
        first = turns[0] if turns else None
        if isinstance(first, dict) and _get_role(first) == "system":
            turns[:1] = [{**first, "value": system}] if system else []
            return {**columns, column: turns}
        if "system" in columns:
            return {**columns, "system": system}
        if not system:
            return columns
        return {**columns, column: [{"from": "system", "value": system}, *turns]}

    def replace_tools(
        self, columns: dict[str, Any], tools: Sequence[ToolDefinition]
    ) -> dict[str, Any]:
        held = columns.get("tools")
        if not tools and not held:
            return columns
        written = update_tools(held, tools, to_flat_tool)
        if isinstance(held, list):
            return {**columns, "tools": written}
        return {**columns, "tools": dumps(written).decode() if written else ""}

    def write(self, conversation: Conversation) -> dict[str, Any]:
        reject_non_text(conversation.messages, self.name)
        columns: dict[str, Any] = {"conversations": list(map(_write_turn, conversation.messages))}
        if tools := convert_tools(conversation, self.name, to_flat_tool):
            columns["tools"] = dumps(tools).decode()
        return columns

    def _column(self, columns: Columns) -> str:
        return find_list_column(columns, "from") or "conversations"


def _get_role(turn: Mapping[str, Any]) -> str | None:
    speaker = turn.get("from")
    return SHAREGPT_ROLES.get(speaker.lower()) if isinstance(speaker, str) else None


def _read_turn(value: Any, where: str) -> tuple[Message, bool]:
    """Return a turn's message, and whether it is a response that can be worked on."""
    turn = require_object(value, where)
    role = _get_role(turn)
    if role is None:
        raise unknown_value_error(turn, "from", where, ", ".join(SHAREGPT_ROLES))
    text, others = require_text(turn, "value", where), get_extra_fields(turn, _TURN_KEYS)
    if role not in {"assistant", "call"}:
        return Message(role, text, extra_fields=others), False
    thought = parse_think_tags(text)
    reasoning = thought.reasoning.strip()
    if role == "assistant":
        return Message(role, thought.answer, reasoning, extra_fields=others), True
    calls = parse_calls(thought.answer)
    rest = "" if calls else thought.answer
    return Message("assistant", rest, reasoning, calls, extra_fields=others), False


def _write_turn(message: Message) -> dict[str, Any]:
    if message.role == "developer":
        raise UnsupportedConversion("sharegpt", "the role 'developer'")
    speaker, text = _SPEAKER_OF_ROLE[message.role], message.text
    if message.tool_calls:
        if text.strip():
            raise UnsupportedConversion("sharegpt", "a turn with both text and a tool call")
        calls = [
            {"name": call.name, "arguments": parse_arguments(call)} for call in message.tool_calls
        ]
        speaker = "function_call"
        text = dumps(calls[0] if len(calls) == 1 else calls).decode()
    return {"from": speaker, "value": add_think_tags(message.reasoning, text)}
