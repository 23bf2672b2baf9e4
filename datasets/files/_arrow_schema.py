"""The columns of rows that are written as a table, found row by row: types and what is new in them.

A column of the source keeps its type, as long as its values are of it. Of other values the type is
the narrowest that holds them all without a loss; where there is none, it is JSON as text.
"""

from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
import pyarrow.types as kinds

from whyset.errors import DatasetError

from .._row import PROVENANCE_COLUMN
from ._arrow_types import NON_FINITE_FLOATS, build_array, is_json, is_text, json_decoder

_MAX_FIELDS = 256
_MAX_DICTIONARY_VALUES = 100_000
_INT64 = range(-(2**63), 2**63)
_EXACT_DOUBLE = range(-(2**53), 2**53 + 1)


class SchemaBuilder:
    """The columns of rows that are being written."""

    def __init__(self, schema: pa.Schema | None) -> None:
        """Begin with the source's schema; `None` where it has none."""
        self._source = schema
        given = (
            [] if schema is None else [each for each in schema if each.name != PROVENANCE_COLUMN]
        )
        self._root = _StructNode(given, whole=True)
        self._seen: set[str] = set()

    def add_row(self, columns: dict[str, Any]) -> None:
        """Take notice of a row."""
        for name in columns:
            if name not in self._seen:
                self._seen.add(name)
                self._root.fields.setdefault(name, self._renamed_node(name))
        self._root.merge(columns)

    def build_schema(self) -> pa.Schema:
        """Return the columns that any row has, in the source's order; provenance is last."""
        names = [name for name in self._root.fields if not self._seen or name in self._seen]
        names.sort(key=lambda name: name == PROVENANCE_COLUMN)
        columns = [self._root.to_field(name) for name in names]
        return pa.schema(columns, metadata=None if self._source is None else self._source.metadata)

    def build_table(self, rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
        """Make a table of rows.

        Raises:
            DatasetError: A value has no place in its column.
        """
        arrays = []
        for column in schema:
            values = [row.get(column.name) for row in rows]
            try:
                arrays.append(self._root.fields[column.name].build_array(values, column.type))
            except (ValueError, TypeError, pa.ArrowException) as error:
                raise DatasetError(
                    f"the column {column.name!r} cannot be written as {column.type}: {error}; "
                    "write JSON lines instead"
                ) from error
        return pa.Table.from_arrays(arrays, schema=schema)

    def _renamed_node(self, name: str) -> "_Node":
        """Return what is known of a new column: somebody's own `whyset` comes under this name."""
        if name == f"{PROVENANCE_COLUMN}_original" and self._source is not None:
            held = self._source.get_field_index(PROVENANCE_COLUMN)
            if held >= 0:
                return _node_from_type(self._source.field(held).type)
        return _NullNode()


# ---- What is known of the values in one place: a node for each, replaced as more is known.


class _Node:
    """Values of no one type, which are written as JSON: the last that any node becomes."""

    def merge(self, value: Any) -> "_Node":
        """Return what is known once there is another value, which is not null."""
        return self

    def to_type(self) -> pa.DataType:
        """Return the type that holds all values."""
        return pa.json_()

    def build_array(self, values: list[Any], kind: pa.DataType) -> pa.Array:
        """Make an array of JSON values, in the type of a schema."""
        return _build_json_array(values, kind)


class _NullNode(_Node):
    """Nothing but nulls so far."""

    def merge(self, value: Any) -> _Node:
        kind = type(value)
        if kind is str:
            return _STRING_NODE
        if kind is bool:
            return _BOOL_NODE
        node = _StructNode() if kind is dict else _ListNode() if kind is list else _NumberNode()
        return node.merge(value)

    def to_type(self) -> pa.DataType:
        return pa.null()


class _ScalarNode(_Node):
    """Values of one type."""

    def __init__(self, arrow_type: pa.DataType) -> None:
        self._type = arrow_type
        self._accepts = _build_type_check(arrow_type)

    def merge(self, value: Any) -> _Node:
        return self if self._accepts(value) else _JSON_NODE

    def to_type(self) -> pa.DataType:
        return self._type


class _DictionaryNode(_Node):
    """A column of few values, each of which stands but once in the file."""

    def __init__(self, arrow_type: pa.DictionaryType) -> None:
        self._type = arrow_type
        self._accepts = _build_type_check(arrow_type)
        self._capacity = min(2 ** (arrow_type.index_type.bit_width - 1), _MAX_DICTIONARY_VALUES)
        self._indices: dict[Any, int] = {}

    def merge(self, value: Any) -> _Node:
        if not self._accepts(value):
            return _JSON_NODE
        if self._indices.setdefault(value, len(self._indices)) < self._capacity:
            return self
        return _ScalarNode(self._type.value_type)

    def to_type(self) -> pa.DataType:
        return self._type

    def build_array(self, values: list[Any], kind: pa.DataType) -> pa.Array:
        # One dictionary for the whole column: an Arrow file may have but one.
        places = [None if value is None else self._indices[value] for value in values]
        return pa.DictionaryArray.from_arrays(
            pa.array(places, kind.index_type),
            _build_json_array(list(self._indices), kind.value_type),
            ordered=kind.ordered,
        )


class _NumberNode(_Node):
    """Integers of up to 64 bits, and perhaps fractions: doubles if none loses a digit."""

    def __init__(self) -> None:
        self._is_exact = True
        self._has_fractions = False

    def merge(self, value: Any) -> _Node:
        if type(value) is float:
            self._has_fractions = True
        elif type(value) is not int or value not in _INT64:
            return _JSON_NODE
        else:
            self._is_exact = self._is_exact and value in _EXACT_DOUBLE
        return _JSON_NODE if self._has_fractions and not self._is_exact else self

    def to_type(self) -> pa.DataType:
        return pa.float64() if self._has_fractions else pa.int64()


class _ListNode(_Node):
    """Lists; `build_type` makes their type of that of their items."""

    def __init__(
        self,
        item: _Node | None = None,
        build_type: Callable[[pa.DataType], pa.DataType] = pa.list_,
    ) -> None:
        self._item = _NullNode() if item is None else item
        self._build_type = build_type

    def merge(self, value: Any) -> _Node:
        if type(value) is not list:
            return _JSON_NODE
        for item in value:
            if item is not None:
                self._item = self._item.merge(item)
        return self

    def to_type(self) -> pa.DataType:
        return self._build_type(self._item.to_type())


class _StructNode(_Node):
    """Objects, or whole rows.

    Attributes:
        fields: Their fields, in the order in which they came.
    """

    def __init__(self, source_fields: Iterable[pa.Field] = (), *, whole: bool = False) -> None:
        self._source_fields = {field.name: field for field in source_fields}
        self._required = {name for name, field in self._source_fields.items() if not field.nullable}
        self.fields: dict[str, _Node] = {
            name: _node_from_type(field.type, is_column=whole)
            for name, field in self._source_fields.items()
        }

    def merge(self, value: Any) -> _Node:
        if type(value) is not dict:
            return _JSON_NODE
        if self._required:
            self._required -= {name for name in self._required if value.get(name) is None}
        for name, held in value.items():
            node = self.fields.get(name)
            if node is None:
                node = self.fields[name] = _NullNode()
                if len(self.fields) > _MAX_FIELDS and not self._source_fields:
                    return _JSON_NODE
            if held is not None:
                merged = node.merge(held)
                if merged is not node:
                    self.fields[name] = merged
        return self

    def to_type(self) -> pa.DataType:
        return pa.struct(list(map(self.to_field, self.fields))) if self.fields else pa.json_()

    def to_field(self, name: str) -> pa.Field:
        """Return a field; one that the source has stays as it is, but for its type."""
        given = self._source_fields.get(name, pa.field(name, pa.null()))
        return given.with_type(self.fields[name].to_type()).with_nullable(
            name not in self._required
        )


def _node_from_type(kind: pa.DataType, *, is_column: bool = False) -> _Node:
    """Return what is known of values by the type that they have in the source."""
    if is_json(kind):
        return _JSON_NODE
    if kinds.is_null(kind):
        return _NullNode()
    if kinds.is_struct(kind):
        return _StructNode(kind)
    if kinds.is_list(kind) or kinds.is_large_list(kind):
        made = pa.large_list if kinds.is_large_list(kind) else pa.list_
        item = kind.value_field
        return _ListNode(_node_from_type(item.type), lambda inner: made(item.with_type(inner)))
    if is_column and kinds.is_dictionary(kind):
        return _DictionaryNode(kind)
    return _ScalarNode(kind)


def _build_json_array(values: list[Any], kind: pa.DataType) -> pa.Array:
    change = json_decoder(kind)
    if change is not None:
        values = [None if value is None else change(value) for value in values]
    return build_array(values, kind)


def _build_type_check(kind: pa.DataType) -> Callable[[Any], bool]:
    """Return what decides whether a JSON value is of a type."""
    values = kind.value_type if kinds.is_dictionary(kind) else kind
    if is_text(values):
        return lambda value: type(value) is str
    if kinds.is_boolean(values):
        return lambda value: type(value) is bool
    if kinds.is_float64(values):
        return _is_double
    if kinds.is_integer(values) or kinds.is_duration(values):
        is_unsigned = kinds.is_unsigned_integer(values)
        bits = values.bit_width if is_unsigned else values.bit_width - 1
        allowed = range(0 if is_unsigned else -(2**bits), 2**bits)
        return lambda value: type(value) is int and value in allowed

    def accepts(value: Any) -> bool:
        try:
            _build_json_array([value], kind)
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, pa.ArrowException):
            return False
        return True

    return accepts


def _is_double(value: Any) -> bool:
    if type(value) is int:
        return value in _EXACT_DOUBLE
    return type(value) is float or (type(value) is str and value in NON_FINITE_FLOATS)


_JSON_NODE = _Node()
_STRING_NODE = _ScalarNode(pa.string())
_BOOL_NODE = _ScalarNode(pa.bool_())
