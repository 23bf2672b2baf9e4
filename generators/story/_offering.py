"""The names that the people of a story may have: drawn for it, none of them used up."""

from functools import lru_cache
from itertools import islice

from .._names import draw_names

_CHOICE = 3
"""How many more names are on offer than may be used."""


# Every ask of a story shows them, and drawing them costs more than all else in rendering one.
@lru_cache(maxsize=256)
def names_on_offer(seed: int, count: int, used: frozenset[str]) -> str:
    """Return names as a prompt shows them; a few more than may be used.

    Args:
        seed: The same seed gives the same names.
        count: How many people may have names.
        used: Names, given or whole, that the corpus has too often.
    """
    if not count:
        return "(none; name nobody)"
    drawn = draw_names(seed, count + _CHOICE + len(used))
    fresh = (name for name in drawn if not {str(name), name.given} & used)
    return ", ".join(map(str, islice(fresh, count + _CHOICE)))
