"""From bytes to records and back: files, folders and streams, in every form that is read.

Tables are in `_arrow` and `_hub`, which are imported where one is read or written: pyarrow takes
longer to load than all else.
"""

from ._detect import FileFormat, format_from_name
from ._jsonl import MAX_RAW_LINE
from ._locate import STDIN, InputPart
from ._record import MAX_LINE, Record, read_mappings
from ._source import InputName, Source, open_source, read_part, read_records

__all__ = [
    "MAX_LINE",
    "MAX_RAW_LINE",
    "STDIN",
    "FileFormat",
    "InputName",
    "InputPart",
    "Record",
    "Source",
    "format_from_name",
    "open_source",
    "read_mappings",
    "read_part",
    "read_records",
]
