"""What a shape cannot hold is refused with the reason; nothing is dropped in silence."""

from collections.abc import Iterable, Sequence

from whyset.errors import DatasetError

from .._conversation import Conversation, Message, OfferedTool


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


def refuse_context(
    shape: str, system: str | None, tools: Sequence[OfferedTool] | None, where: str = ""
) -> None:
    """Refuse a system prompt and tools, where a shape knows only texts.

    Args:
        shape: The shape.
        system: The prompt; an empty one asks for nothing, nor does `None`.
        tools: The tools, likewise.
        where: What they would stand beside, where other rows of the shape have a place for them.

    Raises:
        ContextRefused: There is one.
    """
    if system:
        raise ContextRefused(shape, f"a system prompt{where}")
    if tools:
        raise ContextRefused(shape, f"tools{where}")


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


def refuse_tools(conversation: Conversation, shape: str) -> None:
    """Refuse tools, where a shape knows only texts.

    Raises:
        ConversionRefused: A message calls a tool or is a tool's, or one was on offer.
    """
    for message in conversation.messages:
        if message.tool_calls:
            raise ConversionRefused(shape, f"a call of the tool {message.tool_calls[0].name!r}")
        if message.role in {"tool", "function"}:
            raise ConversionRefused(shape, "a tool's result")
    if conversation.offered:
        raise ConversionRefused(shape, "tools on offer")
