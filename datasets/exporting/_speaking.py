"""Messages as consumers read them: plain texts, roles of chat templates, reasoning placed."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from .._conversation import Message, OfferedTool
from .._json import dumps
from ..shapes import ConversionRefused
from ..shapes._chat import write_chat
from ..shapes._forms import is_text
from ..shapes._thinking import tagged, thought_of
from ..shapes._tools import openai_tool
from ._kinds import NotExported

_ROLES = {"developer": "system", "function": "tool"}
"""Roles that no chat template has, and what stands in for them."""


def plain(
    messages: Sequence[Message],
    consumer: str,
    *,
    others: frozenset[str] | None = None,
    images: bool = False,
) -> tuple[Message, ...]:
    """Return messages whose content is text.

    Several text parts become one text with nothing between them, as chat templates join them.

    Args:
        messages: Them.
        consumer: Whom they are for.
        others: Keys of a message that the consumer reads beside the usual ones; `None` for any.
        images: Whether a user's message may have images.

    Raises:
        NotExported: One has a part that is no text, or a key that the consumer would not take.
    """
    return tuple(_plain(message, consumer, others, images) for message in messages)


def in_tags(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return messages with their reasoning in `<think>` tags before the text.

    Raises:
        NotExported: Reasoning or text has such tags itself, so that nobody could tell them apart.
    """
    return tuple(_tagged(message) for message in messages)


def refuse_reasoning(messages: Sequence[Message], consumer: str) -> None:
    """Refuse messages with reasoning, where the consumer has no field for it.

    Raises:
        NotExported: One has.
    """
    if any(message.reasoning for message in messages):
        raise NotExported(
            "reasoning",
            f"{consumer} has no field for reasoning; export with --think-tags to put it in <think> "
            "tags before the answer, or rewrite with --channel preface",
        )


def chat(messages: Sequence[Message], consumer: str) -> list[dict[str, Any]]:
    """Return plain messages in OpenAI's form, with `reasoning_content`; no content is null.

    Raises:
        NotExported: One holds what the form has no place for.
    """
    try:
        written = write_chat(messages, consumer)
    except ConversionRefused as refused:
        raise unheld(refused, consumer) from refused
    return [message | {"content": message["content"] or ""} for message in written]


def unheld(refused: ConversionRefused, consumer: str) -> NotExported:
    """Return an error that says what a consumer has no place for."""
    return NotExported("unheld", f"{consumer} cannot hold {refused.obstacle}")


def with_call_ids(messages: Sequence[Message], consumer: str) -> tuple[Message, ...]:
    """Return messages in which every call has an id, and every result that of its call.

    A result that names no call answers the first that is left.

    Raises:
        NotExported: A result answers no call.
    """
    waiting: dict[str, None] = {}
    numbered: list[Message] = []
    count = 0
    for message in messages:
        if message.tool_calls:
            calls = tuple(
                replace(call, id=call.id or f"call_{count + place}")
                for place, call in enumerate(message.tool_calls, start=1)
            )
            count += len(calls)
            waiting |= {call.id: None for call in calls if call.id}
            message = message._replace(tool_calls=calls)
        elif message.role == "tool":
            call_id = message.call_id or next(iter(waiting), None)
            if call_id not in waiting:
                raise NotExported("tools", f"{consumer} takes no tool's result without its call")
            del waiting[call_id]
            message = message._replace(call_id=call_id)
        numbered.append(message)
    return tuple(numbered)


def tools_as_text(offered: Sequence[OfferedTool]) -> dict[str, str]:
    """Return a column with the tools as JSON text; none where there are none.

    As objects they would get each other's fields, null, from whoever reads the rows into a table.
    """
    if not offered:
        return {}
    return {"tools": dumps([openai_tool(tool) for tool in offered]).decode()}


def _plain(message: Message, consumer: str, others: frozenset[str] | None, images: bool) -> Message:
    if others is not None:
        for name in message.others:
            if name not in others:
                raise NotExported("unheld", f"{consumer} cannot hold a message's {name!r}")
    text, parts = message.text, message.parts
    if parts and all(map(is_text, parts)):
        text, parts = "".join(part["text"] or "" for part in parts), ()
    elif parts and not (images and message.role == "user" and all(map(_is_shown, parts))):
        kind = next(part.get("type") for part in parts if not is_text(part))
        raise NotExported("parts", f"{consumer} cannot hold a part of type {kind!r}")
    role = _ROLES.get(message.role, message.role)
    return message._replace(role=role, text=text, parts=parts)


def _is_shown(part: Mapping[str, Any]) -> bool:
    return is_text(part) or (part.keys() == {"type", "image_url"} and part["type"] == "image_url")


def _tagged(message: Message) -> Message:
    if not message.reasoning:
        return message
    text = tagged(message.reasoning, message.text)
    read = thought_of(text)
    if (read.reasoning, read.answer) != (message.reasoning, message.text):
        raise NotExported("tags", "its reasoning or its answer has <think> tags of its own")
    return message._replace(text=text, reasoning="")
