"""JSON in and out without changing a value: big integers survive, NaN is refused."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from operator import sub
from typing import Any

import orjson

from whyset.errors import DatasetError

MAX_DEPTH = 200
"""Levels of nesting that are read; what is nested deeper could not be written again everywhere."""

# orjson turns integers beyond 64 bits into floats, the smallest of which is this.
_INT64_LIMIT = float(2**63)
_LONG_INTEGER = re.compile(rb"[0-9]{19}")
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"(\s*+:)?', re.DOTALL)
_SPACED_KEY = re.compile(rb'"[ \t\r\n]+:')
_LONE_SURROGATE = "not JSON: a \\u escape that is a lone surrogate"
_TOO_DEEP = f"nested too deeply: more than {MAX_DEPTH} levels"
_OUT_OF_RANGE = "a number outside the range of a double"
_CONSTANT = re.compile(r"-?(?:NaN|Infinity)")


class InvalidJson(ValueError):
    """A text that is not JSON; the message says why, for a person."""


def loads(data: bytes, *, keys: int | None = None) -> Any:
    """Parse UTF-8 JSON.

    Args:
        data: The text.
        keys: How many keys it has at most, where that is known already.

    Raises:
        InvalidJson: It is not JSON, holds what JSON does not (NaN, half a surrogate pair, a number
            beyond the range of a double), is nested too deeply, or has an object in which a key
            stands twice: which of the two counts would be a guess.
    """
    try:
        value = orjson.loads(data)
    except json.JSONDecodeError as error:
        if not _LONG_INTEGER.search(data):
            raise InvalidJson(_explain_error(error, data)) from error
        value = _loads_exact_integers(data)
    if type(value) is float and abs(value) >= _INT64_LIMIT:
        return _loads_exact_integers(data)
    if type(value) is dict or type(value) is list:
        left, big = _inspect_value(value)
        if big:
            value = _loads_exact_integers(data)
        if keys != left and _has_duplicate_keys(data, left):
            raise InvalidJson(_find_duplicate_key(data))
    return value


def loads_text(text: str) -> Any:
    """Parse JSON that is a text within a record; see `loads`.

    Raises:
        InvalidJson: It is not JSON, or holds half a surrogate pair.
    """
    try:
        return loads(text.encode())
    except UnicodeEncodeError as error:
        raise InvalidJson(_LONE_SURROGATE) from error


def dumps(value: Any) -> bytes:
    """Serialise to compact UTF-8 JSON in the order of the keys.

    Raises:
        DatasetError: The value cannot be written as UTF-8 JSON.
    """
    try:
        return orjson.dumps(value)
    except TypeError:
        try:
            text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
            return text.encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise DatasetError(f"a value cannot be written as JSON: {error}") from error


def is_identical(one: Any, other: Any) -> bool:
    """Say whether two values are the same in type, value and order of keys.

    NaN is the same as NaN, and 0.0 another than -0.0; bytes, dates and decimals are compared as
    they are, so that what JSON cannot hold is proved unchanged, too.
    """
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(is_identical(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(is_identical, one, other))
    if isinstance(one, float):
        return repr(one) == repr(other)
    return bool(one == other)


def _inspect_value(value: Any) -> tuple[int, bool]:
    """Count the keys of all objects, and look for a float that may have been an integer."""
    keys, big, level = 0, False, [value]
    for _ in range(MAX_DEPTH):
        below: list[Any] = []
        for outer in level:
            if type(outer) is dict:
                keys += len(outer)
                outer = outer.values()
            for inner in outer:
                kind = type(inner)
                if kind is str:
                    continue
                if kind is dict or kind is list:
                    below.append(inner)
                elif kind is float and not -_INT64_LIMIT < inner < _INT64_LIMIT:
                    big = True
        if not below:
            return keys, big
        level = below
    raise InvalidJson(_TOO_DEEP)


def _loads_exact_integers(data: bytes) -> Any:
    """Parse with every integer exact; several times slower than `orjson.loads`."""
    try:
        text = data.decode()
        value = json.loads(text, parse_constant=_reject_constant, parse_float=_parse_finite_float)
        # The standard library lets half a surrogate pair through, which no file can hold.
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError as error:
        raise InvalidJson(_TOO_DEEP) from error
    except UnicodeDecodeError as error:
        raise InvalidJson(f"not UTF-8 at byte {error.start + 1}") from error
    except UnicodeEncodeError as error:
        raise InvalidJson(_LONE_SURROGATE) from error
    except json.JSONDecodeError as error:
        raise InvalidJson(_explain_error(error, data)) from error
    except ValueError as error:
        limit = "an integer of more than 4300 digits"
        raise InvalidJson(f"not JSON: {limit if 'digits' in str(error) else error}") from error
    return value


def _explain_error(error: json.JSONDecodeError, data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError as undecodable:
        return f"not UTF-8 at byte {undecodable.start + 1}"
    if "surrogate" in error.msg:
        return _LONE_SURROGATE
    if "depth" in error.msg:
        return _TOO_DEEP
    for start in (error.pos - 1, error.pos):  # the parser points behind a sign
        if start >= 0 and (constant := _CONSTANT.match(error.doc, start)):
            return f"not JSON: {constant[0]} is not a JSON value"
    message = _OUT_OF_RANGE if "infinity" in error.msg else error.msg
    where = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}"
    return f"not JSON: {message[:1].lower()}{message[1:]} (at {where})"


def _parse_finite_float(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(_OUT_OF_RANGE)
    return number


def _reject_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")


# ---- Keys that stand twice. Counting colons settles most texts: every key has one.

_MAX_BLOCK = 8 * 1024 * 1024
"""Of more bytes nothing is counted, which would take several times their room."""

_QUOTE, _BACKSLASH, _COLON, _SPACE = b'"\\: '


def count_keys(block: bytes, ends: Sequence[int]) -> Sequence[int | None]:
    """Say how many keys each line of a block has at most.

    Behind a key come a quote and a colon, and elsewhere only where a text begins with a colon: a
    quote within a text has a backslash before it. Where a line has no more of them than keys are
    left once it is parsed, none stood twice.
    """
    import numpy as np

    if len(block) > _MAX_BLOCK:
        return [None] * len(ends)
    text = np.frombuffer(block, np.uint8)
    colons = np.flatnonzero(text == _COLON)
    # Before the first bytes comes, harmlessly, the last one.
    before = text[colons - 1]
    quoted = before == _QUOTE
    escaped = quoted & (text[colons - 2] == _BACKSLASH)
    unsettled = (before <= _SPACE) | (escaped & (text[colons - 3] == _BACKSLASH))
    passed = np.searchsorted(colons[quoted & ~escaped], ends).tolist()
    counts: list[int | None] = list(map(sub, passed, [0, *passed]))
    for line in np.searchsorted(ends, colons[unsettled]).tolist():
        counts[line] = None
    return counts


def _has_duplicate_keys(data: bytes, keys: int) -> bool:
    """Say whether a JSON text has more keys than are left of them once it is parsed."""
    # Colons in texts differ from those behind keys by the quote before them, which in a text is
    # escaped; only where that does not settle it is every string looked at.
    if data.count(b":") == keys:
        return False
    if _SPACED_KEY.search(data) is None:
        quoted = data.count(b'":')
        if quoted == keys or (b'\\\\":' not in data and quoted - data.count(b'\\":') == keys):
            return False
    return sum(1 for string in _STRING.finditer(data) if string[1]) != keys


def _find_duplicate_key(data: bytes) -> str:
    found = "a key"

    def look(pairs: list[tuple[str, Any]]) -> None:
        nonlocal found
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                found = f"the key {key[:80]!r}"
            seen.add(key)

    json.loads(data, object_pairs_hook=look)
    return f"{found} is duplicated in an object; which value counts is ambiguous"
