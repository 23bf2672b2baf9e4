"""An ask as text, messages and tools: what every adapter needs, whoever the provider is."""

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Any

from whyset.errors import UnusableReply
from whyset.generators import Ask, Tool


def render_completion_prompt(ask: Ask) -> str:
    """Return the text that an ask begins: what is common to the step, then the row's own."""
    return "\n\n".join(part for part in (ask.system, ask.user) if part)


def render_messages(ask: Ask) -> tuple[str, str]:
    """Return an ask's system prompt and last message.

    A text to be continued becomes a message that asks for its continuation.
    """
    if ask.is_completion:
        return _load_instruction(), render_completion_prompt(ask)
    return ask.system, ask.user


def parse_tool_parameters(tool: Tool) -> dict[str, Any]:
    """Return the JSON Schema of a tool's arguments; without one no model can be asked."""
    try:
        schema = json.loads(tool.parameters)
    except ValueError as error:
        raise UnusableReply(
            f"the parameters of the tool {tool.name!r} are no JSON: {error}"
        ) from error
    if not isinstance(schema, dict):
        raise UnusableReply(
            f"the parameters of the tool {tool.name!r} are no JSON Schema of an object"
        )
    return schema


def describe_tool_calls(names: Iterable[object]) -> str:
    """Say that an answer calls tools instead of being one; nothing where it calls none."""
    called = ", ".join(dict.fromkeys(map(str, names)))
    return f"it calls {called}" if called else ""


@cache
def _load_instruction() -> str:
    source = files("whyset.models").joinpath("prompts", "continue.md")
    return source.read_text(encoding="utf-8").strip()
