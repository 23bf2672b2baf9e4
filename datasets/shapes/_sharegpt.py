"""ShareGPT: turns with `from` and `value`; system prompt and tools among them or in columns."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .._json import dumps
from .._row import Conversation, Message, Shape, Side, ToolCall, ToolDefinition
from ._base import (
    ParsedConversation,
    ResponseLocation,
    UnsupportedConversion,
    UnusableRecord,
    get_extra_fields,
    get_text,
    reject_non_text,
    require_list,
    require_object,
    require_text,
    unknown_value_error,
)
from ._messages import find_list_column, require_plain_tools
from ._response import TEXT_SLOT, add_think_tags, parse_think_tags
from ._tools import parse_arguments, parse_calls, read_tools, to_flat_tool, write_tools

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

_TURN_KEYS = frozenset({"from", "value"})


class ShareGptShape:
    """`{"conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}]}`."""

    name: Shape = "sharegpt"
    sides: tuple[Side, ...] = ("",)

    def matches(self, columns: Mapping[str, Any]) -> bool:
        """Say whether there is such a list, or a column called `conversations`."""
        if find_list_column(columns, "from") is not None:
            return True
        return "conversations" in columns and find_list_column(columns, "role") is None

    def conversation_columns(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""
        return frozenset({self._column(columns), "system", "tools"})

    def read(self, columns: Mapping[str, Any], side: Side) -> ParsedConversation:
        """Read a record's conversation."""
        column = self._column(columns)
        if column not in columns:
            raise UnusableRecord("conversations is missing")
        messages, turns = [], []
        if system := get_text(columns, "system"):
            messages.append(Message("system", system))
        for at, turn in enumerate(require_list(columns[column], column)):
            message, spoken = _read_turn(turn, f"{column}[{at}]")
            if spoken:
                turns.append(len(messages))
            messages.append(message)
        offered = read_tools(columns.get("tools"))
        return ParsedConversation(tuple(messages), offered, tuple(turns))

    def locate_response(
        self, columns: Mapping[str, Any], turn: int, side: Side
    ) -> ResponseLocation:
        """Return where a response stands."""
        before = 1 if columns.get("system") else 0
        return ResponseLocation((self._column(columns), turn - before, "value"), TEXT_SLOT)

    def replace_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[ToolDefinition] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt and other tools."""
        changed = dict(columns)
        if system is not None:
            changed = self._with_system(changed, system)
        if tools is not None and (tools or columns.get("tools")):
            written = write_tools(columns.get("tools"), tools, to_flat_tool)
            as_list = isinstance(columns.get("tools"), list)
            changed["tools"] = written if as_list else dumps(written).decode() if written else ""
        return changed

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as columns of this shape."""
        reject_non_text(conversation.messages, self.name)
        turns: list[dict[str, Any]] = []
        for message in conversation.messages:
            turns += _write_turn(message)
        columns: dict[str, Any] = {"conversations": turns}
        if conversation.tool_definitions:
            written = [to_flat_tool(tool) for tool in require_plain_tools(conversation, self.name)]
            columns["tools"] = dumps(written).decode()
        return columns

    def _with_system(self, columns: dict[str, Any], system: str) -> dict[str, Any]:
        """Put the prompt where the row has its own: in the first turn, else in the column."""
        column = self._column(columns)
        turns = list(columns[column])
        first = turns[0] if turns else None
        if (
            isinstance(first, dict)
            and SHAREGPT_ROLES.get(str(first.get("from")).lower()) == "system"
        ):
            turns[:1] = [{**first, "value": system}] if system else []
            return {**columns, column: turns}
        if "system" in columns:
            return {**columns, "system": system}
        if not system:
            return columns
        return {**columns, column: [{"from": "system", "value": system}, *turns]}

    def _column(self, columns: Mapping[str, Any]) -> str:
        return find_list_column(columns, "from") or "conversations"


def _read_turn(value: Any, where: str) -> tuple[Message, bool]:
    """Return a turn's message, and whether it is a response that can be worked on."""
    turn = require_object(value, where)
    said_by = turn.get("from")
    role = SHAREGPT_ROLES.get(said_by.lower()) if isinstance(said_by, str) else None
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


def _write_turn(message: Message) -> list[dict[str, Any]]:
    if message.role == "developer":
        raise UnsupportedConversion("sharegpt", "the role 'developer'")
    if message.tool_calls:
        if message.text.strip():
            raise UnsupportedConversion(
                "sharegpt", "a turn that both says something and calls a tool"
            )
        called = [_parse_call(call) for call in message.tool_calls]
        calls = dumps(called[0] if len(called) == 1 else called).decode()
        return [{"from": "function_call", "value": add_think_tags(message.reasoning, calls)}]
    said_by = _SPEAKER_OF_ROLE[message.role]
    return [{"from": said_by, "value": add_think_tags(message.reasoning, message.text)}]


def _parse_call(call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": parse_arguments(call)}


_SPEAKER_OF_ROLE = {
    "system": "system",
    "user": "human",
    "assistant": "gpt",
    "tool": "observation",
    "function": "observation",
}
