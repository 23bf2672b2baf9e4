"""Document types: those that are listed, and any that a person names in their own words."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

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
def listed_types() -> Mapping[str, DocumentType]:
    """Return the types that `types.toml` lists, by name."""
    source = resources.files(__package__).joinpath("types.toml").read_text(encoding="utf-8")
    return {name: _typed(name, values) for name, values in tomllib.loads(source).items()}


def document_type(name: str) -> DocumentType:
    """Return the listed type of a name, or one that is whatever the name says.

    Nothing is known of an unlisted one: it may be of any length, stance and openness.
    """
    name = " ".join(name.split())
    listed = listed_types().get(name.casefold())
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
