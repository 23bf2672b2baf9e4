"""Rows in and out: formats, conversations, quarantine."""

from ._conversation import Conversation, Message, ToolCall
from ._counting import count_lines
from ._errors import DatasetError
from ._json import NotJson, dumps, loads
from ._placing import Parted, part_columns, with_deliberation, with_response
from ._reader import MAX_LINE, STDIN, read_rows, read_stream, row_from_record
from ._row import COLUMN, REASONING_FIELD, BadRow, Channel, Row, Shape
from ._writer import STDOUT, LineWriter, quarantine_line

__all__ = [
    "COLUMN",
    "MAX_LINE",
    "REASONING_FIELD",
    "STDIN",
    "STDOUT",
    "BadRow",
    "Channel",
    "Conversation",
    "DatasetError",
    "LineWriter",
    "Message",
    "NotJson",
    "Parted",
    "Row",
    "Shape",
    "ToolCall",
    "count_lines",
    "dumps",
    "loads",
    "part_columns",
    "quarantine_line",
    "read_rows",
    "read_stream",
    "row_from_record",
    "with_deliberation",
    "with_response",
]
