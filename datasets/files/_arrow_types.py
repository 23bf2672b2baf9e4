"""Arrow types ↔ JSON values: what JSON has no value for has a text, and the schema knows whose.

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

Arrow's own casts to text do for decimals alone: those of timestamps write all digits of the unit,
the zone's offset and years that no reader of ISO 8601 takes. Back from text it casts neither time
nor duration, and fails over a decimal in a struct that is null.
"""

import base64
import math
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from .._json import dumps, loads_text
from ._record import float_to_json

Converter = Callable[[Any], Any]
"""What is done to a value that is not null."""

_Leaf = Callable[[pa.DataType], Converter | None]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_DAY_MS = _DAY * 1000
_UNIT_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
NON_FINITE_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""What a float that is no number is called in JSON."""


class UnsupportedType(ValueError):
    """A type that rows cannot have; says which."""


def json_encoder(kind: pa.DataType, *, finite: bool = False) -> Converter | None:
    """Return how a value of a type becomes a JSON value, after its array was cast to `plain_type`.

    Raises:
        UnsupportedType: It never does.
    """
    return _build_converter(kind, partial(_leaf_encoder, finite=finite), list)


def json_decoder(kind: pa.DataType) -> Converter | None:
    """Return how a JSON value becomes one that `build_array` takes; `None` where it is one."""
    return _build_converter(kind, _leaf_decoder, tuple)


def _build_converter(
    kind: pa.DataType, leaf: _Leaf, pair: type[list[Any]] | type[tuple[Any, ...]]
) -> Converter | None:
    """Return the converter of a type, from those of the types in it that hold no other."""

    def inner(held: pa.DataType) -> Converter | None:
        return _build_converter(held, leaf, pair)

    if isinstance(kind, pa.BaseExtensionType) and not is_json(kind):
        return inner(kind.storage_type)
    if kinds.is_dictionary(kind):
        return inner(kind.value_type)
    if _is_list(kind):
        return _list_converter(inner(kind.value_type))
    if kinds.is_struct(kind):
        _check_duplicate_fields(kind)
        return _struct_converter({field.name: inner(field.type) for field in kind})
    if kinds.is_map(kind):
        return _map_converter(inner(kind.key_type), inner(kind.item_type), pair)
    return leaf(kind)


def _list_converter(change: Converter | None) -> Converter | None:
    if change is None:
        return None
    return lambda values: [None if value is None else change(value) for value in values]


def _struct_converter(changes: dict[str, Converter | None]) -> Converter | None:
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


def _map_converter(
    key: Converter | None, item: Converter | None, pair: Callable[[tuple[Any, Any]], Any]
) -> Converter:
    def change(name: Any, value: Any) -> tuple[Any, Any]:
        return (
            name if key is None else key(name),
            value if item is None or value is None else item(value),
        )

    return lambda pairs: [pair(change(*each)) for each in pairs]


def _leaf_encoder(kind: pa.DataType, *, finite: bool) -> Converter | None:
    if finite and kinds.is_floating(kind):
        return None
    return loads_text if is_json(kind) else _leaf_converters(kind)[0]


def _leaf_decoder(kind: pa.DataType) -> Converter | None:
    return dumps_as_text if is_json(kind) else _leaf_converters(kind)[1]


def _leaf_converters(kind: pa.DataType) -> tuple[Converter | None, Converter | None]:
    """Return both ways for a type that holds no other."""
    if kinds.is_floating(kind):
        return float_to_json, _parse_float
    if kinds.is_timestamp(kind):
        digits, zone = _UNIT_DIGITS[kind.unit], "Z" if kind.tz else ""
        return partial(_format_timestamp, digits=digits, zone=zone), partial(
            _parse_timestamp, digits=digits
        )
    if kinds.is_date32(kind):
        return _format_date, _parse_date
    if kinds.is_date64(kind):
        return _format_date64, _parse_date64
    if kinds.is_time(kind):
        digits = _UNIT_DIGITS[kind.unit]
        return partial(_format_time, digits=digits), partial(_parse_time, digits=digits)
    if kinds.is_decimal(kind):
        return None, _parse_decimal
    if is_binary(kind):
        return _encode_base64, partial(base64.b64decode, validate=True)
    if (
        is_text(kind)
        or kinds.is_integer(kind)
        or kinds.is_boolean(kind)
        or kinds.is_null(kind)
        or kinds.is_duration(kind)
    ):
        return None, None
    raise UnsupportedType(str(kind))


def _parse_float(value: Any) -> float:
    return NON_FINITE_FLOATS[value] if isinstance(value, str) else float(value)


def _parse_decimal(value: Any) -> Decimal:
    try:
        return Decimal(value)
    except InvalidOperation as error:
        raise ValueError(f"not a decimal: {value!r}") from error


def _encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def dumps_as_text(value: Any) -> str:
    return dumps(value).decode()


def _format_timestamp(count: int, digits: int, zone: str = "") -> Any:
    seconds, fraction = divmod(count, 10**digits)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return count
    text = moment.isoformat().removesuffix("+00:00")
    if fraction:
        text += f".{fraction:0{digits}}".rstrip("0")
    return text + zone


def _parse_timestamp(value: int | str, digits: int) -> int:
    if isinstance(value, int):
        return value
    moment, _, fraction = value.removesuffix("Z").partition(".")
    whole = datetime.fromisoformat(moment)
    if whole.tzinfo is not None:
        raise ValueError(f"a timestamp with an offset: {value!r}")
    if len(fraction) > digits:
        raise ValueError(f"more than {digits} digits of a second: {value!r}")
    since = whole.replace(tzinfo=UTC) - _EPOCH
    ticks = int(fraction.ljust(digits, "0") or 0)
    return int((since.days * _DAY + since.seconds) * 10**digits + ticks)


def _format_time(count: int, digits: int) -> Any:
    if not 0 <= count < _DAY * 10**digits:
        return count
    return _format_timestamp(count, digits).partition("T")[2]


def _parse_time(value: int | str, digits: int) -> int:
    return value if isinstance(value, int) else _parse_timestamp(f"1970-01-01T{value}", digits)


def _format_date(days: int) -> Any:
    try:
        return (_EPOCH.date() + timedelta(days=days)).isoformat()
    except OverflowError:
        return days


def _parse_date(value: int | str) -> int:
    return value if isinstance(value, int) else (date.fromisoformat(value) - _EPOCH.date()).days


def _format_date64(count: int) -> Any:
    days, rest = divmod(count, _DAY_MS)
    text = _format_date(days)
    return count if rest or isinstance(text, int) else text


def _parse_date64(value: int | str) -> int:
    return value if isinstance(value, int) else _parse_date(value) * _DAY_MS


# ---- Types made of types.


def plain_type(kind: pa.DataType) -> pa.DataType:
    """Return the type that an array is cast to before its values are taken out of it.

    Moments become the numbers that are stored, decimals their digits, values of dictionaries
    themselves.
    """
    if isinstance(kind, pa.BaseExtensionType):
        return plain_type(kind.storage_type)
    if kinds.is_dictionary(kind):
        return plain_type(kind.value_type)
    if kinds.is_time32(kind) or kinds.is_date32(kind):
        return pa.int32()
    if kinds.is_temporal(kind) and not kinds.is_interval(kind):
        return pa.int64()
    return pa.string() if kinds.is_decimal(kind) else _rebuild_type(kind, plain_type)


def decode_dictionary_type(kind: pa.DataType) -> pa.DataType:
    """Return a type with the values of dictionaries in their place."""
    if kinds.is_dictionary(kind):
        return kind.value_type
    return _rebuild_type(kind, decode_dictionary_type)


def _stored_type(kind: pa.DataType) -> pa.DataType:
    """Return a type without its extensions: pyarrow makes nested ones only by a cast."""
    if isinstance(kind, pa.BaseExtensionType):
        return _stored_type(kind.storage_type)
    return _rebuild_type(kind, _stored_type)


def _rebuild_type(kind: pa.DataType, change: Callable[[pa.DataType], pa.DataType]) -> pa.DataType:
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


def build_array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Make an array of values as `json_decoder` returns them.

    Raises:
        ArrowException: One of them is none of that type.
    """
    stored = _stored_type(kind)
    try:
        array = pa.array(values, stored)
    except pa.ArrowNotImplementedError:  # a dictionary of something rare
        array = pa.array(values, decode_dictionary_type(stored)).cast(stored)
    return array if stored == kind else array.cast(kind)


