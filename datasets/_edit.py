"""Edits of a row: its response, the deliberation beside it, its system prompt and tools."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ._row import Channel, Conversation, Row, Target
from .shapes import SHAPES, ResponseLocation, ResponseParts, parse_tool_definitions


def extract_response(row: Row, columns: Mapping[str, Any] | None = None) -> ResponseParts:
    """Take the response out of a row's columns, or out of others that are laid out as they are."""
    place = _locate_response(row)
    columns = row.columns if columns is None else columns
    parted = place.slot.extract(place.get_holder(columns))
    return replace(parted, other_columns=place.replace_holder(columns, parted.other_columns))


def insert_deliberation(row: Row, text: str, channel: Channel) -> dict[str, Any]:
    """Return the row's columns with a deliberation put in its channel.

    Args:
        row: The row; it is left as it is.
        text: The deliberation; for `inline` the whole new response.
        channel: `thinking` puts the text where the shape has its reasoning, ahead of any that is
            already there; `preface` puts it before the response, a blank line between; `inline`
            puts it in the response's place. Tool calls and parts that are no text stay as they
            are.
    """
    place = _locate_response(row)
    placed = place.slot.insert_text(place.get_holder(row.columns), text, channel)
    return dict(place.replace_holder(row.columns, placed))


def replace_response(row: Row, text: str) -> Row:
    """Return the row with another response, and without the reasoning that led to the old one."""
    place = _locate_response(row)
    answered = place.slot.replace_response(place.get_holder(row.columns), text)
    messages = list(row.conversation.messages)
    response = row.conversation.response
    messages[row.conversation.turn] = response._replace(text=text, reasoning="", parts=())
    conversation = replace(row.conversation, messages=tuple(messages))
    columns = dict(place.replace_holder(row.columns, answered))
    return replace(row, columns=columns, conversation=conversation)


def replace_context(row: Row, system: str | None, tools: Sequence[Mapping[str, Any]] | None) -> Row:
    """Return the row with another system prompt and other tools; every turn stays as it is.

    Args:
        row: The row; it is left as it is.
        system: The prompt, in the place of the row's or where the shape has its place; an empty
            one takes the row's away, `None` leaves it.
        tools: All the tools, each with a name, a description and a JSON schema, in OpenAI's form
            or Anthropic's; they are written in the row's. Definitions that the row has already
            stay as they stand. Without any, the row's are taken away; `None` leaves them.

    Raises:
        UnsupportedContext: The row's shape has no place for one of them.
        DatasetError: A tool has no name.
    """
    layout = SHAPES[row.shape]
    offered = None if tools is None else parse_tool_definitions(tools)
    columns = layout.replace_context(row.columns, system, offered)
    side = row.target.side
    spoken = layout.read(columns, side)
    # A prompt that came or went moves every turn behind it.
    moved = len(spoken.messages) - len(row.conversation.messages)
    targets = tuple(replace(target, turn=target.turn + moved) for target in row.targets)
    turn = row.conversation.turn + moved
    conversation = Conversation(spoken.messages, turn, spoken.tool_definitions)
    return replace(row, columns=columns, conversation=conversation, targets=targets)


def select_target(row: Row, target: Target, columns: Mapping[str, Any] | None = None) -> Row:
    """Return a row with one of its targets as its only one.

    Args:
        row: The row; it is left as it is.
        target: Which.
        columns: The row's columns as they stand by now, where others were worked on before.
    """
    columns = row.columns if columns is None else columns
    spoken = SHAPES[row.shape].read(columns, target.side)
    conversation = Conversation(spoken.messages, target.turn, spoken.tool_definitions)
    return replace(row, columns=columns, conversation=conversation, targets=(target,))


def _locate_response(row: Row) -> ResponseLocation:
    target = row.target
    layout = SHAPES[row.shape]
    side = target.side or layout.sides[0]
    return layout.locate_response(row.columns, target.turn, side)
