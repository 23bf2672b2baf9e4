"""Plans: sections and axes filled in from what there is, checked, and laid out as contexts."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from pydantic import ValidationError

from whyset.constitution import Constitution
from whyset.errors import PlanError
from whyset.generators import Axis, DocumentGenerator, format_index

from ._coverage import (
    FocusGroup,
    allocate_groups,
    apportion,
    apportion_to_sections,
    count_contexts_needed,
    find_section,
    group_by_section,
    group_passages,
    hash_seed,
    shuffle_items,
)
from ._plan import (
    DEFAULT_FOCUS,
    SEPARATOR,
    FieldPath,
    Focus,
    Plan,
    PlannedAxis,
    PlannedConstitution,
    PlannedSection,
    PlanProblem,
    list_problems,
    suggest_names,
)

MIN_WAVE, MAX_WAVE = 32, 256
_USUAL_WAVES = 8


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
    focus: Focus = DEFAULT_FOCUS,
    best_effort: bool = False,
    held_out: str = "",
) -> Plan:
    """Make a plan.

    Args:
        generator: What writes, with its options.
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
    count = documents if documents is not None else -(-(tokens or 0) // typical)
    total = -(-count // drafts) * drafts
    own = group_by_section(constitution)
    paths = _select_sections(constitution, sections)
    options = generator.options.record()
    language = str(options.pop("language", "") or "")
    try:
        plan = Plan(
            generator=generator.name,
            constitution=PlannedConstitution(title=constitution.title, sha256=constitution.digest),
            documents=total,
            sections=tuple(PlannedSection(path=path, passages=len(own[path])) for path in paths),
            options=options,
            typical_tokens=typical,
            tokens=tokens,
            language=language,
            seed=seed,
            drafts=drafts,
            per_passage=per_passage,
            best_effort=best_effort,
            attempts=attempts,
            wave=wave if wave is not None else default_wave(total),
            focus=focus,
            held_out=held_out,
        )
    except ValidationError as error:
        raise PlanError("; ".join(each.message for each in list_problems(error))) from error
    if not best_effort:
        _require_coverage(plan, [group_passages(own[path], focus) for path in paths])
    weights, axes = variety or {}, {axis.name: axis for axis in generator.axes}
    for name in weights:
        if name not in axes:
            raise PlanError(f"no axis {name!r}{suggest_names(name, list(axes))}")
    plan = plan.model_copy(
        update={
            "sections": allocate_documents(plan, constitution),
            "variety": {
                name: plan_axis(axis, weights.get(name), total, drafts)
                for name, axis in axes.items()
            },
        }
    )
    if wrong := [problem.message for problem in validate_plan(plan, generator, constitution)]:
        raise PlanError("; ".join(wrong))
    return plan


def adapt_plan(plan: Plan, generator: DocumentGenerator) -> Plan:
    """Return a plan with the variety of a variant, such as one without a language model."""
    variety = {
        axis.name: plan_axis(axis, None, plan.documents, plan.drafts) for axis in generator.axes
    }
    return plan.model_copy(update={"variety": variety})


def allocate_documents(plan: Plan, constitution: Constitution) -> tuple[PlannedSection, ...]:
    """Return the plan's sections with its documents spread over them."""
    own = group_by_section(constitution)
    groups = [group_passages(own[section.path], plan.focus) for section in plan.sections]
    need = count_contexts_needed(plan.per_passage, plan.drafts)
    contexts = apportion_to_sections(groups, plan.contexts, need)
    return tuple(
        section.model_copy(update={"documents": count * plan.drafts})
        for section, count in zip(plan.sections, contexts, strict=True)
    )


def plan_axis(
    axis: Axis, weights: Mapping[str, int | float | Fraction] | None, documents: int, drafts: int
) -> PlannedAxis:
    """Return what is planned for an axis, by the weights given or its own."""
    if weights is None and axis.generated_count:
        return PlannedAxis(generated=axis.generated_count)
    chosen = axis.values if weights is None else weights
    counts = apportion(documents // drafts, list(chosen.values()))
    return PlannedAxis(
        counts={value: count * drafts for value, count in zip(chosen, counts, strict=True)}
    )


def default_wave(documents: int) -> int:
    """Return how many documents a wave has by default."""
    return min(max(documents // _USUAL_WAVES, MIN_WAVE), MAX_WAVE)


def _select_sections(constitution: Constitution, names: Sequence[str]) -> list[tuple[str, ...]]:
    paths = list(group_by_section(constitution))
    if not names:
        return paths
    sections = [find_section(constitution, name) for name in names]
    wanted = {passage.path for section in sections for passage in section.passages}
    if not wanted:
        raise PlanError(f"there are no passages in {', '.join(map(repr, names))}")
    return [path for path in paths if path in wanted]


def _require_coverage(plan: Plan, groups: Sequence[Sequence[FocusGroup]]) -> None:
    count = sum(map(len, groups))
    least = count_contexts_needed(plan.per_passage, plan.drafts) * count * plan.drafts
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


# ---- A plan → its contexts, in the order in which documents are written.


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


def build_contexts(plan: Plan, constitution: Constitution) -> tuple[Context, ...]:
    """Return the contexts of a plan.

    Every group comes once before any comes twice, in an order that is drawn, so that a run that
    its budget ends has covered as much as it could. Each axis is a deck of its own: it holds each
    value as often as the plan says and is shuffled for itself, whatever the others hold.
    """
    groups = list(_iter_rounds(allocate_groups(plan, constitution), plan.seed))
    decks = {name: _build_deck(plan, name, axis) for name, axis in plan.variety.items()}
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


def derive_attempt_seed(plan: Plan, slot: int, attempt: int) -> int:
    """Return what a generator draws names and the like with at one attempt at a document."""
    return hash_seed(plan.seed, "slot", slot, attempt)


def _iter_rounds(planned: list[tuple[FocusGroup, int]], seed: int) -> Iterator[FocusGroup]:
    for number in range(max((count for _, count in planned), default=0)):
        left = [group for group, count in planned if count > number]
        yield from shuffle_items(left, seed, "round", number)


def _build_deck(plan: Plan, name: str, axis: PlannedAxis) -> list[str]:
    if axis.generated:
        # Which gets one more is drawn: a model lists what is most usual first.
        places = shuffle_items(range(axis.generated), plan.seed, "places", name)
        even = apportion(plan.contexts, [1] * axis.generated)
        counts = {format_index(place): count for place, count in zip(places, even, strict=True)}
    else:
        counts = {value: count // plan.drafts for value, count in axis.counts.items()}
    cards = [value for value, count in counts.items() for _ in range(count)]
    return shuffle_items(cards, plan.seed, "axis", name)


# ---- What must hold of a plan: beside itself, with its generator and with its constitution.


def validate_plan(
    plan: Plan, generator: DocumentGenerator, constitution: Constitution
) -> Iterator[PlanProblem]:
    """Yield everything that is wrong with a plan."""
    if plan.generator != generator.name:
        yield PlanProblem(
            ("generator",), f"the plan is for {plan.generator!r}, not for {generator.name!r}"
        )
        return
    for name, value in generator.options.record().items():
        if name in plan.generator_options and plan.generator_options[name] != value:
            yield PlanProblem(
                ("options", name),
                f"the plan has {name}: {plan.generator_options[name]!r}, but the generator was "
                f"opened with {value!r}; change one of them",
            )
    if plan.documents % plan.drafts:
        yield _multiple_problem(("documents",), "documents", plan.documents, plan.drafts)
    if plan.constitution.sha256 != constitution.digest:
        yield PlanProblem(
            ("constitution", "sha256"),
            f"the plan is for another version of the text than {constitution.title!r} as it stands "
            f"now ({constitution.digest}): make it anew, or name the constitution it was made for",
        )
    else:
        yield from _validate_sections(plan, constitution)
    yield from _validate_variety(plan, generator.axes)


def _validate_sections(plan: Plan, constitution: Constitution) -> Iterator[PlanProblem]:
    known = group_by_section(constitution)
    need = count_contexts_needed(plan.per_passage, plan.drafts) * plan.drafts
    seen: set[tuple[str, ...]] = set()
    for number, section in enumerate(plan.sections):
        place: FieldPath = ("sections", number)
        if section.path not in known:
            names = [SEPARATOR.join(path) for path in known]
            yield PlanProblem(
                (*place, "section"),
                f"no section {section.name!r} has passages of its own"
                f"{suggest_names(section.name, names)}",
            )
            continue
        if section.path in seen:
            yield PlanProblem((*place, "section"), f"{section.name!r} is planned twice; keep one")
        seen.add(section.path)
        passages = known[section.path]
        if section.passages != len(passages):
            yield PlanProblem(
                (*place, "passages"),
                f"{section.name!r} has {_pluralize(len(passages), 'passage')} of its own, not "
                f"{section.passages}; the number is only informative, so write {len(passages)}",
            )
        if section.documents % plan.drafts:
            yield _multiple_problem(
                (*place, "documents"), "documents", section.documents, plan.drafts
            )
        groups = len(group_passages(passages, plan.focus))
        if section.documents < groups * need and not plan.best_effort:
            yield PlanProblem((*place, "documents"), _too_few_message(section, groups, need, plan))
    if not plan.sections:
        yield PlanProblem(("sections",), "no section is planned; name one at least")
    total = sum(section.documents for section in plan.sections)
    if total != plan.documents and plan.sections:
        yield PlanProblem(
            ("sections",),
            f"the documents of all sections add up to {total:,}, but the plan is for "
            f"{plan.documents:,}: change them, or leave `documents` out of every section to have "
            "them spread anew",
        )


def _too_few_message(section: PlannedSection, groups: int, need: int, plan: Plan) -> str:
    return (
        f"{_pluralize(section.documents, 'document')} cannot ground each passage of "
        f"{section.name!r} ({section.passages}, in {_pluralize(groups, 'group')}) "
        f"{_pluralize(plan.per_passage, 'time')}: that takes {groups * need:,}; write more, lower "
        "per_passage, or set best_effort: true"
    )


def _pluralize(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def _validate_variety(plan: Plan, axes: Sequence[Axis]) -> Iterator[PlanProblem]:
    known = {axis.name: axis for axis in axes}
    for name, planned in plan.variety.items():
        if name not in known:
            yield PlanProblem(
                ("variety", name), f"no axis {name!r}{suggest_names(name, list(known))}"
            )
            continue
        yield from _validate_axis(plan, known[name], planned)
    for name in known.keys() - plan.variety.keys():
        yield PlanProblem(("variety",), f"the plan has no values for the axis {name!r}")


def _validate_axis(plan: Plan, axis: Axis, planned: PlannedAxis) -> Iterator[PlanProblem]:
    place: FieldPath = ("variety", axis.name)
    if planned.generated:
        if not axis.generated_count:
            yield PlanProblem(
                (*place, "generated"), f"the values of {axis.name!r} are listed, not generated"
            )
        return
    for value, count in planned.counts.items():
        if axis.values and value not in axis.values:
            yield PlanProblem(
                (*place, value),
                f"no value {value!r} on the axis {axis.name!r}"
                f"{suggest_names(value, list(axis.values))}",
            )
        if count < 0:
            yield PlanProblem((*place, value), f"a count is 0 or more, not {count}")
        if count % plan.drafts:
            yield _multiple_problem((*place, value), "the count", count, plan.drafts)
    total = sum(planned.counts.values())
    if total != plan.documents:
        yield PlanProblem(
            place,
            f"the counts of {axis.name!r} add up to {total:,}, but the plan is for "
            f"{plan.documents:,} documents: change them, write shares (`25%`), or leave the axis "
            "out to have it spread by the generator's weights",
        )


def _multiple_problem(place: FieldPath, what: str, count: int, drafts: int) -> PlanProblem:
    return PlanProblem(
        place,
        f"{what} must be a multiple of drafts: with {drafts} drafts from each context, write "
        f"{count // drafts * drafts} or {-(-count // drafts) * drafts}, not {count}",
    )
