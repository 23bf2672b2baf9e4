"""Record → conversation: which shape it has, what was said, and which responses are worked on."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from ._conversation import Conversation, Message
from ._provenance import earlier_pass
from ._row import COLUMN, Row, Shape, Side, Target
from ._selection import DEFAULT, Selection
from .shapes import (
    LAYOUTS,
    LISTS,
    Layout,
    Spoken,
    UnusableRecord,
    assistant_turns,
    list_column,
    plain_chat,
)

# Columns by which a record with `messages` is of another shape, or has more to be read.
_TELLING = frozenset({"chosen", "rejected", "system", "tools", *LISTS[1:]})
_EMPTY = "empty response: the last assistant turn has no text and no tool call"


class Reading(NamedTuple):
    """A record as it was read.

    Attributes:
        shape: How its conversation is laid out.
        conversation: What was said, with the first of the targets as its response.
        targets: The responses to be worked on.
    """

    shape: Shape
    conversation: Conversation
    targets: tuple[Target, ...]


def read_record(columns: Mapping[str, Any], selection: Selection = DEFAULT) -> Reading:
    """Recognise a record's shape and read its conversation.

    Raises:
        UnusableRecord: It has no shape, breaks the one it has, has no response of those that are
            selected, or carries the provenance of an earlier pass that is not to be replaced.
    """
    earlier = earlier_pass(columns)
    if earlier is not None and not selection.replace_provenance:
        raise UnusableRecord(
            f"the row already has a {COLUMN!r} column of an earlier pass (generator "
            f"{earlier['generator']!r}, outcome {earlier['outcome']!r}): work on the rows as they "
            "were before it, or choose to replace its provenance"
        )
    if selection is DEFAULT and (plain := _read_plain(columns)) is not None:
        return plain
    layout = LAYOUTS[selection.shape] if selection.shape else layout_of(columns)
    return read_as(layout, columns, selection)


def read_conversation(
    columns: Mapping[str, Any], selection: Selection = DEFAULT
) -> tuple[Shape, Conversation]:
    """Return a record's shape and conversation alone; see `read_record`."""
    reading = read_record(columns, selection)
    return reading.shape, reading.conversation


def row_of(
    columns: Mapping[str, Any],
    *,
    line: int,
    digest: str,
    selection: Selection = DEFAULT,
    source: str = "",
) -> Row:
    """Make a row of a record.

    Args:
        columns: The record.
        line: Its line in the source.
        digest: SHA-256 of the record as it stood, hex; what is selected is added to it.
        selection: What of it is to be worked on.
        source: The file and the line in it, where several are read.

    Raises:
        UnusableRecord: It is no usable row; see `read_record`.
    """
    read = read_record(columns, selection)
    known_by = selection.digest(digest)
    return Row(line, columns, read.shape, read.conversation, known_by, read.targets, source)


def layout_of(columns: Mapping[str, Any]) -> Layout:
    """Return the first shape that fits a record; a null column is as good as none.

    Raises:
        UnusableRecord: None fits, or two lists of messages contradict each other.
    """
    candidates = [columns]
    if None in columns.values():
        candidates.insert(0, {name: value for name, value in columns.items() if value is not None})
    for candidate in candidates:
        for layout in LAYOUTS.values():
            if layout.fits(candidate):
                _refuse_two_lists(layout, candidate)
                return layout
    names = ", ".join(map(repr, list(columns)[:8])) or "none at all"
    raise UnusableRecord(
        "no conversation: expected 'messages' or 'conversations', 'prompt' with 'response' or "
        "'completion', 'instruction' with 'output', 'chosen' with 'rejected', or a transcript in "
        f"'text'; the columns are {names}"
    )


def _read_plain(columns: Mapping[str, Any]) -> Reading | None:
    """Read a list of plain messages, as most records are, in two thirds of the time.

    Returns:
        What reading it as the shape that fits would give; `None` where that takes a closer look.
    """
    held = columns.get("messages")
    if not isinstance(held, list) or not _TELLING.isdisjoint(columns):
        return None
    messages = plain_chat(held)
    if not messages or "from" in held[0]:
        return None
    turns = assistant_turns(messages)
    if not turns or not _says_something(messages[turns[-1]]):
        return None
    target = Target(turns[-1], number=len(turns))
    return Reading("messages", Conversation(messages, target.turn), (target,))


def read_as(layout: Layout, columns: Mapping[str, Any], selection: Selection) -> Reading:
    """Read a record as a shape; see `read_record`."""
    sides = layout.sides if selection.side == "both" else layout.sides[:1]
    read: list[Spoken] = []
    targets: list[Target] = []
    for side in sides:
        spoken = layout.read(columns, side)
        read.append(spoken)
        try:
            targets += _selected(spoken, selection, side)
        except UnusableRecord as error:
            raise UnusableRecord(f"{side}: {error}" if side else str(error)) from error
    conversation = Conversation(read[0].messages, targets[0].turn, read[0].offered)
    return Reading(layout.name, conversation, tuple(targets))


def _selected(spoken: Spoken, selection: Selection, side: Side) -> list[Target]:
    if not spoken.turns:
        raise UnusableRecord("no assistant turn: there is no response to work on")
    if selection.turns == "last":
        turn = spoken.turns[-1]
        if not _says_something(spoken.messages[turn]):
            raise UnusableRecord(_EMPTY)
        roles = [message.role for message in spoken.messages[: turn + 1]]
        return [Target(turn, side, roles.count("assistant"))]
    answered = [at for at, message in enumerate(spoken.messages) if message.role == "assistant"]
    open_turns = frozenset(spoken.turns)
    numbered = [
        Target(turn, side, number)
        for number, turn in enumerate(answered, start=1)
        if turn in open_turns
    ]
    if selection.turns == "all":
        if said := [target for target in numbered if _says_something(spoken.messages[target.turn])]:
            return said
        raise UnusableRecord("empty response: no assistant turn has text or a tool call")
    for target in numbered:
        if target.number == selection.turns:
            if not _says_something(spoken.messages[target.turn]):
                raise UnusableRecord(f"empty response: {target} has no text and no tool call")
            return [target]
    if selection.turns <= len(answered):
        raise UnusableRecord(
            f"turn {selection.turns} is not to be worked on: it belongs to the prompt, or is "
            "nothing but a call"
        )
    raise UnusableRecord(
        f"no turn {selection.turns}: the assistant has {len(answered)} "
        f"{'turn' if len(answered) == 1 else 'turns'}"
    )


def _says_something(message: Message) -> bool:
    return bool(message.tool_calls or (message.text and not message.text.isspace()))


def _refuse_two_lists(layout: Layout, columns: Mapping[str, Any]) -> None:
    """Refuse a record with two conversations: neither has a better claim to be the one."""
    if layout.name not in {"messages", "sharegpt", "anthropic"}:
        return
    held = [name for name in LISTS if name in columns]
    if len(held) > 1:
        held = [
            name
            for name in held
            if any(list_column({name: columns[name]}, key) for key in ("role", "from"))
        ]
    if len(held) > 1:
        raise UnusableRecord(
            f"two conversations, in {held[0]!r} and in {held[1]!r}: remove one of the columns, or "
            "name the shape that is meant"
        )
