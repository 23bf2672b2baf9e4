"""Which columns of which types a `Dataset` has after a generator, before there are rows to tell."""

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from whyset.datasets import COLUMN, REASONING_FIELD


def widened(features: Mapping[str, Any], adds: Sequence[str], *, reasoning: bool) -> Any:
    """Return a dataset's features, wide enough for what a generator may put into a row.

    Args:
        features: A `Features` of the datasets library.
        adds: Columns of text that the generator adds.
        reasoning: Whether reasoning goes into a field of its own.
    """
    kind: Any = type(features)
    held: Mapping[str, pa.DataType] = {
        found.name: found.type for found in kind(features).arrow_schema
    }
    new: dict[str, pa.DataType] = dict.fromkeys([*adds, COLUMN], pa.string())
    if reasoning:
        new |= {name: wider for name, one in held.items() if (wider := _reasoned(one)) is not None}
        if "response" in held:
            new[REASONING_FIELD] = pa.string()
    if COLUMN in held and held[COLUMN] != pa.string():  # somebody else's, which keeps its value
        new[f"{COLUMN}_original"] = held[COLUMN]
    changed = kind.from_arrow_schema(pa.schema(list(new.items())))
    return kind({**features, **changed})


def _reasoned(kind: pa.DataType) -> pa.DataType | None:
    """Return the type of a list of messages with a field for reasoning; `None` for other types."""
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return None
    message = kind.value_type
    if not pa.types.is_struct(message):
        return None
    fields = {message.field(at).name: message.field(at).type for at in range(message.num_fields)}
    if not {"role", "content"} <= fields.keys() or REASONING_FIELD in fields:
        return None
    return pa.list_(pa.struct([*fields.items(), (REASONING_FIELD, pa.string())]))
