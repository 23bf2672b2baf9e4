"""YAML with the line of everything in it; the only module that knows the parser."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from whyset.errors import PlanError

if TYPE_CHECKING:
    import yaml

_DEEPEST = 20
# A few aliases of aliases could make billions.
_MOST_PLACES = 100_000
_WIDE = 1 << 20


@dataclass(frozen=True, slots=True)
class Sourced:
    """A parsed file.

    Attributes:
        value: Its content as plain values; keys are strings, whatever YAML would make of them.
        lines: Keys and list places from the top → the line where that begins, 1-based.
    """

    value: Any
    lines: Mapping[tuple[str | int, ...], int]

    def line(self, place: tuple[str | int, ...]) -> int:
        """Return the line of a place, or of the nearest around it that is there."""
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]


def parse(text: str, *, name: str) -> Sourced:
    """Parse YAML.

    Args:
        text: One document.
        name: What error messages call it.

    Raises:
        PlanError: It is not YAML, or says something twice.
    """
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise PlanError(f"{name}{line}: not YAML: {error.problem or error}") from error
    except yaml.YAMLError as error:
        raise PlanError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise PlanError(f"{name}: not a plan: nested too deeply") from error
    lines: dict[tuple[str | int, ...], int] = {(): 1}
    value = None if root is None else _plain(root, (), lines, name)
    return Sourced(value, lines)


def scalar(value: str | int | float | bool | None) -> str:
    """Return a value as YAML writes it, in one line."""
    import yaml

    style = '"' if isinstance(value, str) and not value.isprintable() else None
    written: str = yaml.dump(
        value, Dumper=yaml.SafeDumper, allow_unicode=True, width=_WIDE, default_style=style
    )
    return written.removesuffix("\n").removesuffix("\n...")


def _plain(
    node: "yaml.Node",
    place: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    name: str,
) -> Any:
    import yaml

    line = node.start_mark.line + 1
    if len(place) > _DEEPEST or len(lines) > _MOST_PLACES:
        raise PlanError(f"{name}:{line}: not a plan: nested too deeply, or too much of it")
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            lines[*place, number] = item.start_mark.line + 1
        return [
            _plain(item, (*place, number), lines, name) for number, item in enumerate(node.value)
        ]
    if isinstance(node, yaml.MappingNode):
        values = {}
        for key_node, value_node in node.value:
            at = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise PlanError(f"{name}:{at}: a key must be a word, not a list or a mapping")
            # As it stands: `no: 3` is a value called no, not one called False.
            key = str(key_node.value)
            if key in values:
                raise PlanError(f"{name}:{at}: {key!r} is said twice here; keep one")
            lines[*place, key] = at
            values[key] = _plain(value_node, (*place, key), lines, name)
        return values
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise PlanError(f"{name}:{line}: not a value: {node.value!r}") from error
