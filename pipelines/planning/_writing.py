"""A plan → its file: YAML with a comment for every part, written whole or not at all."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from whyset.constitution import Constitution
from whyset.errors import PlanError
from whyset.generators import Axis

from .._keeping import put_in_place
from ._amounts import amount_text
from ._coverage import falling_short, planned_groups
from ._plan import Plan
from ._yaml import scalar

_TEMPLATE = """\
# The plan of a corpus: what is to be written, decided before anything is asked. Change what you
# like: it is checked before the run, and every mistake told with its line.

# Who writes. The language is empty where the generator leaves no choice.
generator: {generator}
language: {language}

# The text that documents are grounded in. The plan holds for this very text.
constitution:
  title: {title}
  sha256: {sha256}

# How much: `documents`, or `tokens` (such as 3M) and how many a document is reckoned at.
{how_much}
typical_tokens: {typical_tokens}

# Everything that is drawn is drawn with this: another seed gives another corpus.
seed: {seed}

# Documents written from each context (a group of passages and a draw on every axis), each from an
# idea of its own.
drafts: {drafts}

# Every passage of the sections below grounds at least so many documents. A best effort may leave
# passages uncovered, where the documents do not go round.
per_passage: {per_passage}
best_effort: {best_effort}

# A document that is rejected is tried again with the same draws, so often in all.
attempts: {attempts}

# Documents written side by side. What there is too much of by the end of a wave is excluded from
# the next one. By message batches each wave takes its time: take fewer and larger ones.
wave: {wave}

# What one document is about: so many neighbouring passages of a section at most, of so many tokens
# together.
focus:
  passages: {focus_passages}
  tokens: {focus_tokens}

# Where documents are grounded; together they are all documents. Leave `documents` out of every
# section to have them spread anew. How many passages a section has of its own only tells.
{sections}

# How documents differ: how many get each value. Write counts, which add up to all documents, or
# shares (`25%`), which add up to 100 %; leave an axis out to have it spread by the generator's
# weights. `generated: 40` has a model list 40 values, each for its even share.
{variety}

# The generator's options.
{options}

# A file of evaluation scenarios that no document may resemble.
held_out: {held_out}
"""


def write_plan(
    plan: Plan,
    path: str | Path,
    constitution: Constitution | None = None,
    *,
    axes: tuple[Axis, ...] = (),
) -> None:
    """Write a plan to a file, for a person to read and change; see `plan_text`.

    Raises:
        PlanError: The file cannot be written.
    """
    text = plan_text(plan, constitution, axes=axes)
    try:
        put_in_place(Path(path), text.encode())
    except OSError as error:
        raise PlanError(f"{path}: cannot be written: {error.strerror or error}") from error


def plan_text(
    plan: Plan, constitution: Constitution | None = None, *, axes: tuple[Axis, ...] = ()
) -> str:
    """Return a plan as YAML.

    Args:
        plan: The plan.
        constitution: Where it is given, comments tell how passages are grouped, and which stay
            uncovered.
        axes: The generator's; where they are given, comments tell what each is.
    """
    meanings = {axis.name: axis.meaning for axis in axes}
    return _TEMPLATE.format_map(_values(plan, constitution, meanings))


def plan_record(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain values, as its file has them."""
    wanted: dict[str, Any] = (
        {"documents": plan.documents}
        if plan.tokens is None
        else {"tokens": plan.tokens, "documents": plan.documents}
    )
    return {
        "generator": plan.generator,
        "language": plan.language or None,
        "seed": plan.seed,
        "constitution": {
            "title": plan.constitution.title,
            "sha256": plan.constitution.sha256,
        },
        **wanted,
        "typical_tokens": plan.typical_tokens,
        "drafts": plan.drafts,
        "per_passage": plan.per_passage,
        "best_effort": plan.best_effort,
        "attempts": plan.attempts,
        "wave": plan.wave,
        "focus": {"passages": plan.focus.passages, "tokens": plan.focus.tokens},
        "sections": [
            {"section": each.name, "passages": each.passages, "documents": each.documents}
            for each in plan.sections
        ],
        "variety": {
            name: {"generated": axis.generated} if axis.generated else dict(axis.counts)
            for name, axis in plan.variety.items()
        },
        "options": dict(plan.options),
        "held_out": plan.held_out or None,
    }


def _values(
    plan: Plan, constitution: Constitution | None, meanings: Mapping[str, str]
) -> dict[str, str]:
    """Return what stands in the blanks of the template."""
    how_much = f"documents: {plan.documents}"
    if plan.tokens is not None:
        how_much = f"tokens: {amount_text(plan.tokens)}  # {plan.documents:,} documents"
    return {
        "generator": scalar(plan.generator),
        "language": scalar(plan.language),
        "title": scalar(plan.constitution.title),
        "sha256": scalar(plan.constitution.sha256),
        "how_much": how_much,
        "typical_tokens": str(plan.typical_tokens),
        "seed": str(plan.seed),
        "drafts": str(plan.drafts),
        "per_passage": str(plan.per_passage),
        "best_effort": scalar(plan.best_effort),
        "attempts": str(plan.attempts),
        "wave": str(plan.wave),
        "focus_passages": str(plan.focus.passages),
        "focus_tokens": str(plan.focus.tokens),
        "sections": "\n".join(_section_lines(plan, constitution)),
        "variety": "\n".join(_variety_lines(plan, meanings)),
        "options": "\n".join(_mapping_lines("options", plan.options)),
        "held_out": scalar(plan.held_out or None),
    }


def _section_lines(plan: Plan, constitution: Constitution | None) -> Iterator[str]:
    notes = _notes(plan, constitution)
    yield "sections:"
    for number, section in enumerate(plan.sections):
        comment = "  # the text before the first heading" if not section.path else ""
        yield f"  - section: {scalar(section.name)}{comment}"
        yield f"    passages: {section.passages}{notes[number]}"
        yield f"    documents: {section.documents}"


def _notes(plan: Plan, constitution: Constitution | None) -> list[str]:
    """Return a comment for each section: its groups, and the passages that stay uncovered."""
    if constitution is None:
        return [""] * len(plan.sections)
    groups = planned_groups(plan, constitution)
    notes = []
    for section in plan.sections:
        mine = [(group, count) for group, count in groups if group.path == section.path]
        short = [passage.id for passage in falling_short(plan, mine)]
        note = f"  # in {len(mine)} group{'' if len(mine) == 1 else 's'}"
        notes.append(f"{note}; uncovered: {', '.join(short)}" if short else note)
    return notes


def _variety_lines(plan: Plan, meanings: Mapping[str, str]) -> Iterator[str]:
    if not plan.variety:
        yield "variety: {}"
        return
    yield "variety:"
    for name, axis in plan.variety.items():
        if meaning := " ".join(meanings.get(name, "").split()):
            yield f"  # {meaning}"
        yield f"  {scalar(name)}:"
        if axis.generated:
            yield f"    generated: {axis.generated}"
        for value, count in axis.counts.items():
            yield f"    {scalar(value)}: {count}"


def _mapping_lines(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    if not values:
        yield f"{name}: {{}}"
        return
    yield f"{name}:"
    for key, value in values.items():
        yield f"  {scalar(key)}: {_flow(value)}"


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str) and value[:1] not in ("'", '"'):
        written = scalar(value)
        # Within brackets commas and brackets end a plain word.
        return written if not set(written) & set(",[]{}") or written[:1] in "'\"" else f'"{value}"'
    return scalar(value)
