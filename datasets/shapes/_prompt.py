"""A pair of strings, `prompt` and `response`; reasoning and system prompt in columns beside."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._conversation import Conversation, Message, OfferedTool
from .._row import REASONING_FIELD, Shape, Side
from ._alpaca import with_system_column
from ._fields import UnusableRecord, optional_text, text_in
from ._forms import FieldForm, reasoning_field
from ._layout import Place, Spoken
from ._refusing import ContextRefused, ConversionRefused, refuse_beside_text, refuse_tools
from ._thinking import thought_of, unless_blank

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
