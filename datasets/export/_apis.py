"""OpenAI's fine-tuning: `messages` and `tools`; `input` with two outputs for DPO.

As the API reference publishes them (schemas FineTuneChatRequestInput and
FineTunePreferenceRequestInput). There is no field for reasoning.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .._row import Message
from ..shapes._tools import openai_tool
from ._example import (
    ConsumerName,
    Kind,
    NotExported,
    Taken,
    chat,
    in_tags,
    plain,
    refuse_reasoning,
    with_call_ids,
)
from ._trainers import Style, WrittenFiles

# ---- Fine-tuning of Claude on Amazon Bedrock: `system` and plain messages that alternate.


class Anthropic:
    """Supervised fine-tuning."""

    name: ConsumerName = "anthropic"
    title = "Anthropic's format"
    kinds: tuple[Kind, ...] = ("messages",)
    open = False
    lines_only = True
    reserved = frozenset[str]()

    def row(self, taken: Taken, kind: Kind, style: Style) -> dict[str, Any]:
        """Return a row's columns."""
        if taken.offered:
            raise NotExported("tools", f"{self.title} cannot hold tools on offer")
        spoken = plain(taken.messages, self.title, others=frozenset())
        if style.think_tags:
            spoken = in_tags(spoken)
        refuse_reasoning(spoken, self.title)
        columns: dict[str, Any] = {}
        if spoken and spoken[0].role == "system":
            columns["system"], spoken = spoken[0].text, spoken[1:]
        for at, message in enumerate(spoken):
            if message.tool_calls or message.role == "tool":
                raise NotExported("tools", f"{self.title} cannot hold tools at work")
            if message.name is not None:
                raise NotExported("unheld", f"{self.title} cannot hold a participant's name")
            if message.role != ("assistant" if at % 2 else "user"):
                raise NotExported(
                    "turns",
                    f"{self.title} takes messages that alternate, the user's first: message "
                    f"{at + 1} is the {message.role}'s",
                )
            if not message.text.strip():
                raise NotExported("turns", f"{self.title} takes no empty message")
        if len(spoken) % 2:
            raise NotExported("turns", f"{self.title} wants a response as the last message")
        columns["messages"] = [{"role": m.role, "content": m.text} for m in spoken]
        return columns

    def companions(self, files: WrittenFiles, kind: Kind) -> Mapping[str, str]:
        """Return none."""
        return {}

    def notes(self, files: WrittenFiles, kind: Kind, rows: Sequence[int]) -> list[str]:
        """Return none."""
        return []


_FEWEST = 10
_OTHERS = frozenset({"weight", "refusal"})
_FUNCTION = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class OpenAI:
    """Supervised fine-tuning and DPO."""

    name: ConsumerName = "openai"
    title = "OpenAI's format"
    kinds: tuple[Kind, ...] = ("messages", "preference")
    open = False
    lines_only = True
    reserved = frozenset[str]()

    def row(self, taken: Taken, kind: Kind, style: Style) -> dict[str, Any]:
        """Return a row's columns."""
        tools = [openai_tool(tool) for tool in taken.offered]
        for tool in taken.offered:
            if not _FUNCTION.fullmatch(tool.name):
                raise NotExported("tools", f"{self.title} takes no tool called {tool.name!r}")
        if kind == "messages":
            messages = self._messages(taken.messages, style)
            if messages[-1]["role"] != "assistant":
                raise NotExported("turns", f"{self.title} wants a response as the last message")
            return {"messages": messages, **({"tools": tools} if tools else {})}
        if len(taken.answer) != 1 or len(taken.rejected) != 1:
            raise NotExported("turns", f"{self.title} takes a single response on either side")
        chosen = self._messages((*taken.prompt, *taken.answer), style)
        rejected = self._messages((*taken.prompt, *taken.rejected), style)
        given = {"messages": chosen[:-1], **({"tools": tools} if tools else {})}
        return {
            "input": given,
            "preferred_output": chosen[-1:],
            "non_preferred_output": rejected[-1:],
        }

    def companions(self, files: WrittenFiles, kind: Kind) -> Mapping[str, str]:
        """Return none."""
        return {}

    def notes(self, files: WrittenFiles, kind: Kind, rows: Sequence[int]) -> list[str]:
        """Warn of a file that is too small."""
        if rows and rows[0] < _FEWEST:
            return [f"OpenAI takes no training file of fewer than {_FEWEST} examples"]
        return []

    def _messages(self, messages: Sequence[Message], style: Style) -> list[dict[str, Any]]:
        spoken = plain(messages, self.title, others=_OTHERS, images=True)
        if style.think_tags:
            spoken = in_tags(spoken)
        refuse_reasoning(spoken, self.title)
        written = chat(with_call_ids(spoken, self.title), self.title)
        for message in written:
            if message["role"] == "tool":
                message.pop("name", None)  # its call has it
            if message.get("tool_calls") and not message["content"]:
                message["content"] = None
            weight = message.get("weight")
            if weight is not None and (message["role"] != "assistant" or weight not in (0, 1)):
                raise NotExported("unheld", f"{self.title} takes a weight of 0 or 1, on responses")
        return written
