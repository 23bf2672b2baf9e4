"""A plan's file → a plan: whatever a hand has changed in it is checked, and told with its line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whyset.constitution import Constitution
from whyset.errors import PlanError
from whyset.generators import Axis, DocumentGenerator, GeneratorError, open_generator

from ._amounts import amount
from ._focus import passages_by_section, section_named
from ._laws import Place, Problem, nearest, problems
from ._making import planned_axis, usual_wave, with_documents
from ._plan import (
    SEPARATOR,
    USUAL_FOCUS,
    Focus,
    Plan,
    PlannedAxis,
    PlannedConstitution,
    PlannedSection,
)
from ._yaml import Sourced, parse


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


class _Constitution(_Part):
    title: str = ""
    sha256: str


class _Focus(_Part):
    passages: int = Field(default=USUAL_FOCUS.passages, ge=1)
    tokens: int = Field(default=USUAL_FOCUS.tokens, ge=1)


class _Section(_Part):
    section: str
    passages: int | None = None
    documents: int | None = Field(default=None, ge=0)


class _File(_Part):
    generator: str
    constitution: _Constitution
    language: str | None = None
    seed: int = 0
    documents: int | None = Field(default=None, ge=1)
    tokens: int | str | None = None
    typical_tokens: int | None = Field(default=None, ge=1)
    drafts: int = Field(default=1, ge=1)
    per_passage: int = Field(default=1, ge=0)
    best_effort: bool = False
    attempts: int = Field(default=3, ge=1)
    wave: int | None = Field(default=None, ge=1)
    focus: _Focus = _Focus()
    sections: list[_Section] = []
    variety: dict[str, dict[str, Any]] = {}
    options: dict[str, Any] = {}
    held_out: str | None = None


@dataclass(frozen=True, slots=True)
class _Reader:
    """A file being read.

    Attributes:
        name: What messages call it.
        sourced: Its content.
    """

    name: str
    sourced: Sourced

    def error(self, found: list[Problem]) -> PlanError:
        """Return what tells of problems, each with its line, in the order of the file."""
        told = sorted((self.sourced.line(each.place), each.told) for each in found)
        return PlanError("\n".join(f"{self.name}:{line}: {text}" for line, text in told))

    def file(self) -> _File:
        """Return the content by its fields."""
        if not isinstance(self.sourced.value, dict):
            raise PlanError(f"{self.name}: not a plan: it must be a mapping of names to values")
        try:
            return _File.model_validate(self.sourced.value)
        except ValidationError as error:
            found = [
                Problem(tuple(each["loc"]), _told(each)) for each in error.errors(include_url=False)
            ]
            raise self.error(found) from error


def read_plan(
    path: str | Path,
    constitution: Constitution | None = None,
    *,
    generator: DocumentGenerator | None = None,
) -> Plan:
    """Read a plan and check it against its generator and its constitution.

    Args:
        path: The file.
        constitution: What documents are to be grounded in; the bundled charter where none is
            given.
        generator: Who writes; opened by its name, with the plan's options, where none is given.

    Raises:
        PlanError: It cannot be read or kept; each line of the message says where, what is wrong
            and what to do.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise PlanError(f"{path}: not a plan: not UTF-8 at byte {error.start + 1}") from error
    except OSError as error:
        raise PlanError(f"{path}: cannot be read: {error.strerror or error}") from error
    return parse_plan(text, constitution, generator=generator, name=str(path))


def parse_plan(
    text: str,
    constitution: Constitution | None = None,
    *,
    generator: DocumentGenerator | None = None,
    name: str = "<plan>",
) -> Plan:
    """Read a plan from its text; otherwise as `read_plan`."""
    text_of = constitution or Constitution.charter()
    reader = _Reader(name, parse(text, name=name))
    file = reader.file()
    writer = generator or _opened(file, reader)
    plan = replace(
        _without_spreads(file, writer, reader),
        sections=tuple(_sections(file, text_of, reader)),
    )
    if _is_whole(plan, text_of) and all(section.documents is None for section in file.sections):
        plan = replace(plan, sections=with_documents(plan, text_of))
    else:
        left_out = [n for n, each in enumerate(file.sections) if each.documents is None]
        if left_out and len(left_out) < len(file.sections):
            told = "says no `documents`, but others do: say it for every section, or for none"
            raise reader.error([Problem(("sections", number), told) for number in left_out])
    plan = replace(plan, variety=_variety(file, plan, writer.axes, reader))
    if found := list(problems(plan, writer, text_of)):
        raise reader.error(found)
    return plan


def open_planned_generator(plan: Plan, **settings: Any) -> DocumentGenerator:
    """Open the installed generator that a plan names, with the plan's options.

    Args:
        plan: The plan.
        settings: What else the generator takes, such as `prompts`.

    Raises:
        PlanError: It writes no documents.
        GeneratorError: It is not installed, or an option does not fit.
    """
    opened = open_generator(plan.generator)(**settings, **plan.generator_options)
    if not isinstance(opened, DocumentGenerator):
        raise PlanError(f"{plan.generator} works on rows; a plan is for a generator of documents")
    return opened


def _opened(file: _File, reader: _Reader) -> DocumentGenerator:
    language = {"language": file.language} if file.language else {}
    place: Place = ("generator",)
    try:
        kind = open_generator(file.generator)
        place = ("options",)
        opened = kind(**{**file.options, **language})
    except GeneratorError as error:
        raise reader.error([Problem(place, str(error))]) from error
    if not isinstance(opened, DocumentGenerator):
        told = f"{file.generator} works on rows; a plan is for a generator of documents"
        raise reader.error([Problem(("generator",), told)])
    return opened


