"""From bytes to records and back: files, folders and streams, in every form that is read."""

from ._arrow import (
    Columns,
    Table,
    open_table,
    records_of,
    unify,
    write_arrow,
    write_parquet,
    write_shards,
)
from ._detect import Layout, layout_of_name
from ._hub import as_table, open_dataset
from ._jsonl import MAX_LINE, MAX_RAW_LINE, Record, records_in
from ._locate import STDIN, Part
from ._source import Named, Source, open_source, read_part, read_text

__all__ = [
    "MAX_LINE",
    "MAX_RAW_LINE",
    "STDIN",
    "Columns",
    "Layout",
    "Named",
    "Part",
    "Record",
    "Source",
    "Table",
    "as_table",
    "layout_of_name",
    "open_dataset",
    "open_source",
    "open_table",
    "read_part",
    "read_text",
    "records_in",
    "records_of",
    "unify",
    "write_arrow",
    "write_parquet",
    "write_shards",
]
