"""Coverage: passages in groups, documents apportioned to them, and both as a table."""

import difflib
import hashlib
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from whyset.constitution import Constitution, ConstitutionLookupError, Passage, Section
from whyset.errors import PlanError

from ._plan import SEPARATOR, Focus, Plan, PlannedAxis

# ---- Whole numbers in given proportions, by largest remainders.


def apportion(total: int, weights: Sequence[float | Fraction]) -> list[int]:
    """Divide a number of things in proportion to weights.

    Each share is its exact one rounded up or down; those with the largest remainders are rounded
    up, of equal ones the first. Where all weights are 0, all are alike.
    """
    exact = [Fraction(weight) for weight in weights]
    whole = sum(exact)
    if not whole:
        exact, whole = [Fraction(1)] * len(exact), Fraction(len(exact))
    shares = [total * weight / whole for weight in exact]
    counts = [share.numerator // share.denominator for share in shares]
    left = total - sum(counts)
    by_remainder = sorted(
        range(len(shares)), key=lambda place: (counts[place] - shares[place], place)
    )
    for place in by_remainder[:left]:
        counts[place] += 1
    return counts


# ---- Random draws that are the same in every process and every version of Python.

T = TypeVar("T")

_SEED_BITS = 48


def hash_seed(*parts: str | int) -> int:
    """Return a seed for one purpose, from the plan's seed and what the purpose is called."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest) >> (256 - _SEED_BITS)


def shuffle_items(items: Iterable[T], *parts: str | int) -> list[T]:
    """Return the items in an order drawn for one purpose; see `hash_seed`.

    Fisher and Yates on `random()`, the one method whose sequence Python promises to keep.
    """
    generator = random.Random(hash_seed(*parts))
    shuffled = list(items)
    for last in range(len(shuffled) - 1, 0, -1):
        other = int(generator.random() * (last + 1))
        shuffled[last], shuffled[other] = shuffled[other], shuffled[last]
    return shuffled


# ---- Focus groups: a few neighbours of one section that a document is about.


@dataclass(frozen=True, slots=True)
class FocusGroup:
    """Neighbouring passages of one section.

    Attributes:
        path: The section's.
        passages: At least one, in the order of the document.
    """

    path: tuple[str, ...]
    passages: tuple[Passage, ...]

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of its passages."""
        return tuple(passage.id for passage in self.passages)


def group_by_section(
    constitution: Constitution,
) -> dict[tuple[str, ...], tuple[Passage, ...]]:
    """Return each section's own passages, by its path, in the order of the document."""
    own: dict[tuple[str, ...], list[Passage]] = {}
    for passage in constitution.passages:
        own.setdefault(passage.path, []).append(passage)
    return {path: tuple(passages) for path, passages in own.items()}


def find_section(constitution: Constitution, name: str) -> Section:
    """Return the section of a name, whose leading headings may be left out.

    Raises:
        PlanError: There is none, or the name fits several; the message says which there are.
    """
    try:
        return constitution.section(name)
    except ConstitutionLookupError as error:
        if not str(error).startswith("no section"):
            raise PlanError(str(error)) from error
        titles = list(dict.fromkeys(section.title for section in constitution.sections))
        near = difflib.get_close_matches(name.split(SEPARATOR)[-1], titles, n=3, cutoff=0.5)
        hint = f"; nearest: {', '.join(map(repr, near))}" if near else ""
        raise PlanError(f"no section {name!r}{hint}") from error


def list_planned_passages(plan: Plan, constitution: Constitution) -> list[str]:
    """Return the ids of all passages of a plan's sections, in the order of the plan."""
    own = group_by_section(constitution)
    return [passage.id for section in plan.sections for passage in own[section.path]]


def group_passages(passages: Sequence[Passage], focus: Focus) -> list[FocusGroup]:
    """Group the passages of one section; each is in exactly one group.

    A case, an example or a list begins in the group of what introduces it, even where that
    exceeds the tokens of a group.
    """
    groups: list[list[Passage]] = []
    for piece in _split_passages(passages):
        together = [*groups[-1], *piece] if groups else []
        fits = sum(passage.tokens for passage in together) <= focus.tokens
        if together and fits and len(together) <= focus.passages:
            groups[-1] = together
        else:
            groups.append([])
            for passage in piece:
                if len(groups[-1]) == focus.passages:
                    groups.append([])
                groups[-1].append(passage)
    return [FocusGroup(group[0].path, tuple(group)) for group in groups]


def _split_passages(passages: Iterable[Passage]) -> list[list[Passage]]:
    """Put what is introduced by a passage behind it; whatever follows stands alone."""
    pieces: list[list[Passage]] = []
    for passage in passages:
        introduced = passage.context is not None
        if introduced and pieces and pieces[-1][-1].context is None:
            pieces[-1].append(passage)
        else:
            pieces.append([passage])
    return pieces


# ---- Coverage as a quota: how often each passage grounds a document.


def count_contexts_needed(per_passage: int, drafts: int) -> int:
    """Return how many contexts a group must have for each passage to ground enough documents."""
    return -(-per_passage // drafts)


def apportion_to_sections(
    groups: Sequence[Sequence[FocusGroup]], contexts: int, need: int
) -> list[int]:
    """Return how many contexts each section gets: what its groups need, the rest by size.

    Where there are fewer than all groups need, each section gets its share of them.
    """
    needed = [need * len(each) for each in groups]
    if contexts < sum(needed):
        return apportion(contexts, needed)
    sizes = [sum(len(group.passages) for group in each) for each in groups]
    extra = apportion(contexts - sum(needed), sizes)
    return [least + more for least, more in zip(needed, extra, strict=True)]


def allocate_groups(plan: Plan, constitution: Constitution) -> list[tuple[FocusGroup, int]]:
    """Return every focus group of a plan with how many contexts it gets, in document order."""
    own = group_by_section(constitution)
    need = count_contexts_needed(plan.per_passage, plan.drafts)
    planned: list[tuple[FocusGroup, int]] = []
    for section in plan.sections:
        groups = group_passages(own[section.path], plan.focus)
        contexts = section.documents // plan.drafts
        counts = _apportion_to_groups(groups, contexts, need, plan.seed)
        planned += zip(groups, counts, strict=True)
    return planned


def find_uncovered_passages(plan: Plan, constitution: Constitution) -> tuple[Passage, ...]:
    """Return the passages that ground fewer documents than they should: of a best effort only."""
    return tuple(iter_undercovered_passages(plan, allocate_groups(plan, constitution)))


def iter_undercovered_passages(
    plan: Plan, planned: Iterable[tuple[FocusGroup, int]]
) -> Iterator[Passage]:
    """Yield the passages of groups whose contexts are too few for them; see `allocate_groups`."""
    for group, contexts in planned:
        if contexts * plan.drafts < plan.per_passage:
            yield from group.passages


def _apportion_to_groups(
    groups: Sequence[FocusGroup], contexts: int, need: int, seed: int
) -> list[int]:
    left = contexts - need * len(groups)
    if left >= 0:
        extra = apportion(left, [len(group.passages) for group in groups])
        return [need + more for more in extra]
    # Too few: evenly, and which of them get one more is drawn.
    counts = [contexts // len(groups)] * len(groups)
    drawn = shuffle_items(range(len(groups)), seed, "effort", *groups[0].path)
    for place in drawn[: contexts % len(groups)]:
        counts[place] += 1
    return counts


# ---- A plan's coverage and variety as a table.

_MAX_NAME = 60
_VALUES_SHOWN = 6
_BEFORE_HEADINGS = "(before the first heading)"


def render_coverage(plan: Plan, constitution: Constitution) -> str:
    """Return what a plan covers, section by section, and what it draws, axis by axis."""
    groups = allocate_groups(plan, constitution)
    rows: list[tuple[str, int, int, int]] = []
    for section in plan.sections:
        count = sum(group.path == section.path for group, _ in groups)
        name = _shorten(section.name or _BEFORE_HEADINGS)
        rows.append((name, section.passages, count, section.documents))
    totals = [sum(numbers) for numbers in zip(*(row[1:] for row in rows), strict=True)]
    head = ("section", "passages", "groups", "documents")
    lines = _format_table(head, [*rows, ("together", *totals)])
    lines += ["", *(_render_axis(name, axis) for name, axis in plan.variety.items())]
    lines += ["", *_coverage_lines(plan, constitution)]
    return "\n".join(lines)


def _coverage_lines(plan: Plan, constitution: Constitution) -> list[str]:
    if not plan.per_passage:
        return ["Documents are spread over the sections; no passage has to ground one."]
    left = find_uncovered_passages(plan, constitution)
    times = f"{plan.per_passage} document{'' if plan.per_passage == 1 else 's'}"
    if not left:
        return [f"Every passage grounds at least {times}."]
    count = sum(section.passages for section in plan.sections)
    return [
        f"{len(left):,} of {count:,} passages ground fewer than {times}:",
        *(f"  {passage.id}" for passage in left),
    ]


def _render_axis(name: str, axis: PlannedAxis) -> str:
    if axis.generated:
        return f"{name}: {axis.generated:,} values that a model lists, evenly"
    shown = [f"{value} {count:,}" for value, count in axis.counts.items()][:_VALUES_SHOWN]
    more = len(axis.counts) - len(shown)
    return f"{name}: {', '.join(shown)}{f', and {more:,} more' if more else ''}"


def _format_table(head: Sequence[str], rows: Sequence[Sequence[str | int]]) -> list[str]:
    cells = [[f"{cell:,}" if isinstance(cell, int) else cell for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in [head, *cells]) for column in range(len(head))]
    return [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *cells]
    ]


def _shorten(name: str) -> str:
    return name if len(name) <= _MAX_NAME else f"…{name[-_MAX_NAME + 1 :]}"
