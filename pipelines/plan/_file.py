"""A plan's file: YAML with a comment for every part; what a hand has changed in it is checked."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from whyset.constitution import Constitution
from whyset.errors import DatasetError, PlanError
from whyset.generators import Axis, DocumentGenerator, GeneratorError, load_generator_class

from .._files import write_text
from ._coverage import allocate_groups, find_section, group_by_section, iter_undercovered_passages
from ._make import allocate_documents, default_wave, plan_axis, validate_plan
from ._plan import (
    SEPARATOR,
    FieldPath,
    Plan,
    PlannedAxis,
    PlannedSection,
    PlanProblem,
    format_amount,
    list_problems,
    suggest_names,
)

if TYPE_CHECKING:
    from ruamel.yaml import YAML
    from ruamel.yaml.nodes import Node

# ---- A plan → its file.

# A template rather than a document that ruamel.yaml puts comments into: it shows the file as a
# reader sees it.
_TEMPLATE = """\
# The plan of a corpus: what is to be written, decided before anything is asked. Change what you
# like: it is checked before the run, and every mistake is reported with its line.

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
  passages: {passages}
  tokens: {tokens}

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

_FILE_ORDER = (
    *("generator", "language", "seed", "constitution", "tokens", "documents", "typical_tokens"),
    *("drafts", "per_passage", "best_effort", "attempts", "wave", "focus", "sections", "variety"),
    *("options", "held_out"),
)


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
    try:
        write_text(Path(path), render_plan(plan, constitution, axes=axes))
    except DatasetError as error:
        raise PlanError(str(error)) from error


def render_plan(
    plan: Plan, constitution: Constitution | None = None, *, axes: tuple[Axis, ...] = ()
) -> str:
    """Return a plan as YAML.

    Args:
        plan: The plan.
        constitution: Where it is given, comments say how passages are grouped, and which stay
            uncovered.
        axes: The generator's; where they are given, comments say what each is.
    """
    how_much = f"documents: {plan.documents}"
    if plan.tokens is not None:
        how_much = f"tokens: {format_amount(plan.tokens)}  # {plan.documents:,} documents"
    scalars = {
        **plan.model_dump(exclude={"constitution", "sections", "variety", "options", "focus"}),
        **plan.constitution.model_dump(),
        **plan.focus.model_dump(),
        "held_out": plan.held_out or None,
    }
    return _TEMPLATE.format_map(
        {
            **{name: format_value(value) for name, value in scalars.items()},
            "how_much": how_much,
            "sections": "\n".join(_section_lines(plan, constitution)),
            "variety": "\n".join(_variety_lines(plan, {axis.name: axis.meaning for axis in axes})),
            "options": "\n".join(_option_lines(plan.options)),
        }
    )


def plan_record(plan: Plan) -> dict[str, Any]:
    """Return a plan as plain values, as its file has them."""
    values = plan.model_dump(mode="json", exclude={"tokens"} if plan.tokens is None else None)
    values |= {"language": plan.language or None, "held_out": plan.held_out or None}
    return {name: values[name] for name in _FILE_ORDER if name in values}


def _section_lines(plan: Plan, constitution: Constitution | None) -> Iterator[str]:
    groups = [] if constitution is None else allocate_groups(plan, constitution)
    yield "sections:"
    for section in plan.sections:
        comment = "" if section.path else "  # the text before the first heading"
        yield f"  - section: {format_value(section.name)}{comment}"
        own = [(group, count) for group, count in groups if group.path == section.path]
        comment = f"  # in {len(own)} group{'' if len(own) == 1 else 's'}" if groups else ""
        if short := [passage.id for passage in iter_undercovered_passages(plan, own)]:
            comment += f"; uncovered: {', '.join(short)}"
        yield f"    passages: {section.passages}{comment}"
        yield f"    documents: {section.documents}"


