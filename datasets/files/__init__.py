"""From bytes to records and back: files, folders and streams, in every form that is read."""

from ._arrow import (
    ArrowSource,
    SchemaBuilder,
    open_table,
    read_table,
    unify_schemas,
    write_arrow,
    write_parquet,
    write_shards,
)
from ._detect import FileFormat, format_from_name
from ._hub import open_dataset, wrap_dataset
from ._jsonl import MAX_LINE, MAX_RAW_LINE, Record, read_mappings
from ._locate import STDIN, InputPart
from ._source import InputName, Source, open_source, read_part, read_records

__all__ = [
    "MAX_LINE",
    "MAX_RAW_LINE",
    "STDIN",
    "ArrowSource",
    "FileFormat",
    "InputName",
    "InputPart",
    "Record",
    "SchemaBuilder",
    "Source",
    "format_from_name",
    "open_dataset",
    "open_source",
    "open_table",
    "read_mappings",
    "read_part",
    "read_records",
    "read_table",
    "unify_schemas",
    "wrap_dataset",
    "write_arrow",
    "write_parquet",
    "write_shards",
]
