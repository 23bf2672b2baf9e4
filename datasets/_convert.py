"""A row as something else: in another shape, or as a preference pair with both its sides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from whyset.errors import DatasetError, UnsupportedConversion

from ._reader import detect_shape, read_as_shape
from ._row import DEFAULT_SELECTION, Conversation, Message, Row, Shape, ToolDefinition
from .shapes import SHAPES, UnusableRecord


def conversation_to_columns(conversation: Conversation, *, shape: Shape) -> dict[str, Any]:
    """Return a conversation as the columns of a shape.

    Raises:
        UnsupportedConversion: The shape cannot hold all of it; the message says what.
    """
    return SHAPES[shape].write(conversation)


def convert_row(row: Row | Mapping[str, Any], *, to: Shape) -> dict[str, Any]:
    """Return a row's columns in another shape; in its own they are as they were.

    What the conversation was laid out in gives way to the new columns, in the place of the first
    of them; all other columns stay, in their order. Of a conversation, ids of calls are left out
    where the shape says by order what belongs together, and so are signatures of thinking, which
    mean nothing elsewhere. Nothing else is: what the shape cannot hold is refused.

    Args:
        row: A row, or columns that need not have been read: those that a run wrote, say.
        to: The shape.

    Raises:
        UnsupportedConversion: The shape cannot hold all of it; the message says what.
        DatasetError: The columns hold no usable conversation.
    """
    columns = row.columns if isinstance(row, Row) else row
    try:
        layout = SHAPES[row.shape] if isinstance(row, Row) else detect_shape(columns)
        if layout.name == to:
            return dict(columns)
        if len(layout.sides) > 1:
            raise UnsupportedConversion(to, "a rejected response beside the chosen one")
        reading = read_as_shape(layout, columns, DEFAULT_SELECTION)
    except UnusableRecord as error:
        raise DatasetError(f"cannot be converted: {error}") from error
    core = layout.conversation_columns(columns)
    _reject_invalid_tools(columns, core, reading.conversation, to)
    written = conversation_to_columns(reading.conversation, shape=to)
    claimed = SHAPES[to].conversation_columns({**columns, **written}) | written.keys()
    for name in sorted(claimed - core):
        if columns.get(name) is not None:
            raise UnsupportedConversion(to, f"another column {name!r} beside its own")
    converted: dict[str, Any] = {}
    for name, value in columns.items():
        if name not in core and name not in written:
            converted[name] = value
        elif written.keys() - converted.keys():
            converted |= written
    return converted


def _reject_invalid_tools(
    columns: Mapping[str, Any], core: frozenset[str], conversation: Conversation, to: Shape
) -> None:
    """Refuse tools that are not tool definitions, which a conversation passes over."""
    tools = columns.get("tools") if "tools" in core else None
    read = len(conversation.tool_definitions)
    if tools and (len(tools) != read if isinstance(tools, list) else not read):
        raise UnsupportedConversion(to, "tools that are not tool definitions")


@dataclass(frozen=True, slots=True)
class PreferencePair:
    """A preference pair: what was asked, and the two ways in which it went on.

    Attributes:
        prompt: What both sides begin with.
        chosen: What follows it on the chosen side: a response, or a conversation from there on.
        rejected: The same of the rejected side.
        tool_definitions: The tools that were on offer.
    """

    prompt: tuple[Message, ...] = field(repr=False)
    chosen: tuple[Message, ...] = field(repr=False)
    rejected: tuple[Message, ...] = field(repr=False)
    tool_definitions: tuple[ToolDefinition, ...] = field(default=(), repr=False)


def read_preference_pair(row: Row) -> PreferencePair:
    """Return both sides of a row that is a preference pair.

    Which turns and which side are selected does not matter: a pair is taken whole.

    Raises:
        UnusableRecord: The row has another shape, a side breaks its own or says nothing, or both
            say the same.
    """
    if row.shape != "preference":
        raise UnusableRecord(
            f"not a preference pair: the row is read as {row.shape!r}, and a pair has 'chosen' and "
            "'rejected'"
        )
    layout = SHAPES["preference"]
    chosen, rejected = (layout.read(row.columns, side) for side in layout.sides)
    for name, spoken in (("chosen", chosen), ("rejected", rejected)):
        said = (spoken.messages[turn] for turn in spoken.response_turns)
        if not any(message.text.strip() or message.tool_calls for message in said):
            raise UnusableRecord(f"{name}: no response with text or a tool call")
    # Both are alike up to the first response that may be worked on: that is where they part.
    parting = min(chosen.response_turns[0], rejected.response_turns[0])
    pair = PreferencePair(
        chosen.messages[:parting],
        chosen.messages[parting:],
        rejected.messages[parting:],
        chosen.tool_definitions,
    )
    if _comparable_messages(pair.chosen) == _comparable_messages(pair.rejected):
        raise UnusableRecord("chosen and rejected are the same: the pair has no preference")
    return pair


def _comparable_messages(messages: Iterable[Message]) -> list[object]:
    """Return messages with what does not count where two of them are compared."""
    return [(message, message.parts, dict(message.extra_fields)) for message in messages]
