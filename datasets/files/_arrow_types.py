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
from ._jsonl import float_to_json

Converter = Callable[[Any], Any]
"""What is done to a value that is not null."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DATE = date(1970, 1, 1)
_DAY_MS = 86_400_000
_UNIT_DIGITS = {"s": 0, "ms": 3, "us": 6, "ns": 9}
NON_FINITE_FLOATS = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""What a float that is no number is called in JSON."""


class UnsupportedType(ValueError):
    """A type that rows cannot have; says which."""


def json_encoder(kind: pa.DataType, *, finite: bool = False) -> Converter | None:
    """Return how a value of a type becomes a JSON value, after its array was cast to `plain_type`.

    Args:
        kind: The type.
        finite: Whether all floats in the array are numbers.

    Returns:
        `None` where it is one already.

    Raises:
        Unsupported: It never does.
    """

    def inner(held: pa.DataType) -> Converter | None:
        return json_encoder(held, finite=finite)

    if isinstance(kind, pa.BaseExtensionType):
        return loads_text if kind.extension_name == "arrow.json" else inner(kind.storage_type)
    if kinds.is_dictionary(kind):
        return inner(kind.value_type)
    if _is_list(kind):
        return _list_converter(inner(kind.value_type))
    if kinds.is_struct(kind):
        _check_duplicate_fields(kind)
        return _struct_converter({field.name: inner(field.type) for field in kind})
    if kinds.is_map(kind):
        return _map_converter(inner(kind.key_type), inner(kind.item_type), list)
    if finite and kinds.is_floating(kind):
        return None
    return _leaf_converters(kind)[0]


def json_decoder(kind: pa.DataType) -> Converter | None:
    """Return how a JSON value becomes one that pyarrow makes a value of a type of.

    Returns:
        `None` where it is one already.
    """
    if isinstance(kind, pa.BaseExtensionType):
        return (
            dumps_as_text
            if kind.extension_name == "arrow.json"
            else json_decoder(kind.storage_type)
        )
    if kinds.is_dictionary(kind):
        return json_decoder(kind.value_type)
    if _is_list(kind):
        return _list_converter(json_decoder(kind.value_type))
    if kinds.is_struct(kind):
        return _struct_converter({field.name: json_decoder(field.type) for field in kind})
    if kinds.is_map(kind):
        return _map_converter(json_decoder(kind.key_type), json_decoder(kind.item_type), tuple)
    return _leaf_converters(kind)[1]


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
    if kinds.is_decimal(kind):
        return pa.string()
    return _rebuild_type(kind, plain_type)


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


def storage_type(kind: pa.DataType) -> pa.DataType:
    """Return a type without its extensions: pyarrow makes nested ones only by a cast."""
    if isinstance(kind, pa.BaseExtensionType):
        return storage_type(kind.storage_type)
    return _rebuild_type(kind, storage_type)


def decode_dictionary_type(kind: pa.DataType) -> pa.DataType:
    """Return a type with the values of dictionaries in their place."""
    if kinds.is_dictionary(kind):
        return kind.value_type
    return _rebuild_type(kind, decode_dictionary_type)


def build_array(values: list[Any], kind: pa.DataType) -> pa.Array:
    """Make an array of values as `json_decoder` returns them.

    Raises:
        ArrowException: One of them is none of that type.
    """
    stored = storage_type(kind)
    try:
        array = pa.array(values, stored)
    except pa.ArrowNotImplementedError:  # a dictionary of something rare
        array = pa.array(values, decode_dictionary_type(stored)).cast(stored)
    return array if stored == kind else array.cast(kind)


def dumps_as_text(value: Any) -> str:
    """Return a value's JSON text."""
    return dumps(value).decode()


def _leaf_converters(kind: pa.DataType) -> tuple[Converter | None, Converter | None]:
    """Return both ways for a type that holds no other."""
    if kinds.is_floating(kind):
        return float_to_json, _parse_float
    if kinds.is_timestamp(kind):
        digits = _UNIT_DIGITS[kind.unit]
        zone = "Z" if kind.tz else ""
        return (lambda count: _format_timestamp(count, digits, zone)), (
            lambda told: _parse_timestamp(told, digits)
        )
    if kinds.is_date32(kind):
        return _format_date, _parse_date
    if kinds.is_date64(kind):
        return _format_date64, _parse_date64
    if kinds.is_time(kind):
        digits = _UNIT_DIGITS[kind.unit]
        return (lambda count: _format_time(count, digits)), (lambda told: _parse_time(told, digits))
    if kinds.is_decimal(kind):
        return None, _parse_decimal
    if kinds.is_binary(kind) or kinds.is_large_binary(kind) or kinds.is_fixed_size_binary(kind):
        return _encode_base64, _decode_base64
    if kind.id == pa.binary_view().id:
        return _encode_base64, _decode_base64
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
    raise UnsupportedType(str(kind))


