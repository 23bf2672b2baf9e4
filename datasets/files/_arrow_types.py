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
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as kinds

from .._json import dumps, loads_text
from ._jsonl import number_in_json

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


# ---- What columns rows have, found out row by row: the source's types, and what comes on top.

_MOST_FIELDS = 256
_MOST_HELD = 100_000
_INT64 = range(-(2**63), 2**63)
_EXACT = range(-(2**53), 2**53 + 1)


@dataclass(slots=True, eq=False)
class Unknown:
    """Nothing but nulls so far."""


@dataclass(slots=True, eq=False)
class Anything:
    """Values of no one type."""


@dataclass(slots=True, eq=False)
class Simple:
    """Values of one type.

    Attributes:
        kind: The type.
        fits: Whether a value is of it.
    """

    kind: pa.DataType
    fits: Callable[[Any], bool]


@dataclass(slots=True, eq=False)
class Dictionary:
    """Values of few kinds, each of which is held but once.

    Attributes:
        kind: The type.
        fits: Whether a value is of the type of those in the dictionary.
        room: How many values the dictionary may have.
        held: Those that it has, by where they stand in it.
    """

    kind: pa.DictionaryType
    fits: Callable[[Any], bool]
    room: int
    held: dict[Any, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class Numbers:
    """Integers of up to 64 bits, and perhaps fractions.

    Attributes:
        exact: Whether every one is the same as a double.
        fractions: Whether there are any that are no integers.
    """

    exact: bool = True
    fractions: bool = False


@dataclass(slots=True, eq=False)
class Items:
    """Lists.

    Attributes:
        inner: Their items.
        made: How a type of lists is made of that of its items.
    """

    inner: "Node"
    made: Callable[[pa.DataType], pa.DataType] = pa.list_


@dataclass(slots=True, eq=False)
class Fields:
    """Objects.

    Attributes:
        inner: Their fields, in the order in which they came.
        given: Those that the source's schema has, as it has them.
        required: Those of them that are never null.
    """

    inner: dict[str, "Node"] = field(default_factory=dict)
    given: Mapping[str, pa.Field] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)


Node = Unknown | Anything | Simple | Dictionary | Numbers | Items | Fields


def node_of(kind: pa.DataType, *, column: bool = False) -> Node:
    """Return what is known of values by the type that they have in the source.

    Args:
        kind: The type.
        column: Whether it is that of a whole column.
    """
    if isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.json":
        return Anything()
    if kinds.is_null(kind):
        return Unknown()
    if kinds.is_struct(kind):
        return fields_of(kind)
    if kinds.is_list(kind) or kinds.is_large_list(kind):
        made = pa.large_list if kinds.is_large_list(kind) else pa.list_
        item = kind.value_field
        return Items(node_of(item.type), lambda inner: made(item.with_type(inner)))
    if column and kinds.is_dictionary(kind):
        room = min(2 ** (kind.index_type.bit_width - 1), _MOST_HELD)
        return Dictionary(kind, _fitting(kind), room)
    return _simple(kind)


def fields_of(columns: Iterable[pa.Field], *, whole: bool = False) -> Fields:
    """Return what is known of objects, or rows, by the fields that they have in the source.

    Args:
        columns: The fields.
        whole: Whether they are the columns of rows.
    """
    given = {column.name: column for column in columns}
    return Fields(
        {name: node_of(column.type, column=whole) for name, column in given.items()},
        given,
        {name for name, column in given.items() if not column.nullable},
    )


def absorb(node: Node, value: Any) -> Node:
    """Return what is known of values once there is another."""
    if value is None or type(node) is Anything:
        return node
    if type(node) is Simple:
        return node if node.fits(value) else Anything()
    if type(node) is Dictionary:
        return _absorb_held(node, value)
    kind = type(value)
    if kind is str:
        return _TEXT if type(node) is Unknown else Anything()
    if kind is dict:
        if type(node) is Unknown:
            node = Fields()
        return _absorb_fields(node, value) if type(node) is Fields else Anything()
    if kind is list:
        if type(node) is Unknown:
            node = Items(Unknown())
        if type(node) is not Items:
            return Anything()
        for item in value:
            node.inner = absorb(node.inner, item)
        return node
    if kind is bool:
        return _TRUTH if type(node) is Unknown else Anything()
    if type(node) is Unknown:
        node = Numbers()
    return _absorb_number(node, value) if type(node) is Numbers else Anything()