def _variety_lines(plan: Plan, meanings: Mapping[str, str]) -> Iterator[str]:
    yield "variety:" if plan.variety else "variety: {}"
    for name, axis in plan.variety.items():
        if meaning := " ".join(meanings.get(name, "").split()):
            yield f"  # {meaning}"
        yield f"  {format_value(name)}:"
        for value, count in axis.model_dump().items():
            yield f"    {format_value(value)}: {count}"


def _option_lines(options: Mapping[str, Any]) -> Iterator[str]:
    yield "options:" if options else "options: {}"
    for name, value in options.items():
        yield f"  {format_value(name)}: {format_value(value)}"


def _open_yaml() -> "YAML":
    """Open YAML 1.1: what is written is quoted as readers of either version need."""
    from ruamel.yaml import YAML
    from ruamel.yaml.constructor import SafeConstructor
    from ruamel.yaml.representer import SafeRepresenter

    class Constructor(SafeConstructor):
        def construct_yaml_float(self, node: Any) -> Any:
            """Take `1e3` for the word it is in YAML 1.1, which the library warns about."""
            mantissa = node.value.lower().partition("e")[0]
            return super().construct_yaml_float(node) if "." in mantissa else node.value

    class Representer(SafeRepresenter):
        def represent_str(self, data: str) -> Any:
            """Keep a text on one line, whatever is in it."""
            style = None if data.isprintable() else '"'
            return self.represent_scalar("tag:yaml.org,2002:str", data, style=style)

    Constructor.add_constructor("tag:yaml.org,2002:float", Constructor.construct_yaml_float)
    Representer.add_representer(str, Representer.represent_str)
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor, yaml.Representer = Constructor, Representer
    yaml.version = (1, 1)
    yaml.allow_unicode, yaml.default_flow_style, yaml.width = True, True, 1 << 20
    return yaml


_open_writer = cache(_open_yaml)
"""Reading takes an opened YAML of its own: a directive in the text would stay with it."""


def format_value(value: Any) -> str:
    """Return a plain value as YAML has it, in one line."""
    written = StringIO()
    _open_writer().dump(value, written)
    # Before it stand a directive and `--- `, behind it, where a plain word ends, `...`.
    return written.getvalue().partition("--- ")[2].removesuffix("\n").removesuffix("\n...")


# ---- YAML → plain values, with the line of everything in it.

_MAX_DEPTH = 20
# A few aliases of aliases could make billions.
_MAX_NODES = 100_000


class InvalidPlan(Exception):
    """What is wrong with a file, before its lines are known."""

    def __init__(self, *problems: PlanProblem) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True, slots=True)
class PlanSource:
    """The text of a plan as plain values, with the line where each begins."""

    name: str
    value: Any
    lines: Mapping[FieldPath, int]

    def error(self, error: InvalidPlan) -> PlanError:
        """Return the error that reports problems, each with its line, in the order of the file."""
        found = sorted((self._find_line(each.path), each.message) for each in error.problems)
        return PlanError("\n".join(f"{self.name}:{line}: {message}" for line, message in found))

    def _find_line(self, path: FieldPath) -> int:
        """Return the line of a place, or of the nearest around it that is there."""
        while path not in self.lines:
            path = path[:-1]
        return self.lines[path]


def parse_yaml(text: str, *, name: str) -> PlanSource:
    """Parse a plan's text.

    Nodes are traversed here because what the library constructs has lines only in its round-trip
    types, and makes False of a key `no`.

    Raises:
        PlanError: It is not YAML, or says something twice.
    """
    from ruamel.yaml.error import MarkedYAMLError, YAMLError

    yaml = _open_yaml()
    try:
        root = yaml.compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f":{mark.line + 1}" if mark else ""
        raise PlanError(f"{name}{line}: not YAML: {error.problem or error}") from error
    except (YAMLError, LookupError) as error:  # a LookupError of a version that does not exist
        raise PlanError(f"{name}: not YAML: {' '.join(str(error).split())}") from error
    except RecursionError as error:
        raise PlanError(f"{name}: not a plan: nested too deeply") from error
    lines: dict[FieldPath, int] = {(): 1}
    value = None if root is None else _parse_node(root, (), lines, name, yaml)
    return PlanSource(name, value, lines)


