"""What every shape is: how it is recognised, read, worked on and written."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from whyset.errors import DatasetError

from .._row import Conversation, Message, Shape, Side, ToolDefinition
from ._response import ResponseSlot

# ---- Values out of a record, or a reason that names the place and what stands there instead.

_MAX_SHOWN = 80


class UnusableRecord(ValueError):
    """A record that no shape fits, or whose conversation cannot be worked on; says why."""


def describe_json_type(value: Any) -> str:
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


def wrong_type_error(where: str, wanted: str, value: Any) -> UnusableRecord:
    """Return what to raise where a value is of the wrong kind."""
    return UnusableRecord(f"{where} must be {wanted}, not {describe_json_type(value)}")


def require_text(holder: Mapping[str, Any], key: str, where: str = "") -> str:
    """Return a string that must be there.

    Raises:
        UnusableRecord: It is missing or no string.
    """
    value = holder.get(key)
    if isinstance(value, str):
        return value
    place = f"{where}.{key}" if where else key
    if value is None and key not in holder:
        raise UnusableRecord(f"{place} is missing")
    raise wrong_type_error(place, "a string", value)


def get_text(holder: Mapping[str, Any], key: str, where: str = "") -> str:
    """Return a string that may be missing or null; then it is empty.

    Raises:
        UnusableRecord: It is something else.
    """
    value = holder.get(key)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise wrong_type_error(f"{where}.{key}" if where else key, "a string", value)


def require_list(value: Any, where: str) -> list[Any]:
    """Return a value that must be a list.

    Raises:
        UnusableRecord: It is none.
    """
    if isinstance(value, list):
        return value
    raise wrong_type_error(where, "a list", value)


def require_object(value: Any, where: str) -> dict[str, Any]:
    """Return a value that must be an object.

    Raises:
        UnusableRecord: It is none.
    """
    if isinstance(value, dict):
        return value
    raise wrong_type_error(where, "an object", value)


def unknown_value_error(
    holder: Mapping[str, Any], key: str, where: str, allowed: str
) -> UnusableRecord:
    """Return what to raise where a value is missing, or none of those that are known."""
    if key not in holder:
        return UnusableRecord(f"{where}.{key} is missing")
    shown = repr(holder[key])[:_MAX_SHOWN]
    return UnusableRecord(f"{where}.{key} must be one of {allowed}, not {shown}")


def get_extra_fields(holder: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """Return what an object holds beside what is known of it; nulls say nothing."""
    if known.issuperset(holder):
        return {}
    return {
        name: value for name, value in holder.items() if name not in known and value is not None
    }


# ---- What a shape cannot hold is refused with the reason; nothing is dropped in silence.


class UnsupportedConversion(DatasetError):
    """A row that another shape cannot hold; the message says what stands in the way.

    Attributes:
        shape: The one it was to be written in.
        obstacle: What that has no place for.
    """

    def __init__(self, shape: str, obstacle: str) -> None:
        super().__init__(f"shape {shape!r} cannot hold {obstacle}")
        self.shape = shape
        self.obstacle = obstacle


class UnsupportedContext(DatasetError):
    """A system prompt or tools that a row's shape has no place for."""

    def __init__(self, shape: str, what: str) -> None:
        super().__init__(
            f"shape {shape!r} has no place for {what}: convert the rows first, for example to "
            "'messages'"
        )


def reject_context(
    shape: str, system: str | None, tools: Sequence[ToolDefinition] | None, where: str = ""
) -> None:
    """Refuse a system prompt and tools, where a shape knows only texts.

    Args:
        shape: The shape.
        system: The prompt; an empty one asks for nothing, nor does `None`.
        tools: The tools, likewise.
        where: What they would stand beside, where other rows of the shape have a place for them.

    Raises:
        ContextRefused: There is one.
    """
    if system:
        raise UnsupportedContext(shape, f"a system prompt{where}")
    if tools:
        raise UnsupportedContext(shape, f"tools{where}")


