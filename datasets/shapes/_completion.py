"""TRL's pair, `prompt` and `completion`: two strings, or two lists of messages."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._conversation import Conversation, Message, OfferedTool
from .._row import Shape, Side
from ._chat import read_chat, write_chat
from ._fields import UnusableRecord, text_in, wrong
from ._forms import TEXT
from ._layout import Place, Spoken, assistant_turns
from ._messages import CHAT, whole_tools, with_system, with_tools
from ._refusing import ConversionRefused, refuse_context
from ._thinking import response_of
from ._tools import offered_tools, openai_tool


class Completion:
    """`{"prompt": "…", "completion": "…"}` or `{"prompt": [{…}], "completion": [{…}]}`."""

    name: Shape = "completion"
    sides: tuple[Side, ...] = ("",)

    def fits(self, columns: Mapping[str, Any]) -> bool:
        """Say whether there are a prompt and a completion."""
        return "prompt" in columns and "completion" in columns

    def core(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""
        return frozenset({"prompt", "completion", *(("tools",) if _is_chat(columns) else ())})

    def read(self, columns: Mapping[str, Any], side: Side) -> Spoken:
        """Read a record's conversation."""
        if not _is_chat(columns):
            return _read_texts(columns)
        if not isinstance(columns.get("prompt"), list):
            raise wrong("prompt", "a list of messages as completion is", columns.get("prompt"))
        prompt = read_chat(columns["prompt"], "prompt")
        messages = (*prompt, *read_chat(columns["completion"], "completion"))
        offered = offered_tools(columns.get("tools"))
        return Spoken(messages, offered, assistant_turns(messages, first=len(prompt)))

    def place(self, columns: Mapping[str, Any], turn: int, side: Side) -> Place:
        """Return where a response stands."""
        if not _is_chat(columns):
            return Place(("completion",), TEXT)
        return Place(("completion", turn - len(columns["prompt"])), CHAT)

    def with_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[OfferedTool] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt and other tools, where there are messages."""
        if not _is_chat(columns):
            refuse_context(self.name, system, tools, " beside strings")
            return dict(columns)
        changed = dict(columns)
        if system is not None:
            changed["prompt"] = with_system(columns["prompt"], system)
        return changed if tools is None else with_tools(changed, tools)

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as two lists of messages, the response alone the second."""
        if conversation.turn != len(conversation.messages) - 1:
            raise ConversionRefused(self.name, "a turn after the response")
        messages = write_chat(conversation.messages, self.name)
        columns: dict[str, Any] = {"prompt": messages[:-1], "completion": messages[-1:]}
        if conversation.offered:
            columns["tools"] = [openai_tool(tool) for tool in whole_tools(conversation, self.name)]
        return columns


def _is_chat(columns: Mapping[str, Any]) -> bool:
    return isinstance(columns.get("completion"), list)


def _read_texts(columns: Mapping[str, Any]) -> Spoken:
    prompt, completion = text_in(columns, "prompt"), columns.get("completion")
    if not isinstance(completion, str):
        raise wrong("completion", "a string or a list of messages", completion)
    if not prompt:
        raise UnusableRecord("prompt is empty")
    return Spoken((Message("user", prompt), response_of(completion)), turns=(1,))
