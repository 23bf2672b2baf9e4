"""Work on a row's columns: taking a response out, putting a deliberation beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ._row import Channel, Conversation, Row, Target
from .shapes import LAYOUTS, Parted, Place, defined_tools


def part_columns(row: Row, columns: Mapping[str, Any] | None = None) -> Parted:
    """Take the response out of a row's columns, or out of others that are laid out as they are."""
    place = _place(row)
    columns = row.columns if columns is None else columns
    parted = place.form.part(place.held(columns))
    return replace(parted, others=place.put(columns, parted.others))


def with_deliberation(row: Row, text: str, channel: Channel) -> dict[str, Any]:
    """Return the row's columns with a deliberation put in its channel.

    Args:
        row: The row; it is left as it is.
        text: The deliberation; for `inline` the whole new response.
        channel: `thinking` puts the text where the shape has its reasoning, ahead of any that is
            already there; `preface` puts it before the response, a blank line between; `inline`
            puts it in the response's place. Tool calls and parts that are no text stay as they
            are.
    """
    place = _place(row)
    placed = place.form.place(place.held(row.columns), text, channel)
    return dict(place.put(row.columns, placed))


def with_response(row: Row, text: str) -> Row:
    """Return the row with another response, and without the reasoning that led to the old one."""
    place = _place(row)
    answered = place.form.answer(place.held(row.columns), text)
    messages = list(row.conversation.messages)
    response = row.conversation.response
    messages[row.conversation.turn] = response._replace(text=text, reasoning="", parts=())
    conversation = replace(row.conversation, messages=tuple(messages))
    columns = dict(place.put(row.columns, answered))
    return replace(row, columns=columns, conversation=conversation)


def with_context(row: Row, system: str | None, tools: Sequence[Mapping[str, Any]] | None) -> Row:
    """Return the row with another system prompt and other tools; every turn stays as it is.

    Args:
        row: The row; it is left as it is.
        system: The prompt, in the place of the row's or where the shape has its place; an empty
            one takes the row's away, `None` leaves it.
        tools: All the tools, each with a name, a description and a JSON schema, in OpenAI's form
            or Anthropic's; they are written in the row's. Definitions that the row has already
            stay as they stand. Without any, the row's are taken away; `None` leaves them.

    Raises:
        ContextRefused: The row's shape has no place for one of them.
        DatasetError: A tool has no name.
    """
    layout = LAYOUTS[row.shape]
    offered = None if tools is None else defined_tools(tools)
    columns = layout.with_context(row.columns, system, offered)
    side = row.target.side
    spoken = layout.read(columns, side)
    # A prompt that came or went moves every turn behind it.
    moved = len(spoken.messages) - len(row.conversation.messages)
    targets = tuple(replace(target, turn=target.turn + moved) for target in row.targets)
    turn = row.conversation.turn + moved
    conversation = Conversation(spoken.messages, turn, spoken.offered)
    return replace(row, columns=columns, conversation=conversation, targets=targets)


def aimed_at(row: Row, target: Target, columns: Mapping[str, Any] | None = None) -> Row:
    """Return a row with one of its targets as its only one.

    Args:
        row: The row; it is left as it is.
        target: Which.
        columns: The row's columns as they stand by now, where others were worked on before.
    """
    columns = row.columns if columns is None else columns
    spoken = LAYOUTS[row.shape].read(columns, target.side)
    conversation = Conversation(spoken.messages, target.turn, spoken.offered)
    return replace(row, columns=columns, conversation=conversation, targets=(target,))


def _place(row: Row) -> Place:
    target = row.target
    layout = LAYOUTS[row.shape]
    side = target.side or layout.sides[0]
    return layout.place(row.columns, target.turn, side)
