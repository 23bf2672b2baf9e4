"""A question and its answer in columns: prompt and completion, prompt and response, Alpaca."""

from collections.abc import Sequence
from typing import Any

from whyset.errors import UnsupportedContext, UnsupportedConversion

from .._row import REASONING_FIELD, Conversation, Message, Side, ToolDefinition
from ._base import (
    Columns,
    ParsedConversation,
    ResponseLocation,
    ShapeAdapter,
    UnusableRecord,
    find_assistant_turns,
    get_text,
    reject_non_text,
    reject_tools,
    require_list,
    require_text,
    wrong_type_error,
)
from ._messages import (
    CONTENT_SLOT,
    read_chat,
    replace_system_message,
    replace_tools_column,
    write_chat,
    write_tools_column,
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
from ._tools import read_tools

_RESPONSE_SLOT = FieldSlot("response", keep_null=True)


class PromptCompletionShape(ShapeAdapter):
    """TRL's pair: `{"prompt": "…", "completion": "…"}`, or two lists of messages."""

    name = "completion"

    def matches(self, columns: Columns) -> bool:
        return "prompt" in columns and "completion" in columns

    def conversation_columns(self, columns: Columns) -> frozenset[str]:
        return frozenset({"prompt", "completion", *(("tools",) if _is_chat(columns) else ())})

    def read(self, columns: Columns, side: Side) -> ParsedConversation:
        if not _is_chat(columns):
            return _read_texts(columns)
        if not isinstance(columns.get("prompt"), list):
            raise wrong_type_error(
                "prompt", "a list of messages as completion is", columns.get("prompt")
            )
        prompt = read_chat(columns["prompt"], "prompt")
        messages = (*prompt, *read_chat(columns["completion"], "completion"))
        offered = read_tools(columns.get("tools"))
        turns = find_assistant_turns(messages, first=len(prompt))
        return ParsedConversation(messages, offered, turns)

    def locate_response(self, columns: Columns, turn: int, side: Side) -> ResponseLocation:
        if not _is_chat(columns):
            return ResponseLocation(("completion",), TEXT_SLOT)
        return ResponseLocation(("completion", turn - len(columns["prompt"])), CONTENT_SLOT)

    def replace_system(self, columns: dict[str, Any], system: str) -> dict[str, Any]:
        if _is_chat(columns):
            return {**columns, "prompt": replace_system_message(columns["prompt"], system)}
        if system:
            raise UnsupportedContext(self.name, "a system prompt beside strings")
        return columns

    def replace_tools(
        self, columns: dict[str, Any], tools: Sequence[ToolDefinition]
    ) -> dict[str, Any]:
        if _is_chat(columns):
            return replace_tools_column(columns, tools)
        if tools:
            raise UnsupportedContext(self.name, "tools beside strings")
        return columns

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return two lists of messages, the response alone the second."""
        if conversation.turn != len(conversation.messages) - 1:
            raise UnsupportedConversion(self.name, "a turn after the response")
        messages = write_chat(conversation.messages, self.name)
        tools = write_tools_column(conversation, self.name)
        return {"prompt": messages[:-1], "completion": messages[-1:], **tools}


def _is_chat(columns: Columns) -> bool:
    return isinstance(columns.get("completion"), list)


def _read_texts(columns: Columns) -> ParsedConversation:
    prompt, completion = require_text(columns, "prompt"), columns.get("completion")
    if not isinstance(completion, str):
        raise wrong_type_error("completion", "a string or a list of messages", completion)
    if not prompt:
        raise UnusableRecord("prompt is empty")
    messages = (Message("user", prompt), parse_response(completion))
    return ParsedConversation(messages, response_turns=(1,))


class PromptResponseShape(ShapeAdapter):
    """`{"prompt": "…", "response": "…"}`; reasoning and system prompt in columns beside them."""

    name = "prompt"

    def matches(self, columns: Columns) -> bool:
        return "prompt" in columns and "response" in columns

    def conversation_columns(self, columns: Columns) -> frozenset[str]:
        system = ("system",) if isinstance(columns.get("system"), str | None) else ()
        return frozenset({"prompt", "response", *system, find_reasoning_field(columns)})

    def read(self, columns: Columns, side: Side) -> ParsedConversation:
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

    def locate_response(self, columns: Columns, turn: int, side: Side) -> ResponseLocation:
        return ResponseLocation((), _RESPONSE_SLOT)

    def replace_system(self, columns: dict[str, Any], system: str) -> dict[str, Any]:
        return _replace_system_column(columns, system, self.name)

    def write(self, conversation: Conversation) -> dict[str, Any]:
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


class AlpacaShape(ShapeAdapter):
    """`{"instruction": "…", "input": "…", "output": "…"}`, LLaMA-Factory's `system`, `history`."""

    name = "alpaca"

    def matches(self, columns: Columns) -> bool:
        return "instruction" in columns and "output" in columns

    def conversation_columns(self, columns: Columns) -> frozenset[str]:
        return frozenset({"instruction", "input", "output", "system", "history"})

    def read(self, columns: Columns, side: Side) -> ParsedConversation:
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

    def locate_response(self, columns: Columns, turn: int, side: Side) -> ResponseLocation:
        at = (turn - (1 if columns.get("system") else 0)) // 2
        if at < len(columns.get("history") or ()):
            return ResponseLocation(("history", at, 1), TEXT_SLOT)
        return ResponseLocation(("output",), TEXT_SLOT)

    def replace_system(self, columns: dict[str, Any], system: str) -> dict[str, Any]:
        return _replace_system_column(columns, system, self.name)

    def write(self, conversation: Conversation) -> dict[str, Any]:
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


def _read_exchange(value: Any, where: str) -> tuple[str, str]:
    pair = require_list(value, where)
    if len(pair) != 2:
        raise UnusableRecord(f"{where} must be a pair, what was said and what was answered")
    for at, text in enumerate(pair):
        if not isinstance(text, str):
            raise wrong_type_error(f"{where}[{at}]", "a string", text)
    return pair[0], pair[1]


def _replace_system_column(columns: dict[str, Any], system: str, shape: str) -> dict[str, Any]:
    held = columns.get("system")
    if not system and not held:
        return columns
    if not isinstance(held, str | None):
        raise UnsupportedContext(shape, "a system prompt beside a column 'system' that is not text")
    return {**columns, "system": system}
