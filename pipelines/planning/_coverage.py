"""Coverage as a quota: how often each passage of the chosen sections grounds a document."""

from collections.abc import Iterable, Iterator, Sequence

from whyset.constitution import Constitution, Passage

from ._chance import shuffled
from ._focus import FocusGroup, focus_groups, passages_by_section
from ._plan import Plan
from ._quotas import quotas


def contexts_needed(per_passage: int, drafts: int) -> int:
    """Return how many contexts a group must have for each passage to ground enough documents."""
    return -(-per_passage // drafts)


def spread_over_sections(
    groups: Sequence[Sequence[FocusGroup]], contexts: int, need: int
) -> list[int]:
    """Return how many contexts each section gets: what its groups need, the rest by size.

    Args:
        groups: Of each section.
        contexts: How many there are; where they are fewer than all groups need, each section gets
            its share of them.
        need: How many contexts each group needs.
    """
    needed = [need * len(each) for each in groups]
    if contexts < sum(needed):
        return quotas(contexts, needed)
    sizes = [sum(len(group.passages) for group in each) for each in groups]
    extra = quotas(contexts - sum(needed), sizes)
    return [least + more for least, more in zip(needed, extra, strict=True)]


def planned_groups(plan: Plan, constitution: Constitution) -> list[tuple[FocusGroup, int]]:
    """Return every focus group of a plan with how many contexts it gets, in document order.

    Raises:
        KeyError: A section is not in the constitution.
    """
    held = passages_by_section(constitution)
    need = contexts_needed(plan.per_passage, plan.drafts)
    planned: list[tuple[FocusGroup, int]] = []
    for section in plan.sections:
        groups = focus_groups(held[section.path], plan.focus)
        contexts = section.documents // plan.drafts
        counts = _spread_over_groups(groups, contexts, need, plan.seed)
        planned += zip(groups, counts, strict=True)
    return planned


def uncovered(plan: Plan, constitution: Constitution) -> tuple[Passage, ...]:
    """Return the passages that ground fewer documents than they should: of a best effort only."""
    return tuple(falling_short(plan, planned_groups(plan, constitution)))


def falling_short(plan: Plan, planned: Iterable[tuple[FocusGroup, int]]) -> Iterator[Passage]:
    """Yield the passages of groups whose contexts are too few for them; see `planned_groups`."""
    for group, contexts in planned:
        if contexts * plan.drafts < plan.per_passage:
            yield from group.passages


def _spread_over_groups(
    groups: Sequence[FocusGroup], contexts: int, need: int, seed: int
) -> list[int]:
    left = contexts - need * len(groups)
    if left >= 0:
        extra = quotas(left, [len(group.passages) for group in groups])
        return [need + more for more in extra]
    # Too few: evenly, and which of them get one more is drawn.
    counts = [contexts // len(groups)] * len(groups)
    lucky = shuffled(range(len(groups)), seed, "effort", *groups[0].path)
    for place in lucky[: contexts % len(groups)]:
        counts[place] += 1
    return counts
