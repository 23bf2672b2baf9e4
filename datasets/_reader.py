"""Records → rows, one at a time; what cannot be read is a `BadRow` and the reading goes on."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeGuard

from whyset.errors import DatasetError

from ._json import dumps
from ._provenance import find_provenance
from ._row import (
    DEFAULT_SELECTION,
    PROVENANCE_COLUMN,
    BadRow,
    Conversation,
    Message,
    Row,
    Selection,
    Shape,
    Side,
    Target,
)
from .files import InputName, Record, Source, open_source, read_mappings, read_records
from .shapes import (
    LIST_COLUMNS,
    SHAPES,
    ParsedConversation,
    ShapeAdapter,
    UnusableRecord,
    find_assistant_turns,
    find_list_column,
    read_plain_chat,
)


def read_rows(
    source: InputName | Source | Iterable[InputName] | Iterable[Mapping[str, Any]],
    *,
    selection: Selection = DEFAULT_SELECTION,
) -> Iterator[Row | BadRow]:
    """Read rows from wherever they lie.

    Args:
        source: A file, a pattern, a folder, `hf://org/name`, `-` for standard input, or several of
            them; or rows themselves: a `Dataset` or `IterableDataset`, or any mappings.
        selection: What of each row is to be worked on.

    Raises:
        DatasetError: The source cannot be read, or not to its end.
    """
    selection = _canonical_selection(selection)
    if not isinstance(source, Source):
        if not _is_path(source):
            for record in _read_mappings(source):
                yield _read_row(record, selection)
            return
        source = open_source(*([source] if isinstance(source, str | Path) else source))
    for record, place in source.records():
        yield _read_row(record, selection, place)


def read_stream(
    stream: BinaryIO, *, name: str, selection: Selection = DEFAULT_SELECTION
) -> Iterator[Row | BadRow]:
    """Read rows from an open binary stream: JSON lines, a JSON array or CSV, packed or not.

    Args:
        stream: What to read from; it is left open.
        name: What to call it in messages.
        selection: What of each row is to be worked on.

    Raises:
        DatasetError: The stream cannot be read to its end.
    """
    selection = _canonical_selection(selection)
    for record in read_records(stream, name):
        yield _read_row(record, selection)


def row_from_record(
    columns: dict[str, Any], *, line: int = 1, selection: Selection = DEFAULT_SELECTION
) -> Row:
    """Make a row of a record that is already parsed, for use from a library.

    Args:
        columns: The record.
        line: What to call it in messages.
        selection: What of it is to be worked on.

    Raises:
        DatasetError: It holds no usable conversation.
    """
    digest = hashlib.sha256(dumps(columns)).hexdigest()
    try:
        return _build_row(columns, line, digest, selection)
    except UnusableRecord as error:
        raise DatasetError(f"row {line}: {error}") from error


def _build_row(
    columns: Mapping[str, Any], line: int, digest: str, selection: Selection, source: str = ""
) -> Row:
    shape, conversation, targets = read_record(columns, selection)
    return Row(line, columns, shape, conversation, selection.digest(digest), targets, source)


def _read_row(record: Record | BadRow, selection: Selection, source: str = "") -> Row | BadRow:
    if isinstance(record, BadRow):
        return replace(record, source=source)
    line, columns, raw = record
    digest = hashlib.sha256(raw).hexdigest()
    try:
        return _build_row(columns, line, digest, selection, source)
    except UnusableRecord as error:
        return BadRow(line, str(error), raw, source)


def _canonical_selection(selection: Selection) -> Selection:
    """Return the default selection itself for one that equals it: each row compares by identity."""
    return DEFAULT_SELECTION if selection == DEFAULT_SELECTION else selection


def _read_mappings(values: Any) -> Iterator[Record | BadRow]:
    """Yield the records of a dataset that a library holds, or of mappings."""
    from .files._arrow import read_table
    from .files._hub import wrap_dataset

    table = wrap_dataset(values)
    return read_mappings(values) if table is None else read_table(table, "the dataset")


def _is_path(source: Any) -> TypeGuard[InputName | Sequence[InputName]]:
    if isinstance(source, str | Path):
        return True
    named = isinstance(source, list | tuple) and bool(source)
    return named and all(isinstance(name, str | Path) for name in source)


# ---- One record: which shape it has, what was said, and which responses are worked on.

# Columns by which a record with `messages` is of another shape, or has more to be read.
_SHAPE_COLUMNS = frozenset({"chosen", "rejected", "system", "tools", *LIST_COLUMNS[1:]})


class ParsedRecord(NamedTuple):
    """A record as it was read.

    Attributes:
        shape: How its conversation is laid out.
        conversation: What was said, with the first of the targets as its response.
        targets: The responses to be worked on.
    """

    shape: Shape
    conversation: Conversation
    targets: tuple[Target, ...]


def read_record(
    columns: Mapping[str, Any], selection: Selection = DEFAULT_SELECTION
) -> ParsedRecord:
    """Recognise a record's shape and read its conversation.

    Raises:
        UnusableRecord: It has no shape, breaks the one it has, has no response of those that are
            selected, or carries the provenance of an earlier pass that is not to be replaced.
    """
    earlier = find_provenance(columns)
    if earlier is not None and not selection.replace_provenance:
        raise UnusableRecord(
            f"the row already has a {PROVENANCE_COLUMN!r} column of an earlier pass (generator "
            f"{earlier['generator']!r}, outcome {earlier['outcome']!r}): work on the rows as they "
            "were before it, or choose to replace its provenance"
        )
    if selection is DEFAULT_SELECTION and (plain := _read_plain_messages(columns)) is not None:
        return plain
    layout = SHAPES[selection.shape] if selection.shape else detect_shape(columns)
    return read_as_shape(layout, columns, selection)


def _read_plain_messages(columns: Mapping[str, Any]) -> ParsedRecord | None:
    """Read a list of plain messages, as most records are, in two thirds of the time."""
    held = columns.get("messages")
    if not isinstance(held, list) or not _SHAPE_COLUMNS.isdisjoint(columns):
        return None
    messages = read_plain_chat(held)
    if not messages or "from" in held[0]:
        return None
    turns = find_assistant_turns(messages)
    if not turns or not _has_content(messages[turns[-1]]):
        return None
    target = Target(turns[-1], number=len(turns))
    return ParsedRecord("messages", Conversation(messages, target.turn), (target,))


def detect_shape(columns: Mapping[str, Any]) -> ShapeAdapter:
    """Return the first shape that fits a record; a null column is as good as none.

    Raises:
        UnusableRecord: None fits, or two lists of messages contradict each other.
    """
    candidates = [columns]
    if None in columns.values():
        candidates.insert(0, {name: value for name, value in columns.items() if value is not None})
    for candidate in candidates:
        for layout in SHAPES.values():
            if layout.matches(candidate):
                _reject_two_lists(layout, candidate)
                return layout
    names = ", ".join(map(repr, list(columns)[:8])) or "none at all"
    raise UnusableRecord(
        "no conversation: expected 'messages' or 'conversations', 'prompt' with 'response' or "
        "'completion', 'instruction' with 'output', 'chosen' with 'rejected', or a transcript in "
        f"'text'; the columns are {names}"
    )


def _reject_two_lists(layout: ShapeAdapter, columns: Mapping[str, Any]) -> None:
    """Refuse a record with two conversations: neither has a better claim to be the one."""
    if layout.name not in {"messages", "sharegpt", "anthropic"}:
        return
    lists = [name for name in LIST_COLUMNS if name in columns]
    if len(lists) > 1:
        lists = [
            name
            for name in lists
            if any(find_list_column({name: columns[name]}, key) for key in ("role", "from"))
        ]
    if len(lists) > 1:
        raise UnusableRecord(
            f"two conversations, in {lists[0]!r} and in {lists[1]!r}: remove one of the columns, "
            "or name the shape that is meant"
        )


def read_as_shape(
    layout: ShapeAdapter, columns: Mapping[str, Any], selection: Selection
) -> ParsedRecord:
    """Read a record as a shape; see `read_record`."""
    sides = layout.sides if selection.side == "both" else layout.sides[:1]
    read: list[ParsedConversation] = []
    targets: list[Target] = []
    for side in sides:
        spoken = layout.read(columns, side)
        read.append(spoken)
        try:
            targets += _select_targets(spoken, selection, side)
        except UnusableRecord as error:
            raise UnusableRecord(f"{side}: {error}" if side else str(error)) from error
    conversation = Conversation(read[0].messages, targets[0].turn, read[0].tool_definitions)
    return ParsedRecord(layout.name, conversation, tuple(targets))


def _select_targets(spoken: ParsedConversation, selection: Selection, side: Side) -> list[Target]:
    if not spoken.response_turns:
        raise UnusableRecord("no assistant turn: there is no response to work on")
    numbers = {turn: n for n, turn in enumerate(find_assistant_turns(spoken.messages), start=1)}
    targets = [Target(turn, side, numbers[turn]) for turn in spoken.response_turns]
    if selection.turns == "last":
        if not _has_content(spoken.messages[targets[-1].turn]):
            raise UnusableRecord(
                "empty response: the last assistant turn has no text and no tool call"
            )
        return targets[-1:]
    if selection.turns == "all":
        if said := [target for target in targets if _has_content(spoken.messages[target.turn])]:
            return said
        raise UnusableRecord("empty response: no assistant turn has text or a tool call")
    for target in targets:
        if target.number == selection.turns:
            if not _has_content(spoken.messages[target.turn]):
                raise UnusableRecord(f"empty response: {target} has no text and no tool call")
            return [target]
    if selection.turns <= len(numbers):
        raise UnusableRecord(
            f"turn {selection.turns} is not to be worked on: it belongs to the prompt, or is "
            "nothing but a call"
        )
    raise UnusableRecord(
        f"no turn {selection.turns}: the assistant has {len(numbers)} "
        f"{'turn' if len(numbers) == 1 else 'turns'}"
    )


def _has_content(message: Message) -> bool:
    return bool(message.tool_calls or (message.text and not message.text.isspace()))


# ---- The shapes of many records, for a summary before anything is done.


@dataclass(frozen=True, slots=True)
class ShapeSummary:
    """How many rows have which shape.

    Attributes:
        counts: Shape → rows of it, the most frequent first.
        unusable_count: How many have none, or break the one they have.
        reasons: Why, and how many for that reason, the most frequent first.
    """

    counts: Mapping[Shape, int]
    unusable_count: int = 0
    reasons: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def rows(self) -> int:
        """How many rows were looked at."""
        return sum(self.counts.values()) + self.unusable_count

    @property
    def shape(self) -> Shape | None:
        """The most frequent shape; `None` where no row has any."""
        return next(iter(self.counts), None)

    @property
    def is_uniform(self) -> bool:
        """Whether all rows that can be used have one shape."""
        return len(self.counts) <= 1

    def __str__(self) -> str:
        """Return the counts as a person reads them: `5,000 rows: sharegpt 4,990, unusable 10`."""
        shown = [f"{shape} {count:,}" for shape, count in self.counts.items()]
        if self.unusable_count:
            shown.append(f"unusable {self.unusable_count:,}")
        noun = "row" if self.rows == 1 else "rows"
        return f"{self.rows:,} {noun}: {', '.join(shown)}" if shown else "no rows"


def detect_shapes(
    records: Iterable[Mapping[str, Any] | Row | BadRow], selection: Selection = DEFAULT_SELECTION
) -> ShapeSummary:
    """Count the shapes of a dataset's rows, or of a sample of them.

    Args:
        records: Records as they were parsed, or rows as they were read.
        selection: How records are read; one without what is selected counts as unusable.
    """
    counts: Counter[Shape] = Counter()
    reasons: Counter[str] = Counter()
    for record in records:
        if isinstance(record, Row):
            counts[record.shape] += 1
        elif isinstance(record, BadRow):
            reasons[record.reason] += 1
        else:
            try:
                counts[read_record(record, selection).shape] += 1
            except UnusableRecord as error:
                reasons[str(error)] += 1
    return ShapeSummary(dict(counts.most_common()), reasons.total(), dict(reasons.most_common()))
