"""Where the response stands in a row's columns: taking it out, putting a deliberation beside it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ._row import REASONING_FIELD, Channel, Row


@dataclass(frozen=True, slots=True)
class Parted:
    """A row's columns taken apart.

    Attributes:
        content: The response as it stands: text, a list of parts or null.
        reasoning: What its reasoning field holds; `None` where there is none.
        others: All other columns, and of the response's message all but those two.
    """

    content: Any
    reasoning: Any
    others: Mapping[str, Any] = field(repr=False)


def part_columns(row: Row, columns: Mapping[str, Any] | None = None) -> Parted:
    """Take the response out of a row's columns, or out of others that are laid out as they are."""
    columns = row.columns if columns is None else columns
    if row.shape == "prompt":
        return _parted(columns, "response")
    messages, turn = list(columns["messages"]), row.conversation.turn
    message = _parted(messages[turn], "content")
    messages[turn] = message.others
    return replace(message, others={**columns, "messages": messages})


def with_deliberation(row: Row, text: str, channel: Channel) -> dict[str, Any]:
    """Return the row's columns with a deliberation put in its channel.

    Args:
        row: The row; it is left as it is.
        text: The deliberation; for `inline` the whole new response.
        channel: `thinking` sets the reasoning field, ahead of any reasoning already there;
            `preface` puts the text before the response, a blank line between; `inline` puts it in
            the response's place. Tool calls and parts that are no text stay as they are.
    """
    columns = dict(row.columns)
    if row.shape == "prompt":
        return _place(columns, "response", text, channel)
    messages = list(columns["messages"])
    turn = row.conversation.turn
    messages[turn] = _place(dict(messages[turn]), "content", text, channel)
    columns["messages"] = messages
    return columns


def with_response(row: Row, text: str) -> Row:
    """Return the row with another response, and without the reasoning that led to the old one."""
    columns = with_deliberation(row, text, "inline")
    holder = columns
    if row.shape == "messages":
        holder = columns["messages"][row.conversation.turn]
    if REASONING_FIELD in holder:
        holder[REASONING_FIELD] = None
    messages = list(row.conversation.messages)
    messages[row.conversation.turn] = replace(row.conversation.response, text=text, reasoning="")
    conversation = replace(row.conversation, messages=tuple(messages))
    return replace(row, columns=columns, conversation=conversation)


def _parted(holder: Mapping[str, Any], key: str) -> Parted:
    others = {name: value for name, value in holder.items() if name not in {key, REASONING_FIELD}}
    return Parted(holder.get(key), holder.get(REASONING_FIELD), others)


def _place(holder: dict[str, Any], key: str, text: str, channel: Channel) -> dict[str, Any]:
    if channel == "thinking":
        return _with_reasoning(holder, key, text)
    content = holder.get(key)
    if isinstance(content, list):
        return {**holder, key: _in_parts(content, text, channel)}
    if channel == "preface" and content:
        return {**holder, key: f"{text}\n\n{content}"}
    return {**holder, key: text}


def _with_reasoning(holder: dict[str, Any], key: str, text: str) -> dict[str, Any]:
    """Set the reasoning field where it stands, else right before the response."""
    if REASONING_FIELD in holder or key not in holder:
        existing = holder.get(REASONING_FIELD)
        return {**holder, REASONING_FIELD: f"{text}\n\n{existing}" if existing else text}
    placed: dict[str, Any] = {}
    for name, value in holder.items():
        if name == key:
            placed[REASONING_FIELD] = text
        placed[name] = value
    return placed


def _in_parts(parts: list[Any], text: str, channel: Channel) -> list[Any]:
    if channel == "preface":
        return [{"type": "text", "text": f"{text}\n\n"}, *parts]
    others = [part for part in parts if part.get("type") != "text"]
    return [{"type": "text", "text": text}, *others]
