"""OpenAI's fine-tuning: `messages` and `tools`; `input` with two outputs for DPO.

As the API reference publishes them (schemas FineTuneChatRequestInput and
FineTunePreferenceRequestInput). There is no field for reasoning.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from .._conversation import Message
from ..shapes._tools import openai_tool
from ._consumer import Style, WrittenFiles
from ._kinds import ConsumerName, Kind, NotExported
from ._speaking import chat, in_tags, plain, refuse_reasoning, with_call_ids
from ._taking import Taken

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
