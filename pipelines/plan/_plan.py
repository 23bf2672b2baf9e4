"""The values: what a corpus is to be, decided before anything is asked."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from whyset.errors import PlanError

# ---- Amounts as people write them: 3M, 500k.

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kmb]?)", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}


def parse_amount(written: str | int) -> int:
    """Read an amount: `3M`, `500k`, `1.5M`, `2,000,000` or a whole number.

    Raises:
        PlanError: It is none, or not above 0.
    """
    text = str(written).strip().replace(",", "").replace("_", "")
    found = _AMOUNT.fullmatch(text)
    exact = Decimal(found[1]) * _FACTORS[found[2].lower()] if found else Decimal(0)
    if isinstance(written, bool) or exact < 1 or exact != int(exact):
        raise PlanError(f"an amount is a number such as 3M, 500k or 250000, not {written!r}")
    return int(exact)


def format_amount(value: int) -> str:
    """Return an amount in the shortest way that is exact."""
    for ending, factor in (("M", 1_000_000), ("k", 1_000)):
        if value and value % (factor // 10) == 0 and value >= factor:
            return f"{(Decimal(value) / factor).normalize():f}{ending}"
    return str(value)


SEPARATOR = " > "
"""What joins the headings of a section's path into its name."""


@dataclass(frozen=True, slots=True)
class PlannedConstitution:
    """The text that a plan holds for, and for no other."""

    title: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PlannedSection:
    """A section whose passages documents are grounded in.

    Attributes:
        path: Its headings from the top; empty for what precedes the first.
        passages: How many it has itself, those of its subsections left out.
        documents: How many documents are grounded in it.
    """

    path: tuple[str, ...]
    passages: int
    documents: int

    @property
    def name(self) -> str:
        """The path in one line."""
        return SEPARATOR.join(self.path)


@dataclass(frozen=True, slots=True)
class PlannedAxis:
    """What is drawn on one axis of variety.

    Attributes:
        counts: Value → how many documents get it; together all of them. Empty where values are
            generated.
        generated: How many values a model is to list; each gets its even share.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    generated: int = 0


@dataclass(frozen=True, slots=True)
class Focus:
    """How passages are grouped into what one document is about.

    Attributes:
        passages: At most so many neighbours of one section.
        tokens: At most so many tokens together, one passage apart and what introduces it.
    """

    passages: int = 3
    tokens: int = 300


DEFAULT_FOCUS = Focus()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a corpus is to be.

    Attributes:
        generator: The name of the generator that writes it.
        constitution: What it is grounded in.
        documents: How many documents are wanted.
        sections: Where they are grounded.
        variety: Axis → what is drawn on it.
        options: The generator's, by name; `language` is apart.
        typical_tokens: How long a document is reckoned to be, where `tokens` were asked for.
        tokens: How many tokens were asked for; `None` where documents were.
        language: What they are written in; empty where the generator leaves no choice.
        seed: What everything is drawn with.
        drafts: How many documents are written from each context, each from an idea of its own. A
            context is a group of passages and a draw on every axis.
        per_passage: How many documents at least each passage grounds; 0 asks for no coverage.
        best_effort: Whether the plan may fall short of that.
        attempts: How often a document is tried at most.
        wave: How many documents are written side by side. What a wave has produced too much of
            is excluded from the next.
        focus: How passages are grouped.
        held_out: The name of a file of evaluation scenarios that no document may resemble; empty
            where there is none.
    """

    generator: str
    constitution: PlannedConstitution
    documents: int
    sections: tuple[PlannedSection, ...]
    variety: Mapping[str, PlannedAxis]
    options: Mapping[str, Any]
    typical_tokens: int
    tokens: int | None = None
    language: str = ""
    seed: int = 0
    drafts: int = 1
    per_passage: int = 1
    best_effort: bool = False
    attempts: int = 3
    wave: int = 64
    focus: Focus = DEFAULT_FOCUS
    held_out: str = ""

    @property
    def contexts(self) -> int:
        """How many contexts there are: a document each, or several drafts."""
        return self.documents // self.drafts

    @property
    def generator_options(self) -> dict[str, Any]:
        """The generator's options, the language among them."""
        language = {"language": self.language} if self.language else {}
        return {**self.options, **language}
