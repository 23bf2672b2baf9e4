"""Every shape that a conversation has in a record, one file each."""

from collections.abc import Mapping
from typing import Final

from .._row import Shape
from ._anthropic import AnthropicShape
from ._base import (
    ParsedConversation,
    ResponseLocation,
    ShapeAdapter,
    UnusableRecord,
    describe_json_type,
    find_assistant_turns,
)
from ._hh import HhShape
from ._messages import LIST_COLUMNS, MessagesShape, find_list_column, read_plain_chat
from ._preference import PreferenceShape
from ._prompt_completion import AlpacaShape, PromptCompletionShape, PromptResponseShape
from ._response import ResponseParts
from ._sharegpt import ShareGptShape
from ._tools import parse_tool_definitions

SHAPES: Final[Mapping[Shape, ShapeAdapter]] = {
    layout.name: layout
    for layout in (
        PreferenceShape(),
        ShareGptShape(),
        AnthropicShape(),
        MessagesShape(),
        PromptCompletionShape(),
        PromptResponseShape(),
        AlpacaShape(),
        HhShape(),
    )
}
"""By name, in the order in which a record is tried: the first that fits is its shape."""

__all__ = [
    "LIST_COLUMNS",
    "SHAPES",
    "ParsedConversation",
    "ResponseLocation",
    "ResponseParts",
    "ShapeAdapter",
    "UnusableRecord",
    "describe_json_type",
    "find_assistant_turns",
    "find_list_column",
    "parse_tool_definitions",
    "read_plain_chat",
]
