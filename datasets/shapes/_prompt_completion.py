"""Alpaca: `instruction`, `input`, `output`; `system` and `history` as LLaMA-Factory has them."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._row import REASONING_FIELD, Conversation, Message, OfferedTool, Shape, Side
from ._base import (
    ContextRefused,
    ConversionRefused,
    Place,
    Spoken,
    UnusableRecord,
    assistant_turns,
    list_of,
    optional_text,
    refuse_beside_text,
    refuse_context,
    refuse_tools,
    text_in,
    wrong,
)
from ._messages import CHAT, read_chat, whole_tools, with_system, with_tools, write_chat
from ._response import (
    TEXT,
    FieldForm,
    reasoning_field,
    response_of,
    tagged,
    thought_of,
    unless_blank,
)
from ._tools import offered_tools, openai_tool

# ---- TRL's pair, `prompt` and `completion`: two strings, or two lists of messages.


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


class Alpaca:
    """`{"instruction": "…", "input": "…", "output": "…", "history": [["…", "…"]]}`."""

    name: Shape = "alpaca"
    sides: tuple[Side, ...] = ("",)

    def fits(self, columns: Mapping[str, Any]) -> bool:
        """Say whether there are an instruction and an output."""
        return "instruction" in columns and "output" in columns

    def core(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""
        return frozenset({"instruction", "input", "output", "system", "history"})

    def read(self, columns: Mapping[str, Any], side: Side) -> Spoken:
        """Read a record's conversation."""
        messages = []
        if system := optional_text(columns, "system"):
            messages.append(Message("system", system))
        for at, pair in enumerate(list_of(columns.get("history") or [], "history")):
            said, answered = _pair(pair, f"history[{at}]")
            messages += [Message("user", said), response_of(answered)]
        instruction, given = text_in(columns, "instruction"), optional_text(columns, "input")
        asked = "\n".join(filter(None, (instruction, given)))
        if not asked.strip():
            raise UnusableRecord("instruction is empty")
        messages += [Message("user", asked), response_of(text_in(columns, "output"))]
        return Spoken(tuple(messages), turns=assistant_turns(messages))

    def place(self, columns: Mapping[str, Any], turn: int, side: Side) -> Place:
        """Return where a response stands."""
        at = (turn - (1 if columns.get("system") else 0)) // 2
        if at < len(columns.get("history") or ()):
            return Place(("history", at, 1), TEXT)
        return Place(("output",), TEXT)

    def with_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[OfferedTool] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt; there is no place for tools."""
        if tools:
            raise ContextRefused(self.name, "tools")
        return with_system_column(columns, system, self.name)

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as columns of this shape."""
        messages = list(conversation.messages)
        refuse_beside_text(messages, self.name)
        refuse_tools(conversation, self.name)
        system = messages.pop(0).text if messages and messages[0].role == "system" else ""
        if len(messages) % 2 or not messages:
            raise ConversionRefused(self.name, "a conversation that does not end with a response")
        pairs = []
        for asked, answered in zip(messages[::2], messages[1::2], strict=True):
            if (asked.role, answered.role) != ("user", "assistant"):
                raise ConversionRefused(self.name, "turns that do not alternate")
            pairs.append([asked.text, tagged(answered.reasoning, answered.text)])
        *history, (instruction, output) = pairs
        if not instruction.strip():
            raise ConversionRefused(self.name, "an empty question")
        columns: dict[str, Any] = {"instruction": instruction, "input": "", "output": output}
        if system:
            columns["system"] = system
        if history:
            columns["history"] = history
        return columns


def with_system_column(
    columns: Mapping[str, Any], system: str | None, shape: Shape
) -> dict[str, Any]:
    """Return columns with another system prompt in the column `system`.

    Raises:
        ContextRefused: That column holds something else.
    """
    held = columns.get("system")
    if system is None or (not system and not held):
        return dict(columns)
    if not isinstance(held, str | None):
        raise ContextRefused(shape, "a system prompt beside a column 'system' that is no text")
    return {**columns, "system": system}


def _pair(value: Any, where: str) -> tuple[str, str]:
    pair = list_of(value, where)
    if len(pair) != 2:
        raise UnusableRecord(f"{where} must be a pair, what was said and what was answered")
    for at, text in enumerate(pair):
        if not isinstance(text, str):
            raise wrong(f"{where}[{at}]", "a string", text)
    return pair[0], pair[1]


# ---- A pair of strings, `prompt` and `response`; reasoning and system prompt in columns beside.

_FORM = FieldForm("response", lasting=True)


class Prompt:
    """`{"prompt": "…", "response": "…"}`."""

    name: Shape = "prompt"
    sides: tuple[Side, ...] = ("",)

    def fits(self, columns: Mapping[str, Any]) -> bool:
        """Say whether there are a prompt and a response."""
        return "prompt" in columns and "response" in columns

    def core(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""
        system = ("system",) if isinstance(columns.get("system"), str | None) else ()
        return frozenset({"prompt", "response", *system, reasoning_field(columns)})

    def read(self, columns: Mapping[str, Any], side: Side) -> Spoken:
        """Read a record's conversation."""
        messages = []
        if isinstance(columns.get("system"), str) and columns["system"]:
            messages.append(Message("system", columns["system"]))
        prompt, response = text_in(columns, "prompt"), text_in(columns, "response")
        if not prompt:
            raise UnusableRecord("prompt is empty")
        optional_text(columns, REASONING_FIELD)
        reasoning = columns.get(reasoning_field(columns)) or ""
        if not reasoning:
            thought = thought_of(response)
            reasoning, response = thought.reasoning.strip(), thought.answer
        if not response.strip():
            raise UnusableRecord("empty response: 'response' has no text")
        messages += [
            Message("user", prompt),
            Message("assistant", response, unless_blank(reasoning)),
        ]
        return Spoken(tuple(messages), turns=(len(messages) - 1,))

    def place(self, columns: Mapping[str, Any], turn: int, side: Side) -> Place:
        """Return where the response stands."""
        return Place((), _FORM)

    def with_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[OfferedTool] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt; there is no place for tools."""
        if tools:
            raise ContextRefused(self.name, "tools")
        return with_system_column(columns, system, self.name)

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as columns of this shape."""
        messages = conversation.messages
        refuse_beside_text(messages, self.name)
        refuse_tools(conversation, self.name)
        roles = [message.role for message in messages]
        if roles not in (["user", "assistant"], ["system", "user", "assistant"]):
            raise ConversionRefused(self.name, "more than one question and its response")
        asked, answered = messages[-2:]
        if not asked.text:
            raise ConversionRefused(self.name, "an empty question")
        columns = {"system": messages[0].text} if len(messages) == 3 else {}
        columns["prompt"] = asked.text
        if answered.reasoning:
            columns[REASONING_FIELD] = answered.reasoning
        return {**columns, "response": answered.text}
