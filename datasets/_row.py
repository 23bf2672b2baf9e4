"""A row, the conversation in it, and which of its responses are worked on."""

import hashlib
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field
from typing import Any, Final, Literal, NamedTuple, get_args

from whyset.errors import DatasetError

PROVENANCE_COLUMN = "whyset"
"""The provenance column."""

REASONING_FIELD = "reasoning_content"
"""Where today's chat templates look for reasoning."""

Shape = Literal[
    "preference", "sharegpt", "anthropic", "messages", "completion", "prompt", "alpaca", "hh"
]
"""How a conversation is laid out in a record; `docs/rows.md` has an example of each."""

Side = Literal["", "chosen", "rejected"]
"""Of a preference pair, whose response is meant; empty in every other shape."""

Channel = Literal["thinking", "preface", "inline"]
"""Where a deliberation goes: the reasoning field, before the response, or woven into it."""

TurnSelection = Literal["last", "all"] | int
"""The last response of a conversation, all of them, or the N-th, 1-based."""

SideSelection = Literal["chosen", "both"]
"""Of a preference pair: the chosen response, or either."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the assistant made.

    Attributes:
        name: The tool's.
        arguments: As they stood in the row, JSON most often.
        id: By which a result refers to it, where the row has one.
    """

    name: str
    arguments: str
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ToolDefinition:
    """A tool that was on offer.

    Attributes:
        name: What it is called by.
        description: What it is said to do.
        schema: JSON schema of its arguments; `None` where the row has none.
        definition: The whole of it as it stood in the row.
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
        name: Of the tool that answers, or the participant, where the row has one.
        call_id: Of the call that a tool's message answers.
        parts: The content as it stood, where it came in parts that `text` does not wholly hold.
        extra_fields: All other keys and values of the message.
    """

    role: str
    text: str
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    name: str | None = None
    call_id: str | None = None
    parts: tuple[Mapping[str, Any], ...] = ()
    extra_fields: Mapping[str, Any] = {}

    def __eq__(self, other: object) -> bool:
        """Compare all but `parts` and `extra_fields`."""
        return isinstance(other, Message) and self[:_COMPARED_FIELDS] == other[:_COMPARED_FIELDS]

    def __ne__(self, other: object) -> bool:
        """Compare all but `parts` and `extra_fields`."""
        return not self == other

    def __hash__(self) -> int:
        """Return the hash of the fields that are compared."""
        return hash(self[:_COMPARED_FIELDS])


_COMPARED_FIELDS = Message._fields.index("parts")


@dataclass(frozen=True, slots=True)
class Conversation:
    """A row's messages in order, and the one that is the response under work.

    Attributes:
        messages: All of them.
        turn: Index of the response among the messages.
        tool_definitions: The tools that were on offer.
    """

    messages: tuple[Message, ...]
    turn: int
    tool_definitions: tuple[ToolDefinition, ...] = ()

    @property
    def tool_names(self) -> tuple[str, ...]:
        """Names of the tools that were on offer."""
        return tuple(tool.name for tool in self.tool_definitions)

    @property
    def response(self) -> Message:
        """The assistant's message under work."""
        return self.messages[self.turn]

    @property
    def prompt(self) -> tuple[Message, ...]:
        """What the response answers."""
        return self.messages[: self.turn]


@dataclass(frozen=True, slots=True)
class Target:
    """A response of a row that is to be worked on.

    Attributes:
        turn: Index of the response among the messages of its conversation.
        side: Whose conversation that is, of a preference pair.
        number: Which of the conversation's responses it is, 1-based.
    """

    turn: int
    side: Side = ""
    number: int = 1

    def __str__(self) -> str:
        """Return what a person calls it."""
        return " ".join(filter(None, (self.side, f"turn {self.number}")))


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a dataset.

    Attributes:
        line: Its line in the source, 1-based.
        columns: The record as read, in the order of its keys. Never changed.
        shape: How its conversation is laid out.
        conversation: What was said, with the first of the targets as its response.
        digest: SHA-256 of the record as it stood, hex: what it is known by on resuming. Where the
            selection is not the default one, it is in the digest, too.
        targets: The responses to be worked on, in their order; empty is the conversation's own.
        source: The file and the line in it, as in `b.jsonl:3`, where several are read one after
            another and `line` goes on counting; else empty.
    """

    line: int
    columns: Mapping[str, Any] = field(repr=False)
    shape: Shape
    conversation: Conversation = field(repr=False)
    digest: str
    targets: tuple[Target, ...] = ()
    source: str = ""

    @property
    def target(self) -> Target:
        """The response that `conversation` has: the first of the targets."""
        return self.targets[0] if self.targets else Target(self.conversation.turn)


@dataclass(frozen=True, slots=True)
class BadRow:
    """A line that holds no usable row.

    Attributes:
        line: Its line in the source, 1-based.
        reason: What is wrong with it.
        raw: The line as it stood, without its line end.
        source: The file and the line in it, as of a `Row`.
    """

    line: int
    reason: str
    raw: bytes = field(repr=False)
    source: str = ""


@dataclass(frozen=True, slots=True)
class Selection:
    """How rows are read.

    Attributes:
        turns: Which responses of a conversation are worked on.
        side: Whose responses, of a preference pair; all other shapes have but one.
        shape: What every row is read as; `None` for what each is recognised as.
        replace_provenance: Whether a row that already has our `whyset` column, of an earlier
            pass, is worked on again and the column replaced.
    """

    turns: TurnSelection = "last"
    side: SideSelection = "chosen"
    shape: Shape | None = None
    replace_provenance: bool = False

    def __post_init__(self) -> None:
        """Refuse what selects nothing.

        Raises:
            DatasetError: A value is not among those allowed.
        """
        numbered = type(self.turns) is int and self.turns >= 1
        if not numbered and self.turns not in ("last", "all"):
            raise DatasetError(
                f"turns must be 'last', 'all' or a number from 1 on, not {self.turns!r}"
            )
        if self.side not in get_args(SideSelection):
            raise DatasetError(f"side must be 'chosen' or 'both', not {self.side!r}")
        if self.shape is not None and self.shape not in get_args(Shape):
            raise DatasetError(
                f"no shape {self.shape!r}; there are: {', '.join(sorted(get_args(Shape)))}"
            )

    def digest(self, record: str) -> str:
        """Return what a row is known by, from the digest of its record.

        That is the record's digest itself where nothing special is selected, so that choosing the
        defaults by name changes nothing.
        """
        if self is DEFAULT_SELECTION or self == DEFAULT_SELECTION:
            return record
        return hashlib.sha256(f"{record}{astuple(self)}".encode()).hexdigest()


DEFAULT_SELECTION: Final = Selection()
"""The last response, the chosen side, each row recognised on its own."""
