"""Alpaca: `instruction`, `input`, `output`; `system` and `history` as LLaMA-Factory has them."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._row import REASONING_FIELD, Conversation, Message, Shape, Side, ToolDefinition
from ._base import (
    ParsedConversation,
    ResponseLocation,
    UnsupportedContext,
    UnsupportedConversion,
    UnusableRecord,
    find_assistant_turns,
    get_text,
    reject_context,
    reject_non_text,
    reject_tools,
    require_list,
    require_text,
    wrong_type_error,
)
from ._messages import (
    CONTENT_SLOT,
    read_chat,
    replace_system,
    replace_tools,
    require_plain_tools,
    write_chat,
)
from ._response import (
    TEXT_SLOT,
    FieldSlot,
    add_think_tags,
    drop_blank,
    find_reasoning_field,
    parse_response,
    parse_think_tags,
)
from ._tools import read_tools, to_openai_tool

# ---- TRL's pair, `prompt` and `completion`: two strings, or two lists of messages.


class PromptCompletionShape:
    """`{"prompt": "…", "completion": "…"}` or `{"prompt": [{…}], "completion": [{…}]}`."""

    name: Shape = "completion"
    sides: tuple[Side, ...] = ("",)

    def matches(self, columns: Mapping[str, Any]) -> bool:
        """Say whether there are a prompt and a completion."""
        return "prompt" in columns and "completion" in columns

    def conversation_columns(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""
        return frozenset({"prompt", "completion", *(("tools",) if _is_chat(columns) else ())})

    def read(self, columns: Mapping[str, Any], side: Side) -> ParsedConversation:
        """Read a record's conversation."""
        if not _is_chat(columns):
            return _read_texts(columns)
        if not isinstance(columns.get("prompt"), list):
            raise wrong_type_error(
                "prompt", "a list of messages as completion is", columns.get("prompt")
            )
        prompt = read_chat(columns["prompt"], "prompt")
        messages = (*prompt, *read_chat(columns["completion"], "completion"))
        offered = read_tools(columns.get("tools"))
        return ParsedConversation(
            messages, offered, find_assistant_turns(messages, first=len(prompt))
        )

    def locate_response(
        self, columns: Mapping[str, Any], turn: int, side: Side
    ) -> ResponseLocation:
        """Return where a response stands."""
        if not _is_chat(columns):
            return ResponseLocation(("completion",), TEXT_SLOT)
        return ResponseLocation(("completion", turn - len(columns["prompt"])), CONTENT_SLOT)

    def replace_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[ToolDefinition] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt and other tools, where there are messages."""
        if not _is_chat(columns):
            reject_context(self.name, system, tools, " beside strings")
            return dict(columns)
        changed = dict(columns)
        if system is not None:
            changed["prompt"] = replace_system(columns["prompt"], system)
        return changed if tools is None else replace_tools(changed, tools)

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as two lists of messages, the response alone the second."""
        if conversation.turn != len(conversation.messages) - 1:
            raise UnsupportedConversion(self.name, "a turn after the response")
        messages = write_chat(conversation.messages, self.name)
        columns: dict[str, Any] = {"prompt": messages[:-1], "completion": messages[-1:]}
        if conversation.tool_definitions:
            columns["tools"] = [
                to_openai_tool(tool) for tool in require_plain_tools(conversation, self.name)
            ]
        return columns


def _is_chat(columns: Mapping[str, Any]) -> bool:
    return isinstance(columns.get("completion"), list)


def _read_texts(columns: Mapping[str, Any]) -> ParsedConversation:
    prompt, completion = require_text(columns, "prompt"), columns.get("completion")
    if not isinstance(completion, str):
        raise wrong_type_error("completion", "a string or a list of messages", completion)
    if not prompt:
        raise UnusableRecord("prompt is empty")
    return ParsedConversation(
        (Message("user", prompt), parse_response(completion)), response_turns=(1,)
    )


