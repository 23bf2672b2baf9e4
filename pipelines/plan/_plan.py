"""The plan of a corpus: one model for memory and for the file, and what a hand gets wrong in it."""

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, ClassVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_serializer,
    model_validator,
)
from pydantic_core import ErrorDetails, PydanticCustomError

from whyset.errors import PlanError

SEPARATOR = " > "
"""What joins the headings of a section's path into its name."""

# ---- Amounts as people write them: 3M, 500k.

_AMOUNT = re.compile(r"(\d+(?:\.\d+)?)\s*([kmb]?)", re.IGNORECASE)
_FACTORS = {"": 1, "k": 1_000, "m": 1_000_000, "b": 1_000_000_000}


def parse_amount(written: str | int) -> int:
    """Read an amount: `3M`, `500k`, `1.5M`, `2,000,000` or a whole number.

    Raises:
        PlanError: It is not an amount, or not above 0.
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


# ---- What is wrong with a plan, and where.

FieldPath = tuple[str | int, ...]
"""Where in a plan file something stands: keys and list places from the top."""


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """What is wrong with a plan, where, and what to do about it."""

    path: FieldPath
    message: str


def list_problems(error: ValidationError) -> list[PlanProblem]:
    """Return what pydantic found wrong with a plan, in words for the person who wrote it."""
    return [
        PlanProblem((*each["loc"], *each.get("ctx", {}).get("at", ())), _render_problem(each))
        for each in error.errors(include_url=False)
    ]


def suggest_names(name: str, known: Sequence[str]) -> str:
    """Return a hint: the nearest of the known names, or the first of them where none is near."""
    if near := difflib.get_close_matches(name, known, n=3, cutoff=0.5):
        return f"; nearest: {', '.join(map(repr, near))}"
    few = ", ".join(map(repr, known[:12]))
    return f"; there {'is' if len(known) == 1 else 'are'} {few}{', …' if known[12:] else ''}"


def _render_problem(problem: ErrorDetails) -> str:
    name = ".".join(map(str, problem["loc"]))
    kind, given, context = problem["type"], problem["input"], problem.get("ctx", {})
    if kind == _OWN_ERROR:
        return problem["msg"]
    if kind == "extra_forbidden":
        hint = suggest_names(name, list(Plan.model_fields)) if len(problem["loc"]) == 1 else ""
        return f"a plan has no field {name!r}{hint}"
    if kind == "missing":
        return f"{name} is missing; a plan needs it"
    if kind == "greater_than_equal":
        return f"{name} is at least {context['ge']}, not {given!r}"
    if kind in ("int_parsing", "int_type", "int_from_float"):
        return f"{name} must be a whole number, not {given!r}"
    if kind in ("model_type", "dict_type"):
        return f"{name} must be a mapping of names to values, not {given!r}"
    if kind == "tuple_type":
        return f"{name} must be a list, not {given!r}"
    message = problem["msg"]
    return f"{name}: {message[:1].lower()}{message[1:]}, not {given!r}"


_OWN_ERROR = "plan"


def _own_error(message: str, *at: str) -> PydanticCustomError:
    """Return an error that is reported as worded, at a place within what is validated."""
    return PydanticCustomError(_OWN_ERROR, "{message}", {"message": message, "at": at})


# ---- The plan.


class _PlanPart(BaseModel):
    model_config = ConfigDict(
        frozen=True, extra="forbid", coerce_numbers_to_str=True, populate_by_name=True
    )
    _nullable: ClassVar[frozenset[str]] = frozenset()

    @model_validator(mode="before")
    @classmethod
    def _drop_nulls(cls, given: Any) -> Any:
        """Where a null is allowed, it is the same as leaving the name out."""
        if not isinstance(given, Mapping) or not cls._nullable:
            return given
        return {
            key: each for key, each in given.items() if each is not None or key not in cls._nullable
        }


class PlannedConstitution(_PlanPart):
    """The text that a plan holds for, and for no other."""

    title: str = ""
    sha256: str


def _parse_path(given: Any) -> Any:
    """Take a section's name for its path until the constitution is at hand."""
    return (given,) if isinstance(given, str) else given


