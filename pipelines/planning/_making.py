"""Making a plan: sections and axes filled in from what the constitution and the generator have."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

from whyset.constitution import Constitution
from whyset.errors import PlanError
from whyset.generators import Axis, DocumentGenerator

from ._coverage import contexts_needed, spread_over_sections
from ._focus import FocusGroup, focus_groups, passages_by_section, section_named
from ._laws import nearest, problems
from ._plan import USUAL_FOCUS, Focus, Plan, PlannedAxis, PlannedConstitution, PlannedSection
from ._quotas import quotas

SMALLEST_WAVE, LARGEST_WAVE = 32, 256
_WAVES = 8


def make_plan(
    generator: DocumentGenerator,
    constitution: Constitution,
    *,
    documents: int | None = None,
    tokens: int | None = None,
    sections: Sequence[str] = (),
    per_passage: int = 1,
    drafts: int = 1,
    seed: int = 0,
    attempts: int = 3,
    wave: int | None = None,
    variety: Mapping[str, Mapping[str, int | float]] | None = None,
    focus: Focus = USUAL_FOCUS,
    best_effort: bool = False,
    held_out: str = "",
) -> Plan:
    """Make a plan.

    Args:
        generator: Who writes, with its options.
        constitution: What documents are grounded in.
        documents: How many; rounded up to a multiple of `drafts`.
        tokens: How many tokens instead: as many documents as that takes at the generator's
            typical length.
        sections: Names of sections, with their subsections; all where none is named.
        per_passage: How many documents at least each of their passages grounds.
        drafts: See `Plan`.
        seed: See `Plan`.
        attempts: See `Plan`.
        wave: See `Plan`; an eighth of the documents where none is given, within bounds.
        variety: Axis → value → weight, where they should not be the generator's.
        focus: See `Plan`.
        best_effort: See `Plan`; without it, too few documents are an error.
        held_out: See `Plan`.

    Raises:
        PlanError: There is no such section, or the plan could not be kept; the message says what
            would be enough.
    """
    if (documents is None) == (tokens is None):
        raise PlanError("a plan is for so many documents or so many tokens: name one of the two")
    if tokens is not None and tokens < 1:
        raise PlanError(f"a plan is for at least 1 token, not {tokens}")
    if drafts < 1:
        raise PlanError(f"drafts is at least 1, not {drafts}")
    typical = generator.typical_tokens
    wanted = documents if documents is not None else -(-(tokens or 0) // typical)
    total = -(-wanted // drafts) * drafts
    held = passages_by_section(constitution)
    paths = _chosen(constitution, sections, held)
    options = generator.options.record()
    language = str(options.pop("language", "") or "")
    plan = Plan(
        generator=generator.name,
        constitution=PlannedConstitution(constitution.title, constitution.digest),
        documents=total,
        sections=tuple(PlannedSection(path, len(held[path]), 0) for path in paths),
        variety={},
        options=options,
        typical_tokens=typical,
        tokens=tokens,
        language=language,
        seed=seed,
        drafts=drafts,
        per_passage=per_passage,
        best_effort=best_effort,
        attempts=attempts,
        wave=wave if wave is not None else usual_wave(total),
        focus=focus,
        held_out=held_out,
    )
    groups = [focus_groups(held[path], focus) for path in paths]
    if not best_effort:
        _require_enough(plan, groups)
    plan = replace(plan, sections=with_documents(plan, constitution))
    asked = variety or {}
    axes = {axis.name: axis for axis in generator.axes}
    for name in asked:
        if name not in axes:
            raise PlanError(f"no axis {name!r}{nearest(name, list(axes))}")
    planned = {
        name: planned_axis(axis, asked.get(name), total, drafts) for name, axis in axes.items()
    }
    plan = replace(plan, variety=planned)
    if wrong := [problem.told for problem in problems(plan, generator, constitution)]:
        raise PlanError("; ".join(wrong))
    return plan


def followed_by(plan: Plan, generator: DocumentGenerator) -> Plan:
    """Return a plan as a variant of its generator can follow it: with the variety that it has.

    Args:
        plan: The plan.
        generator: The variant, such as the one that works without a language model.
    """
    variety = {
        axis.name: planned_axis(axis, None, plan.documents, plan.drafts) for axis in generator.axes
    }
    return replace(plan, variety=variety)


def with_documents(plan: Plan, constitution: Constitution) -> tuple[PlannedSection, ...]:
    """Return the plan's sections with its documents spread over them."""
    held = passages_by_section(constitution)
    groups = [focus_groups(held[section.path], plan.focus) for section in plan.sections]
    need = contexts_needed(plan.per_passage, plan.drafts)
    contexts = spread_over_sections(groups, plan.contexts, need)
    return tuple(
        replace(section, documents=count * plan.drafts)
        for section, count in zip(plan.sections, contexts, strict=True)
    )


def planned_axis(
    axis: Axis, weights: Mapping[str, int | float | Fraction] | None, documents: int, drafts: int
) -> PlannedAxis:
    """Return what is planned for an axis, by the weights given or its own."""
    if weights is None and axis.generated:
        return PlannedAxis(generated=axis.generated)
    chosen = axis.values if weights is None else weights
    counts = quotas(documents // drafts, list(chosen.values()))
    return PlannedAxis({value: count * drafts for value, count in zip(chosen, counts, strict=True)})


def usual_wave(documents: int) -> int:
    """Return how many documents a wave has where nobody says."""
    return min(max(documents // _WAVES, SMALLEST_WAVE), LARGEST_WAVE)


def _chosen(
    constitution: Constitution,
    names: Sequence[str],
    held: Mapping[tuple[str, ...], object],
) -> list[tuple[str, ...]]:
    if not names:
        return list(held)
    sections = [section_named(constitution, name) for name in names]
    wanted = {passage.path for section in sections for passage in section.passages}
    if not wanted:
        raise PlanError(f"no passage stands in {', '.join(map(repr, names))}")
    return [path for path in held if path in wanted]


def _require_enough(plan: Plan, groups: Sequence[Sequence[FocusGroup]]) -> None:
    count = sum(map(len, groups))
    least = contexts_needed(plan.per_passage, plan.drafts) * count * plan.drafts
    if plan.documents >= least:
        return
    passages = sum(section.passages for section in plan.sections)
    where = f"{len(plan.sections)} section{'s' if len(plan.sections) > 1 else ''}"
    raise PlanError(
        f"{plan.documents:,} documents cannot ground each of {passages:,} passages (in {count:,} "
        f"groups, {where}) {plan.per_passage} time{'s' if plan.per_passage > 1 else ''}: take at "
        f"least {least:,} documents, fewer sections, or a best effort, which leaves passages "
        "uncovered and says which"
    )