class AlpacaShape:
    """`{"instruction": "…", "input": "…", "output": "…", "history": [["…", "…"]]}`."""

    name: Shape = "alpaca"
    sides: tuple[Side, ...] = ("",)

    def matches(self, columns: Mapping[str, Any]) -> bool:
        """Say whether there are an instruction and an output."""
        return "instruction" in columns and "output" in columns

    def conversation_columns(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""
        return frozenset({"instruction", "input", "output", "system", "history"})

    def read(self, columns: Mapping[str, Any], side: Side) -> ParsedConversation:
        """Read a record's conversation."""
        messages = []
        if system := get_text(columns, "system"):
            messages.append(Message("system", system))
        for at, pair in enumerate(require_list(columns.get("history") or [], "history")):
            said, answered = _read_exchange(pair, f"history[{at}]")
            messages += [Message("user", said), parse_response(answered)]
        instruction, given = require_text(columns, "instruction"), get_text(columns, "input")
        asked = "\n".join(filter(None, (instruction, given)))
        if not asked.strip():
            raise UnusableRecord("instruction is empty")
        messages += [Message("user", asked), parse_response(require_text(columns, "output"))]
        return ParsedConversation(tuple(messages), response_turns=find_assistant_turns(messages))

    def locate_response(
        self, columns: Mapping[str, Any], turn: int, side: Side
    ) -> ResponseLocation:
        """Return where a response stands."""
        at = (turn - (1 if columns.get("system") else 0)) // 2
        if at < len(columns.get("history") or ()):
            return ResponseLocation(("history", at, 1), TEXT_SLOT)
        return ResponseLocation(("output",), TEXT_SLOT)

    def replace_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[ToolDefinition] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt; there is no place for tools."""
        if tools:
            raise UnsupportedContext(self.name, "tools")
        return replace_system_column(columns, system, self.name)

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as columns of this shape."""
        messages = list(conversation.messages)
        reject_non_text(messages, self.name)
        reject_tools(conversation, self.name)
        system = messages.pop(0).text if messages and messages[0].role == "system" else ""
        if len(messages) % 2 or not messages:
            raise UnsupportedConversion(
                self.name, "a conversation that does not end with a response"
            )
        pairs = []
        for asked, answered in zip(messages[::2], messages[1::2], strict=True):
            if (asked.role, answered.role) != ("user", "assistant"):
                raise UnsupportedConversion(self.name, "turns that do not alternate")
            pairs.append([asked.text, add_think_tags(answered.reasoning, answered.text)])
        *history, (instruction, output) = pairs
        if not instruction.strip():
            raise UnsupportedConversion(self.name, "an empty question")
        columns: dict[str, Any] = {"instruction": instruction, "input": "", "output": output}
        if system:
            columns["system"] = system
        if history:
            columns["history"] = history
        return columns


def replace_system_column(
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
        raise UnsupportedContext(shape, "a system prompt beside a column 'system' that is no text")
    return {**columns, "system": system}


def _read_exchange(value: Any, where: str) -> tuple[str, str]:
    pair = require_list(value, where)
    if len(pair) != 2:
        raise UnusableRecord(f"{where} must be a pair, what was said and what was answered")
    for at, text in enumerate(pair):
        if not isinstance(text, str):
            raise wrong_type_error(f"{where}[{at}]", "a string", text)
    return pair[0], pair[1]


# ---- A pair of strings, `prompt` and `response`; reasoning and system prompt in columns beside.

_RESPONSE_SLOT = FieldSlot("response", keep_null=True)


class PromptResponseShape:
    """`{"prompt": "…", "response": "…"}`."""

    name: Shape = "prompt"
    sides: tuple[Side, ...] = ("",)

    def matches(self, columns: Mapping[str, Any]) -> bool:
        """Say whether there are a prompt and a response."""
        return "prompt" in columns and "response" in columns

    def conversation_columns(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""
        system = ("system",) if isinstance(columns.get("system"), str | None) else ()
        return frozenset({"prompt", "response", *system, find_reasoning_field(columns)})

    def read(self, columns: Mapping[str, Any], side: Side) -> ParsedConversation:
        """Read a record's conversation."""
        messages = []
        if isinstance(columns.get("system"), str) and columns["system"]:
            messages.append(Message("system", columns["system"]))
        prompt, response = require_text(columns, "prompt"), require_text(columns, "response")
        if not prompt:
            raise UnusableRecord("prompt is empty")
        get_text(columns, REASONING_FIELD)
        reasoning = columns.get(find_reasoning_field(columns)) or ""
        if not reasoning:
            thought = parse_think_tags(response)
            reasoning, response = thought.reasoning.strip(), thought.answer
        if not response.strip():
            raise UnusableRecord("empty response: 'response' has no text")
        messages += [
            Message("user", prompt),
            Message("assistant", response, drop_blank(reasoning)),
        ]
        return ParsedConversation(tuple(messages), response_turns=(len(messages) - 1,))

    def locate_response(
        self, columns: Mapping[str, Any], turn: int, side: Side
    ) -> ResponseLocation:
        """Return where the response stands."""
        return ResponseLocation((), _RESPONSE_SLOT)

    def replace_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[ToolDefinition] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt; there is no place for tools."""
        if tools:
            raise UnsupportedContext(self.name, "tools")
        return replace_system_column(columns, system, self.name)

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as columns of this shape."""
        messages = conversation.messages
        reject_non_text(messages, self.name)
        reject_tools(conversation, self.name)
        roles = [message.role for message in messages]
        if roles not in (["user", "assistant"], ["system", "user", "assistant"]):
            raise UnsupportedConversion(self.name, "more than one question and its response")
        asked, answered = messages[-2:]
        if not asked.text:
            raise UnsupportedConversion(self.name, "an empty question")
        columns = {"system": messages[0].text} if len(messages) == 3 else {}
        columns["prompt"] = asked.text
        if answered.reasoning:
            columns[REASONING_FIELD] = answered.reasoning
        return {**columns, "response": answered.text}
