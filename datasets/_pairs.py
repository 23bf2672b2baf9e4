"""Both sides of a preference pair at once."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ._conversation import Message, OfferedTool
from ._row import Row
from .shapes import LAYOUTS, UnusableRecord

_SHAPE = "preference"


@dataclass(frozen=True, slots=True)
class Pair:
    """A preference pair: what was asked, and the two ways in which it went on.

    Attributes:
        prompt: What both sides begin with.
        chosen: What follows it on the chosen side: a response, or a conversation from there on.
        rejected: The same of the rejected side.
        offered: The tools that were on offer.
    """

    prompt: tuple[Message, ...] = field(repr=False)
    chosen: tuple[Message, ...] = field(repr=False)
    rejected: tuple[Message, ...] = field(repr=False)
    offered: tuple[OfferedTool, ...] = field(default=(), repr=False)


def pair_of(row: Row) -> Pair:
    """Return both sides of a row that is a preference pair.

    Which turns and which side are selected does not matter: a pair is taken whole.

    Raises:
        UnusableRecord: The row has another shape, a side breaks its own or says nothing, or both
            say the same.
    """
    if row.shape != _SHAPE:
        raise UnusableRecord(
            f"no preference pair: the row is read as {row.shape!r}, and a pair has 'chosen' and "
            "'rejected'"
        )
    layout = LAYOUTS[_SHAPE]
    chosen, rejected = (layout.read(row.columns, side) for side in layout.sides)
    for name, spoken in (("chosen", chosen), ("rejected", rejected)):
        said = (spoken.messages[turn] for turn in spoken.turns)
        if not any(message.text.strip() or message.tool_calls for message in said):
            raise UnusableRecord(f"{name}: no response with text or a tool call")
    # Both are alike up to the first response that may be worked on: that is where they part.
    parting = min(chosen.turns[0], rejected.turns[0])
    pair = Pair(
        chosen.messages[:parting],
        chosen.messages[parting:],
        rejected.messages[parting:],
        chosen.offered,
    )
    if _whole(pair.chosen) == _whole(pair.rejected):
        raise UnusableRecord("chosen and rejected are the same: there is nothing to prefer")
    return pair


def _whole(messages: Iterable[Message]) -> list[object]:
    """Return messages with what does not count where two of them are compared."""
    return [(message, message.parts, dict(message.others)) for message in messages]