def _parse_node(
    node: "Node", path: FieldPath, lines: dict[FieldPath, int], name: str, yaml: "YAML"
) -> Any:
    from ruamel.yaml.error import YAMLError
    from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

    line = node.start_mark.line + 1
    if len(path) > _MAX_DEPTH or len(lines) > _MAX_NODES:
        raise PlanError(f"{name}:{line}: not a plan: nested too deeply, or too much of it")
    if isinstance(node, SequenceNode):
        for number, item in enumerate(node.value):
            lines[*path, number] = item.start_mark.line + 1
        return [
            _parse_node(item, (*path, n), lines, name, yaml) for n, item in enumerate(node.value)
        ]
    if isinstance(node, MappingNode):
        values = {}
        for key_node, value_node in node.value:
            at = key_node.start_mark.line + 1
            if not isinstance(key_node, ScalarNode):
                raise PlanError(f"{name}:{at}: a key must be a word, not a list or a mapping")
            # As it stands: `no: 3` is a value called no, not one called False.
            key = str(key_node.value)
            if key in values:
                raise PlanError(f"{name}:{at}: {key!r} is a duplicate key; keep one")
            lines[*path, key] = at
            values[key] = _parse_node(value_node, (*path, key), lines, name, yaml)
        return values
    try:
        return yaml.constructor.construct_object(node)
    except (YAMLError, ValueError, LookupError) as error:
        raise PlanError(f"{name}:{line}: not a value: {node.value!r}") from error


# ---- Plain values → a plan: what a file leaves out is filled in, what it says is checked.


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
        generator: What writes; opened by its name, with the plan's options, where none is given.

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
    source = parse_yaml(text, name=name)
    if not isinstance(source.value, dict):
        raise PlanError(f"{name}: not a plan: it must be a mapping of names to values")
    try:
        return _complete_plan(_validate_values(source.value), generator, constitution)
    except InvalidPlan as error:
        raise source.error(error) from (error.__cause__ or error)


def open_planned_generator(plan: Plan, **settings: Any) -> DocumentGenerator:
    """Open the installed generator that a plan names, with the plan's options and other settings.

    Raises:
        PlanError: It writes no documents.
        GeneratorError: It is not installed, or an option does not fit.
    """
    opened = load_generator_class(plan.generator)(**settings, **plan.generator_options)
    if not isinstance(opened, DocumentGenerator):
        raise PlanError(f"{plan.generator} works on rows; a plan is for a generator of documents")
    return opened


def _validate_values(values: dict[str, Any]) -> Plan:
    try:
        return Plan.model_validate(values)
    except ValidationError as error:
        raise InvalidPlan(*list_problems(error)) from error


def _complete_plan(
    plan: Plan, generator: DocumentGenerator | None, constitution: Constitution | None
) -> Plan:
    """Return a plan from a file with all that the file has left out."""
    principles = constitution or Constitution.charter()
    writer = generator or _open_file_generator(plan)
    plan = _complete_amounts(plan, writer)
    plan = _complete_sections(plan, principles)
    plan = plan.model_copy(update={"variety": _complete_variety(plan, writer.axes)})
    if problems := list(validate_plan(plan, writer, principles)):
        raise InvalidPlan(*problems)
    return plan


def _open_file_generator(plan: Plan) -> DocumentGenerator:
    at = "generator"
    try:
        load_generator_class(plan.generator)
        at = "options"
        return open_planned_generator(plan)
    except PlanError as error:
        raise InvalidPlan(PlanProblem(("generator",), str(error))) from error
    except GeneratorError as error:
        raise InvalidPlan(PlanProblem((at,), str(error))) from error


