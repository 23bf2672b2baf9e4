"""Rows in and out: formats, conversations, quarantine."""

from whyset.errors import DatasetError

from ._conversation import Conversation, Message, OfferedTool, ToolCall
from ._converting import convert, record_of
from ._counting import count_lines
from ._identity import identical
from ._json import NotJson, dumps, loads
from ._pairs import Pair, pair_of
from ._placing import aimed_at, part_columns, with_context, with_deliberation, with_response
from ._provenance import earlier_pass, room_for_provenance
from ._provenance_text import provenance_of, with_provenance_as_text
from ._reader import read_rows, read_stream, row_from_record
from ._recognising import Recognised, recognise
from ._row import COLUMN, REASONING_FIELD, BadRow, Channel, Row, Shape, Side, Target
from ._selection import DEFAULT, Selection, Sides, Turns
from ._shapes import Reading, read_conversation, read_record, row_of
from ._table_writer import RowWriter, open_writer, output_layout
from ._writer import LineWriter, quarantine_line
from .containers import MAX_LINE, STDIN, Layout, Named, Source, open_source
from .containers._target import STDOUT, require_ours
from .shapes import ContextRefused, ConversionRefused, Parted, UnusableRecord

__all__ = [
    "COLUMN",
    "DEFAULT",
    "MAX_LINE",
    "REASONING_FIELD",
    "STDIN",
    "STDOUT",
    "BadRow",
    "Channel",
    "ContextRefused",
    "Conversation",
    "ConversionRefused",
    "DatasetError",
    "Layout",
    "LineWriter",
    "Message",
    "Named",
    "NotJson",
    "OfferedTool",
    "Pair",
    "Parted",
    "Reading",
    "Recognised",
    "Row",
    "RowWriter",
    "Selection",
    "Shape",
    "Side",
    "Sides",
    "Source",
    "Target",
    "ToolCall",
    "Turns",
    "UnusableRecord",
    "aimed_at",
    "convert",
    "count_lines",
    "dumps",
    "earlier_pass",
    "identical",
    "loads",
    "open_source",
    "open_writer",
    "output_layout",
    "pair_of",
    "part_columns",
    "provenance_of",
    "quarantine_line",
    "read_conversation",
    "read_record",
    "read_rows",
    "read_stream",
    "recognise",
    "record_of",
    "require_ours",
    "room_for_provenance",
    "row_from_record",
    "row_of",
    "with_context",
    "with_deliberation",
    "with_provenance_as_text",
    "with_response",
]
