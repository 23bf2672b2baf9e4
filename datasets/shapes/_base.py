"""What every shape is: how it is recognised, read, edited and written."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

from whyset.errors import UnsupportedContext, UnsupportedConversion

from .._row import Conversation, Message, Shape, Side, ToolDefinition
from ._response import ResponseSlot

Columns = Mapping[str, Any]
"""A record: its keys and values, in their order."""


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

    def get_holder(self, columns: Columns) -> Any:
        """Return what holds the response."""
        holder: Any = columns
        for step in self.path:
            holder = holder[step]
        return holder

    def replace_holder(self, columns: Columns, value: Any) -> Any:
        """Return columns with another value there; what is on the way is copied, no more."""
        return _set_at_path(columns, self.path, value)


def _set_at_path(holder: Any, path: Sequence[str | int], value: Any) -> Any:
    if not path:
        return value
    copy: Any = dict(holder) if isinstance(holder, Mapping) else list(holder)
    copy[path[0]] = _set_at_path(holder[path[0]], path[1:], value)
    return copy


class ShapeAdapter(ABC):
    """A shape.

    Attributes:
        name: What it is called.
        sides: The conversations that a record of this shape has: preference pairs have two, and
            they alone look at the argument `side`.
    """

    name: ClassVar[Shape]
    sides: ClassVar[tuple[Side, ...]] = ("",)

    @abstractmethod
    def matches(self, columns: Columns) -> bool:
        """Say whether a record looks like one of this shape, be it a broken one."""

    @abstractmethod
    def conversation_columns(self, columns: Columns) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""

    @abstractmethod
    def read(self, columns: Columns, side: Side) -> ParsedConversation:
        """Read a record's conversation.

        Raises:
            UnusableRecord: It breaks the shape; the reason names the place.
        """

    @abstractmethod
    def locate_response(self, columns: Columns, turn: int, side: Side) -> ResponseLocation:
        """Return where the response at an index of the conversation stands."""

    @abstractmethod
    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as columns of this shape.

        Raises:
            UnsupportedConversion: The shape cannot hold all of it.
        """

    def replace_context(
        self, columns: Columns, system: str | None, tools: Sequence[ToolDefinition] | None
    ) -> dict[str, Any]:
        """Return columns with another system prompt and other tools; `None` leaves one as it is.

        Raises:
            UnsupportedContext: The shape has no place for one of them.
        """
        changed = dict(columns)
        if system is not None:
            changed = self.replace_system(changed, system)
        return changed if tools is None else self.replace_tools(changed, tools)

    def replace_system(self, columns: dict[str, Any], system: str) -> dict[str, Any]:
        """Return columns with another system prompt; an empty one takes the record's away."""
        if system:
            raise UnsupportedContext(self.name, "a system prompt")
        return columns

    def replace_tools(
        self, columns: dict[str, Any], tools: Sequence[ToolDefinition]
    ) -> dict[str, Any]:
        """Return columns with other tools; none takes the record's away."""
        if tools:
            raise UnsupportedContext(self.name, "tools")
        return columns


def find_assistant_turns(messages: Sequence[Message], *, first: int = 0) -> tuple[int, ...]:
    """Return the indices of the assistant's messages from one on."""
    return tuple([at for at in range(first, len(messages)) if messages[at].role == "assistant"])


# ---- Values out of a record, or a reason that names the place and what stands there instead.

_MAX_SHOWN = 80

_JSON_TYPES: Mapping[type, str] = {
    dict: "an object",
    list: "an array",
    str: "a string",
    bool: "true or false",
    int: "a number",
    float: "a number",
    type(None): "null",
}


class UnusableRecord(ValueError):
    """A record that no shape fits, or whose conversation cannot be worked on; says why."""


def describe_json_type(value: Any) -> str:
    """Name a JSON value's type as a person would."""
    return _JSON_TYPES.get(type(value), f"a {type(value).__name__}")


def wrong_type_error(where: str, wanted: str, value: Any) -> UnusableRecord:
    return UnusableRecord(f"{where} must be {wanted}, not {describe_json_type(value)}")


def unknown_value_error(holder: Columns, key: str, where: str, allowed: str) -> UnusableRecord:
    if key not in holder:
        return UnusableRecord(f"{where}.{key} is missing")
    shown = repr(holder[key])[:_MAX_SHOWN]
    return UnusableRecord(f"{where}.{key} must be one of {allowed}, not {shown}")


def require_text(holder: Columns, key: str, where: str = "") -> str:
    """Return a string that must be there."""
    value = holder.get(key)
    if isinstance(value, str):
        return value
    place = f"{where}.{key}" if where else key
    if value is None and key not in holder:
        raise UnusableRecord(f"{place} is missing")
    raise wrong_type_error(place, "a string", value)


def get_text(holder: Columns, key: str, where: str = "") -> str:
    """Return a string that may be missing or null; then it is empty."""
    return "" if holder.get(key) is None else require_text(holder, key, where)


def require_list(value: Any, where: str) -> list[Any]:
    if isinstance(value, list):
        return value
    raise wrong_type_error(where, "a list", value)


def require_object(value: Any, where: str) -> dict[str, Any]:
    if isinstance(value, dict):
        return value
    raise wrong_type_error(where, "an object", value)


def get_id(holder: Columns, key: str) -> str | None:
    """Return the id of a call; what is no string is none."""
    value = holder.get(key)
    return value if isinstance(value, str) else None


def get_extra_fields(holder: Columns, known: frozenset[str]) -> dict[str, Any]:
    """Return what an object holds beside what is known of it; nulls say nothing."""
    if known.issuperset(holder):
        return {}
    return {
        name: value for name, value in holder.items() if name not in known and value is not None
    }


# ---- What a shape cannot hold is refused with the reason; nothing is dropped in silence.


def reject_non_text(messages: Iterable[Message], shape: str) -> None:
    """Refuse what a shape of bare texts cannot hold of a message.

    Ids of calls are no content: where results follow their calls, nothing is lost without them.
    """
    for message in messages:
        for part in message.parts:
            if part.get("type") != "text" or part.keys() - {"type", "text"}:
                kind = part.get("type")
                raise UnsupportedConversion(
                    shape,
                    "more than a part's text" if kind == "text" else f"a part of type {kind!r}",
                )
        reject_participant(message, shape)
        reject_extra_fields(message, shape)


def reject_participant(message: Message, shape: str) -> None:
    if message.name is not None and message.role not in {"tool", "function"}:
        raise UnsupportedConversion(shape, f"the name of a participant, {message.name!r}")


def reject_extra_fields(message: Message, shape: str) -> None:
    if message.extra_fields:
        raise UnsupportedConversion(shape, f"a message's {next(iter(message.extra_fields))!r}")


def reject_tools(conversation: Conversation, shape: str) -> None:
    """Refuse tools, calls of them and their results, where a shape knows only texts."""
    for message in conversation.messages:
        if message.tool_calls:
            raise UnsupportedConversion(shape, f"a call of the tool {message.tool_calls[0].name!r}")
        if message.role in {"tool", "function"}:
            raise UnsupportedConversion(shape, "a tool's result")
    if conversation.tool_definitions:
        raise UnsupportedConversion(shape, "tools on offer")
