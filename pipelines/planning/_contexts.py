"""A plan → its contexts, in the order in which documents are written."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from whyset.constitution import Constitution
from whyset.generators import numbered

from ._chance import derived_seed, shuffled
from ._coverage import planned_groups
from ._focus import FocusGroup
from ._plan import Plan, PlannedAxis
from ._quotas import quotas


@dataclass(frozen=True, slots=True)
class Context:
    """What one document, or each of several drafts, is written from.

    Attributes:
        number: From 1.
        path: The section it is grounded in.
        passages: The ids of the passages it is about.
        variety: Axis → what was drawn.
        slots: The numbers of its documents, from 1 through the whole plan.
    """

    number: int
    path: tuple[str, ...]
    passages: tuple[str, ...]
    variety: Mapping[str, str]
    slots: tuple[int, ...]


def planned_contexts(plan: Plan, constitution: Constitution) -> tuple[Context, ...]:
    """Return the contexts of a plan.

    Every group comes once before any comes twice, in an order that is drawn, so that a run that
    its budget ends has covered as much as it could. Each axis is a deck of its own: it holds each
    value as often as the plan says and is shuffled for itself, whatever the others hold.
    """
    groups = list(_rounds(planned_groups(plan, constitution), plan.seed))
    decks = {name: _deck(plan, name, axis) for name, axis in plan.variety.items()}
    return tuple(
        Context(
            number,
            group.path,
            group.ids,
            {name: deck[number - 1] for name, deck in decks.items()},
            tuple(range((number - 1) * plan.drafts + 1, number * plan.drafts + 1)),
        )
        for number, group in enumerate(groups, start=1)
    )


def attempt_seed(plan: Plan, slot: int, attempt: int) -> int:
    """Return what a generator draws names and the like with at one attempt at a document."""
    return derived_seed(plan.seed, "slot", slot, attempt)


def _rounds(planned: list[tuple[FocusGroup, int]], seed: int) -> Iterator[FocusGroup]:
    for number in range(max((count for _, count in planned), default=0)):
        left = [group for group, count in planned if count > number]
        yield from shuffled(left, seed, "round", number)


def _deck(plan: Plan, name: str, axis: PlannedAxis) -> list[str]:
    if axis.generated:
        # Who gets one more is drawn: a model lists what is most usual first.
        places = shuffled(range(axis.generated), plan.seed, "places", name)
        even = quotas(plan.contexts, [1] * axis.generated)
        counts = {numbered(place): count for place, count in zip(places, even, strict=True)}
    else:
        counts = {value: count // plan.drafts for value, count in axis.counts.items()}
    cards = [value for value, count in counts.items() for _ in range(count)]
    return shuffled(cards, plan.seed, "axis", name)
