"""Fine-tuning services: OpenAI's, and Claude's on Amazon Bedrock.

OpenAI's as its API reference publishes it (schemas FineTuneChatRequestInput and
FineTunePreferenceRequestInput). Neither has a field for reasoning.
"""

import re
from collections.abc import Sequence
from typing import Any

from whyset.errors import UnsupportedRow

from .._row import Message
from ..shapes._tools import to_openai_tool
from ._example import Example, ExportKind
from ._format import (
    DatasetFiles,
    ExportStyle,
    TrainerFormat,
    assign_call_ids,
    split_system,
    wrap_reasoning,
)

_MIN_EXAMPLES = 10
_WEIGHT_FIELDS = frozenset({"weight", "refusal"})
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class _ApiFormat(TrainerFormat):
    """JSON lines without any column of another's."""

    allows_extra_columns = False
    requires_jsonl = True

    def without_reasoning(
        self, messages: tuple[Message, ...], style: ExportStyle
    ) -> tuple[Message, ...]:
        """Return messages with their reasoning in tags where those are allowed, else refuse any."""
        if style.think_tags:
            return wrap_reasoning(messages)
        if any(message.reasoning for message in messages):
            raise UnsupportedRow(
                "reasoning",
                f"{self.title} has no field for reasoning; export with --think-tags to put it in "
                "<think> tags before the answer, or rewrite with --channel preface",
            )
        return messages


class OpenAIFormat(_ApiFormat):
    """Supervised fine-tuning and DPO."""

    name = "openai"
    title = "OpenAI's format"
    kinds = ("messages", "preference")

    def format_row(self, example: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        """Return `messages` and `tools`; or `input` with two outputs."""
        for tool in example.tool_definitions:
            if not _FUNCTION_NAME.fullmatch(tool.name):
                raise UnsupportedRow("tools", f"{self.title} takes no tool called {tool.name!r}")
        offered = [to_openai_tool(tool) for tool in example.tool_definitions]
        tools = {"tools": offered} if offered else {}
        if kind == "messages":
            messages = self._chat(example.messages, style)
            if messages[-1]["role"] != "assistant":
                raise UnsupportedRow("turns", f"{self.title} wants a response as the last message")
            return {"messages": messages, **tools}
        self.require_single_responses(example)
        chosen = self._chat(example.messages, style)
        rejected = self._chat((*example.prompt, *example.rejected), style)
        return {
            "input": {"messages": chosen[:-1], **tools},
            "preferred_output": chosen[-1:],
            "non_preferred_output": rejected[-1:],
        }

    def collect_notes(
        self, files: DatasetFiles, kind: ExportKind, rows: Sequence[int]
    ) -> list[str]:
        """Warn of a file that is too small."""
        if rows and rows[0] < _MIN_EXAMPLES:
            return [f"OpenAI takes no training file of fewer than {_MIN_EXAMPLES} examples"]
        return []

    def _chat(self, messages: Sequence[Message], style: ExportStyle) -> list[dict[str, Any]]:
        plain = self.to_text_messages(messages, extra_fields=_WEIGHT_FIELDS, images=True)
        plain = assign_call_ids(self.without_reasoning(plain, style), self.title)
        written = self.to_chat_messages(plain)
        for message in written:
            if message["role"] == "tool":
                message.pop("name", None)  # its call has it
            if message.get("tool_calls") and not message["content"]:
                message["content"] = None
            weight = message.get("weight")
            if weight is not None and (message["role"] != "assistant" or weight not in (0, 1)):
                raise UnsupportedRow(
                    "unheld", f"{self.title} takes a weight of 0 or 1, on responses"
                )
        return written


class AnthropicFormat(_ApiFormat):
    """Supervised fine-tuning."""

    name = "anthropic"
    title = "Anthropic's format"
    kinds = ("messages",)

    def format_row(self, example: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        """Return `system` and plain messages that alternate."""
        if example.tool_definitions:
            raise UnsupportedRow("tools", f"{self.title} cannot hold tools on offer")
        plain = self.to_text_messages(example.messages, extra_fields=frozenset())
        plain = self.without_reasoning(plain, style)
        system, plain = split_system(plain)
        for at, message in enumerate(plain):
            self._require_plain(message, at)
        if len(plain) % 2:
            raise UnsupportedRow("turns", f"{self.title} wants a response as the last message")
        messages = [{"role": m.role, "content": m.text} for m in plain]
        return (
            {"messages": messages} if system is None else {"system": system, "messages": messages}
        )

    def _require_plain(self, message: Message, at: int) -> None:
        if message.tool_calls or message.role == "tool":
            raise UnsupportedRow("tools", f"{self.title} cannot hold tools at work")
        if message.name is not None:
            raise UnsupportedRow("unheld", f"{self.title} cannot hold a participant's name")
        if message.role != ("assistant" if at % 2 else "user"):
            raise UnsupportedRow(
                "turns",
                f"{self.title} takes messages that alternate, the user's first: message "
                f"{at + 1} is the {message.role}'s",
            )
        if not message.text.strip():
            raise UnsupportedRow("turns", f"{self.title} takes no empty message")
