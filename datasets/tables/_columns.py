"""What columns rows have, found out row by row: the source's types, and what comes on top.

A column keeps the type that it had in the source. What is new gets the type that its values have.
Objects are structs with the fields of all of them; a key that one of them lacks is null there. A
value that fits no one type (text here, a list there; integers beyond 64 bits; objects without
fields or with very many) makes its field `arrow.json`: JSON as text, which readers of that type
turn back.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds

from ._types import NOT_FINITE, array_of, dumps_text, from_json

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