def _is_list(kind: pa.DataType) -> bool:
    return bool(kinds.is_list(kind) or kinds.is_large_list(kind) or kinds.is_fixed_size_list(kind))


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


def _check_duplicate_fields(kind: pa.StructType) -> None:
    names = [field.name for field in kind]
    for name in names:
        if names.count(name) > 1:
            raise UnsupportedType(f"a struct with two fields {name!r}")


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


def _map_converter(key: Converter | None, item: Converter | None, made: type) -> Converter:
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


def _parse_float(told: Any) -> float:
    return NON_FINITE_FLOATS[told] if isinstance(told, str) else float(told)


def _format_timestamp(count: int, digits: int, zone: str) -> Any:
    seconds, fraction = divmod(count, 10**digits)
    try:
        moment = _EPOCH + timedelta(seconds=seconds)
    except OverflowError:
        return count
    told = moment.replace(tzinfo=None).isoformat(timespec="seconds")
    return f"{told}{_format_fraction(fraction, digits)}{zone}"


def _parse_timestamp(told: int | str, digits: int) -> int:
    if isinstance(told, int):
        return told
    moment, _, fraction = told.removesuffix("Z").partition(".")
    whole = datetime.fromisoformat(moment)
    if whole.tzinfo is not None:
        raise ValueError(f"a moment with an offset: {told!r}")
    since = whole.replace(tzinfo=UTC) - _EPOCH
    seconds = since.days * 86_400 + since.seconds
    count: int = seconds * 10**digits + _parse_fraction(fraction, digits)
    return count


def _format_date(days: int) -> Any:
    try:
        return (_EPOCH_DATE + timedelta(days=days)).isoformat()
    except OverflowError:
        return days


def _parse_date(told: int | str) -> int:
    days: int = told if isinstance(told, int) else (date.fromisoformat(told) - _EPOCH_DATE).days
    return days


def _format_date64(count: int) -> Any:
    days, rest = divmod(count, _DAY_MS)
    told = _format_date(days)
    return count if rest or isinstance(told, int) else told


def _parse_date64(told: int | str) -> int:
    return told if isinstance(told, int) else _parse_date(told) * _DAY_MS


def _format_time(count: int, digits: int) -> Any:
    seconds, fraction = divmod(count, 10**digits)
    if not 0 <= seconds < 86_400:
        return count
    hours, minutes = divmod(seconds // 60, 60)
    return f"{hours:02}:{minutes:02}:{seconds % 60:02}{_format_fraction(fraction, digits)}"


def _parse_time(told: int | str, digits: int) -> int:
    if isinstance(told, int):
        return told
    clock, _, fraction = told.partition(".")
    hours, minutes, seconds = map(int, clock.split(":"))
    whole = (hours * 60 + minutes) * 60 + seconds
    count: int = whole * 10**digits + _parse_fraction(fraction, digits)
    return count


def _format_fraction(fraction: int, digits: int) -> str:
    return f".{fraction:0{digits}}".rstrip("0") if fraction else ""


def _parse_fraction(fraction: str, digits: int) -> int:
    if len(fraction) > digits:
        raise ValueError(f"more than {digits} digits of a second: {fraction!r}")
    return int(fraction.ljust(digits, "0")) if fraction else 0


def _parse_decimal(told: Any) -> Decimal:
    try:
        return Decimal(told)
    except InvalidOperation as error:
        raise ValueError(f"no decimal: {told!r}") from error


def _encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode_base64(text: Any) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, TypeError) as error:
        raise ValueError("not base64") from error


# ---- What columns rows have, found out row by row: the source's types, and what comes on top.

_MAX_FIELDS = 256
_MAX_DICTIONARY_VALUES = 100_000
_INT64 = range(-(2**63), 2**63)
_EXACT_DOUBLE = range(-(2**53), 2**53 + 1)


@dataclass(slots=True, eq=False)
class NullNode:
    """Nothing but nulls so far."""


@dataclass(slots=True, eq=False)
class MixedNode:
    """Values of no one type."""


