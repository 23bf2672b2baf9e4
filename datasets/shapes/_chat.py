"""Messages with `role` and `content`, OpenAI's form, for every shape that has them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from .._conversation import Message
from .._row import REASONING_FIELD
from ._fields import list_of, none_of, object_of, optional_text, others_of, text_in, wrong
from ._forms import REASONING_FIELDS, is_bare_text, reasoning_field
from ._refusing import ConversionRefused
from ._thinking import thought_of, unless_blank
from ._tools import numbered_calls, openai_call, openai_calls

ROLES: Final = ("system", "developer", "user", "assistant", "tool", "function")
"""Every role a message may have."""

_ALLOWED = ", ".join(ROLES)
_KNOWN = frozenset({"role", "content", "tool_calls", "function_call", "name", "tool_call_id"})
_KNOWN_OF = {used: _KNOWN | {used} for used in REASONING_FIELDS}


def read_chat(messages: Any, where: str) -> tuple[Message, ...]:
    """Read a list of messages.

    Args:
        messages: The list as it stands in the record.
        where: The column it stands in.

    Raises:
        UnusableRecord: It is no list of messages; the reason names the place.
    """
    return tuple(
        [
            _plain(message) or read_message(message, f"{where}[{at}]")
            for at, message in enumerate(list_of(messages, where))
        ]
    )


def plain_chat(messages: list[Any]) -> tuple[Message, ...] | None:
    """Read messages as `read_chat` does; `None` where one of them is more than role and text."""
    plain = [message for message in map(_plain, messages) if message is not None]
    return tuple(plain) if len(plain) == len(messages) else None


def read_message(value: Any, where: str) -> Message:
    """Read one message; see `read_chat`."""
    message = object_of(value, where)
    role = message.get("role")
    if role not in ROLES:
        raise none_of(message, "role", where, _ALLOWED)
    content = message.get("content")
    parts: tuple[Mapping[str, Any], ...] = ()
    if isinstance(content, str):
        text = content
    elif content is None:
        text = ""
    elif isinstance(content, list):
        text = text_of_parts(content, f"{where}.content")
        parts = parts_beyond_text(content)
    else:
        raise wrong(f"{where}.content", "a string, a list of parts or null", content)
    reasoning, known = "", _KNOWN
    if role == "assistant":
        optional_text(message, REASONING_FIELD, where)
        used = reasoning_field(message)
        reasoning = message.get(used) or ""
        known = _KNOWN_OF[used]
        if not reasoning and isinstance(content, str) and "<think>" in content:
            thought = thought_of(content)
            reasoning, text = thought.reasoning.strip(), thought.answer
    call_id = message.get("tool_call_id")
    return Message(
        role,
        text,
        unless_blank(reasoning),
        openai_calls(message, where),
        optional_text(message, "name", where) or None,
        call_id if isinstance(call_id, str) else None,
        parts,
        others_of(message, known),
    )


def _plain(message: Any) -> Message | None:
    """Read a message that is a role and a text alone, as most are; `None` for any other."""
    if not isinstance(message, dict):
        return None
    role, text = message.get("role"), message.get("content")
    if role not in ROLES or not isinstance(text, str):
        return None
    if role == "assistant" and text.lstrip().startswith("<think>"):
        return None
    # A table has every field in every message, null where there is none.
    if len(message) != 2 and list(message.values()).count(None) != len(message) - 2:
        return None
    return Message(role, text)


def text_of_parts(parts: list[Any], where: str) -> str:
    """Return the text of parts or blocks, joined.

    Raises:
        UnusableRecord: One of them is none; the reason names the place.
    """
    texts = []
    for at, value in enumerate(parts):
        place = f"{where}[{at}]"
        part = object_of(value, place)
        kind, text = text_in(part, "type", place), optional_text(part, "text", place)
        if kind == "text" and text:
            texts.append(text)
    return "\n".join(texts)


def parts_beyond_text(parts: list[Any]) -> tuple[Mapping[str, Any], ...]:
    """Return parts as they stand; none where they are a single text, which says as much alone."""
    return () if is_bare_text(parts) else tuple(parts)


def write_chat(messages: Sequence[Message], shape: str) -> list[dict[str, Any]]:
    """Write messages in this form.

    Raises:
        ConversionRefused: One holds what the form has no place for.
    """
    calls = numbered_calls(messages)
    return [_written(message, calls.get(at, 0), shape) for at, message in enumerate(messages)]


def _written(message: Message, calls_before: int, shape: str) -> dict[str, Any]:
    for part in message.parts:
        if part.get("type") in _FOREIGN or "source" in part:
            raise ConversionRefused(shape, f"a block of type {part.get('type')!r}")
    written: dict[str, Any] = {"role": message.role}
    if message.reasoning:
        written[REASONING_FIELD] = message.reasoning
    written["content"] = list(message.parts) or message.text
    if message.tool_calls:
        numbered = enumerate(message.tool_calls, start=calls_before + 1)
        written["tool_calls"] = [openai_call(call, number) for number, call in numbered]
        written["content"] = written["content"] or None
    if message.call_id is not None:
        written["tool_call_id"] = message.call_id
    if message.name is not None:
        written["name"] = message.name
    return {**written, **message.others}


_FOREIGN = frozenset({"thinking", "redacted_thinking", "tool_use", "tool_result", "document"})
"""Blocks of the Messages API that no message of this form can hold."""
