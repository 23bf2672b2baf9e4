"""How much room each answer has, in tokens. Models that reason first spend from it too."""

from .._lengths import LengthBounds

JUDGE_ROOM = 5000

_REASONING = 6000
_PER_ENTRY = 200
_PER_WORD = 3


def list_room(entries: int) -> int:
    """Return the room for a list of ideas or subtypes."""
    return _REASONING + _PER_ENTRY * entries


def entries_of(room: int) -> int:
    """Return how many entries the room was made for: the inverse of `list_room`."""
    return (room - _REASONING) // _PER_ENTRY


def text_room(bounds: LengthBounds) -> int:
    """Return the room for a document."""
    return _REASONING + _PER_WORD * bounds.most
