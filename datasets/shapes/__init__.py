"""Every shape that a conversation has in a record, one file each."""

from collections.abc import Mapping
from typing import Final

from .._row import Shape
from ._anthropic import Anthropic
from ._base import (
    ContextRefused,
    ConversionRefused,
    Layout,
    Place,
    Spoken,
    UnusableRecord,
    assistant_turns,
    kind_of,
)
from ._hh import Hh
from ._messages import LISTS, Messages, list_column, plain_chat
from ._preference import Preference
from ._prompt_completion import Alpaca, Completion, Prompt
from ._response import Parted
from ._sharegpt import ShareGpt
from ._tools import defined_tools

LAYOUTS: Final[Mapping[Shape, Layout]] = {
    layout.name: layout
    for layout in (
        Preference(),
        ShareGpt(),
        Anthropic(),
        Messages(),
        Completion(),
        Prompt(),
        Alpaca(),
        Hh(),
    )
}
"""By name, in the order in which a record is tried: the first that fits is its shape."""

__all__ = [
    "LAYOUTS",
    "LISTS",
    "ContextRefused",
    "ConversionRefused",
    "Layout",
    "Parted",
    "Place",
    "Spoken",
    "UnusableRecord",
    "assistant_turns",
    "defined_tools",
    "kind_of",
    "list_column",
    "plain_chat",
]
