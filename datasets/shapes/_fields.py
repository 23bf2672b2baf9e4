"""Values out of a record, or a reason that names the place and what stands there instead."""

from collections.abc import Mapping
from typing import Any

_LONGEST_VALUE = 80


class UnusableRecord(ValueError):
    """A record that no shape fits, or whose conversation cannot be worked on; says why."""


def kind_of(value: Any) -> str:
    """Name a JSON value's type as a person would."""
    names: Mapping[type, str] = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "true or false",
        int: "a number",
        float: "a number",
        type(None): "null",
    }
    return names.get(type(value), f"a {type(value).__name__}")


def wrong(where: str, wanted: str, value: Any) -> UnusableRecord:
    """Return what to raise where a value is of the wrong kind."""
    return UnusableRecord(f"{where} must be {wanted}, not {kind_of(value)}")


def text_in(holder: Mapping[str, Any], key: str, where: str = "") -> str:
    """Return a string that must be there.

    Raises:
        UnusableRecord: It is missing or no string.
    """
    value = holder.get(key)
    if isinstance(value, str):
        return value
    place = f"{where}.{key}" if where else key
    if value is None and key not in holder:
        raise UnusableRecord(f"{place} is missing")
    raise wrong(place, "a string", value)


def optional_text(holder: Mapping[str, Any], key: str, where: str = "") -> str:
    """Return a string that may be missing or null; then it is empty.

    Raises:
        UnusableRecord: It is something else.
    """
    value = holder.get(key)
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise wrong(f"{where}.{key}" if where else key, "a string", value)


def list_of(value: Any, where: str) -> list[Any]:
    """Return a value that must be a list.

    Raises:
        UnusableRecord: It is none.
    """
    if isinstance(value, list):
        return value
    raise wrong(where, "a list", value)


def object_of(value: Any, where: str) -> dict[str, Any]:
    """Return a value that must be an object.

    Raises:
        UnusableRecord: It is none.
    """
    if isinstance(value, dict):
        return value
    raise wrong(where, "an object", value)


def none_of(holder: Mapping[str, Any], key: str, where: str, allowed: str) -> UnusableRecord:
    """Return what to raise where a value is missing, or none of those that are known."""
    if key not in holder:
        return UnusableRecord(f"{where}.{key} is missing")
    shown = repr(holder[key])[:_LONGEST_VALUE]
    return UnusableRecord(f"{where}.{key} must be one of {allowed}, not {shown}")


def others_of(holder: Mapping[str, Any], known: frozenset[str]) -> dict[str, Any]:
    """Return what an object holds beside what is known of it; nulls say nothing."""
    if known.issuperset(holder):
        return {}
    return {
        name: value for name, value in holder.items() if name not in known and value is not None
    }