@dataclass(slots=True, eq=False)
class ScalarNode:
    """Values of one type.

    Attributes:
        arrow_type: The type.
        accepts: Whether a value is of it.
    """

    arrow_type: pa.DataType
    accepts: Callable[[Any], bool]


@dataclass(slots=True, eq=False)
class DictionaryNode:
    """Values of few kinds, each of which is held but once.

    Attributes:
        arrow_type: The type.
        accepts: Whether a value is of the type of those in the dictionary.
        capacity: How many values the dictionary may have.
        indices: Those that it has, by where they stand in it.
    """

    arrow_type: pa.DictionaryType
    accepts: Callable[[Any], bool]
    capacity: int
    indices: dict[Any, int] = field(default_factory=dict)


@dataclass(slots=True, eq=False)
class NumberNode:
    """Integers of up to 64 bits, and perhaps fractions.

    Attributes:
        is_exact: Whether every one is the same as a double.
        has_fractions: Whether there are any that are no integers.
    """

    is_exact: bool = True
    has_fractions: bool = False


@dataclass(slots=True, eq=False)
class ListNode:
    """Lists.

    Attributes:
        item: Their items.
        build_type: How a type of lists is made of that of its items.
    """

    item: "TypeNode"
    build_type: Callable[[pa.DataType], pa.DataType] = pa.list_


@dataclass(slots=True, eq=False)
class StructNode:
    """Objects.

    Attributes:
        fields: Their fields, in the order in which they came.
        source_fields: Those that the source's schema has, as it has them.
        required: Those of them that are never null.
    """

    fields: dict[str, "TypeNode"] = field(default_factory=dict)
    source_fields: Mapping[str, pa.Field] = field(default_factory=dict)
    required: set[str] = field(default_factory=set)


TypeNode = NullNode | MixedNode | ScalarNode | DictionaryNode | NumberNode | ListNode | StructNode


def node_from_type(kind: pa.DataType, *, column: bool = False) -> TypeNode:
    """Return what is known of values by the type that they have in the source.

    Args:
        kind: The type.
        column: Whether it is that of a whole column.
    """
    if isinstance(kind, pa.BaseExtensionType) and kind.extension_name == "arrow.json":
        return MixedNode()
    if kinds.is_null(kind):
        return NullNode()
    if kinds.is_struct(kind):
        return struct_from_schema(kind)
    if kinds.is_list(kind) or kinds.is_large_list(kind):
        made = pa.large_list if kinds.is_large_list(kind) else pa.list_
        item = kind.value_field
        return ListNode(node_from_type(item.type), lambda inner: made(item.with_type(inner)))
    if column and kinds.is_dictionary(kind):
        room = min(2 ** (kind.index_type.bit_width - 1), _MAX_DICTIONARY_VALUES)
        return DictionaryNode(kind, _build_type_check(kind), room)
    return _scalar_node(kind)


def struct_from_schema(columns: Iterable[pa.Field], *, whole: bool = False) -> StructNode:
    """Return what is known of objects, or rows, by the fields that they have in the source.

    Args:
        columns: The fields.
        whole: Whether they are the columns of rows.
    """
    given = {column.name: column for column in columns}
    return StructNode(
        {name: node_from_type(column.type, column=whole) for name, column in given.items()},
        given,
        {name for name, column in given.items() if not column.nullable},
    )


def merge_value(node: TypeNode, value: Any) -> TypeNode:
    """Return what is known of values once there is another."""
    if value is None or type(node) is MixedNode:
        return node
    if type(node) is ScalarNode:
        return node if node.accepts(value) else MixedNode()
    if type(node) is DictionaryNode:
        return _merge_dictionary_value(node, value)
    kind = type(value)
    if kind is str:
        return _STRING_NODE if type(node) is NullNode else MixedNode()
    if kind is dict:
        if type(node) is NullNode:
            node = StructNode()
        return _merge_fields(node, value) if type(node) is StructNode else MixedNode()
    if kind is list:
        if type(node) is NullNode:
            node = ListNode(NullNode())
        if type(node) is not ListNode:
            return MixedNode()
        for item in value:
            node.item = merge_value(node.item, item)
        return node
    if kind is bool:
        return _BOOL_NODE if type(node) is NullNode else MixedNode()
    if type(node) is NullNode:
        node = NumberNode()
    return _merge_number(node, value) if type(node) is NumberNode else MixedNode()