def _complete_amounts(plan: Plan, generator: DocumentGenerator) -> Plan:
    """Return the plan with all that neither its sections nor its axes say."""
    if bool(plan.documents) == (plan.tokens is not None):
        message = "a plan is for so many `documents` or so many `tokens`: write one of the two"
        raise InvalidPlan(PlanProblem(("tokens",) if plan.documents else (), message))
    typical, documents = plan.typical_tokens or generator.typical_tokens, plan.documents
    if plan.tokens is not None:
        documents = -(-plan.tokens // typical)
        documents = -(-documents // plan.drafts) * plan.drafts
    options = {**generator.options.record(), **plan.options}
    language = str(options.pop("language", "") or "")
    return plan.model_copy(
        update={
            "documents": documents,
            "options": options,
            "typical_tokens": typical,
            "language": plan.language or language,
            "wave": plan.wave or default_wave(documents),
        }
    )


def _complete_sections(plan: Plan, constitution: Constitution) -> Plan:
    sections = tuple(
        _find_planned_section(number, section, plan, constitution)
        for number, section in enumerate(plan.sections)
    )
    plan = plan.model_copy(update={"sections": sections})
    open_places = [
        number
        for number, section in enumerate(sections)
        if "documents" not in section.model_fields_set
    ]
    if not open_places:
        return plan
    if len(open_places) < len(sections):
        message = "has no `documents`, but other sections do: set it for every section, or for none"
        raise InvalidPlan(*(PlanProblem(("sections", place), message) for place in open_places))
    known = group_by_section(constitution)
    if any(section.path not in known for section in sections):
        return plan  # it is for another text, which is reported instead
    return plan.model_copy(update={"sections": allocate_documents(plan, constitution)})


def _find_planned_section(
    number: int, section: PlannedSection, plan: Plan, constitution: Constitution
) -> PlannedSection:
    """Return a section with its whole path, which a file may shorten."""
    known = group_by_section(constitution)
    path = next((path for path in known if SEPARATOR.join(path) == section.name), section.path)
    # Of another text the plan's sections need not be there; that it is another is reported instead.
    if path not in known and plan.constitution.sha256 == constitution.digest:
        try:
            path = find_section(constitution, section.name).path
        except PlanError as error:
            problem = PlanProblem(("sections", number, "section"), str(error))
            raise InvalidPlan(problem) from error
    found: dict[str, Any] = {"path": path}
    if "passages" not in section.model_fields_set:
        found["passages"] = len(known.get(path, ()))
    return section.model_copy(update=found)


def _complete_variety(plan: Plan, axes: tuple[Axis, ...]) -> dict[str, PlannedAxis]:
    known = {axis.name: axis for axis in axes}
    for name in plan.variety:
        if name not in known:
            message = f"no axis {name!r}{suggest_names(name, list(known))}"
            raise InvalidPlan(PlanProblem(("variety", name), message))
    return {
        name: _complete_axis(name, plan.variety[name], plan)
        if name in plan.variety
        else plan_axis(axis, None, plan.documents, plan.drafts)
        for name, axis in known.items()
    }


def _complete_axis(name: str, axis: PlannedAxis, plan: Plan) -> PlannedAxis:
    """Return an axis with counts in place of shares."""
    if not axis.shares:
        return axis
    message = f"{name!r} mixes counts and shares: write counts for all values, or shares"
    if not axis.counts:
        total = sum(axis.shares.values(), Fraction(0))
        # Shares of a third each are written as 33.3 % and must do.
        if abs(total - 100) <= Fraction(1, 2):
            return plan_axis(Axis(name, "", {}), axis.shares, plan.documents, plan.drafts)
        message = f"the shares of {name!r} add up to {float(total):g} %, not to 100 %"
    raise InvalidPlan(PlanProblem(("variety", name), message))
