"""Schemas of tools' arguments: whether each is valid, and as involved as was drawn."""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from whyset.datasets import InvalidJson, loads

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

_DEEPEST = 6
_LONGEST = 8000
_MOST_PROPERTIES = 20
_PROPERTY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_COMBINED = ("oneOf", "anyOf", "allOf", "not")
_REFERENCES = ("$ref", "$dynamicRef", "$schema", "$id", "$defs", "definitions")
_BOUNDS = frozenset(
    {
        *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
        *("pattern", "format", "minLength", "maxLength", "minItems", "maxItems", "uniqueItems"),
    }
)
_ORDERED = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
)


def parse_parameters(text: str) -> dict[str, Any] | None:
    """Return the object that a schema's text holds; `None` where it is no JSON of one."""
    try:
        schema = loads(text.encode())
    except (InvalidJson, UnicodeEncodeError):
        return None
    return schema if isinstance(schema, dict) else None


def find_schema_fault(text: str) -> str:
    """Return what is wrong with a schema of arguments; nothing where it is sound.

    It must be valid by JSON Schema 2020-12, describe an object, stand on its own, and be such
    as providers take: nothing combined at the top, names of letters, digits, `_` and `-`.

    What it cannot see: whether any arguments satisfy it, beyond bounds that contradict each other.
    """
    schema = parse_parameters(text)
    if schema is None:
        return "is no JSON of an object"
    if len(text) > _LONGEST:
        return f"is longer than {_LONGEST} characters"
    if _too_deep(schema):
        return f"is nested more than {_DEEPEST} deep"
    for error in _validator().iter_errors(schema):
        place = "/".join(map(str, error.path)) or "the whole"
        return f"is no valid JSON Schema at {place}: {error.message[:120]}"
    if schema.get("type") != "object" or not isinstance(schema.get("properties"), dict):
        return "must be of type object, with properties"
    if found := [name for name in _COMBINED if name in schema]:
        return f"has {found[0]} at the top, where providers take none"
    return next(filter(None, map(_fault, _schemas(schema))), "")


def has_drawn_complexity(schema: Mapping[str, Any], drawn: str) -> bool:
    """Say whether a sound schema is as involved as was drawn, by the drawn value's name."""
    return any(map(_MARKS[drawn], _schemas(schema))) if drawn in _MARKS else True


def _fault(schema: Mapping[str, Any]) -> str:
    if found := [name for name in _REFERENCES if name in schema]:
        return f"must stand on its own, without {found[0]}"
    properties = schema.get("properties", {})
    if len(properties) > _MOST_PROPERTIES:
        return f"has more than {_MOST_PROPERTIES} properties in one object"
    if strange := [name for name in properties if not _PROPERTY.fullmatch(name)]:
        return f"has a property called {strange[0]!r}: use letters, digits, _ and -"
    if missing := sorted(set(schema.get("required", ())) - set(properties)):
        return f"requires {missing[0]!r}, which is no property of it"
    if "enum" in schema and not _distinct(schema["enum"]):
        return "has an enum without values, or with one twice"
    for low, high in _ORDERED:
        if low in schema and high in schema and schema[low] > schema[high]:
            return f"has a {low} above its {high}"
    return ""


def _schemas(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Yield a schema and all that stand in it."""
    if not isinstance(schema, dict):
        return
    yield schema
    for within in schema.get("properties", {}).values():
        yield from _schemas(within)
    for name in ("items", "additionalProperties", "not"):
        yield from _schemas(schema.get(name))
    for name in (*_COMBINED[:3], "prefixItems"):
        for within in schema.get(name, ()):
            yield from _schemas(within)


def _nested(schema: Mapping[str, Any]) -> bool:
    return any(
        isinstance(within, dict) and within.get("type") == "object" and within.get("properties")
        for within in schema.get("properties", {}).values()
    )


def _listed(schema: Mapping[str, Any]) -> bool:
    items = schema.get("items")
    return isinstance(items, dict) and items.get("type") == "object" and "properties" in items


def _alternative(schema: Mapping[str, Any]) -> bool:
    return any(len(schema.get(name, ())) > 1 for name in ("oneOf", "anyOf"))


_MARKS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "enums": lambda schema: "enum" in schema,
    "nested": _nested,
    "arrays": _listed,
    "one_of": _alternative,
    "bounded": lambda schema: bool(_BOUNDS & schema.keys()),
}
"""What was drawn → whether a schema, or one within it, is of that kind."""


def _distinct(values: list[Any]) -> bool:
    return bool(values) and all(value not in values[:at] for at, value in enumerate(values))


def _too_deep(value: Any) -> bool:
    """Say whether values nest too deep, without nesting as deep as they do."""
    level = [value]
    for _ in range(2 * _DEEPEST + 1):  # each level of schemas is two of JSON
        level = [
            within
            for held in level
            if isinstance(held, dict | list)
            for within in (held.values() if isinstance(held, dict) else held)
        ]
    return any(isinstance(held, dict | list) for held in level)


@cache
def _validator() -> "Draft202012Validator":
    # A tenth of a second: only where there are tools.
    from jsonschema import Draft202012Validator

    return Draft202012Validator(
        Draft202012Validator.META_SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER
    )
