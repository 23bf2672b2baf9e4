"""Arrow types ↔ JSON values: what JSON has no value for has a text, and the schema says whose.

| type | JSON |
|---|---|
| binary | base64 |
| timestamp, date, time | ISO 8601; out of the years 1 to 9999 the number that is stored |
| duration | the number that is stored |
| decimal | its digits |
| float that is no number | `"NaN"`, `"Infinity"`, `"-Infinity"` |
| map | a list of pairs |
| dictionary | its value |
| `arrow.json` | the value that its text stands for |

In a column of such a type nothing else can stand, so that the way back is never in doubt.
"""

import base64
import binascii
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from .._json import dumps, loads_text
from ..containers._values import number_in_json

Change = Callable[[Any], Any]
"""What is done to a value that is not null."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = date(1970, 1, 1)
_DAY_MS = 86_400_000
_UNITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
NOT_FINITE = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""What a float that is no number is called in JSON."""


class Unsupported(ValueError):
    """A type that rows cannot have; says which."""


def to_json(kind: pa.DataType, *, finite: bool = False) -> Change | None:
    """Return how a value of a type becomes a JSON value, after its array was cast to `plain`.

    Args:
        kind: The type.
        finite: Whether all floats in the array are numbers.

    Returns:
        `None` where it is one already.

    Raises:
        Unsupported: It never does.
    """

    def inner(held: pa.DataType) -> Change | None:
        return to_json(held, finite=finite)

    if isinstance(kind, pa.BaseExtensionType):
        return loads_text if kind.extension_name == "arrow.json" else inner(kind.storage_type)
    if kinds.is_dictionary(kind):
        return inner(kind.value_type)
    if _is_list(kind):
        return _each(inner(kind.value_type))
    if kinds.is_struct(kind):
        _require_distinct(kind)
        return _fields({field.name: inner(field.type) for field in kind})
    if kinds.is_map(kind):
        return _pairs(inner(kind.key_type), inner(kind.item_type), list)
    if finite and kinds.is_floating(kind):
        return None
    return _leaf(kind)[0]


def from_json(kind: pa.DataType) -> Change | None:
    """Return how a JSON value becomes one that pyarrow makes a value of a type of.

    Returns:
        `None` where it is one already.
    """
    if isinstance(kind, pa.BaseExtensionType):
        return dumps_text if kind.extension_name == "arrow.json" else from_json(kind.storage_type)
    if kinds.is_dictionary(kind):
        return from_json(kind.value_type)
    if _is_list(kind):
        return _each(from_json(kind.value_type))
    if kinds.is_struct(kind):
        return _fields({field.name: from_json(field.type) for field in kind})
    if kinds.is_map(kind):
        return _pairs(from_json(kind.key_type), from_json(kind.item_type), tuple)
    return _leaf(kind)[1]


def plain(kind: pa.DataType) -> pa.DataType:
    """Return the type that an array is cast to before its values are taken out of it.

    Moments become the numbers that are stored, decimals their digits, values of dictionaries
    themselves.
    """
    if isinstance(kind, pa.BaseExtensionType):
        return plain(kind.storage_type)
    if kinds.is_dictionary(kind):
        return plain(kind.value_type)
    if kinds.is_time32(kind) or kinds.is_date32(kind):
        return pa.int32()
    if kinds.is_temporal(kind) and not kinds.is_interval(kind):
        return pa.int64()
    if kinds.is_decimal(kind):
        return pa.string()
    return _rebuilt(kind, plain)


def is_finite(array: pa.Array) -> bool:
    """Say whether all floats in an array are numbers, however deep they lie."""
    kind = array.type
    if kinds.is_floating(kind):
        return pc.all(pc.is_finite(array), skip_nulls=True).as_py() is not False
    if kinds.is_struct(kind):
        return all(map(is_finite, array.flatten()))
    if _is_list(kind):
        return is_finite(array.flatten())
    return not kinds.is_map(kind) or all(map(is_finite, (array.keys, array.items)))


def storage(kind: pa.DataType) -> pa.DataType:
    """Return a type without its extensions: pyarrow makes nested ones only by a cast."""
    if isinstance(kind, pa.BaseExtensionType):
        return storage(kind.storage_type)
    return _rebuilt(kind, storage)


def without_dictionaries(kind: pa.DataType) -> pa.DataType:
    """Return a type with the values of dictionaries in their place."""
    if kinds.is_dictionary(kind):
        return kind.value_type
    return _rebuilt(kind, without_dictionaries)


