"""The values: a conversation and its messages, whatever shape the row had."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the assistant made.

    Attributes:
        name: The tool's.
        arguments: As they stood in the row, JSON most often.
        id: By which a result refers to it, where the row says so.
    """

    name: str
    arguments: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool that was on offer.

    Attributes:
        name: What it is called by.
        description: What it is said to do.
        schema: JSON schema of its arguments; `None` where the row has none.
        definition: It as it stood in the row.
    """

    name: str
    description: str = ""
    schema: Mapping[str, Any] | None = field(default=None, compare=False, repr=False)
    definition: Mapping[str, Any] = field(default_factory=dict, compare=False, repr=False)


class Message(NamedTuple):
    """One message; messages are equal that say the same, however it stood in the row.

    A named tuple, since a row has many and a frozen dataclass takes four times as long to make.

    Attributes:
        role: `system`, `developer`, `user`, `assistant`, `tool` or `function`.
        text: What was said; the text parts joined where the content came in parts, and without
            reasoning that stood before it in `<think>` tags.
        reasoning: Reasoning that the row already carried with the text.
        tool_calls: What the assistant called.
        name: Of the tool that answers, or the participant, where the row says so.
        call_id: Of the call that a tool's message answers.
        parts: The content as it stood, where it came in parts that `text` does not wholly hold.
        others: What else the message holds: keys and values that a conversation has no word for.
    """

    role: str
    text: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    name: str | None = None
    call_id: str | None = None
    parts: tuple[Mapping[str, Any], ...] = ()
    others: Mapping[str, Any] = {}

    def __eq__(self, other: object) -> bool:
        """Compare all but `parts` and `others`."""
        return isinstance(other, Message) and self[:_SAID] == other[:_SAID]

    def __ne__(self, other: object) -> bool:
        """Compare all but `parts` and `others`."""
        return not self == other

    def __hash__(self) -> int:
        """Return what equal messages have in common."""
        return hash(self[:_SAID])


_SAID = Message._fields.index("parts")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A row's messages in order, and the one that is the response under work.

    Attributes:
        messages: All of them.
        turn: Index of the response among the messages.
        offered: The tools that were on offer.
    """

    messages: tuple[Message, ...]
    turn: int
    offered: tuple[OfferedTool, ...] = ()

    @property
    def tools(self) -> tuple[str, ...]:
        """Names of the tools that were on offer."""
        return tuple(tool.name for tool in self.offered)

    @property
    def response(self) -> Message:
        """The assistant's message under work."""
        return self.messages[self.turn]

    @property
    def before(self) -> tuple[Message, ...]:
        """What the response answers."""
        return self.messages[: self.turn]
