"""Rows in tables: Parquet, Arrow and the datasets library. Only here is pyarrow's schema known."""

from ._hub import as_table, open_dataset
from ._reading import Table, open_table, records_of
from ._writing import Columns, unify, write_arrow, write_parquet, write_shards

__all__ = [
    "Columns",
    "Table",
    "as_table",
    "open_dataset",
    "open_table",
    "records_of",
    "unify",
    "write_arrow",
    "write_parquet",
    "write_shards",
]
