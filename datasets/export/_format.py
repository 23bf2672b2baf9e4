"""What every exporter is, and what formats have in common: plain texts, reasoning placed."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import yaml

from whyset.errors import UnsupportedConversion, UnsupportedRow

from .._json import dumps
from .._row import Message, ToolDefinition
from ..shapes._messages import write_chat
from ..shapes._response import add_think_tags, is_text_part, parse_think_tags
from ..shapes._tools import to_openai_tool
from ._example import Example, ExportKind

_TEMPLATE_ROLES = {"developer": "system", "function": "tool"}
"""Roles that no chat template has, and what stands in for them."""


@dataclass(frozen=True, slots=True)
class ExportStyle:
    """How rows are written.

    Attributes:
        think_tags: Whether reasoning may stand in `<think>` tags where there is no field for it.
        has_mixed_reasoning: Whether some rows of the file carry reasoning and others do not.
    """

    think_tags: bool = False
    has_mixed_reasoning: bool = False


@dataclass(frozen=True, slots=True)
class DatasetFiles:
    """What was written, as the trainer's own settings name it.

    Attributes:
        name: What the dataset is called.
        splits: Split → name of its file.
        columns: Every column that a row has.
        has_mixed_reasoning: Whether some rows carry reasoning and others do not.
    """

    name: str
    splits: Mapping[str, str]
    columns: frozenset[str]
    has_mixed_reasoning: bool = False


class TrainerFormat(ABC):
    """An exporter: how one trainer or service reads rows.

    Attributes:
        name: What it is called on the command line.
        title: What it is called in a sentence.
        kinds: What it reads.
        reserved_columns: Columns that mean something to it, so that no other may be called so.
        allows_extra_columns: Whether rows may have columns that it does not read: provenance, and
            ones to keep.
        requires_jsonl: Whether it takes JSON lines and no other form of file.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    kinds: ClassVar[tuple[ExportKind, ...]]
    reserved_columns: ClassVar[frozenset[str]] = frozenset()
    allows_extra_columns: ClassVar[bool] = True
    requires_jsonl: ClassVar[bool] = False

    @abstractmethod
    def format_row(self, example: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        """Return a row's columns as it reads them.

        Raises:
            UnsupportedRow: It cannot hold the row.
        """

    def render_config_files(self, files: DatasetFiles, kind: ExportKind) -> Mapping[str, str]:
        """Return the files by which it reads the rows: name → content."""
        return {}

    def collect_notes(
        self, files: DatasetFiles, kind: ExportKind, rows: Sequence[int]
    ) -> list[str]:
        """Return what a person should know before training.

        Args:
            files: What was written.
            kind: What rows were exported as.
            rows: How many each split has.
        """
        return []

    # What formats share.

    def to_text_messages(
        self,
        messages: Sequence[Message],
        *,
        extra_fields: frozenset[str] | None = None,
        images: bool = False,
    ) -> tuple[Message, ...]:
        """Return messages whose content is text, in roles of chat templates.

        Several text parts become one text with nothing between them, as chat templates join them.

        Args:
            messages: The messages.
            extra_fields: Keys that it reads beside the usual ones; `None` for any.
            images: Whether a user's message may have images.

        Raises:
            UnsupportedRow: One has a part that is not text, or a key that is not read.
        """
        return tuple(self._to_text_message(each, extra_fields, images) for each in messages)

    def to_chat_messages(self, messages: Sequence[Message]) -> list[dict[str, Any]]:
        """Return plain messages in OpenAI's form, with `reasoning_content`; no content is null."""
        try:
            written = write_chat(messages, self.title)
        except UnsupportedConversion as error:
            raise self.conversion_error(error) from error
        return [message | {"content": message["content"] or ""} for message in written]

    def conversion_error(self, error: UnsupportedConversion) -> UnsupportedRow:
        """Return an error that says what it has no place for."""
        return UnsupportedRow("unheld", f"{self.title} cannot hold {error.obstacle}")

    def require_single_responses(self, example: Example, reader: str = "") -> None:
        """Refuse a pair with several turns on a side; the reader may be a part of the trainer."""
        if len(example.completion) != 1 or len(example.rejected) != 1:
            reader = reader or self.title
            raise UnsupportedRow("turns", f"{reader} takes a single response on either side")

    def render_yaml(
        self, settings: Mapping[str, Any], comments: Mapping[str, Sequence[str]] | None = None
    ) -> str:
        """Return a piece of a configuration; comments are lines above a setting, by its name."""
        text = (
            f"# What {self.title} needs to know of these rows; the rest of a configuration is "
            "yours.\n"
        )
        for name, value in settings.items():
            text += "".join(f"# {line}\n" for line in (comments or {}).get(name, ()))
            text += yaml.safe_dump({name: value}, sort_keys=False)
        return text

    def _to_text_message(
        self, message: Message, extra_fields: frozenset[str] | None, images: bool
    ) -> Message:
        if extra_fields is not None:
            for name in message.extra_fields:
                if name not in extra_fields:
                    raise UnsupportedRow("unheld", f"{self.title} cannot hold a message's {name!r}")
        text, parts = message.text, message.parts
        if parts and all(map(is_text_part, parts)):
            text, parts = "".join(part["text"] or "" for part in parts), ()
        elif parts and not (images and message.role == "user" and all(map(_is_shown, parts))):
            kind = next(part.get("type") for part in parts if not is_text_part(part))
            raise UnsupportedRow("parts", f"{self.title} cannot hold a part of type {kind!r}")
        role = _TEMPLATE_ROLES.get(message.role, message.role)
        return message._replace(role=role, text=text, parts=parts)


def _is_shown(part: Mapping[str, Any]) -> bool:
    return is_text_part(part) or (
        part.keys() == {"type", "image_url"} and part["type"] == "image_url"
    )


def wrap_reasoning(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return messages with their reasoning in `<think>` tags before the text."""
    return tuple(map(_wrap_message, messages))


def _wrap_message(message: Message) -> Message:
    if not message.reasoning:
        return message
    text = add_think_tags(message.reasoning, message.text)
    parsed = parse_think_tags(text)
    if (parsed.reasoning, parsed.answer) != (message.reasoning, message.text):
        raise UnsupportedRow("tags", "its reasoning or its answer has <think> tags of its own")
    return message._replace(text=text, reasoning="")


def split_system(messages: tuple[Message, ...]) -> tuple[str | None, tuple[Message, ...]]:
    """Return the system prompt that a conversation begins with, if any, and the other messages."""
    if messages and messages[0].role == "system":
        return messages[0].text, messages[1:]
    return None, messages


def assign_call_ids(messages: Sequence[Message], title: str) -> tuple[Message, ...]:
    """Return messages in which every call has an id, and every result that of its call.

    A result that names no call answers the first that is left.
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
                raise UnsupportedRow("tools", f"{title} takes no tool's result without its call")
            del waiting[call_id]
            message = message._replace(call_id=call_id)
        numbered.append(message)
    return tuple(numbered)


def tools_to_json(tools: Sequence[ToolDefinition]) -> dict[str, str]:
    """Return a column with the tools as JSON text; none where there are none.

    As objects they would get each other's fields, null, from whoever reads the rows into a table.
    """
    return {"tools": dumps([to_openai_tool(tool) for tool in tools]).decode()} if tools else {}
