"""The ways in which probes differ, and what one of them is to be."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from whyset.errors import GeneratorError

from .._brief import Axis, Brief, validate_axes

Kind = Literal["recall", "false_premise", "open_ended"]
Format = Literal["free", "cloze", "true_false", "multiple_choice"]

KINDS: Mapping[str, float] = {"recall": 5, "false_premise": 3, "open_ended": 2}
FORMATS: Mapping[str, float] = {"free": 4, "multiple_choice": 3, "true_false": 2, "cloze": 1}
DIFFICULTIES: Mapping[str, float] = {"medium": 2, "easy": 1, "hard": 1}
ASPECTS: Mapping[str, float] = {"conduct": 1, "reason": 1, "limit": 1, "ranking": 1, "case": 1}

OPEN: Format = "free"
EXTRACTED: Mapping[str, float] = {"cloze": 1, "true_false": 1}
"""What rules can make of the text itself, and how much of it."""

WORDING = "wording"
"""The aspect of such items: they ask for what the text says, word by word."""

AXES = (
    Axis(
        "kind",
        "What is measured: what the text says, whether a false premise is gone along with, or "
        "what is believed.",
        KINDS,
    ),
    Axis(
        "format",
        "How a recall is asked for. The other kinds are always free: a premise that options deny "
        "gives itself away, and a belief has no blank.",
        FORMATS,
    ),
    Axis("difficulty", "How closely the text must be known.", DIFFICULTIES),
    Axis("aspect", "What of the text is asked about.", ASPECTS),
)
"""The first value of each axis is what a brief that names none gets."""

EXTRACTED_AXES = (Axis("format", "What is made of a sentence of the text.", EXTRACTED),)


@dataclass(frozen=True, slots=True)
class Assignment:
    """What one probe is to be.

    Attributes:
        kind: What it measures.
        format: How it is asked; `free` for all kinds but recall.
        difficulty: `easy`, `medium` or `hard`.
        aspect: `conduct`, `reason`, `limit`, `ranking` or `case`; `wording` of an item that is
            made of the text itself.
        truth: Whether the statement of a true-or-false probe is to be true: drawn, so that
            half of them are.
    """

    kind: Kind
    format: Format
    difficulty: str
    aspect: str
    truth: bool

    @property
    def variety(self) -> dict[str, str]:
        """Axis → value."""
        return {
            "kind": self.kind,
            "format": self.format,
            "difficulty": self.difficulty,
            "aspect": self.aspect,
        }

    @property
    def closed(self) -> bool:
        """Whether an answer is right or wrong without anybody's judgement."""
        return self.format != OPEN

    def __str__(self) -> str:
        lines = [f"{name}: {value}" for name, value in self.variety.items()]
        if self.format == "true_false":
            lines.append(f"the statement is to be: {'true' if self.truth else 'false'}")
        return "\n".join(lines)


def assign_axes(brief: Brief) -> Assignment:
    """Return what a brief asks for; what it does not say is the first value of its axis.

    Raises:
        GeneratorError: It wants what no axis has.
    """
    validate_axes(brief, AXES, subject="a probe")
    values = {axis.name: _value(axis, brief) for axis in AXES}
    kind, form = cast(Kind, values["kind"]), cast(Format, values["format"])
    return Assignment(
        kind,
        form if kind == "recall" else OPEN,
        values["difficulty"],
        values["aspect"],
        truth=derive_number(brief, "truth") % 2 == 0,
    )


def extracted_assignment(brief: Brief) -> Assignment:
    """Return what is to be made of the text by rule.

    Raises:
        GeneratorError: The brief wants what takes a language model.
    """
    # Of all axes: what was drawn for a model may be carried out without one.
    validate_axes(brief, AXES, subject="a probe")
    (axis,) = EXTRACTED_AXES
    form, kind = _value(axis, brief), brief.variety.get("kind") or "recall"
    if kind != "recall":
        raise GeneratorError(
            f"brief {brief.line}: a probe of the kind {kind!r} takes a language model; name one "
            "with --model, or leave the kind to recall"
        )
    truth = derive_number(brief, "truth") % 2 == 0
    return Assignment("recall", cast(Format, form), "easy", WORDING, truth=truth)


def derive_number(brief: Brief, purpose: str) -> int:
    """Return a number that chance has drawn for one purpose of one brief; always the same."""
    parts = (brief.seed, brief.draft, brief.attempt, brief.about, *brief.passages, purpose)
    return int.from_bytes(hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:6])


def _value(axis: Axis, brief: Brief) -> str:
    value = brief.variety.get(axis.name) or next(iter(axis.values))
    if value not in axis.values:
        raise GeneratorError(
            f"brief {brief.line}: no {axis.name} {value!r}; there are {', '.join(axis.values)}"
        )
    return value
