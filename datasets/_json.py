"""JSON in and out without changing a value: big integers survive, NaN is refused."""

import json
import math
import re
from typing import Any

import orjson

from ._errors import DatasetError

MAX_DEPTH = 200
"""Levels of nesting that are read; what is nested deeper could not be written again everywhere."""

# orjson turns integers beyond 64 bits into floats.
_BIG_INTEGER = re.compile(rb"[0-9]{19}")
_HALF_PAIR = "not JSON: a \\u escape that is half a surrogate pair"
_BEYOND = "a number beyond the range of a double"
_CONSTANT = re.compile(r"-?(?:NaN|Infinity)")


class NotJson(ValueError):
    """A text that is not JSON; the message says why, for a person."""


def loads(data: bytes) -> Any:
    """Parse UTF-8 JSON.

    Raises:
        NotJson: It is not JSON, holds what JSON does not (NaN, half a surrogate pair, a number
            beyond the range of a double) or is nested too deeply.
    """
    try:
        value = _loads_exactly(data) if _BIG_INTEGER.search(data) else orjson.loads(data)
    except json.JSONDecodeError as error:
        raise NotJson(_told(error, data)) from error
    except RecursionError as error:
        raise NotJson(f"nested too deeply: more than {MAX_DEPTH} levels") from error
    if data.count(b"[") + data.count(b"{") > MAX_DEPTH and _is_deep(value):
        raise NotJson(f"nested too deeply: more than {MAX_DEPTH} levels")
    return value


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


def _loads_exactly(data: bytes) -> Any:
    """Parse with every integer exact; several times slower than `orjson.loads`."""
    try:
        text = data.decode()
        value = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
        # The standard library lets half a surrogate pair through, which no file can hold.
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError as error:
        raise NotJson(f"not UTF-8 at byte {error.start + 1}") from error
    except UnicodeEncodeError as error:
        raise NotJson(_HALF_PAIR) from error
    except json.JSONDecodeError:
        raise
    except ValueError as error:
        limit = "an integer of more than 4300 digits"
        raise NotJson(f"not JSON: {limit if 'digits' in str(error) else error}") from error
    return value


def _told(error: json.JSONDecodeError, data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError as undecodable:
        return f"not UTF-8 at byte {undecodable.start + 1}"
    if "surrogate" in error.msg:
        return _HALF_PAIR
    if "depth" in error.msg:
        return f"nested too deeply: more than {MAX_DEPTH} levels"
    for start in (error.pos - 1, error.pos):  # the parser points behind a sign
        if start >= 0 and (constant := _CONSTANT.match(error.doc, start)):
            return f"not JSON: {constant[0]} is not a JSON value"
    message = _BEYOND if "infinity" in error.msg else error.msg
    where = f"column {error.colno}" if error.lineno == 1 else f"line {error.lineno}"
    return f"not JSON: {message[:1].lower()}{message[1:]} (at {where})"


def _is_deep(value: Any) -> bool:
    """Say whether containers are nested deeper than `MAX_DEPTH`."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return bool(level)


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError(_BEYOND)
    return number


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not a JSON value")
