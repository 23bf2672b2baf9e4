"""The matched control: a row with the response it had, and everything else as it is."""

from collections.abc import Mapping
from typing import Any, Final

from whyset.errors import UnsupportedRow

from .._edit import extract_response, select_target
from .._json import dumps, is_identical
from .._provenance import find_provenance
from .._reader import detect_shape, read_as_shape
from .._row import PROVENANCE_COLUMN, Row, Selection, Target
from ..shapes import SHAPES, ShapeAdapter, UnusableRecord
from ..shapes._anthropic import THINKING_TYPES, BlocksSlot
from ..shapes._hh import TranscriptSlot
from ..shapes._response import (
    REASONING_FIELDS,
    FieldSlot,
    TextSlot,
    add_think_tags,
    find_reasoning_field,
    parse_think_tags,
)

CONTROL_OUTCOME: Final = "control"
"""The outcome of a row that has its original response again."""

UNTOUCHED_OUTCOME: Final = "untouched"
"""The outcome of a row that was left as it was."""

_REASONING_KEEPING_CHANNELS: Final = frozenset({"preface", "inline"})
"""Channels that leave the reasoning of a row alone."""

_KEEP_REASONING: Final = object()
_DROP_ADDED_REASONING: Final = object()


def restore_original(columns: Mapping[str, Any], selection: Selection) -> dict[str, Any]:
    """Return a row as it was before a generator worked on its responses.

    Args:
        columns: The row, with the provenance that whyset wrote.
        selection: Which responses were worked on.

    Raises:
        UnsupportedRow: It never had another response, or where that stood is not known.
    """
    provenance = find_provenance(columns)
    if provenance is None:
        return dict(columns)
    if "targets" not in provenance and "original_response" not in provenance:
        raise UnsupportedRow(
            "no_original",
            f"written by {provenance['generator']} from scratch: it has no original response, and "
            "so no matched control",
        )
    own = {name: value for name, value in columns.items() if name != PROVENANCE_COLUMN}
    try:
        changed = [
            (name, {**record, "channel": provenance.get("channel")})
            for name, record in _list_rewritten(provenance).items()
            if record["outcome"] != UNTOUCHED_OUTCOME
        ]
        for name, record in changed:
            own = _restore_target(own, name, record, selection)
    except (UnusableRecord, LookupError, TypeError, AttributeError) as error:
        raise UnsupportedRow("no_original", f"its original cannot be restored: {error}") from error
    if changed:
        provenance = {**provenance, "outcome": CONTROL_OUTCOME}
    return {**own, PROVENANCE_COLUMN: dumps(dict(provenance)).decode()}


