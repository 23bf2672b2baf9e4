"""ShareGPT: turns with `from` and `value`; system prompt and tools among them or in columns."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .._json import dumps
from .._row import Conversation, Message, OfferedTool, Shape, Side, ToolCall
from ._base import (
    ConversionRefused,
    Place,
    Spoken,
    UnusableRecord,
    list_of,
    none_of,
    object_of,
    optional_text,
    others_of,
    refuse_beside_text,
    text_in,
)
from ._messages import list_column, whole_tools
from ._response import TEXT, tagged, thought_of
from ._tools import flat_tool, offered_tools, parsed_arguments, written_calls, written_tools

ROLES: Final[Mapping[str, str]] = {
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

_KNOWN = frozenset({"from", "value"})


class ShareGpt:
    """`{"conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}]}`."""

    name: Shape = "sharegpt"
    sides: tuple[Side, ...] = ("",)

    def fits(self, columns: Mapping[str, Any]) -> bool:
        """Say whether there is such a list, or a column called `conversations`."""
        if list_column(columns, "from") is not None:
            return True
        return "conversations" in columns and list_column(columns, "role") is None

    def core(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""
        return frozenset({self._column(columns), "system", "tools"})

    def read(self, columns: Mapping[str, Any], side: Side) -> Spoken:
        """Read a record's conversation."""
        column = self._column(columns)
        if column not in columns:
            raise UnusableRecord("conversations is missing")
        messages, turns = [], []
        if system := optional_text(columns, "system"):
            messages.append(Message("system", system))
        for at, turn in enumerate(list_of(columns[column], column)):
            message, spoken = _read_turn(turn, f"{column}[{at}]")
            if spoken:
                turns.append(len(messages))
            messages.append(message)
        offered = offered_tools(columns.get("tools"))
        return Spoken(tuple(messages), offered, tuple(turns))

    def place(self, columns: Mapping[str, Any], turn: int, side: Side) -> Place:
        """Return where a response stands."""
        before = 1 if columns.get("system") else 0
        return Place((self._column(columns), turn - before, "value"), TEXT)

    def with_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[OfferedTool] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt and other tools."""
        changed = dict(columns)
        if system is not None:
            changed = self._with_system(changed, system)
        if tools is not None and (tools or columns.get("tools")):
            written = written_tools(columns.get("tools"), tools, flat_tool)
            as_list = isinstance(columns.get("tools"), list)
            changed["tools"] = written if as_list else dumps(written).decode() if written else ""
        return changed

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as columns of this shape."""
        refuse_beside_text(conversation.messages, self.name)
        turns: list[dict[str, Any]] = []
        for message in conversation.messages:
            turns += _written(message)
        columns: dict[str, Any] = {"conversations": turns}
        if conversation.offered:
            written = [flat_tool(tool) for tool in whole_tools(conversation, self.name)]
            columns["tools"] = dumps(written).decode()
        return columns

    def _with_system(self, columns: dict[str, Any], system: str) -> dict[str, Any]:
        """Put the prompt where the row has its own: in the first turn, else in the column."""
        column = self._column(columns)
        turns = list(columns[column])
        first = turns[0] if turns else None
        if isinstance(first, dict) and ROLES.get(str(first.get("from")).lower()) == "system":
            turns[:1] = [{**first, "value": system}] if system else []
            return {**columns, column: turns}
        if "system" in columns:
            return {**columns, "system": system}
        if not system:
            return columns
        return {**columns, column: [{"from": "system", "value": system}, *turns]}

    def _column(self, columns: Mapping[str, Any]) -> str:
        return list_column(columns, "from") or "conversations"


def _read_turn(value: Any, where: str) -> tuple[Message, bool]:
    """Return a turn's message, and whether it is a response that can be worked on."""
    turn = object_of(value, where)
    said_by = turn.get("from")
    role = ROLES.get(said_by.lower()) if isinstance(said_by, str) else None
    if role is None:
        raise none_of(turn, "from", where, ", ".join(ROLES))
    text, others = text_in(turn, "value", where), others_of(turn, _KNOWN)
    if role not in {"assistant", "call"}:
        return Message(role, text, others=others), False
    thought = thought_of(text)
    reasoning = thought.reasoning.strip()
    if role == "assistant":
        return Message(role, thought.answer, reasoning, others=others), True
    calls = written_calls(thought.answer)
    rest = "" if calls else thought.answer
    return Message("assistant", rest, reasoning, calls, others=others), False


def _written(message: Message) -> list[dict[str, Any]]:
    if message.role == "developer":
        raise ConversionRefused("sharegpt", "the role 'developer'")
    if message.tool_calls:
        if message.text.strip():
            raise ConversionRefused("sharegpt", "a turn that both says something and calls a tool")
        called = [_call(call) for call in message.tool_calls]
        calls = dumps(called[0] if len(called) == 1 else called).decode()
        return [{"from": "function_call", "value": tagged(message.reasoning, calls)}]
    said_by = _WRITTEN[message.role]
    return [{"from": said_by, "value": tagged(message.reasoning, message.text)}]


def _call(call: ToolCall) -> dict[str, Any]:
    return {"name": call.name, "arguments": parsed_arguments(call)}


_WRITTEN = {
    "system": "system",
    "user": "human",
    "assistant": "gpt",
    "tool": "observation",
    "function": "observation",
}
