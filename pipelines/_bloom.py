"""Which keys have surely not been seen: most questions to a new ledger, answered without SQLite."""

_BITS = 1 << 26
_LAST = _BITS - 1
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
        place = hash(text)
        step = (place >> 32) | 1
        for _ in range(_PROBES):
            self._bits[(place & _LAST) >> 3] |= 1 << (place & 7)
            place += step

    def __contains__(self, text: str) -> bool:
        """Say whether a text may have been added; `False` is certain."""
        place = hash(text)
        step = (place >> 32) | 1
        for _ in range(_PROBES):
            if not self._bits[(place & _LAST) >> 3] & 1 << (place & 7):
                return False
            place += step
        return True