def _without_spreads(file: _File, generator: DocumentGenerator, reader: _Reader) -> Plan:
    """Return the plan but for its sections and axes."""
    typical = file.typical_tokens or generator.typical_tokens
    tokens, documents = None, file.documents
    if (file.documents is None) == (file.tokens is None):
        told = "a plan is for so many `documents` or so many `tokens`: write one of the two"
        place: Place = ("tokens",) if file.tokens is not None else ()
        raise reader.error([Problem(place, told)])
    if file.tokens is not None:
        try:
            tokens = amount(file.tokens)
        except PlanError as error:
            raise reader.error([Problem(("tokens",), f"tokens: {error}")]) from error
        documents = -(-tokens // typical)
        documents = -(-documents // file.drafts) * file.drafts
    assert documents is not None
    options = {**generator.options.record(), **file.options}
    language = file.language or str(options.get("language") or "")
    options.pop("language", None)
    return Plan(
        generator=file.generator,
        constitution=PlannedConstitution(file.constitution.title, file.constitution.sha256),
        documents=documents,
        sections=(),
        variety={},
        options=options,
        typical_tokens=typical,
        tokens=tokens,
        language=language,
        seed=file.seed,
        drafts=file.drafts,
        per_passage=file.per_passage,
        best_effort=file.best_effort,
        attempts=file.attempts,
        wave=file.wave or usual_wave(documents),
        focus=Focus(file.focus.passages, file.focus.tokens),
        held_out=file.held_out or "",
    )


def _sections(file: _File, constitution: Constitution, reader: _Reader) -> Iterator[PlannedSection]:
    held = passages_by_section(constitution)
    by_name = {SEPARATOR.join(path): path for path in held}
    # Of another text the plan's sections need not be there; that it is another is told instead.
    changed = file.constitution.sha256 != constitution.digest
    for number, each in enumerate(file.sections):
        path = by_name.get(each.section, (each.section,))
        if path not in held and not changed:
            try:
                path = section_named(constitution, each.section).path
            except PlanError as error:
                told = Problem(("sections", number, "section"), str(error))
                raise reader.error([told]) from error
        passages = each.passages
        if passages is None:
            passages = len(held.get(path, ()))
        yield PlannedSection(path, passages, each.documents or 0)


def _is_whole(plan: Plan, constitution: Constitution) -> bool:
    held = passages_by_section(constitution)
    return bool(plan.sections) and all(section.path in held for section in plan.sections)


def _variety(
    file: _File, plan: Plan, axes: tuple[Axis, ...], reader: _Reader
) -> dict[str, PlannedAxis]:
    known = {axis.name: axis for axis in axes}
    for name in file.variety:
        if name not in known:
            told = f"no axis {name!r}{nearest(name, list(known))}"
            raise reader.error([Problem(("variety", name), told)])
    planned = {}
    for name, axis in known.items():
        if name not in file.variety:
            planned[name] = planned_axis(axis, None, plan.documents, plan.drafts)
            continue
        read = _axis(name, file.variety[name], plan)
        if isinstance(read, Problem):
            raise reader.error([read])
        planned[name] = read
    return planned


def _axis(name: str, values: Mapping[str, Any], plan: Plan) -> PlannedAxis | Problem:
    place: Place = ("variety", name)
    if "generated" in values and len(values) == 1:
        count = values["generated"]
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            return Problem((*place, "generated"), f"generated is 1 or more, not {count!r}")
        return PlannedAxis(generated=count)
    counts: dict[str, int] = {}
    shares: dict[str, Fraction] = {}
    for value, given in values.items():
        share = _share(given)
        if share is not None:
            shares[value] = share
        elif isinstance(given, int) and not isinstance(given, bool):
            counts[value] = given
        else:
            return Problem(
                (*place, value),
                f"{value!r} must be a count (`12`) or a share (`25%`), not {given!r}",
            )
    if counts and shares:
        return Problem(
            place, f"{name!r} mixes counts and shares: write counts for all values, or shares"
        )
    if not shares:
        return PlannedAxis(counts)
    total = sum(shares.values(), Fraction(0))
    # Shares of a third each are written as 33.3 % and must do.
    if abs(total - 100) > Fraction(1, 2):
        return Problem(place, f"the shares of {name!r} add up to {float(total):g} %, not to 100 %")
    return planned_axis(Axis(name, "", {}), shares, plan.documents, plan.drafts)


def _share(given: Any) -> Fraction | None:
    if not isinstance(given, str) or not given.strip().endswith("%"):
        return None
    try:
        share = Fraction(given.strip().removesuffix("%").strip())
    except (ValueError, ZeroDivisionError):
        return None
    return share if share >= 0 else None


def _told(problem: Mapping[str, Any]) -> str:
    """Return what pydantic says of a value as a person would."""
    name = ".".join(map(str, problem["loc"]))
    kind, given, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        fields = _File.model_fields if len(problem["loc"]) == 1 else {}
        return (
            f"nothing is called {name!r} in a plan{nearest(name, list(fields)) if fields else ''}"
        )
    if kind == "missing":
        return f"{name} is missing; a plan needs it"
    if kind == "greater_than_equal":
        return f"{name} is at least {context['ge']}, not {given!r}"
    if kind in ("int_parsing", "int_type", "int_from_float"):
        return f"{name} must be a whole number, not {given!r}"
    message = problem["msg"]
    return f"{name}: {message[:1].lower()}{message[1:]}, not {given!r}"
