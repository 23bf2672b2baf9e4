"""The axes on which stories differ, and what one story gets on each."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from whyset.errors import GeneratorError

from .._brief import Axis, Brief, is_index, validate_axes
from .._variety import AxisSpec, WordLimits, draw_axis_value, load_axis_specs

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


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one story is to be, every axis settled.

    Attributes:
        variety: Axis → value, the dilemma included once it is known.
    """

    variety: Mapping[str, str]

    @property
    def bounds(self) -> WordLimits:
        """How long the story should be."""
        length = self.variety["length"]
        return WordLimits.around(int(_listed()["length"].describe(length) or length))

    @property
    def dilemma(self) -> str:
        """What pulls apart; still a number where a model is to list what it stands for."""
        return self.variety[DILEMMA]

    def with_dilemma(self, dilemma: str) -> "Assignment":
        """Return the assignment with its dilemma found out."""
        return replace(self, variety={**self.variety, DILEMMA: dilemma})

    def __str__(self) -> str:
        return "\n".join(
            f"{label}: {_describe(axis, self.variety[axis])}" for axis, label in _LABELS.items()
        )


def axes() -> tuple[Axis, ...]:
    """Return the axes that a plan draws on."""
    meaning = "what pulls apart, of those that the passages of the story lead into"
    fixed = (listed.axis for listed in _listed().values())
    return (*fixed, Axis(DILEMMA, meaning, {}, generated_count=DILEMMAS))


def typical_words() -> float:
    """Return how long a story is on average where lengths are drawn."""
    lengths = _listed()["length"]
    return lengths.weighted_mean(lambda length: int(lengths.describe(length)))


def validate_subject(brief: Brief) -> None:
    """A story must rest on something.

    Raises:
        GeneratorError: The brief names no passage, no subject and no premise.
    """
    if not (brief.passages or brief.about.strip() or brief.idea.strip()):
        raise GeneratorError(
            f"brief {brief.line}: a story needs a subject: name passages, say in `about` what it "
            "is about, or give a premise in `idea`"
        )


def assign_axes(brief: Brief) -> Assignment:
    """Settle every axis of a brief; what it leaves open is drawn by its seed.

    Every value may be in a person's own words; a length may be a number of words.

    Raises:
        GeneratorError: The brief has an axis or a length that does not exist.
    """
    known = axes()
    validate_axes(brief, known, subject="a story")
    told_apart = (brief.seed, brief.draft, brief.about, *brief.passages)
    variety = {
        axis.name: brief.variety.get(axis.name) or draw_axis_value(axis, *told_apart)
        for axis in known
    }
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
    return is_index(assignment.dilemma)


def name_seed(brief: Brief, premise: str) -> int:
    """Return what a story's names are drawn by: another number for every story."""
    # Not `seed_of`: it would draw other names than stories have had so far.
    told_apart = (brief.seed, brief.draft, brief.attempt, brief.about, *brief.passages, premise)
    digest = hashlib.sha256("\0".join(map(str, told_apart)).encode()).digest()
    return int(int.from_bytes(digest[:7], "big") / 256**7 * 2**53)


def _describe(axis: str, value: str) -> str:
    """Return a value in words for a writer; a person's own words stand as they are."""
    return _listed()[axis].describe(value) or " ".join(value.split())


def _listed() -> Mapping[str, AxisSpec]:
    return load_axis_specs(__package__)