class PlannedSection(_PlanPart):
    """A section whose passages documents are grounded in.

    Attributes:
        path: Its headings from the top; empty for what precedes the first.
        passages: How many it has itself, those of its subsections left out.
        documents: How many documents are grounded in it.
    """

    path: Annotated[tuple[str, ...], BeforeValidator(_parse_path)] = Field(
        validation_alias="section"
    )
    passages: int = 0
    documents: int = Field(default=0, ge=0)

    _nullable = frozenset({"passages", "documents"})

    @property
    def name(self) -> str:
        """The path in one line."""
        return SEPARATOR.join(self.path)

    @model_serializer
    def _serialise(self) -> dict[str, Any]:
        return {"section": self.name, "passages": self.passages, "documents": self.documents}


class PlannedAxis(_PlanPart):
    """What is drawn on one axis of variety: counts or shares, or values that a model lists.

    Attributes:
        counts: Value → how many documents get it; together all of them.
        generated: How many values a model is to list; each gets its even share.
        shares: Value → its percentage, as a file may have them; of a plan that was read, they
            have become counts.
    """

    counts: Mapping[str, int] = {}
    generated: int = Field(default=0, ge=0)
    shares: Mapping[str, Fraction] = Field(default={}, repr=False)

    @model_validator(mode="before")
    @classmethod
    def _parse_values(cls, given: Any) -> Any:
        """Read an axis as a file has it: `{dry: 8}`, `{dry: 25%}` or `{generated: 40}`."""
        if not isinstance(given, Mapping) or any(
            isinstance(given.get(name), Mapping) for name in ("counts", "shares")
        ):
            return given
        if list(given) == ["generated"]:
            count = given["generated"]
            if isinstance(count, bool) or not isinstance(count, int) or count < 1:
                raise _own_error(f"generated is 1 or more, not {count!r}", "generated")
            return given
        counts: dict[str, int] = {}
        shares: dict[str, Fraction] = {}
        for value, amount in given.items():
            if (share := _parse_share(amount)) is not None:
                shares[value] = share
            elif isinstance(amount, int) and not isinstance(amount, bool):
                counts[value] = amount
            else:
                raise _own_error(
                    f"{value!r} must be a count (`12`) or a share (`25%`), not {amount!r}", value
                )
        return {"counts": counts, "shares": shares}

    @model_serializer
    def _serialise(self) -> dict[str, int]:
        return {"generated": self.generated} if self.generated else dict(self.counts)


def _parse_share(given: Any) -> Fraction | None:
    if not isinstance(given, str) or not given.strip().endswith("%"):
        return None
    try:
        share = Fraction(given.strip().removesuffix("%").strip())
    except (ValueError, ZeroDivisionError):
        return None
    return share if share >= 0 else None


class Focus(_PlanPart):
    """How passages are grouped into what one document is about.

    Attributes:
        passages: At most so many neighbours of one section.
        tokens: At most so many tokens together, one passage apart and what introduces it.
    """

    passages: int = Field(default=3, ge=1)
    tokens: int = Field(default=300, ge=1)


DEFAULT_FOCUS = Focus()


def _parse_tokens(given: Any) -> Any:
    try:
        return None if given is None else parse_amount(given)
    except PlanError as error:
        raise _own_error(f"tokens: {error}") from error


class Plan(_PlanPart):
    """What a corpus is to be.

    A dry run is recognised by a plan's repr: a field that is added, renamed or moved makes
    earlier estimates unknown.

    Attributes:
        generator: The name of the generator that writes it.
        constitution: What it is grounded in.
        documents: How many documents are wanted.
        sections: Where they are grounded.
        variety: Axis → what is drawn on it.
        options: The generator's, by name; `language` is apart.
        typical_tokens: How long a document is assumed to be, where `tokens` were asked for.
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
    documents: int = Field(default=0, ge=1)
    sections: tuple[PlannedSection, ...] = ()
    variety: Mapping[str, PlannedAxis] = {}
    options: Mapping[str, Any] = {}
    typical_tokens: int = Field(default=0, ge=1)
    tokens: Annotated[int | None, BeforeValidator(_parse_tokens)] = None
    language: str = ""
    seed: int = 0
    drafts: int = Field(default=1, ge=1)
    per_passage: int = Field(default=1, ge=0)
    best_effort: bool = False
    attempts: int = Field(default=3, ge=1)
    wave: int = Field(default=0, ge=1)
    focus: Focus = DEFAULT_FOCUS
    held_out: str = ""

    _nullable = frozenset({"documents", "typical_tokens", "language", "wave", "held_out"})

    @property
    def contexts(self) -> int:
        """How many contexts there are: a document each, or several drafts."""
        return self.documents // self.drafts

    @property
    def generator_options(self) -> dict[str, Any]:
        """The generator's options, the language among them."""
        language = {"language": self.language} if self.language else {}
        return {**self.options, **language}
