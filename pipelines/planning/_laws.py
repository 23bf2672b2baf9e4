"""What must hold of a plan: beside itself, with its generator and with its constitution."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from whyset.constitution import Constitution
from whyset.generators import Axis, DocumentGenerator

from ._coverage import contexts_needed
from ._focus import focus_groups, passages_by_section
from ._plan import Plan, PlannedAxis, PlannedSection

Place = tuple[str | int, ...]
"""Where in a plan file something stands: keys and list places from the top."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a plan.

    Attributes:
        place: Where, as far as it can be said.
        told: What it is and what to do.
    """

    place: Place
    told: str


def problems(
    plan: Plan, generator: DocumentGenerator, constitution: Constitution
) -> Iterator[Problem]:
    """Yield everything that is wrong with a plan."""
    if plan.generator != generator.name:
        yield Problem(
            ("generator",), f"the plan is for {plan.generator!r}, not for {generator.name!r}"
        )
        return
    for name, value in generator.options.record().items():
        if name in plan.generator_options and plan.generator_options[name] != value:
            yield Problem(
                ("options", name),
                f"the plan has {name}: {plan.generator_options[name]!r}, but the generator was "
                f"opened with {value!r}; change one of them",
            )
    if plan.per_passage < 0:
        yield Problem(("per_passage",), f"per_passage is at least 0, not {plan.per_passage}")
        return
    for name in ("documents", "drafts", "attempts", "wave", "typical_tokens"):
        if getattr(plan, name) < 1:
            yield Problem((name,), f"{name} is at least 1, not {getattr(plan, name)}")
            return
    if plan.documents % plan.drafts:
        yield _multiple(("documents",), "documents", plan.documents, plan.drafts)
    if plan.constitution.sha256 != constitution.digest:
        yield Problem(
            ("constitution", "sha256"),
            f"the plan was made for another text than {constitution.title!r} as it stands now "
            f"({constitution.digest}): make it anew, or name the constitution it was made for",
        )
    else:
        yield from _section_problems(plan, constitution)
    yield from _variety_problems(plan, generator.axes)


def nearest(name: str, known: Sequence[str]) -> str:
    """Return a hint at what may have been meant, or at all there is where that is little."""
    if near := difflib.get_close_matches(name, known, n=3, cutoff=0.5):
        return f"; nearest: {', '.join(map(repr, near))}"
    few = ", ".join(map(repr, known[:12]))
    return f"; there {'is' if len(known) == 1 else 'are'} {few}{', …' if known[12:] else ''}"


def _section_problems(plan: Plan, constitution: Constitution) -> Iterator[Problem]:
    held = passages_by_section(constitution)
    need = contexts_needed(plan.per_passage, plan.drafts) * plan.drafts
    seen: set[tuple[str, ...]] = set()
    for number, section in enumerate(plan.sections):
        place: Place = ("sections", number)
        if section.path not in held:
            names = [" > ".join(path) for path in held]
            yield Problem(
                (*place, "section"),
                f"no section {section.name!r} has passages of its own"
                f"{nearest(section.name, names)}",
            )
            continue
        if section.path in seen:
            yield Problem((*place, "section"), f"{section.name!r} is planned twice; keep one")
        seen.add(section.path)
        passages = held[section.path]
        if section.passages != len(passages):
            yield Problem(
                (*place, "passages"),
                f"{section.name!r} has {_counted(len(passages), 'passage')} of its own, not "
                f"{section.passages}; the number only tells, so write {len(passages)}",
            )
        if section.documents % plan.drafts:
            yield _multiple((*place, "documents"), "documents", section.documents, plan.drafts)
        groups = len(focus_groups(passages, plan.focus))
        if section.documents < groups * need and not plan.best_effort:
            yield Problem((*place, "documents"), _too_few(section, groups, need, plan))
    if not plan.sections:
        yield Problem(("sections",), "no section is planned; name one at least")
    total = sum(section.documents for section in plan.sections)
    if total != plan.documents and plan.sections:
        yield Problem(
            ("sections",),
            f"the documents of all sections add up to {total:,}, but the plan is for "
            f"{plan.documents:,}: change them, or leave `documents` out of every section to have "
            "them spread anew",
        )


def _too_few(section: PlannedSection, groups: int, need: int, plan: Plan) -> str:
    return (
        f"{_counted(section.documents, 'document')} cannot ground each passage of "
        f"{section.name!r} ({section.passages}, in {_counted(groups, 'group')}) "
        f"{_counted(plan.per_passage, 'time')}: that takes {groups * need:,}; write more, lower "
        "per_passage, or set best_effort: true"
    )


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _variety_problems(plan: Plan, axes: Sequence[Axis]) -> Iterator[Problem]:
    known = {axis.name: axis for axis in axes}
    for name, planned in plan.variety.items():
        if name not in known:
            yield Problem(("variety", name), f"no axis {name!r}{nearest(name, list(known))}")
            continue
        yield from _axis_problems(plan, known[name], planned)
    for name in known.keys() - plan.variety.keys():
        yield Problem(("variety",), f"nothing is planned for the axis {name!r}")


def _axis_problems(plan: Plan, axis: Axis, planned: PlannedAxis) -> Iterator[Problem]:
    place: Place = ("variety", axis.name)
    if planned.generated:
        if not axis.generated:
            yield Problem(
                (*place, "generated"), f"the values of {axis.name!r} are listed, not generated"
            )
        return
    for value, count in planned.counts.items():
        if axis.values and value not in axis.values:
            yield Problem(
                (*place, value),
                f"no value {value!r} on the axis {axis.name!r}{nearest(value, list(axis.values))}",
            )
        if count < 0:
            yield Problem((*place, value), f"a count is 0 or more, not {count}")
        if count % plan.drafts:
            yield _multiple((*place, value), "the count", count, plan.drafts)
    total = sum(planned.counts.values())
    if total != plan.documents:
        yield Problem(
            place,
            f"the counts of {axis.name!r} add up to {total:,}, but the plan is for "
            f"{plan.documents:,} documents: change them, write shares (`25%`), or leave the axis "
            "out to have it spread by the generator's weights",
        )


def _multiple(place: Place, what: str, count: int, drafts: int) -> Problem:
    return Problem(
        place,
        f"{what} must be a multiple of drafts: with {drafts} drafts from each context, write "
        f"{count // drafts * drafts} or {-(-count // drafts) * drafts}, not {count}",
    )
