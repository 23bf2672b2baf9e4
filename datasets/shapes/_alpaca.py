"""Alpaca: `instruction`, `input`, `output`; `system` and `history` as LLaMA-Factory has them."""

from collections.abc import Mapping, Sequence
from typing import Any

from .._conversation import Conversation, Message, OfferedTool
from .._row import Shape, Side
from ._fields import UnusableRecord, list_of, optional_text, text_in, wrong
from ._forms import TEXT
from ._layout import Place, Spoken, assistant_turns
from ._refusing import ContextRefused, ConversionRefused, refuse_beside_text, refuse_tools
from ._thinking import response_of, tagged


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
