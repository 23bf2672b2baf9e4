"""From bytes to records and back: files, folders and streams, in every form that is read."""

from ._layout import Layout, layout_of_name
from ._lines import MAX_RAW_LINE
from ._opening import read_part, read_text
from ._record import MAX_LINE, Record
from ._source import Named, Source, open_source
from ._sources import STDIN, Part
from ._values import records_in

__all__ = [
    "MAX_LINE",
    "MAX_RAW_LINE",
    "STDIN",
    "Layout",
    "Named",
    "Part",
    "Record",
    "Source",
    "layout_of_name",
    "open_source",
    "read_part",
    "read_text",
    "records_in",
]
