"""The matched control: a row with the response it had, and everything else as it is."""

from collections.abc import Mapping
from typing import Any, Final

from .._edit import aimed_at, part_columns
from .._json import dumps, identical
from .._provenance import earlier_pass
from .._reader import layout_of, read_as
from .._row import COLUMN, Row, Selection, Target
from ..shapes import LAYOUTS, Layout, UnusableRecord
from ..shapes._anthropic import THOUGHTS, BlocksForm
from ..shapes._hh import TranscriptForm
from ..shapes._response import (
    REASONING_FIELDS,
    FieldForm,
    TextForm,
    reasoning_field,
    tagged,
    thought_of,
)
from ._example import NotExported

CONTROL: Final = "control"
"""The outcome of a row that has its original response again."""

UNTOUCHED: Final = "untouched"
"""The outcome of a row that was left as it was."""

_KEPT_REASONING: Final = frozenset({"preface", "inline"})
"""Channels that leave the reasoning of a row alone."""


def restored(columns: Mapping[str, Any], selection: Selection) -> dict[str, Any]:
    """Return a row as it was before a generator worked on its responses.

    Args:
        columns: The row, with the provenance that whyset wrote.
        selection: Which responses were worked on.

    Raises:
        NotExported: It never had another response, or where that stood cannot be told.
    """
    provenance = earlier_pass(columns)
    if provenance is None:
        return dict(columns)
    if "targets" not in provenance and "original_response" not in provenance:
        raise NotExported(
            "no_original",
            f"written by {provenance['generator']} from nothing: it has no original response, and "
            "so no matched control",
        )
    own = {name: value for name, value in columns.items() if name != COLUMN}
    try:
        changed = [
            (name, {**told, "channel": provenance.get("channel")})
            for name, told in _worked_on(provenance).items()
            if told["outcome"] != UNTOUCHED
        ]
        for name, told in changed:
            own = _with_original(own, name, told, selection)
    except (UnusableRecord, LookupError, TypeError, AttributeError) as error:
        raise NotExported("no_original", f"its original cannot be put back: {error}") from error
    record = {**provenance, "outcome": CONTROL} if changed else provenance
    return {**own, COLUMN: dumps(dict(record)).decode()}


def _worked_on(provenance: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Return what is told of each response; by an empty name that of a row with but one."""
    targets = provenance.get("targets")
    if isinstance(targets, list):
        return {str(told["target"]): told for told in targets}
    return {"": provenance}


def _with_original(
    columns: dict[str, Any], name: str, told: Mapping[str, Any], selection: Selection
) -> dict[str, Any]:
    layout = LAYOUTS[selection.shape] if selection.shape else layout_of(columns)
    row, target = _aimed(layout, columns, name, selection)
    place = layout.place(columns, target.turn, target.side or layout.sides[0])
    before = part_columns(row)
    original = told["original_response"]
    _require_place(before.content, original, told)
    answered = _restored(place.form, place.held(columns), original, _reasoning(told))
    changed: dict[str, Any] = place.put(columns, answered)
    after = part_columns(aimed_at(row, target, changed), changed)
    if not identical(after.content, original) or not identical(after.others, before.others):
        raise NotExported(
            "no_original",
            "its original does not fit its shape, which is another than it came in; make the "
            "control from rows that were written without --to",
        )
    return changed


def _aimed(
    layout: Layout, columns: Mapping[str, Any], name: str, selection: Selection
) -> tuple[Row, Target]:
    """Return the row with the response alone that was worked on."""
    if name:
        selection = Selection(turns="all", side="both" if len(layout.sides) > 1 else "chosen")
    reading = read_as(layout, columns, selection)
    target = next((each for each in reading.targets if not name or str(each) == name), None)
    if target is None:
        raise UnusableRecord(f"it has no response {name!r}")
    row = Row(1, columns, layout.name, reading.conversation, "", reading.targets)
    return aimed_at(row, target, columns), target


def _require_place(content: Any, original: Any, told: Mapping[str, Any]) -> None:
    """Refuse a response that cannot have come of the original: another one was worked on."""
    texts = isinstance(content, str) and isinstance(original, str)
    if told.get("channel") not in {"preface", "thinking"} or told["outcome"] == "repaired":
        return
    if texts and not content.endswith(original):
        raise NotExported(
            "no_original",
            "its last response does not hold the original: another one was worked on, and the "
            "run's manifest, which says which, is not beside the rows",
        )


_AS_IT_IS: Final = object()
_DROP_OURS: Final = object()


def _reasoning(told: Mapping[str, Any]) -> Any:
    """Return the reasoning that a response had, or what to do with the one that is there."""
    if told.get("original_reasoning") is not None:
        return told["original_reasoning"]
    if told["outcome"] == "repaired":
        return None
    if told.get("channel") in _KEPT_REASONING:
        return _AS_IT_IS
    return _DROP_OURS if told.get("channel") == "thinking" else None


def _restored(form: Any, holder: Any, original: Any, reasoning: Any) -> Any:
    if isinstance(form, TranscriptForm):
        before, after = form.part(holder).others
        held = holder[len(before) : len(holder) - len(after)]
        return form.answer(holder, _text(held, original, reasoning))
    if isinstance(form, TextForm):
        return _text(holder, original, reasoning)
    if isinstance(form, FieldForm):
        return _field(form, holder, original, reasoning)
    if isinstance(form, BlocksForm):
        return _blocks(holder, original, reasoning)
    raise TypeError(f"no form of a response that is known: {type(form).__name__}")


def _text(held: str, original: Any, reasoning: Any) -> str:
    thought = thought_of(held)
    answer = original or ""
    if reasoning is _AS_IT_IS:
        return thought.answering(answer)
    if not isinstance(reasoning, str):
        return answer
    if thought.held:
        return f"{thought.opening}{reasoning}{thought.closing}{answer}"
    return tagged(reasoning, answer)


def _field(form: FieldForm, holder: Mapping[str, Any], original: Any, reasoning: Any) -> Any:
    content = holder.get(form.key)
    used = reasoning_field(holder)
    if isinstance(content, str) and not holder.get(used) and thought_of(content).opening:
        return {**holder, form.key: _text(content, original, reasoning)}
    changed = {**holder, form.key: original}
    if reasoning is _AS_IT_IS:
        return changed
    if isinstance(reasoning, str):
        # Two fields may hold some of it; the second one was left alone.
        held = [holder.get(name) for name in REASONING_FIELDS if name != used]
        for kept in filter(None, held):
            reasoning = reasoning.removesuffix(f"\n\n{kept}")
        return {**changed, used: reasoning}
    changed.pop(used, None)
    return changed


def _blocks(holder: Mapping[str, Any], original: Any, reasoning: Any) -> dict[str, Any]:
    content = holder["content"]
    held = content if isinstance(content, list) else []
    thoughts = [block for block in held if block.get("type") in THOUGHTS]
    if isinstance(reasoning, list):
        thoughts = reasoning
    elif reasoning is _DROP_OURS:
        thoughts = thoughts[1:]
    elif reasoning is not _AS_IT_IS:
        thoughts = []
    if not thoughts:
        return {**holder, "content": original}
    blocks = [{"type": "text", "text": original}] if isinstance(original, str) else original
    return {**holder, "content": [*thoughts, *blocks]}
