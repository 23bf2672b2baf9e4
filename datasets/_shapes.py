"""Record → conversation, shape by shape. A new shape is a parser here and a place in `_placing`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag, TypeAdapter, ValidationError

from ._conversation import Conversation, Message, ToolCall
from ._json import dumps
from ._row import COLUMN, REASONING_FIELD, Shape

_Role = Literal["system", "developer", "user", "assistant", "tool", "function"]


class UnusableRecord(ValueError):
    """A record that no shape fits, or whose conversation cannot be worked on; says why."""


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _Part(_Lenient):
    type: str
    text: str | None = None


def _kind(value: object) -> str | None:
    kinds: Mapping[type, str] = {str: "text", list: "parts", dict: "object"}
    return kinds.get(type(value))


# A union told apart by the value's type: what is wrong is then said of one branch, not of each.
_Content = Annotated[
    Annotated[str, Tag("text")] | Annotated[list[_Part], Tag("parts")],
    Discriminator(
        _kind,
        custom_error_type="content",
        custom_error_message="must be a string, a list of parts or null",
    ),
]
_Arguments = Annotated[
    Annotated[str, Tag("text")] | Annotated[dict[str, Any], Tag("object")],
    Discriminator(
        _kind,
        custom_error_type="arguments",
        custom_error_message="must be a string or an object",
    ),
]


class _Function(_Lenient):
    name: str
    arguments: _Arguments = ""


class _ToolCall(_Lenient):
    function: _Function


class _Message(_Lenient):
    role: _Role
    content: _Content | None = None
    reasoning_content: str | None = None
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None
    name: str | None = None


class _Pair(_Lenient):
    prompt: str = Field(min_length=1)
    response: str
    reasoning_content: str | None = None


_MESSAGES = TypeAdapter(list[_Message])


def read_conversation(columns: Mapping[str, Any]) -> tuple[Shape, Conversation]:
    """Recognise a record's shape and read its conversation.

    Raises:
        UnusableRecord: It has neither shape, breaks the one it has, has no assistant turn or an
            empty response, or already carries a `whyset` column.
    """
    if COLUMN in columns:
        raise UnusableRecord(
            f"the row already has a {COLUMN!r} column; remove or rename it, so that the "
            "provenance of an earlier pass is not lost"
        )
    try:
        if "messages" in columns:
            return "messages", _from_messages(columns)
        if "prompt" in columns and "response" in columns:
            return "prompt", _from_pair(columns)
    except ValidationError as error:
        raise UnusableRecord(_first_problem(error)) from error
    raise UnusableRecord(
        "no conversation: expected a 'messages' list, or 'prompt' and 'response' strings"
    )


def kind_of(value: Any) -> str:
    """Name a JSON value's type as a person would."""
    names: Mapping[type, str] = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "true or false",
        int: "a number",
        float: "a number",
        type(None): "null",
    }
    return names.get(type(value), f"a {type(value).__name__}")


def _from_messages(columns: Mapping[str, Any]) -> Conversation:
    messages = tuple(map(_message, _MESSAGES.validate_python(columns["messages"])))
    turns = [index for index, message in enumerate(messages) if message.role == "assistant"]
    if not turns:
        raise UnusableRecord("no assistant turn: there is no response to work on")
    response = messages[turns[-1]]
    if not response.text.strip() and not response.tool_calls:
        raise UnusableRecord("empty response: the last assistant turn has no text and no tool call")
    return Conversation(messages, turn=turns[-1], tools=_tool_names(columns.get("tools")))


def _from_pair(columns: Mapping[str, Any]) -> Conversation:
    pair = _Pair.model_validate(columns)
    if not pair.response.strip():
        raise UnusableRecord("empty response: 'response' has no text")
    answer = Message("assistant", pair.response, reasoning=pair.reasoning_content or "")
    return Conversation((Message("user", pair.prompt), answer), turn=1)


def _message(message: _Message) -> Message:
    content = message.content
    text = (
        "\n".join(part.text for part in content if part.type == "text" and part.text)
        if isinstance(content, list)
        else content or ""
    )
    functions = [call.function for call in message.tool_calls or ()]
    if message.function_call is not None:
        functions.append(message.function_call)
    calls = tuple(ToolCall(function.name, _arguments(function)) for function in functions)
    return Message(message.role, text, message.reasoning_content or "", calls, message.name)


def _arguments(function: _Function) -> str:
    given = function.arguments
    return given if isinstance(given, str) else dumps(given).decode()


def _tool_names(tools: Any) -> tuple[str, ...]:
    names = []
    for tool in tools if isinstance(tools, list) else ():
        described = tool.get("function", tool) if isinstance(tool, dict) else {}
        if isinstance(described, dict) and isinstance(described.get("name"), str):
            names.append(described["name"])
    return tuple(names)


_COMPLAINTS = {
    "missing": "is missing",
    "string_type": "must be a string",
    "string_too_short": "is empty",
    "list_type": "must be a list",
    "model_type": "must be an object",
    "dict_type": "must be an object",
    "literal_error": f"must be one of {', '.join(get_args(_Role))}",
}
"""What pydantic calls a problem → what a person does."""

_KEYS = frozenset(
    {"arguments", "content", "function", "function_call", "name", "prompt", "response", "role"}
    | {"text", "tool_calls", "type", REASONING_FIELD}
)


def _first_problem(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    # The branch of a union is named in the location, too; only what stands in the row is told.
    steps = [
        f"[{step}]" if isinstance(step, int) else f".{step}"
        for step in first["loc"]
        if isinstance(step, int) or step in _KEYS
    ]
    where = "".join(steps).lstrip(".")
    if where.startswith("[") or not where:
        where = f"messages{where}"
    complaint = _COMPLAINTS.get(first["type"], first["msg"])
    if first["type"] in {"missing", "string_too_short"}:
        return f"{where} {complaint}"
    given = repr(first["input"]) if first["type"] == "literal_error" else kind_of(first["input"])
    return f"{where} {complaint}, not {given[:80]}"