def is_finite(array: pa.Array) -> bool:
    """Say whether all floats in an array are numbers, however deep they lie."""
    kind = array.type
    if not _holds_floats(kind):
        return True
    if kinds.is_struct(kind):
        return all(map(is_finite, array.flatten()))
    if kinds.is_map(kind):
        return is_finite(array.keys) and is_finite(array.items)
    if _is_list(kind):
        return is_finite(array.flatten())
    return pc.all(pc.is_finite(array), skip_nulls=True).as_py() is not False


def _holds_floats(kind: pa.DataType) -> bool:
    inner = (kind.field(at).type for at in range(kind.num_fields))
    return kinds.is_floating(kind) or any(map(_holds_floats, inner))


def is_json(kind: pa.DataType) -> bool:
    return isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.json"


def is_text(kind: pa.DataType) -> bool:
    return bool(kinds.is_string(kind) or kinds.is_large_string(kind) or kinds.is_string_view(kind))


def is_binary(kind: pa.DataType) -> bool:
    return bool(
        kinds.is_binary(kind)
        or kinds.is_large_binary(kind)
        or kinds.is_fixed_size_binary(kind)
        or kinds.is_binary_view(kind)
    )


def _is_list(kind: pa.DataType) -> bool:
    return bool(kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind))


def _check_duplicate_fields(kind: pa.StructType) -> None:
    names = [field.name for field in kind]
    for name in names:
        if names.count(name) > 1:
            raise UnsupportedType(f"a struct with two fields {name!r}")
