"""The axes on which explanatory documents differ, and what one document gets on each."""

import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from whyset.errors import GeneratorError

from .._brief import Axis, Brief, is_index, validate_axes
from .._variety import AxisSpec, WordLimits, draw_axis_value, load_axis_specs

# ---- Document types: those that are listed, and any that a person names in their own words.

Length = Literal["short", "medium", "long", "very_long"]
LENGTHS: tuple[Length, ...] = ("short", "medium", "long", "very_long")
"""Lengths by name, shortest first."""


class _Listed(BaseModel):
    """A type as `types.toml` has it."""

    model_config = ConfigDict(extra="forbid")

    about: str
    speakers: str
    lengths: tuple[Length, Length]
    typical: Length
    openness: Literal["mimics", "open", "either"]
    critical: bool
    talk: bool = False
    weight: float = Field(1.0, gt=0)


@dataclass(frozen=True, slots=True)
class DocumentType:
    """What a document is to be.

    Attributes:
        name: Such as `letters page`.
        about: What it is, in a line; empty where somebody else named it.
        speakers: Who speaks in it.
        lengths: The lengths that become it, shortest first.
        typical: Its length where none was drawn.
        openness: Whether it may mimic a text that nobody wrote to teach (`mimics`), discuss the
            constitution by name (`open`), or both.
        critical: Whether a critical voice becomes it.
        talk: Whether short lines and questions are natural in it.
        weight: How often it comes up against the others.
    """

    name: str
    about: str
    speakers: str
    lengths: tuple[Length, ...]
    typical: Length
    openness: tuple[str, ...]
    critical: bool
    talk: bool
    weight: float

    @property
    def line(self) -> str:
        """Name and description, in a line."""
        return f"{self.name}. {self.about}" if self.about else self.name


@cache
def load_document_types() -> Mapping[str, DocumentType]:
    """Return the types that `types.toml` lists, by name."""
    source = resources.files(__package__).joinpath("types.toml").read_text(encoding="utf-8")
    return {name: _typed(name, values) for name, values in tomllib.loads(source).items()}


def resolve_document_type(name: str) -> DocumentType:
    """Return the listed type of a name, or one that is whatever the name says.

    Nothing is known of an unlisted one: it may be of any length, stance and openness.
    """
    name = " ".join(name.split())
    listed = load_document_types().get(name.casefold())
    if listed:
        return listed
    return DocumentType(
        name,
        about="",
        speakers="whoever speaks in a text of this kind",
        lengths=LENGTHS,
        typical="medium",
        openness=("mimics", "open"),
        critical=True,
        talk=True,
        weight=1.0,
    )


def _typed(name: str, values: Mapping[str, object]) -> DocumentType:
    held = _Listed.model_validate(values)
    shortest, longest = map(LENGTHS.index, held.lengths)
    return DocumentType(
        name,
        held.about,
        held.speakers,
        LENGTHS[shortest : longest + 1],
        held.typical,
        ("mimics", "open") if held.openness == "either" else (held.openness,),
        held.critical,
        held.talk,
        held.weight,
    )


SUBTYPES = 30
"""How many subtypes of a document type are listed."""

