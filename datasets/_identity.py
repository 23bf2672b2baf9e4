"""Whether two values are the same to the last byte, whatever a record may hold."""

from collections.abc import Mapping
from typing import Any


def identical(one: Any, other: Any) -> bool:
    """Say whether two values are the same in type, value and order of keys.

    NaN is the same as NaN, and 0.0 another than -0.0; bytes, dates and decimals are compared as
    they are, so that what JSON cannot hold is proved unchanged, too.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(identical(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(identical, one, other))
    if isinstance(one, float):
        return repr(one) == repr(other)
    return bool(one == other)
