"""Tools that an ask lays beside its question, as every provider takes them."""

import json
from collections.abc import Iterable
from typing import Any

from whyset.errors import UnusableReply
from whyset.generators import Tool


def parameters_of(tool: Tool) -> dict[str, Any]:
    """Return the JSON Schema of a tool's arguments.

    Raises:
        UnusableReply: There is none; no model could be asked with it.
    """
    try:
        schema = json.loads(tool.parameters)
    except ValueError as error:
        raise UnusableReply(f"the parameters of the tool {tool.name!r} are no JSON: {error}") from (
            error
        )
    if not isinstance(schema, dict):
        raise UnusableReply(
            f"the parameters of the tool {tool.name!r} are no JSON Schema of an object"
        )
    return schema


def told_calls(names: Iterable[object]) -> str:
    """Return what to say of an answer that calls tools instead of being one; nothing for none."""
    called = ", ".join(dict.fromkeys(map(str, names)))
    return f"it calls {called}" if called else ""
