"""A row in another shape: the conversation is written anew, every other column is kept."""

from collections.abc import Mapping
from typing import Any

from whyset.errors import DatasetError

from ._conversation import Conversation
from ._row import Row, Shape
from ._selection import DEFAULT
from ._shapes import layout_of, read_as
from .shapes import LAYOUTS, ConversionRefused, UnusableRecord


def record_of(conversation: Conversation, *, shape: Shape) -> dict[str, Any]:
    """Return a conversation as the columns of a shape.

    Raises:
        ConversionRefused: The shape cannot hold all of it; the message says what.
    """
    return LAYOUTS[shape].write(conversation)


def convert(row: Row | Mapping[str, Any], *, to: Shape) -> dict[str, Any]:
    """Return a row's columns in another shape; in its own they are as they were.

    What the conversation was laid out in gives way to the new columns, in the place of the first
    of them; all other columns stay, in their order. Of a conversation, ids of calls are left out
    where the shape tells what belongs together by order, and so are signatures of thinking, which
    mean nothing elsewhere. Nothing else is: what the shape cannot hold is refused.

    Args:
        row: A row, or columns that need not have been read: those that a run wrote, say.
        to: The shape.

    Raises:
        ConversionRefused: The shape cannot hold all of it; the message says what.
        DatasetError: The columns hold no usable conversation.
    """
    columns = row.columns if isinstance(row, Row) else row
    try:
        layout = LAYOUTS[row.shape] if isinstance(row, Row) else layout_of(columns)
        if layout.name == to:
            return dict(columns)
        if len(layout.sides) > 1:
            raise ConversionRefused(to, "a rejected response beside the chosen one")
        reading = read_as(layout, columns, DEFAULT)
    except UnusableRecord as error:
        raise DatasetError(f"not to be converted: {error}") from error
    core = layout.core(columns)
    _refuse_unread_tools(columns, core, reading.conversation, to)
    written = record_of(reading.conversation, shape=to)
    claimed = LAYOUTS[to].core({**columns, **written}) | written.keys()
    for name in sorted(claimed - core):
        if columns.get(name) is not None:
            raise ConversionRefused(to, f"another column {name!r} beside its own")
    converted: dict[str, Any] = {}
    for name, value in columns.items():
        if name not in core and name not in written:
            converted[name] = value
        elif written.keys() - converted.keys():
            converted |= written
    return converted


def _refuse_unread_tools(
    columns: Mapping[str, Any], core: frozenset[str], conversation: Conversation, to: Shape
) -> None:
    """Refuse tools that are no definitions, which a conversation passes over."""
    tools = columns.get("tools") if "tools" in core else None
    read = len(conversation.offered)
    if tools and (len(tools) != read if isinstance(tools, list) else not read):
        raise ConversionRefused(to, "tools that are no definitions")
