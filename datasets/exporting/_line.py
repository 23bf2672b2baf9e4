"""A row on its way from what was read to what is written."""

from typing import NamedTuple

from .._json import dumps, loads


class Line(NamedTuple):
    """A row as it is written.

    Attributes:
        opening: A digest of what it begins with, by which a split goes.
        row: Its JSON.
        control: The JSON of its control; empty where none is wanted.
    """

    opening: str
    row: bytes
    control: bytes

    def packed(self) -> bytes:
        """Return it as one line."""
        head = dumps([self.opening, len(self.row)])
        return b"%d %b%b%b" % (len(head), head, self.row, self.control)

    @classmethod
    def unpacked(cls, data: bytes) -> "Line":
        """Read what `packed` returned."""
        size, _, rest = data.partition(b" ")
        opening, length = loads(rest[: int(size)])
        body = rest[int(size) :]
        return cls(opening, body[:length], body[length:])