def type_of(node: Node) -> pa.DataType:
    """Return the type that holds all values."""
    if isinstance(node, Simple | Dictionary):
        return node.kind
    if isinstance(node, Numbers):
        return pa.float64() if node.fractions else pa.int64()
    if isinstance(node, Items):
        return node.made(type_of(node.inner))
    if isinstance(node, Fields) and node.inner:
        return pa.struct([field_of(name, inner, node) for name, inner in node.inner.items()])
    return pa.null() if isinstance(node, Unknown) else pa.json_()


def field_of(name: str, node: Node, holder: Fields) -> pa.Field:
    """Return a field; one that the source has stays as it is, but for its type."""
    given = holder.given.get(name, pa.field(name, pa.null()))
    return given.with_type(type_of(node)).with_nullable(name not in holder.required)


def array_in(node: Node, values: list[Any], kind: pa.DataType) -> pa.Array:
    """Make an array of JSON values.

    Args:
        node: What is known of them.
        values: They.
        kind: The type of the array.

    Raises:
        ArrowException: One of them is none of that type; or `ValueError`, `TypeError`.
    """
    if isinstance(node, Dictionary):
        # One dictionary for the whole column: an Arrow file may have but one.
        change = from_json(kind.value_type)
        held = [value if change is None else change(value) for value in node.held]
        places = [None if value is None else node.held[value] for value in values]
        return pa.DictionaryArray.from_arrays(
            pa.array(places, kind.index_type), array_of(held, kind.value_type), ordered=kind.ordered
        )
    if change := change_of(node):
        values = [None if value is None else change(value) for value in values]
    return array_of(values, kind)


def change_of(node: Node) -> Callable[[Any], Any] | None:
    """Return how a JSON value becomes one that pyarrow makes a value of the node's type of."""
    if isinstance(node, Anything) or (isinstance(node, Fields) and not node.inner):
        return dumps_text
    return from_json(type_of(node))


def _absorb_fields(node: Fields, value: Mapping[str, Any]) -> Node:
    inner = node.inner
    if node.required:
        node.required -= {name for name in node.required if value.get(name) is None}
    for name, told in value.items():
        known = inner.get(name)
        if known is None:
            known = inner[name] = Unknown()
            if len(inner) > _MOST_FIELDS and not node.given:
                return Anything()
        if told is not None:
            found = absorb(known, told)
            if found is not known:
                inner[name] = found
    return node


def _absorb_held(node: Dictionary, value: Any) -> Node:
    if not node.fits(value):
        return Anything()
    if node.held.setdefault(value, len(node.held)) < node.room:
        return node
    return _simple(node.kind.value_type)


def _absorb_number(node: Numbers, value: Any) -> Node:
    if type(value) is float:
        node.fractions = True
    elif type(value) is not int or value not in _INT64:
        return Anything()
    else:
        node.exact = node.exact and value in _EXACT
    return Anything() if node.fractions and not node.exact else node


def _simple(kind: pa.DataType) -> Simple:
    return Simple(kind, _fitting(kind))


def _fitting(kind: pa.DataType) -> Callable[[Any], bool]:
    """Return what tells whether a JSON value is of a type."""
    values = kind.value_type if kinds.is_dictionary(kind) else kind
    if kinds.is_string(values) or kinds.is_large_string(values) or kinds.is_string_view(values):
        return lambda value: type(value) is str
    if kinds.is_boolean(values):
        return lambda value: type(value) is bool
    if kinds.is_float64(values):
        return _is_number
    if kinds.is_integer(values) or kinds.is_duration(values):
        least, most = _reach(values)
        return lambda value: type(value) is int and least <= value <= most
    change = from_json(kind)

    def fits(value: Any) -> bool:
        try:
            array_of([value if change is None else change(value)], kind)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, pa.ArrowException):
            return False
        return True

    return fits


def _is_number(value: Any) -> bool:
    if type(value) is int:
        return value in _EXACT
    return type(value) is float or (type(value) is str and value in NOT_FINITE)


def _reach(kind: pa.DataType) -> tuple[int, int]:
    bits = kind.bit_width
    if kinds.is_unsigned_integer(kind):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


_TEXT = _simple(pa.string())
_TRUTH = _simple(pa.bool_())