def _list_rewritten(provenance: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return the record of each response by its name, which is empty in a row with but one."""
    targets = provenance.get("targets")
    if isinstance(targets, list):
        return {str(record["target"]): record for record in targets}
    return {"": provenance}


def _restore_target(
    columns: dict[str, Any], name: str, record: Mapping[str, Any], selection: Selection
) -> dict[str, Any]:
    layout = SHAPES[selection.shape] if selection.shape else detect_shape(columns)
    row, target = _select_response(layout, columns, name, selection)
    place = layout.locate_response(columns, target.turn, target.side or layout.sides[0])
    before = extract_response(row)
    original = record["original_response"]
    _check_original(before.content, original, record)
    answered = _restore_slot(
        place.slot, place.get_holder(columns), original, _original_reasoning(record)
    )
    changed: dict[str, Any] = place.replace_holder(columns, answered)
    after = extract_response(select_target(row, target, changed), changed)
    if not is_identical(after.content, original) or not is_identical(
        after.other_columns, before.other_columns
    ):
        raise UnsupportedRow(
            "no_original",
            "its original does not fit its shape, which is another than it came in; make the "
            "control from rows that were written without --to",
        )
    return changed


def _select_response(
    layout: ShapeAdapter, columns: Mapping[str, Any], name: str, selection: Selection
) -> tuple[Row, Target]:
    """Return the row with the response alone that was worked on."""
    if name:
        selection = Selection(turns="all", side="both" if len(layout.sides) > 1 else "chosen")
    reading = read_as_shape(layout, columns, selection)
    target = next((each for each in reading.targets if not name or str(each) == name), None)
    if target is None:
        raise UnusableRecord(f"it has no response {name!r}")
    row = Row(1, columns, layout.name, reading.conversation, "", reading.targets)
    return select_target(row, target, columns), target


def _check_original(content: Any, original: Any, record: Mapping[str, Any]) -> None:
    """Refuse a response that cannot have come of the original: another one was worked on."""
    texts = isinstance(content, str) and isinstance(original, str)
    if record.get("channel") not in {"preface", "thinking"} or record["outcome"] == "repaired":
        return
    if texts and not content.endswith(original):
        raise UnsupportedRow(
            "no_original",
            "its last response does not hold the original: another one was worked on, and the "
            "run's manifest, which says which, is not beside the rows",
        )


def _original_reasoning(record: Mapping[str, Any]) -> Any:
    """Return the reasoning that a response had, or what to do with the one that is there."""
    if record.get("original_reasoning") is not None:
        return record["original_reasoning"]
    if record["outcome"] == "repaired":
        return None
    if record.get("channel") in _REASONING_KEEPING_CHANNELS:
        return _KEEP_REASONING
    return _DROP_ADDED_REASONING if record.get("channel") == "thinking" else None


def _restore_slot(slot: Any, holder: Any, original: Any, reasoning: Any) -> Any:
    if isinstance(slot, TranscriptSlot):
        before, after = slot.extract(holder).other_columns
        response = holder[len(before) : len(holder) - len(after)]
        return slot.replace_response(holder, _restore_text(response, original, reasoning))
    if isinstance(slot, TextSlot):
        return _restore_text(holder, original, reasoning)
    if isinstance(slot, FieldSlot):
        return _restore_field(slot, holder, original, reasoning)
    if isinstance(slot, BlocksSlot):
        return _restore_blocks(holder, original, reasoning)
    raise TypeError(f"unknown response slot: {type(slot).__name__}")


def _restore_text(text: str, original: Any, reasoning: Any) -> str:
    thought = parse_think_tags(text)
    answer = original or ""
    if reasoning is _KEEP_REASONING:
        return thought.replace_answer(answer)
    if not isinstance(reasoning, str):
        return answer
    if thought.has_reasoning:
        return f"{thought.opening}{reasoning}{thought.closing}{answer}"
    return add_think_tags(reasoning, answer)


def _restore_field(
    slot: FieldSlot, holder: Mapping[str, Any], original: Any, reasoning: Any
) -> Any:
    content = holder.get(slot.key)
    used = find_reasoning_field(holder)
    if isinstance(content, str) and not holder.get(used) and parse_think_tags(content).opening:
        return {**holder, slot.key: _restore_text(content, original, reasoning)}
    changed = {**holder, slot.key: original}
    if reasoning is _KEEP_REASONING:
        return changed
    if isinstance(reasoning, str):
        # Two fields may hold some of it; the second one was left alone.
        others = [holder.get(name) for name in REASONING_FIELDS if name != used]
        for other in filter(None, others):
            reasoning = reasoning.removesuffix(f"\n\n{other}")
        return {**changed, used: reasoning}
    changed.pop(used, None)
    return changed


def _restore_blocks(holder: Mapping[str, Any], original: Any, reasoning: Any) -> dict[str, Any]:
    content = holder["content"]
    blocks = content if isinstance(content, list) else []
    thoughts = [block for block in blocks if block.get("type") in THINKING_TYPES]
    if isinstance(reasoning, list):
        thoughts = reasoning
    elif reasoning is _DROP_ADDED_REASONING:
        thoughts = thoughts[1:]
    elif reasoning is not _KEEP_REASONING:
        thoughts = []
    if not thoughts:
        return {**holder, "content": original}
    blocks = [{"type": "text", "text": original}] if isinstance(original, str) else original
    return {**holder, "content": [*thoughts, *blocks]}