_CRITICAL = frozenset({"critical", "sceptical"})
_LABELS = {
    "register": "Register",
    "stance": "Stance",
    "voice": "Whose view",
    "angle": "Way to the reasons",
    "audience": "Readers",
}
_WORDS = {"short": 250, "medium": 600, "long": 1200, "very_long": 2500}
_FEWEST, _MOST = 50, 4000


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one document is to be, every axis settled.

    Attributes:
        type: Its document type.
        variety: Axis → value; an axis without a value is left out.
    """

    type: DocumentType
    variety: Mapping[str, str]

    @property
    def open(self) -> bool:
        """Whether the document discusses the constitution by name."""
        return self.variety["openness"] == "open"

    @property
    def bounds(self) -> WordLimits:
        """How long the document should be."""
        length = self.variety["length"]
        return WordLimits.around(_WORDS[length] if length in _WORDS else int(length))

    def with_subtype(self, subtype: str) -> "Assignment":
        """Return the assignment with its subtype found out; with none where it is empty."""
        others = {axis: value for axis, value in self.variety.items() if axis != "subtype"}
        return replace(self, variety={**others, "subtype": subtype} if subtype else others)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"Document type: {self.type.line}"
        if subtype := self.variety.get("subtype"):
            yield f"More exactly: {subtype}"
        yield f"Who speaks: {self.type.speakers}"
        for axis, label in _LABELS.items():
            value = self.variety[axis]
            meaning = _listed()[axis].describe(value)
            named = " ".join(value.replace("_", " ").split())
            yield f"{label}: {named} ({meaning})" if meaning else f"{label}: {named}"
        yield f"Openness: {self.variety['openness']}"


def axes(*, subtypes: bool) -> tuple[Axis, ...]:
    """Return the axes that a plan draws on."""
    forms = {name: kind.weight for name, kind in load_document_types().items()}
    found = [Axis("form", "the document type", forms)]
    if subtypes:
        meaning = "which of the shapes that the document type comes in"
        found.append(Axis("subtype", meaning, {}, generated_count=SUBTYPES))
    found += (listed.axis for listed in _listed().values())
    return tuple(found)


def typical_words() -> float:
    """Return how long a document is on average where lengths are drawn."""
    return _listed()["length"].weighted_mean(lambda length: _WORDS[length])


def assign_axes(brief: Brief) -> Assignment:
    """Settle every axis of a brief.

    What the brief leaves open is drawn by its seed; a length that was left open is the document
    type's typical one. What was drawn for another type than it fits is moved to the nearest that
    does: a length outside the type's, a critical stance in a glossary.

    Raises:
        GeneratorError: The brief has an axis, a length or an openness that does not exist.
    """
    known = axes(subtypes=True)
    validate_axes(brief, known, subject="an explanation")
    told_apart = (brief.seed, brief.about, *brief.passages)
    variety = {
        axis.name: brief.variety.get(axis.name) or draw_axis_value(axis, *told_apart)
        for axis in known
        if not axis.generated_count
    }
    kind = resolve_document_type(variety["form"])
    variety["form"] = kind.name
    variety["length"] = _length(kind, brief)
    if variety["openness"] not in _listed()["openness"].values:
        raise GeneratorError(
            f"brief {brief.line}: openness must be one of mimics, open, not {variety['openness']!r}"
        )
    if variety["openness"] not in kind.openness:
        variety["openness"] = kind.openness[0]
    if variety["stance"] in _CRITICAL and not kind.critical:
        variety["stance"] = "neutral"
    return Assignment(kind, variety).with_subtype(brief.variety.get("subtype", ""))


def has_numbered_subtype(assignment: Assignment) -> bool:
    """Say whether the subtype is still a place in a list that a model is to make."""
    return is_index(assignment.variety.get("subtype", ""))


def name_seed(brief: Brief, idea: str) -> int:
    """Return what names are drawn by: another number for every document and every attempt."""
    # Not `seed_of`: it would draw other names than documents have had so far.
    told_apart = (brief.seed, brief.line, brief.draft, brief.attempt, idea)
    digest = hashlib.sha256("\0".join(map(str, told_apart)).encode()).digest()
    return int.from_bytes(digest[:6], "big")


def _length(kind: DocumentType, brief: Brief) -> str:
    wanted = brief.variety.get("length") or kind.typical
    if wanted.isdigit() and _FEWEST <= int(wanted) <= _MOST:
        return wanted
    if wanted not in LENGTHS:
        raise GeneratorError(
            f"brief {brief.line}: length must be one of {', '.join(LENGTHS)}, or a number of "
            f"words from {_FEWEST} to {_MOST}, not {wanted!r}"
        )
    places = [LENGTHS.index(length) for length in kind.lengths]
    return LENGTHS[min(max(LENGTHS.index(wanted), places[0]), places[-1])]


def _listed() -> Mapping[str, AxisSpec]:
    return load_axis_specs(__package__)
