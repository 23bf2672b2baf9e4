"""What every shape is: how it is recognised, read, worked on and written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from .._conversation import Conversation, Message, OfferedTool
from .._row import Shape, Side
from ._forms import Form


class Spoken(NamedTuple):
    """A conversation as read, before it is chosen which of its responses are worked on.

    Attributes:
        messages: What was said.
        offered: The tools that were on offer.
        turns: Indices of the messages that may be worked on.
    """

    messages: tuple[Message, ...]
    offered: tuple[OfferedTool, ...] = ()
    turns: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a response stands in a record.

    Attributes:
        path: Keys and indices that lead to what holds it; empty is the record itself.
        form: How it stands in there.
    """

    path: tuple[str | int, ...]
    form: Form

    def held(self, columns: Mapping[str, Any]) -> Any:
        """Return what holds the response."""
        holder: Any = columns
        for step in self.path:
            holder = holder[step]
        return holder

    def put(self, columns: Mapping[str, Any], value: Any) -> Any:
        """Return columns with another value there; what is on the way is copied, no more."""
        return _put(columns, self.path, value)


def _put(holder: Any, path: Sequence[str | int], value: Any) -> Any:
    if not path:
        return value
    copy: Any = dict(holder) if isinstance(holder, Mapping) else list(holder)
    copy[path[0]] = _put(holder[path[0]], path[1:], value)
    return copy


class Layout(Protocol):
    """A shape. `side` matters to preference pairs alone."""

    @property
    def name(self) -> Shape:
        """What it is called."""

    @property
    def sides(self) -> tuple[Side, ...]:
        """The conversations that a record of this shape has."""

    def fits(self, columns: Mapping[str, Any]) -> bool:
        """Say whether a record looks like one of this shape, be it a broken one."""

    def core(self, columns: Mapping[str, Any]) -> frozenset[str]:
        """Return the names of the columns that make up the conversation."""

    def read(self, columns: Mapping[str, Any], side: Side) -> Spoken:
        """Read a record's conversation.

        Raises:
            UnusableRecord: It breaks the shape; the reason names the place.
        """

    def place(self, columns: Mapping[str, Any], turn: int, side: Side) -> Place:
        """Return where the response at an index of the conversation stands."""

    def with_context(
        self,
        columns: Mapping[str, Any],
        system: str | None,
        tools: Sequence[OfferedTool] | None,
    ) -> dict[str, Any]:
        """Return columns with another system prompt and other tools; `None` leaves one as it is.

        Raises:
            ContextRefused: The shape has no place for one of them.
        """

    def write(self, conversation: Conversation) -> dict[str, Any]:
        """Return a conversation as columns of this shape.

        Raises:
            ConversionRefused: The shape cannot hold all of it.
        """


def assistant_turns(messages: Sequence[Message], *, first: int = 0) -> tuple[int, ...]:
    """Return the indices of the assistant's messages from one on."""
    return tuple([at for at in range(first, len(messages)) if messages[at].role == "assistant"])
