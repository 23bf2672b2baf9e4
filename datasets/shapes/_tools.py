"""Tools on offer and calls of them, as the shapes write them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from whyset.errors import DatasetError, UnsupportedConversion

from .._json import InvalidJson, dumps, loads_text
from .._row import Conversation, Message, ToolCall, ToolDefinition
from ._base import (
    UnusableRecord,
    get_id,
    require_list,
    require_object,
    require_text,
    wrong_type_error,
)

_NO_ARGUMENTS: Mapping[str, Any] = {"type": "object", "properties": {}}
_DEFINITION_KEYS = frozenset({"name", "description", "parameters", "input_schema", "type"})


def read_tools(value: Any) -> tuple[ToolDefinition, ...]:
    """Read a `tools` column: a list of definitions, OpenAI's or Anthropic's, or JSON of one.

    What is no definition is passed over: it is context, and stays in the row as it is.
    """
    if isinstance(value, str):
        value = _parse_json(value)
    if not isinstance(value, list):
        return ()
    read = map(_read_tool, value)
    return tuple(tool for tool in read if tool is not None)


def parse_tool_definitions(tools: Sequence[Mapping[str, Any]]) -> tuple[ToolDefinition, ...]:
    """Read definitions that were made for a row, in OpenAI's form or Anthropic's.

    Raises:
        DatasetError: One of them has no name.
    """
    read = []
    for place, tool in enumerate(tools):
        offered = _read_tool(dict(tool))
        if offered is None:
            raise DatasetError(f"tools[{place}] is not a tool definition: it has no name")
        read.append(offered)
    return tuple(read)


def _read_tool(tool: Any) -> ToolDefinition | None:
    if not isinstance(tool, dict):
        return None
    described = tool.get("function", tool)
    if not isinstance(described, dict) or not isinstance(described.get("name"), str):
        return None
    description = described.get("description")
    schema = described.get("parameters", described.get("input_schema"))
    return ToolDefinition(
        described["name"],
        description if isinstance(description, str) else "",
        schema if isinstance(schema, dict) else None,
        tool,
    )


ToolWriter = Callable[[ToolDefinition], dict[str, Any]]
"""How a shape writes a tool."""


def to_openai_tool(tool: ToolDefinition) -> dict[str, Any]:
    """Return a tool as chat templates and OpenAI take it."""
    return {"type": "function", "function": to_flat_tool(tool)}


def to_flat_tool(tool: ToolDefinition) -> dict[str, Any]:
    """Return a tool as name, description and parameters."""
    return _describe_tool(tool, "parameters")


def to_anthropic_tool(tool: ToolDefinition) -> dict[str, Any]:
    """Return a tool as the Messages API takes it."""
    return _describe_tool(tool, "input_schema")


def _describe_tool(tool: ToolDefinition, schema_key: str) -> dict[str, Any]:
    schema = dict(_NO_ARGUMENTS if tool.schema is None else tool.schema)
    return {"name": tool.name, "description": tool.description, schema_key: schema}


def update_tools(
    held: Any, tools: Sequence[ToolDefinition], write: ToolWriter
) -> list[dict[str, Any]]:
    """Write tools into a row; those that its column holds already stay as they stand in it."""
    there = _parse_json(held) if isinstance(held, str) else held
    kept = there if isinstance(there, list) else ()
    return [dict(tool.definition) if tool.definition in kept else write(tool) for tool in tools]


def convert_tools(
    conversation: Conversation, shape: str, write: ToolWriter
) -> list[dict[str, Any]]:
    """Write the tools on offer in another shape.

    Raises:
        UnsupportedConversion: A definition says more than a name, a description and a schema.
    """
    for tool in conversation.tool_definitions:
        function = tool.definition.get("function")
        described = function if isinstance(function, dict) else tool.definition
        more = {name for name, value in described.items() if value is not None} - _DEFINITION_KEYS
        if described is function:
            more |= tool.definition.keys() - {"type", "function"}
        if more:
            raise UnsupportedConversion(shape, f"{min(more)!r} of the tool {tool.name!r}")
        if described.get("type") not in {None, "function", "custom"}:
            raise UnsupportedConversion(shape, f"a tool of type {described['type']!r}")
    return list(map(write, conversation.tool_definitions))


def read_openai_calls(message: Mapping[str, Any], where: str) -> tuple[ToolCall, ...]:
    """Read the calls of an assistant's message, the old form included."""
    calls = []
    given = message.get("tool_calls")
    if given is not None:
        for place, value in enumerate(require_list(given, f"{where}.tool_calls")):
            at = f"{where}.tool_calls[{place}]"
            call = require_object(value, at)
            if "function" not in call:
                raise UnusableRecord(f"{at}.function is missing")
            calls.append(_read_call(call["function"], f"{at}.function", get_id(call, "id")))
    if message.get("function_call") is not None:
        calls.append(_read_call(message["function_call"], f"{where}.function_call", None))
    return tuple(calls)


def _read_call(value: Any, where: str, call_id: str | None) -> ToolCall:
    function = require_object(value, where)
    name, arguments = require_text(function, "name", where), function.get("arguments")
    if arguments is None:
        arguments = ""
    if not isinstance(arguments, str | dict):
        raise wrong_type_error(f"{where}.arguments", "a string or an object", arguments)
    return ToolCall(name, arguments_to_json(arguments), call_id)


def parse_calls(text: str) -> tuple[ToolCall, ...]:
    """Read calls that are written as JSON: an object with name and arguments, or a list of them."""
    value = _parse_json(text)
    calls = []
    for call in value if isinstance(value, list) else [value]:
        if not isinstance(call, dict) or not isinstance(call.get("name"), str):
            return ()
        calls.append(ToolCall(call["name"], arguments_to_json(call.get("arguments", ""))))
    return tuple(calls)


def arguments_to_json(given: Any) -> str:
    """Return arguments as text: JSON of what is no text itself."""
    if isinstance(given, str):
        return given
    try:
        return dumps(given).decode()
    except DatasetError as error:
        raise UnusableRecord(f"arguments of a tool call: {error}") from error


def parse_arguments(call: ToolCall) -> Any:
    """Return a call's arguments as a value; as text where they are no JSON."""
    value = _parse_json(call.arguments)
    return call.arguments if value is None and call.arguments.strip() != "null" else value


def to_openai_call(call: ToolCall, number: int) -> dict[str, Any]:
    """Return a call as OpenAI writes it."""
    return {
        "id": get_call_id(call, number),
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments},
    }


def get_call_id(call: ToolCall, number: int) -> str:
    """Return a call's id; one without is given one by its place in the conversation."""
    return call.id or f"call_{number}"


def count_preceding_calls(messages: Sequence[Message]) -> dict[int, int]:
    """Return, for each message that calls, how many calls came before it."""
    before, count = {}, 0
    for place, message in enumerate(messages):
        if message.tool_calls:
            before[place] = count
            count += len(message.tool_calls)
    return before


def _parse_json(text: str) -> Any:
    try:
        return loads_text(text)
    except InvalidJson:
        return None
