"""What a shape cannot hold is refused with the reason; nothing is dropped in silence."""

from collections.abc import Iterable

from .._conversation import Message
from .._errors import DatasetError


class ConversionRefused(DatasetError):
    """A row that another shape cannot hold; the message says what stands in the way.

    Attributes:
        shape: The one it was to be written in.
        obstacle: What that has no place for.
    """

    def __init__(self, shape: str, obstacle: str) -> None:
        super().__init__(f"shape {shape!r} cannot hold {obstacle}")
        self.shape = shape
        self.obstacle = obstacle


class ContextRefused(DatasetError):
    """A system prompt or tools that a row's shape has no place for."""

    def __init__(self, shape: str, what: str) -> None:
        super().__init__(
            f"shape {shape!r} has no place for {what}: convert the rows first, for example to "
            "'messages'"
        )


def refuse_beside_text(messages: Iterable[Message], shape: str) -> None:
    """Refuse what a shape of bare texts cannot hold of a message.

    Ids of calls are no content: where results follow their calls, nothing is lost without them.

    Raises:
        ConversionRefused: A message has parts that are no text, a participant's name, or keys
            that nobody knows.
    """
    for message in messages:
        for part in message.parts:
            if part.get("type") != "text" or part.keys() - {"type", "text"}:
                kind = part.get("type")
                raise ConversionRefused(
                    shape,
                    "more than a part's text" if kind == "text" else f"a part of type {kind!r}",
                )
        if message.name is not None and message.role not in {"tool", "function"}:
            raise ConversionRefused(shape, f"the name of a participant, {message.name!r}")
        if message.others:
            raise ConversionRefused(shape, f"a message's {next(iter(message.others))!r}")


def refuse_tools(messages: Iterable[Message], shape: str) -> None:
    """Refuse tools at work, where a shape knows only texts.

    Raises:
        ConversionRefused: A message calls a tool or is a tool's.
    """
    for message in messages:
        if message.tool_calls:
            raise ConversionRefused(shape, f"a call of the tool {message.tool_calls[0].name!r}")
        if message.role in {"tool", "function"}:
            raise ConversionRefused(shape, "a tool's result")