def array_of(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Make an array of values as `from_json` returns them.

    Raises:
        ArrowException: One of them is none of that type.
    """
    stored = storage(kind)
    try:
        array = pa.array(values, stored)
    except pa.ArrowNotImplementedError:  # a dictionary of something rare
        array = pa.array(values, without_dictionaries(stored)).cast(stored)
    return array if stored == kind else array.cast(kind)


def dumps_text(value: Any) -> str:
    """Return a value's JSON text."""
    return dumps(value).decode()


def _leaf(kind: pa.DataType) -> tuple[Change | None, Change | None]:
    """Return both ways for a type that holds no other."""
    if kinds.is_floating(kind):
        return number_in_json, _real
    if kinds.is_timestamp(kind):
        digits = _UNITS[kind.unit]
        zone = "Z" if kind.tz else ""
        return (lambda count: _moment(count, digits, zone)), (lambda told: _count(told, digits))
    if kinds.is_date32(kind):
        return _iso_day, _day_count
    if kinds.is_date64(kind):
        return _iso_day_ms, _day_count_ms
    if kinds.is_time(kind):
        digits = _UNITS[kind.unit]
        return (lambda count: _clock(count, digits)), (lambda told: _clock_count(told, digits))
    if kinds.is_decimal(kind):
        return None, _decimal
    if kinds.is_binary(kind) or kinds.is_large_binary(kind) or kinds.is_fixed_size_binary(kind):
        return _base64, _unbase64
    if kind.id == pa.binary_view().id:
        return _base64, _unbase64
    if (
        kinds.is_integer(kind)
        or kinds.is_boolean(kind)
        or kinds.is_null(kind)
        or kinds.is_string(kind)
        or kinds.is_large_string(kind)
        or kinds.is_duration(kind)
        or kind.id == pa.string_view().id
    ):
        return None, None
    raise Unsupported(str(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind))


def _rebuilt(kind: pa.DataType, change: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
    """Return a type with the types in it changed; itself where none is."""

    def inner(field: pa.Field) -> pa.Field:
        return field.with_type(change(field.type))

    rebuilt = kind
    if kinds.is_fixed_size_list(kind):
        rebuilt = pa.list_(inner(kind.value_field), kind.list_size)
    elif kinds.is_large_list(kind):
        rebuilt = pa.large_list(inner(kind.value_field))
    elif kinds.is_list(kind):
        rebuilt = pa.list_(inner(kind.value_field))
    elif kinds.is_struct(kind):
        rebuilt = pa.struct([inner(field) for field in kind])
    elif kinds.is_map(kind):
        rebuilt = pa.map_(inner(kind.key_field), inner(kind.item_field), kind.keys_sorted)
    return kind if rebuilt == kind else rebuilt


def _require_distinct(kind: pa.StructType) -> None:
    names = [field.name for field in kind]
    for name in names:
        if names.count(name) > 1:
            raise Unsupported(f"a struct with two fields {name!r}")


def _each(change: Change | None) -> Change | None:
    if change is None:
        return None
    return lambda values: [None if value is None else change(value) for value in values]


def _fields(changes: dict[str, Change | None]) -> Change | None:
    made = {name: change for name, change in changes.items() if change is not None}
    if not made:
        return None

    def change_fields(value: Any) -> Any:
        changed = dict(value)
        for name, change in made.items():
            if changed.get(name) is not None:
                changed[name] = change(changed[name])
        return changed

    return change_fields


def _pairs(key: Change | None, item: Change | None, made: type) -> Change:
    def change_pairs(value: Any) -> Any:
        return [
            made(
                (
                    name if key is None else key(name),
                    told if item is None or told is None else item(told),
                )
            )
            for name, told in value
        ]

    return change_pairs


def _real(told: Any) -> float:
    return NOT_FINITE[told] if isinstance(told, str) else float(told)


def _moment(count: int, digits: int, zone: str) -> Any:
    seconds, fraction = divmod(count, 10**digits)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return count
    told = moment.replace(tzinfo=None).isoformat(timespec="seconds")
    return f"{told}{_fraction(fraction, digits)}{zone}"


def _count(told: int | str, digits: int) -> int:
    if isinstance(told, int):
        return told
    moment, _, fraction = told.removesuffix("Z").partition(".")
    whole = datetime.fromisoformat(moment)
    if whole.tzinfo is not None:
        raise ValueError(f"a moment with an offset: {told!r}")
    since = whole.replace(tzinfo=UTC) - _EPOCH
    seconds = since.days * 86_400 + since.seconds
    count: int = seconds * 10**digits + _fraction_count(fraction, digits)
    return count


def _iso_day(days: int) -> Any:
    try:
        return (_DAY + timedelta(days=days)).isoformat()
    except OverflowError:
        return days


def _day_count(told: int | str) -> int:
    days: int = told if isinstance(told, int) else (date.fromisoformat(told) - _DAY).days
    return days


def _iso_day_ms(count: int) -> Any:
    days, rest = divmod(count, _DAY_MS)
    told = _iso_day(days)
    return count if rest or isinstance(told, int) else told


def _day_count_ms(told: int | str) -> int:
    return told if isinstance(told, int) else _day_count(told) * _DAY_MS


def _clock(count: int, digits: int) -> Any:
    seconds, fraction = divmod(count, 10**digits)
    if not 0 <= seconds < 86_400:
        return count
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours:02}:{minutes:02}:{seconds % 60:02}{_fraction(fraction, digits)}"


def _clock_count(told: int | str, digits: int) -> int:
    if isinstance(told, int):
        return told
    clock, _, fraction = told.partition(".")
    hours, minutes, seconds = map(int, clock.split(":"))
    whole = (hours * 60 + minutes) * 60 + seconds
    count: int = whole * 10**digits + _fraction_count(fraction, digits)
    return count


def _fraction(fraction: int, digits: int) -> str:
    return f".{fraction:0{digits}}".rstrip("0") if fraction else ""


def _fraction_count(fraction: str, digits: int) -> int:
    if len(fraction) > digits:
        raise ValueError(f"more than {digits} digits of a second: {fraction!r}")
    return int(fraction.ljust(digits, "0")) if fraction else 0


def _decimal(told: Any) -> Decimal:
    try:
        return Decimal(told)
    except InvalidOperation as error:
        raise ValueError(f"no decimal: {told!r}") from error


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _unbase64(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError("not base64") from error
