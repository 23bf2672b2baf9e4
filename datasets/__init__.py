"""Rows in and out: formats, conversations, quarantine."""

from whyset.errors import DatasetError, UnsupportedContext, UnsupportedConversion

from ._convert import PreferencePair, conversation_to_columns, convert_row, read_preference_pair
from ._edit import (
    extract_response,
    insert_deliberation,
    replace_context,
    replace_response,
    select_target,
)
from ._json import InvalidJson, dumps, is_identical, loads
from ._provenance import (
    find_provenance,
    free_provenance_column,
    require_provenance,
    serialise_provenance,
)
from ._reader import (
    ParsedRecord,
    ShapeSummary,
    detect_shapes,
    read_record,
    read_rows,
    read_stream,
    row_from_record,
)
from ._row import (
    DEFAULT_SELECTION,
    PROVENANCE_COLUMN,
    REASONING_FIELD,
    BadRow,
    Channel,
    Conversation,
    Message,
    Row,
    Selection,
    Shape,
    Side,
    SideSelection,
    Target,
    ToolCall,
    ToolDefinition,
    TurnSelection,
)
from ._writer import LineWriter, RowWriter, build_quarantine_line, detect_output_format, open_writer
from .files import MAX_LINE, STDIN, FileFormat, InputName, Source, open_source
from .files._atomic import STDOUT, check_replaceable
from .files._jsonl import count_lines
from .shapes import ResponseParts, UnusableRecord

__all__ = [
    "DEFAULT_SELECTION",
    "MAX_LINE",
    "PROVENANCE_COLUMN",
    "REASONING_FIELD",
    "STDIN",
    "STDOUT",
    "BadRow",
    "Channel",
    "Conversation",
    "DatasetError",
    "FileFormat",
    "InputName",
    "InvalidJson",
    "LineWriter",
    "Message",
    "ParsedRecord",
    "PreferencePair",
    "ResponseParts",
    "Row",
    "RowWriter",
    "Selection",
    "Shape",
    "ShapeSummary",
    "Side",
    "SideSelection",
    "Source",
    "Target",
    "ToolCall",
    "ToolDefinition",
    "TurnSelection",
    "UnsupportedContext",
    "UnsupportedConversion",
    "UnusableRecord",
    "build_quarantine_line",
    "check_replaceable",
    "conversation_to_columns",
    "convert_row",
    "count_lines",
    "detect_output_format",
    "detect_shapes",
    "dumps",
    "extract_response",
    "find_provenance",
    "free_provenance_column",
    "insert_deliberation",
    "is_identical",
    "loads",
    "open_source",
    "open_writer",
    "read_preference_pair",
    "read_record",
    "read_rows",
    "read_stream",
    "replace_context",
    "replace_response",
    "require_provenance",
    "row_from_record",
    "select_target",
    "serialise_provenance",
]
