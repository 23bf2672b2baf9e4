"""OpenAI's fine-tuning: `messages` and `tools`; `input` with two outputs for DPO.

As the API reference publishes them (schemas FineTuneChatRequestInput and
FineTunePreferenceRequestInput). There is no field for reasoning.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .._row import Message
from ..shapes._tools import to_openai_tool
from ._example import (
    Example,
    ExportKind,
    TrainerName,
    UnsupportedRow,
    assign_call_ids,
    reject_reasoning,
    to_chat_messages,
    to_text_messages,
    wrap_reasoning,
)
from ._trainers import DatasetFiles, ExportStyle

# ---- Fine-tuning of Claude on Amazon Bedrock: `system` and plain messages that alternate.


class AnthropicFormat:
    """Supervised fine-tuning."""

    name: TrainerName = "anthropic"
    title = "Anthropic's format"
    kinds: tuple[ExportKind, ...] = ("messages",)
    allows_extra_columns = False
    requires_jsonl = True
    reserved_columns = frozenset[str]()

    def format_row(self, taken: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        """Return a row's columns."""
        if taken.tool_definitions:
            raise UnsupportedRow("tools", f"{self.title} cannot hold tools on offer")
        spoken = to_text_messages(taken.messages, self.title, others=frozenset())
        if style.think_tags:
            spoken = wrap_reasoning(spoken)
        reject_reasoning(spoken, self.title)
        columns: dict[str, Any] = {}
        if spoken and spoken[0].role == "system":
            columns["system"], spoken = spoken[0].text, spoken[1:]
        for at, message in enumerate(spoken):
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
        if len(spoken) % 2:
            raise UnsupportedRow("turns", f"{self.title} wants a response as the last message")
        columns["messages"] = [{"role": m.role, "content": m.text} for m in spoken]
        return columns

    def render_config_files(self, files: DatasetFiles, kind: ExportKind) -> Mapping[str, str]:
        """Return none."""
        return {}

    def collect_notes(
        self, files: DatasetFiles, kind: ExportKind, rows: Sequence[int]
    ) -> list[str]:
        """Return none."""
        return []


_MIN_EXAMPLES = 10
_EXTRA_KEYS = frozenset({"weight", "refusal"})
_FUNCTION_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class OpenAIFormat:
    """Supervised fine-tuning and DPO."""

    name: TrainerName = "openai"
    title = "OpenAI's format"
    kinds: tuple[ExportKind, ...] = ("messages", "preference")
    allows_extra_columns = False
    requires_jsonl = True
    reserved_columns = frozenset[str]()

    def format_row(self, taken: Example, kind: ExportKind, style: ExportStyle) -> dict[str, Any]:
        """Return a row's columns."""
        tools = [to_openai_tool(tool) for tool in taken.tool_definitions]
        for tool in taken.tool_definitions:
            if not _FUNCTION_NAME.fullmatch(tool.name):
                raise UnsupportedRow("tools", f"{self.title} takes no tool called {tool.name!r}")
        if kind == "messages":
            messages = self._messages(taken.messages, style)
            if messages[-1]["role"] != "assistant":
                raise UnsupportedRow("turns", f"{self.title} wants a response as the last message")
            return {"messages": messages, **({"tools": tools} if tools else {})}
        if len(taken.completion) != 1 or len(taken.rejected) != 1:
            raise UnsupportedRow("turns", f"{self.title} takes a single response on either side")
        chosen = self._messages((*taken.prompt, *taken.completion), style)
        rejected = self._messages((*taken.prompt, *taken.rejected), style)
        given = {"messages": chosen[:-1], **({"tools": tools} if tools else {})}
        return {
            "input": given,
            "preferred_output": chosen[-1:],
            "non_preferred_output": rejected[-1:],
        }

    def render_config_files(self, files: DatasetFiles, kind: ExportKind) -> Mapping[str, str]:
        """Return none."""
        return {}

    def collect_notes(
        self, files: DatasetFiles, kind: ExportKind, rows: Sequence[int]
    ) -> list[str]:
        """Warn of a file that is too small."""
        if rows and rows[0] < _MIN_EXAMPLES:
            return [f"OpenAI takes no training file of fewer than {_MIN_EXAMPLES} examples"]
        return []

    def _messages(self, messages: Sequence[Message], style: ExportStyle) -> list[dict[str, Any]]:
        spoken = to_text_messages(messages, self.title, others=_EXTRA_KEYS, images=True)
        if style.think_tags:
            spoken = wrap_reasoning(spoken)
        reject_reasoning(spoken, self.title)
        written = to_chat_messages(assign_call_ids(spoken, self.title), self.title)
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
