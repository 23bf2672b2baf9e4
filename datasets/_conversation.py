"""The values: a conversation and its messages, whatever shape the row had."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the assistant made: the tool's name and its arguments as they stood in the row."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        role: `system`, `developer`, `user`, `assistant`, `tool` or `function`.
        text: What was said; the text parts joined where the content came in parts.
        reasoning: Reasoning that the row already carried beside the text.
        tool_calls: What the assistant called.
        name: Of the tool that answers, or the participant, where the row says so.
    """

    role: str
    text: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Conversation:
    """A row's messages in order, and the one that is the response under work.

    Attributes:
        messages: All of them.
        turn: Index of the response among the messages.
        tools: Names of the tools that were on offer.
    """

    messages: tuple[Message, ...]
    turn: int
    tools: tuple[str, ...] = ()

    @property
    def response(self) -> Message:
        """The assistant's message under work."""
        return self.messages[self.turn]

    @property
    def before(self) -> tuple[Message, ...]:
        """What the response answers."""
        return self.messages[: self.turn]