def node_to_type(node: TypeNode) -> pa.DataType:
    """Return the type that holds all values."""
    if isinstance(node, ScalarNode | DictionaryNode):
        return node.arrow_type
    if isinstance(node, NumberNode):
        return pa.float64() if node.has_fractions else pa.int64()
    if isinstance(node, ListNode):
        return node.build_type(node_to_type(node.item))
    if isinstance(node, StructNode) and node.fields:
        return pa.struct([node_to_field(name, inner, node) for name, inner in node.fields.items()])
    return pa.null() if isinstance(node, NullNode) else pa.json_()


def node_to_field(name: str, node: TypeNode, holder: StructNode) -> pa.Field:
    """Return a field; one that the source has stays as it is, but for its type."""
    given = holder.source_fields.get(name, pa.field(name, pa.null()))
    return given.with_type(node_to_type(node)).with_nullable(name not in holder.required)


def build_node_array(node: TypeNode, values: list[Any], kind: pa.DataType) -> pa.Array:
    """Make an array of JSON values.

    Args:
        node: What is known of them.
        values: They.
        kind: The type of the array.

    Raises:
        ArrowException: One of them is none of that type; or `ValueError`, `TypeError`.
    """
    if isinstance(node, DictionaryNode):
        # One dictionary for the whole column: an Arrow file may have but one.
        change = json_decoder(kind.value_type)
        held = [value if change is None else change(value) for value in node.indices]
        places = [None if value is None else node.indices[value] for value in values]
        return pa.DictionaryArray.from_arrays(
            pa.array(places, kind.index_type),
            build_array(held, kind.value_type),
            ordered=kind.ordered,
        )
    if change := node_decoder(node):
        values = [None if value is None else change(value) for value in values]
    return build_array(values, kind)


def node_decoder(node: TypeNode) -> Callable[[Any], Any] | None:
    """Return how a JSON value becomes one that pyarrow makes a value of the node's type of."""
    if isinstance(node, MixedNode) or (isinstance(node, StructNode) and not node.fields):
        return dumps_as_text
    return json_decoder(node_to_type(node))


def _merge_fields(node: StructNode, value: Mapping[str, Any]) -> TypeNode:
    inner = node.fields
    if node.required:
        node.required -= {name for name in node.required if value.get(name) is None}
    for name, told in value.items():
        known = inner.get(name)
        if known is None:
            known = inner[name] = NullNode()
            if len(inner) > _MAX_FIELDS and not node.source_fields:
                return MixedNode()
        if told is not None:
            found = merge_value(known, told)
            if found is not known:
                inner[name] = found
    return node


def _merge_dictionary_value(node: DictionaryNode, value: Any) -> TypeNode:
    if not node.accepts(value):
        return MixedNode()
    if node.indices.setdefault(value, len(node.indices)) < node.capacity:
        return node
    return _scalar_node(node.arrow_type.value_type)


def _merge_number(node: NumberNode, value: Any) -> TypeNode:
    if type(value) is float:
        node.has_fractions = True
    elif type(value) is not int or value not in _INT64:
        return MixedNode()
    else:
        node.is_exact = node.is_exact and value in _EXACT_DOUBLE
    return MixedNode() if node.has_fractions and not node.is_exact else node


def _scalar_node(kind: pa.DataType) -> ScalarNode:
    return ScalarNode(kind, _build_type_check(kind))


def _build_type_check(kind: pa.DataType) -> Callable[[Any], bool]:
    """Return what tells whether a JSON value is of a type."""
    values = kind.value_type if kinds.is_dictionary(kind) else kind
    if kinds.is_string(values) or kinds.is_large_string(values) or kinds.is_string_view(values):
        return lambda value: type(value) is str
    if kinds.is_boolean(values):
        return lambda value: type(value) is bool
    if kinds.is_float64(values):
        return _is_number
    if kinds.is_integer(values) or kinds.is_duration(values):
        least, most = _integer_range(values)
        return lambda value: type(value) is int and least <= value <= most
    change = json_decoder(kind)

    def fits(value: Any) -> bool:
        try:
            build_array([value if change is None else change(value)], kind)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, pa.ArrowException):
            return False
        return True

    return fits


def _is_number(value: Any) -> bool:
    if type(value) is int:
        return value in _EXACT_DOUBLE
    return type(value) is float or (type(value) is str and value in NON_FINITE_FLOATS)


def _integer_range(kind: pa.DataType) -> tuple[int, int]:
    bits = kind.bit_width
    if kinds.is_unsigned_integer(kind):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


_STRING_NODE = _scalar_node(pa.string())
_BOOL_NODE = _scalar_node(pa.bool_())