def reject_non_text(messages: Iterable[Message], shape: str) -> None:
    """Refuse what a shape of bare texts cannot hold of a message.

    Ids of calls are no content: where results follow their calls, nothing is lost without them.

    Raises:
        ConversionRefused: A message has parts that are no text, a participant's name, or keys
            that nobody knows.
    """
    for message in messages:
        for part in message.parts:
            if part.get("type") != "text" or part.keys() - {"type", "text"}:
                kind = part.get("type")
                raise UnsupportedConversion(
                    shape,
                    "more than a part's text" if kind == "text" else f"a part of type {kind!r}",
                )
        if message.name is not None and message.role not in {"tool", "function"}:
            raise UnsupportedConversion(shape, f"the name of a participant, {message.name!r}")
        if message.extra_fields:
            raise UnsupportedConversion(shape, f"a message's {next(iter(message.extra_fields))!r}")


def reject_tools(conversation: Conversation, shape: str) -> None:
    """Refuse tools, where a shape knows only texts.

    Raises:
        ConversionRefused: A message calls a tool or is a tool's, or one was on offer.
    """
    for message in conversation.messages:
        if message.tool_calls:
            raise UnsupportedConversion(shape, f"a call of the tool {message.tool_calls[0].name!r}")
        if message.role in {"tool", "function"}:
            raise UnsupportedConversion(shape, "a tool's result")
    if conversation.tool_definitions:
        raise UnsupportedConversion(shape, "tools on offer")


class ParsedConversation(NamedTuple):
    """A conversation as read, before it is chosen which of its responses are worked on.

    Attributes:
        messages: What was said.
        tool_definitions: The tools that were on offer.
        response_turns: Indices of the messages that may be worked on.
    """

    messages: tuple[Message, ...]
    tool_definitions: tuple[ToolDefinition, ...] = ()
    response_turns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ResponseLocation:
    """Where a response stands in a record.

    Attributes:
        path: Keys and indices that lead to what holds it; empty is the record itself.
        slot: How it stands in there.
    """

    path: tuple[str | int, ...]
    slot: ResponseSlot

    def get_holder(self, columns: Mapping[str, Any]) -> Any:
        """Return what holds the response."""
        holder: Any = columns
        for step in self.path:
            holder = holder[step]
        return holder

    def replace_holder(self, columns: Mapping[str, Any], value: Any) -> Any:
        """Return columns with another value there; what is on the way is copied, no more."""
        return _set_at_path(columns, self.path, value)


def _set_at_path(holder: Any, path: Sequence[str | int], value: Any) -> Any:
    if not path:
        return value
    copy: Any = dict(holder) if isinstance(holder, Mapping) else list(holder)
    copy[path[0]] = _set_at_path(holder[path[0]], path[1:], value)
    return copy


class ShapeAdapter(Protocol):
    """A shape. `side` matters to preference pairs alone."""

    @property
    def name(self) -> Shape:
        """What it is called."""

    @property
    def sides(self) -> tuple[Side, ...]:
        """The conversations that a record of this shape has."""

    def matches(self, columns: Mapping[str, Any]) -> bool:
        """Say whether a record looks like one of this shape, be it a broken one."""

    def conversation_columns(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""

    def read(self, columns: Mapping[str, Any], side: Side) -> ParsedConversation:
        """Read a record's conversation.

        Raises:
            UnusableRecord: It breaks the shape; the reason names the place.
        """

    def locate_response(
        self, columns: Mapping[str, Any], turn: int, side: Side
    ) -> ResponseLocation:
        """Return where the response at an index of the conversation stands."""

    def replace_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[ToolDefinition] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt and other tools; `None` leaves one as it is.

        Raises:
            ContextRefused: The shape has no place for one of them.
        """

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as columns of this shape.

        Raises:
            ConversionRefused: The shape cannot hold all of it.
        """


def find_assistant_turns(messages: Sequence[Message], *, first: int = 0) -> tuple[int, ...]:
    """Return the indices of the assistant's messages from one on."""
    return tuple([at for at in range(first, len(messages)) if messages[at].role == "assistant"])
