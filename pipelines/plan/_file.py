"""A plan's file → a plan: whatever a hand has changed in it is checked, and told with its line."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whyset.constitution import Constitution
from whyset.errors import PlanError
from whyset.generators import Axis, DocumentGenerator, GeneratorError, load_generator_class

from .._files import write_atomic
from ._coverage import allocate_groups, find_section, group_by_section, iter_undercovered_passages
from ._make import (
    FieldPath,
    PlanProblem,
    allocate_documents,
    default_wave,
    plan_axis,
    suggest_names,
    validate_plan,
)
from ._plan import (
    DEFAULT_FOCUS,
    SEPARATOR,
    Focus,
    Plan,
    PlannedAxis,
    PlannedConstitution,
    PlannedSection,
    format_amount,
    parse_amount,
)

if TYPE_CHECKING:
    import yaml


# ---- YAML with the line of everything in it; the only module that knows the parser.

_MAX_DEPTH = 20
# A few aliases of aliases could make billions.
_MAX_NODES = 100_000
_LINE_WIDTH = 1 << 20


@dataclass(frozen=True, slots=True)
class YamlDocument:
    """A parsed file.

    Attributes:
        value: Its content as plain values; keys are strings, whatever YAML would make of them.
        lines: Keys and list places from the top → the line where that begins, 1-based.
    """

    value: Any
    lines: Mapping[tuple[str | int, ...], int]

    def find_line(self, place: tuple[str | int, ...]) -> int:
        """Return the line of a place, or of the nearest around it that is there."""
        while place not in self.lines:
            place = place[:-1]
        return self.lines[place]


def parse_yaml(text: str, *, name: str) -> YamlDocument:
    """Parse YAML.

    Args:
        text: One document.
        name: What error messages call it.

    Raises:
        PlanError: It is not YAML, or says something twice.
    """
    import yaml

    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise PlanError(f"{name}{line}: not YAML: {error.problem or error}") from error
    except yaml.YAMLError as error:
        raise PlanError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise PlanError(f"{name}: not a plan: nested too deeply") from error
    lines: dict[tuple[str | int, ...], int] = {(): 1}
    value = None if root is None else _parse_node(root, (), lines, name)
    return YamlDocument(value, lines)


def format_scalar(value: str | int | float | bool | None) -> str:
    """Return a value as YAML writes it, in one line."""
    import yaml

    style = '"' if isinstance(value, str) and not value.isprintable() else None
    written: str = yaml.dump(
        value, Dumper=yaml.SafeDumper, allow_unicode=True, width=_LINE_WIDTH, default_style=style
    )
    return written.removesuffix("\n").removesuffix("\n...")


def _parse_node(
    node: "yaml.Node",
    place: tuple[str | int, ...],
    lines: dict[tuple[str | int, ...], int],
    name: str,
) -> Any:
    import yaml

    line = node.start_mark.line + 1
    if len(place) > _MAX_DEPTH or len(lines) > _MAX_NODES:
        raise PlanError(f"{name}:{line}: not a plan: nested too deeply, or too much of it")
    if isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            lines[*place, number] = item.start_mark.line + 1
        return [
            _parse_node(item, (*place, number), lines, name)
            for number, item in enumerate(node.value)
        ]
    if isinstance(node, yaml.MappingNode):
        values = {}
        for key_node, value_node in node.value:
            at = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise PlanError(f"{name}:{at}: a key must be a word, not a list or a mapping")
            # As it stands: `no: 3` is a value called no, not one called False.
            key = str(key_node.value)
            if key in values:
                raise PlanError(f"{name}:{at}: {key!r} is said twice here; keep one")
            lines[*place, key] = at
            values[key] = _parse_node(value_node, (*place, key), lines, name)
        return values
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (yaml.YAMLError, ValueError) as error:
        raise PlanError(f"{name}:{line}: not a value: {node.value!r}") from error


# ---- A plan → its file: YAML with a comment for every part, written whole or not at all.

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
    """Write a plan to a file, for a person to read and change; see `render_plan`.

    Raises:
        PlanError: The file cannot be written.
    """
    text = render_plan(plan, constitution, axes=axes)
    try:
        write_atomic(Path(path), text.encode())
    except OSError as error:
        raise PlanError(f"{path}: cannot be written: {error.strerror or error}") from error


def render_plan(
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
    return _TEMPLATE.format_map(_template_values(plan, constitution, meanings))


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


def _template_values(
    plan: Plan, constitution: Constitution | None, meanings: Mapping[str, str]
) -> dict[str, str]:
    """Return what stands in the blanks of the template."""
    how_much = f"documents: {plan.documents}"
    if plan.tokens is not None:
        how_much = f"tokens: {format_amount(plan.tokens)}  # {plan.documents:,} documents"
    return {
        "generator": format_scalar(plan.generator),
        "language": format_scalar(plan.language),
        "title": format_scalar(plan.constitution.title),
        "sha256": format_scalar(plan.constitution.sha256),
        "how_much": how_much,
        "typical_tokens": str(plan.typical_tokens),
        "seed": str(plan.seed),
        "drafts": str(plan.drafts),
        "per_passage": str(plan.per_passage),
        "best_effort": format_scalar(plan.best_effort),
        "attempts": str(plan.attempts),
        "wave": str(plan.wave),
        "focus_passages": str(plan.focus.passages),
        "focus_tokens": str(plan.focus.tokens),
        "sections": "\n".join(_section_lines(plan, constitution)),
        "variety": "\n".join(_variety_lines(plan, meanings)),
        "options": "\n".join(_mapping_lines("options", plan.options)),
        "held_out": format_scalar(plan.held_out or None),
    }


def _section_lines(plan: Plan, constitution: Constitution | None) -> Iterator[str]:
    notes = _section_comments(plan, constitution)
    yield "sections:"
    for number, section in enumerate(plan.sections):
        comment = "  # the text before the first heading" if not section.path else ""
        yield f"  - section: {format_scalar(section.name)}{comment}"
        yield f"    passages: {section.passages}{notes[number]}"
        yield f"    documents: {section.documents}"


def _section_comments(plan: Plan, constitution: Constitution | None) -> list[str]:
    """Return a comment for each section: its groups, and the passages that stay uncovered."""
    if constitution is None:
        return [""] * len(plan.sections)
    groups = allocate_groups(plan, constitution)
    notes = []
    for section in plan.sections:
        mine = [(group, count) for group, count in groups if group.path == section.path]
        short = [passage.id for passage in iter_undercovered_passages(plan, mine)]
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
        yield f"  {format_scalar(name)}:"
        if axis.generated:
            yield f"    generated: {axis.generated}"
        for value, count in axis.counts.items():
            yield f"    {format_scalar(value)}: {count}"


def _mapping_lines(name: str, values: Mapping[str, Any]) -> Iterator[str]:
    if not values:
        yield f"{name}: {{}}"
        return
    yield f"{name}:"
    for key, value in values.items():
        yield f"  {format_scalar(key)}: {_format_flow(value)}"


def _format_flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return (
            "{"
            + ", ".join(f"{_format_flow(key)}: {_format_flow(each)}" for key, each in value.items())
            + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_format_flow, value)) + "]"
    if isinstance(value, str) and value[:1] not in ("'", '"'):
        written = format_scalar(value)
        # Within brackets commas and brackets end a plain word.
        return written if not set(written) & set(",[]{}") or written[:1] in "'\"" else f'"{value}"'
    return format_scalar(value)


class _PlanPart(BaseModel):
    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True)


class _Constitution(_PlanPart):
    title: str = ""
    sha256: str


class _Focus(_PlanPart):
    passages: int = Field(default=DEFAULT_FOCUS.passages, ge=1)
    tokens: int = Field(default=DEFAULT_FOCUS.tokens, ge=1)


class _Section(_PlanPart):
    section: str
    passages: int | None = None
    documents: int | None = Field(default=None, ge=0)


class _PlanFile(_PlanPart):
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
class _PlanReader:
    """A file being read.

    Attributes:
        name: What messages call it.
        sourced: Its content.
    """

    name: str
    sourced: YamlDocument

    def error(self, found: list[PlanProblem]) -> PlanError:
        """Return what tells of problems, each with its line, in the order of the file."""
        told = sorted((self.sourced.find_line(each.path), each.message) for each in found)
        return PlanError("\n".join(f"{self.name}:{line}: {text}" for line, text in told))

    def file(self) -> _PlanFile:
        """Return the content by its fields."""
        if not isinstance(self.sourced.value, dict):
            raise PlanError(f"{self.name}: not a plan: it must be a mapping of names to values")
        try:
            return _PlanFile.model_validate(self.sourced.value)
        except ValidationError as error:
            found = [
                PlanProblem(tuple(each["loc"]), _render_problem(each))
                for each in error.errors(include_url=False)
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
    reader = _PlanReader(name, parse_yaml(text, name=name))
    file = reader.file()
    writer = generator or _open_file_generator(file, reader)
    plan = replace(
        _build_plan(file, writer, reader),
        sections=tuple(_parse_sections(file, text_of, reader)),
    )
    if _has_all_sections(plan, text_of) and all(
        section.documents is None for section in file.sections
    ):
        plan = replace(plan, sections=allocate_documents(plan, text_of))
    else:
        left_out = [n for n, each in enumerate(file.sections) if each.documents is None]
        if left_out and len(left_out) < len(file.sections):
            told = "says no `documents`, but others do: say it for every section, or for none"
            raise reader.error([PlanProblem(("sections", number), told) for number in left_out])
    plan = replace(plan, variety=_parse_variety(file, plan, writer.axes, reader))
    if found := list(validate_plan(plan, writer, text_of)):
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
    opened = load_generator_class(plan.generator)(**settings, **plan.generator_options)
    if not isinstance(opened, DocumentGenerator):
        raise PlanError(f"{plan.generator} works on rows; a plan is for a generator of documents")
    return opened


def _open_file_generator(file: _PlanFile, reader: _PlanReader) -> DocumentGenerator:
    language = {"language": file.language} if file.language else {}
    place: FieldPath = ("generator",)
    try:
        kind = load_generator_class(file.generator)
        place = ("options",)
        opened = kind(**{**file.options, **language})
    except GeneratorError as error:
        raise reader.error([PlanProblem(place, str(error))]) from error
    if not isinstance(opened, DocumentGenerator):
        told = f"{file.generator} works on rows; a plan is for a generator of documents"
        raise reader.error([PlanProblem(("generator",), told)])
    return opened


def _build_plan(file: _PlanFile, generator: DocumentGenerator, reader: _PlanReader) -> Plan:
    """Return the plan but for its sections and axes."""
    typical = file.typical_tokens or generator.typical_tokens
    tokens, documents = None, file.documents
    if (file.documents is None) == (file.tokens is None):
        told = "a plan is for so many `documents` or so many `tokens`: write one of the two"
        place: FieldPath = ("tokens",) if file.tokens is not None else ()
        raise reader.error([PlanProblem(place, told)])
    if file.tokens is not None:
        try:
            tokens = parse_amount(file.tokens)
        except PlanError as error:
            raise reader.error([PlanProblem(("tokens",), f"tokens: {error}")]) from error
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
        wave=file.wave or default_wave(documents),
        focus=Focus(file.focus.passages, file.focus.tokens),
        held_out=file.held_out or "",
    )


def _parse_sections(
    file: _PlanFile, constitution: Constitution, reader: _PlanReader
) -> Iterator[PlannedSection]:
    held = group_by_section(constitution)
    by_name = {SEPARATOR.join(path): path for path in held}
    # Of another text the plan's sections need not be there; that it is another is told instead.
    changed = file.constitution.sha256 != constitution.digest
    for number, each in enumerate(file.sections):
        path = by_name.get(each.section, (each.section,))
        if path not in held and not changed:
            try:
                path = find_section(constitution, each.section).path
            except PlanError as error:
                told = PlanProblem(("sections", number, "section"), str(error))
                raise reader.error([told]) from error
        passages = each.passages
        if passages is None:
            passages = len(held.get(path, ()))
        yield PlannedSection(path, passages, each.documents or 0)


def _has_all_sections(plan: Plan, constitution: Constitution) -> bool:
    held = group_by_section(constitution)
    return bool(plan.sections) and all(section.path in held for section in plan.sections)


def _parse_variety(
    file: _PlanFile, plan: Plan, axes: tuple[Axis, ...], reader: _PlanReader
) -> dict[str, PlannedAxis]:
    known = {axis.name: axis for axis in axes}
    for name in file.variety:
        if name not in known:
            told = f"no axis {name!r}{suggest_names(name, list(known))}"
            raise reader.error([PlanProblem(("variety", name), told)])
    planned = {}
    for name, axis in known.items():
        if name not in file.variety:
            planned[name] = plan_axis(axis, None, plan.documents, plan.drafts)
            continue
        read = _parse_axis(name, file.variety[name], plan)
        if isinstance(read, PlanProblem):
            raise reader.error([read])
        planned[name] = read
    return planned


def _parse_axis(name: str, values: Mapping[str, Any], plan: Plan) -> PlannedAxis | PlanProblem:
    place: FieldPath = ("variety", name)
    if "generated" in values and len(values) == 1:
        count = values["generated"]
        if isinstance(count, bool) or not isinstance(count, int) or count < 1:
            return PlanProblem((*place, "generated"), f"generated is 1 or more, not {count!r}")
        return PlannedAxis(generated=count)
    counts: dict[str, int] = {}
    shares: dict[str, Fraction] = {}
    for value, given in values.items():
        share = _parse_share(given)
        if share is not None:
            shares[value] = share
        elif isinstance(given, int) and not isinstance(given, bool):
            counts[value] = given
        else:
            return PlanProblem(
                (*place, value),
                f"{value!r} must be a count (`12`) or a share (`25%`), not {given!r}",
            )
    if counts and shares:
        return PlanProblem(
            place, f"{name!r} mixes counts and shares: write counts for all values, or shares"
        )
    if not shares:
        return PlannedAxis(counts)
    total = sum(shares.values(), Fraction(0))
    # Shares of a third each are written as 33.3 % and must do.
    if abs(total - 100) > Fraction(1, 2):
        return PlanProblem(
            place, f"the shares of {name!r} add up to {float(total):g} %, not to 100 %"
        )
    return plan_axis(Axis(name, "", {}), shares, plan.documents, plan.drafts)


def _parse_share(given: Any) -> Fraction | None:
    if not isinstance(given, str) or not given.strip().endswith("%"):
        return None
    try:
        share = Fraction(given.strip().removesuffix("%").strip())
    except (ValueError, ZeroDivisionError):
        return None
    return share if share >= 0 else None


def _render_problem(problem: Mapping[str, Any]) -> str:
    """Return what pydantic says of a value as a person would."""
    name = ".".join(map(str, problem["loc"]))
    kind, given, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        fields = _PlanFile.model_fields if len(problem["loc"]) == 1 else {}
        return f"nothing is called {name!r} in a plan{suggest_names(name, list(fields)) if fields else ''}"
    if kind == "missing":
        return f"{name} is missing; a plan needs it"
    if kind == "greater_than_equal":
        return f"{name} is at least {context['ge']}, not {given!r}"
    if kind in ("int_parsing", "int_type", "int_from_float"):
        return f"{name} must be a whole number, not {given!r}"
    message = problem["msg"]
    return f"{name}: {message[:1].lower()}{message[1:]}, not {given!r}"
