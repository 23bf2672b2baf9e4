"""OpenAI's chat form: a list of messages with `role` and `content`, tools in a column beside it."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .._conversation import Conversation, OfferedTool
from .._json import dumps
from .._row import Shape, Side
from ._chat import read_chat, write_chat
from ._fields import UnusableRecord
from ._forms import FieldForm
from ._layout import Place, Spoken, assistant_turns
from ._refusing import ConversionRefused
from ._tools import offered_tools, openai_tool, written_tools

LISTS: Final = ("messages", "conversations", "conversation")
"""Columns that a list of messages may stand in."""

CHAT: Final = FieldForm("content")


class Messages:
    """`{"messages": [{"role": "user", "content": "…"}, …], "tools": […]}`."""

    name: Shape = "messages"
    sides: tuple[Side, ...] = ("",)

    def fits(self, columns: Mapping[str, Any]) -> bool:
        """Say whether there is such a list, or a column called `messages`."""
        return list_column(columns, "role") is not None or "messages" in columns

    def core(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""
        return frozenset({self._column(columns), "tools"})

    def read(self, columns: Mapping[str, Any], side: Side) -> Spoken:
        """Read a record's conversation."""
        column = self._column(columns)
        if column not in columns:
            raise UnusableRecord("messages is missing")
        messages = read_chat(columns[column], column)
        offered = offered_tools(columns.get("tools"))
        return Spoken(messages, offered, assistant_turns(messages))

    def place(self, columns: Mapping[str, Any], turn: int, side: Side) -> Place:
        """Return where a response stands."""
        return Place((self._column(columns), turn), CHAT)

    def with_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[OfferedTool] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt and other tools."""
        column = self._column(columns)
        changed = dict(columns)
        if system is not None:
            changed[column] = with_system(columns[column], system)
        return changed if tools is None else with_tools(changed, tools)

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as columns of this shape."""
        columns: dict[str, Any] = {"messages": write_chat(conversation.messages, self.name)}
        if conversation.offered:
            columns["tools"] = [openai_tool(tool) for tool in whole_tools(conversation, self.name)]
        return columns

    def _column(self, columns: Mapping[str, Any]) -> str:
        return list_column(columns, "role") or "messages"


def list_column(columns: Mapping[str, Any], key: str) -> str | None:
    """Return the column that holds a list of messages, known by a key of the first of them."""
    for name in LISTS:
        held = columns.get(name)
        if isinstance(held, list) and held and isinstance(held[0], dict) and key in held[0]:
            return name
    return None


def with_system(messages: Sequence[Any], system: str) -> list[Any]:
    """Return a list of messages with another system prompt; an empty one is taken away."""
    given = list(messages)
    first = given[0] if given else None
    if isinstance(first, dict) and first.get("role") in {"system", "developer"}:
        if not system:
            return given[1:]
        return [{**first, "content": system}, *given[1:]]
    return [{"role": "system", "content": system}, *given] if system else given


def with_tools(columns: Mapping[str, Any], tools: Sequence[OfferedTool]) -> dict[str, Any]:
    """Return columns with other tools; where there are none any more, the column becomes null."""
    held = columns.get("tools")
    if not tools and held is None:
        return dict(columns)
    written = written_tools(held, tools, openai_tool) or None
    if written and isinstance(held, str):
        return {**columns, "tools": dumps(written).decode()}
    return {**columns, "tools": written}


def whole_tools(conversation: Conversation, shape: str) -> Sequence[OfferedTool]:
    """Return the tools on offer, where name, description and schema are all there is of each.

    Raises:
        ConversionRefused: A definition says more.
    """
    for tool in conversation.offered:
        function = tool.definition.get("function")
        described = function if isinstance(function, dict) else tool.definition
        more = {name for name, value in described.items() if value is not None} - _DEFINED
        if described is function:
            more |= tool.definition.keys() - {"type", "function"}
        if more:
            raise ConversionRefused(shape, f"{min(more)!r} of the tool {tool.name!r}")
        if described.get("type") not in {None, "function", "custom"}:
            raise ConversionRefused(shape, f"a tool of type {described['type']!r}")
    return conversation.offered


_DEFINED = frozenset({"name", "description", "parameters", "input_schema", "type"})
