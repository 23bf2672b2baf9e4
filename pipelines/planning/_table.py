"""A plan's coverage and variety as tables for a person."""

from collections.abc import Sequence

from whyset.constitution import Constitution

from ._coverage import planned_groups, uncovered
from ._plan import Plan, PlannedAxis

_LONGEST_NAME = 60
_VALUES_SHOWN = 6
_BEFORE_HEADINGS = "(before the first heading)"


def coverage_text(plan: Plan, constitution: Constitution) -> str:
    """Return what a plan covers, section by section, and what it draws, axis by axis."""
    groups = planned_groups(plan, constitution)
    rows: list[tuple[str, int, int, int]] = []
    for section in plan.sections:
        count = sum(group.path == section.path for group, _ in groups)
        name = _shortened(section.name or _BEFORE_HEADINGS)
        rows.append((name, section.passages, count, section.documents))
    counted = [sum(numbers) for numbers in zip(*(row[1:] for row in rows), strict=True)]
    head = ("section", "passages", "groups", "documents")
    lines = _table(head, [*rows, ("together", *counted)])
    lines += ["", *(_axis_line(name, axis) for name, axis in plan.variety.items())]
    lines += ["", *_promise(plan, constitution)]
    return "\n".join(lines)


def _promise(plan: Plan, constitution: Constitution) -> list[str]:
    if not plan.per_passage:
        return ["Documents are spread over the sections; no passage has to ground one."]
    left = uncovered(plan, constitution)
    times = f"{plan.per_passage} document{'' if plan.per_passage == 1 else 's'}"
    if not left:
        return [f"Every passage grounds at least {times}."]
    count = sum(section.passages for section in plan.sections)
    return [
        f"{len(left):,} of {count:,} passages ground fewer than {times}:",
        *(f"  {passage.id}" for passage in left),
    ]


def _axis_line(name: str, axis: PlannedAxis) -> str:
    if axis.generated:
        return f"{name}: {axis.generated:,} values that a model lists, evenly"
    shown = [f"{value} {count:,}" for value, count in axis.counts.items()][:_VALUES_SHOWN]
    more = len(axis.counts) - len(shown)
    return f"{name}: {', '.join(shown)}{f', and {more:,} more' if more else ''}"


def _table(head: Sequence[str], rows: Sequence[Sequence[str | int]]) -> list[str]:
    cells = [[f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [head, *cells]) for column in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *cells]
    ]


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"…{name[-_LONGEST_NAME + 1 :]}"
