"""The axes on which stories differ, and what one story gets on each."""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict

from .._axes import Axis, is_numbered, numbered
from .._brief import Brief
from .._errors import GeneratorError

DILEMMA = "dilemma"
DILEMMAS = 12
"""How many dilemmas are listed of the passages of a story."""

_LABELS = {
    "scene": "Scene",
    "character": "Character",
    "register": "Register",
    "point_of_view": "Point of view",
    "tense": "Tense",
    "ending": "Ending",
    "inner_focus": "Inner focus",
}
_FEWEST, _MOST = 100, 6000


class _Listed(BaseModel):
    """An axis as `variety.toml` has it."""

    model_config = ConfigDict(extra="forbid")

    meaning: str
    values: dict[str, str]
    weights: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class LengthBounds:
    """How long a story should be, in words.

    Attributes:
        low: From, as the writer is told.
        high: To, as the writer is told.
        fewest: Below this many the check fails.
        most: Above this many the check fails.
    """

    low: int
    high: int
    fewest: int
    most: int

    @classmethod
    def around(cls, words: int) -> "LengthBounds":
        """Return the bounds around a number of words."""
        return cls(words * 4 // 5, words * 5 // 4, words * 3 // 5, words * 8 // 5)

    def __str__(self) -> str:
        return f"{self.low} to {self.high} words"


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one story is to be, every axis settled.

    Attributes:
        variety: Axis → value, the dilemma included once it is known.
    """

    variety: Mapping[str, str]

    @property
    def bounds(self) -> LengthBounds:
        """How long the story should be."""
        length = self.variety["length"]
        return LengthBounds.around(int(_listed()["length"].values.get(length, length)))

    @property
    def dilemma(self) -> str:
        """What pulls apart; still a number where a model is to list what it stands for."""
        return self.variety[DILEMMA]

    def with_dilemma(self, dilemma: str) -> "Assignment":
        """Return the assignment with its dilemma found out."""
        return replace(self, variety={**self.variety, DILEMMA: dilemma})

    def __str__(self) -> str:
        return "\n".join(
            f"{label}: {_told(axis, self.variety[axis])}" for axis, label in _LABELS.items()
        )


def axes() -> tuple[Axis, ...]:
    """Return the axes that a plan draws on."""
    meaning = "what pulls apart, of those that the passages of the story lead into"
    fixed = (
        Axis(name, held.meaning, {value: held.weights.get(value, 1.0) for value in held.values})
        for name, held in _listed().items()
    )
    return (*fixed, Axis(DILEMMA, meaning, {}, generated=DILEMMAS))


def typical_words() -> float:
    """Return how long a story is on average where lengths are drawn."""
    held = _listed()["length"]
    weights = {value: held.weights.get(value, 1.0) for value in held.values}
    words = sum(int(held.values[value]) * weight for value, weight in weights.items())
    return words / sum(weights.values())


def check_subject(brief: Brief) -> None:
    """A story must rest on something.

    Raises:
        GeneratorError: The brief names no passage, no subject and no premise.
    """
    if not (brief.passages or brief.about.strip() or brief.idea.strip()):
        raise GeneratorError(
            f"brief {brief.line}: a story needs a subject: name passages, say in `about` what it "
            "is about, or give a premise in `idea`"
        )


def assign(brief: Brief) -> Assignment:
    """Settle every axis of a brief; what it leaves open is drawn by its seed.

    Every value may be in a person's own words; a length may be a number of words.

    Raises:
        GeneratorError: The brief has an axis or a length that does not exist.
    """
    known = axes()
    if strange := sorted(brief.variety.keys() - {axis.name for axis in known}):
        raise GeneratorError(
            f"brief {brief.line}: there is no axis {', '.join(strange)}; a story has "
            f"{', '.join(axis.name for axis in known)}"
        )
    variety = {axis.name: brief.variety.get(axis.name) or _drawn(axis, brief) for axis in known}
    length = variety["length"]
    lengths = _listed()["length"].values
    if length not in lengths and not (length.isdecimal() and _FEWEST <= int(length) <= _MOST):
        raise GeneratorError(
            f"brief {brief.line}: length must be one of {', '.join(lengths)}, or a number of "
            f"words from {_FEWEST} to {_MOST}, not {length!r}"
        )
    return Assignment(variety)


def has_numbered_dilemma(assignment: Assignment) -> bool:
    """Say whether the dilemma is still a place in a list that a model is to make."""
    return is_numbered(assignment.dilemma)


def seed_of(brief: Brief, premise: str) -> int:
    """Return what a story's names are drawn by: another number for every story."""
    told_apart = (brief.seed, brief.draft, brief.attempt, brief.about, *brief.passages, premise)
    return int(share(*told_apart) * 2**53)


def share(*parts: object) -> float:
    """Return a number from 0 up to 1 that depends on its arguments alone, on every machine."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:7], "big") / 256**7


def _drawn(axis: Axis, brief: Brief) -> str:
    """Draw by weight; the same brief draws the same again."""
    place = share(brief.seed, brief.draft, brief.about, *brief.passages, axis.name)
    if axis.generated:
        return numbered(int(place * axis.generated))
    left = place * sum(axis.values.values())
    for value, weight in axis.values.items():
        left -= weight
        if left < 0:
            return value
    return list(axis.values)[-1]


def _told(axis: str, value: str) -> str:
    """Return what a writer is told of a value; a person's own words as they stand."""
    return _listed()[axis].values.get(value) or " ".join(value.split())


@cache
def _listed() -> Mapping[str, _Listed]:
    source = resources.files(__package__).joinpath("variety.toml").read_text(encoding="utf-8")
    return {name: _Listed.model_validate(held) for name, held in tomllib.loads(source).items()}
