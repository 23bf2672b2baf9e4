"""What a row can be given: its shape has a place for it, and nobody has asked to leave it."""

from dataclasses import dataclass
from typing import Any

from whyset.datasets import ContextRefused, NotJson, Row, loads, with_context

from .._conversing import system_message
from ._options import Options

_ANY_TOOL = {"name": "any", "description": "", "parameters": {"type": "object"}}


@dataclass(frozen=True, slots=True)
class Capacity:
    """What can be given to a row.

    Attributes:
        tools: Whether tools can.
        system: Whether a system prompt can.
        extends: Whether that would stand beside the row's own.
        refused: Why something cannot, where the row is at fault; empty where it all can.
    """

    tools: bool
    system: bool
    extends: bool
    refused: str = ""


def capacity_of(row: Row, options: Options) -> Capacity:
    """Return what can be given to a row."""
    own = system_message(row.conversation)
    refused = []
    tools, system = "tools" not in options.without, "system" not in options.without
    if system and own and options.system == "keep":
        system = False
    if system and (why := _refusal(row, "any", None)):
        system = False
        refused.append(why)
    elif system and own and options.system == "extend" and own.parts:
        # Its words could be kept, but not what stands between and beside them.
        system = False
        refused.append("its own system prompt holds more than text and cannot be extended")
    if tools and (why := _refusal_of_tools(row)):
        tools = False
        refused.append(why)
    extends = system and own is not None and options.system == "extend"
    return Capacity(tools, system, extends, "; ".join(refused))


def _refusal_of_tools(row: Row) -> str:
    definitions = [tool.definition for tool in row.conversation.offered]
    if why := _refusal(row, None, [*definitions, _ANY_TOOL]):
        return why
    # What is no definition would be lost when the column is written.
    if _count(row.columns.get("tools")) != len(definitions):
        return "its column 'tools' holds what is no list of definitions"
    return ""


def _count(held: Any) -> int | None:
    """Return how many definitions a column holds, as a list or as JSON of one."""
    if isinstance(held, str) and held.strip():
        try:
            held = loads(held.encode())
        except (NotJson, UnicodeEncodeError):
            return None
    return len(held) if isinstance(held, list) else None if held else 0


def _refusal(row: Row, system: str | None, tools: list[Any] | None) -> str:
    try:
        with_context(row, system, tools)
    except ContextRefused as refused:
        return str(refused)
    return ""
