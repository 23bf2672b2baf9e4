"""The ways in which environments differ, and what a row is dealt."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from whyset.datasets import InvalidJson, Row, UnsupportedContext, loads, replace_context

from .._conversation import find_system_message
from .._names import draw_names
from .._variety import AxisSpec, WordLimits, derive_seed, draw_weighted, load_axis_specs
from ._schemas import Options

# ---- Applicability: what a row's shape has a place for, and no option leaves out.

_ANY_TOOL = {"name": "any", "description": "", "parameters": {"type": "object"}}


@dataclass(frozen=True, slots=True)
class Applicability:
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


def find_applicability(row: Row, options: Options) -> Applicability:
    """Return what can be given to a row."""
    own = find_system_message(row.conversation)
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
    return Applicability(tools, system, extends, "; ".join(refused))


def _refusal_of_tools(row: Row) -> str:
    definitions = [tool.definition for tool in row.conversation.tool_definitions]
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
        except (InvalidJson, UnicodeEncodeError):
            return None
    return len(held) if isinstance(held, list) else None if held else 0


def _refusal(row: Row, system: str | None, tools: list[Any] | None) -> str:
    try:
        replace_context(row, system, tools)
    except UnsupportedContext as refused:
        return str(refused)
    return ""


COUNT = "tool_count"
SYSTEM = "system"
WRONG = "wrong"
ORDER = "order"
NONE = "none"

_OF_TOOLS = ("tool_domain", "tool_names", "tool_schema", "tool_descriptions")
_OF_SYSTEM = ("system_opening", "system_layout", "system_voice")
_LAYOUT = "system_layout"
_ONE_LINE = "one_line"
_PERSONA = "draw"


@dataclass(frozen=True, slots=True)
class EnvironmentDraw:
    """What a row is dealt.

    Attributes:
        variety: Axis → value, of the axes that bear on this row.
        persona: What the assistant is to be called; empty where it goes unnamed.
    """

    variety: Mapping[str, str]
    persona: str = ""

    @property
    def tools(self) -> int:
        """How many tools are wanted."""
        return int(self.variety.get(COUNT, "0"))

    @property
    def writes_system(self) -> bool:
        """Whether a system prompt is wanted."""
        return self.variety.get(SYSTEM, NONE) != NONE

    @property
    def argues(self) -> bool:
        """Whether the system prompt is to argue for the wrong thing."""
        return self.variety.get(SYSTEM) == WRONG

    @property
    def words(self) -> WordLimits:
        """How long the system prompt should be."""
        return _listed()[SYSTEM].values[self.variety[SYSTEM]].bounds

    def describe(self, axis: str) -> str:
        """Return an axis in words for a writer; nothing where it does not bear on the row."""
        return _listed()[axis].describe(self.variety.get(axis, ""))


def draw_environment(row: Row, options: Options, capacity: Applicability) -> EnvironmentDraw:
    """Deal a row its hand, the same in every process; something in it where anything can be."""

    def drawn(axis: str, *left_out: str) -> str:
        weights = _listed()[axis].weights
        drawable = {value: weights[value] for value in weights if value not in left_out}
        return draw_weighted(drawable, options.seed, axis, row.digest)

    held: dict[str, str] = {}
    persona = _persona(row, options) if capacity.system else ""
    if capacity.tools:
        held[COUNT] = drawn(COUNT, *(() if capacity.system else ("0",)))
        if held[COUNT] != "0":
            held |= {axis: drawn(axis) for axis in _OF_TOOLS}
    if capacity.system:
        must = bool(persona) or held.get(COUNT, "0") == "0"
        held[SYSTEM] = drawn(SYSTEM, *((NONE,) if must else ()))
        if held[SYSTEM] != NONE:
            if held[SYSTEM] == WRONG:
                held[WRONG] = drawn(WRONG)
            held |= {axis: drawn(axis) for axis in _OF_SYSTEM}
            if held[SYSTEM] == _ONE_LINE:
                del held[_LAYOUT]  # a line has none
            if capacity.extends:
                held[ORDER] = drawn(ORDER)
    return EnvironmentDraw(held, persona)


def axes() -> Mapping[str, tuple[str, ...]]:
    """Return every axis with its values."""
    return {name: tuple(listed.values) for name, listed in _listed().items()}


def _persona(row: Row, options: Options) -> str:
    if options.persona != _PERSONA:
        return options.persona
    (name,) = draw_names(derive_seed(options.seed, "persona", row.digest), 1)
    return name.given


def _listed() -> Mapping[str, AxisSpec]:
    return load_axis_specs(__package__)
