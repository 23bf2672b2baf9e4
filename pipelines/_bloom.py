"""Which keys have surely not been seen: most questions to a new ledger, answered without SQLite."""

from collections.abc import Iterator

_BITS = 1 << 26
_PROBES = 4


class BloomFilter:
    """A set of texts that may hold too many, never too few (Bloom, CACM 13(7), 1970).

    Eight MiB whatever it holds. One text in 6,000 passes for another at two million, one in 25 at
    ten million; a ledger then looks in vain, no more. The places of a text are steps of one half
    of its hash from the other (Kirsch and Mitzenmacher, "Less Hashing, Same Performance", 2006).
    """

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)

    def add(self, text: str) -> None:
        """Add a text."""
        for place in _places(text):
            self._bits[place >> 3] |= 1 << (place & 7)

    def __contains__(self, text: str) -> bool:
        """Say whether a text may have been added; `False` is certain."""
        return all(self._bits[place >> 3] & 1 << (place & 7) for place in _places(text))


def _places(text: str) -> Iterator[int]:
    first = hash(text)
    step = (first >> 32) | 1
    return ((first + number * step) % _BITS for number in range(_PROBES))
