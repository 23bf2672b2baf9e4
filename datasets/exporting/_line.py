"""A row on its way from what was read to what is written."""

from typing import NamedTuple

from .._json import dumps, loads


class Line(NamedTuple):
    """A row as it is written.

    Attributes:
        opening: A digest of what it begins with, by which a split goes.
        synthetic: Whether its response was written.
        row: Its JSON.
        control: The JSON of its control; empty where none is wanted.
    """

    opening: str
    synthetic: bool
    row: bytes
    control: bytes

    def packed(self) -> bytes:
        """Return it as one line."""
        head = dumps([self.opening, self.synthetic, len(self.row)])
        return b"%d %b%b%b" % (len(head), head, self.row, self.control)

    @classmethod
    def unpacked(cls, data: bytes) -> "Line":
        """Read what `packed` returned."""
        size, _, rest = data.partition(b" ")
        opening, synthetic, length = loads(rest[: int(size)])
        body = rest[int(size) :]
        return cls(opening, synthetic, body[:length], body[length:])
