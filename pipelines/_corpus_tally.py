"""What has come of a plan so far, counted beside what was planned."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ._corpus_attempts import NEAR_DUPLICATE, Attempt
from ._rowrecord import QUARANTINED
from .planning import Context, Plan


@dataclass(frozen=True, slots=True)
class Quota:
    """How many documents were wanted of something, and how many there are.

    Attributes:
        name: What of: a section, or a value of an axis.
        planned: How many were wanted.
        written: How many are in the output.
        meaning: What a value that was drawn as a number stands for; empty for any other.
    """

    name: str
    planned: int
    written: int
    meaning: str = ""

    @property
    def short(self) -> int:
        """How many are lacking."""
        return max(self.planned - self.written, 0)

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        meaning = {"meaning": self.meaning} if self.meaning else {}
        return {"name": self.name, **meaning, "planned": self.planned, "written": self.written}


@dataclass(slots=True)
class CorpusTally:
    """What has come of a plan so far.

    Every attempt is accepted or in quarantine; a document that is neither written nor given up is
    still to do.

    Attributes:
        plan: What was planned.
        contexts: The plan's.
        meanings: Outcomes that may be → what they mean.
        outcomes: Attempts by outcome, `quarantined` among them.
        reasons: Rejected attempts by reason; one may have several.
        near_duplicates: Rejected near-duplicates by stage: `idea`, `document`.
        given_up: Documents for which nothing more is tried.
        reused: Attempts whose result was made in an earlier run.
        tokens: The tokens of all documents in the output, estimated.
        answered: Contexts and documents that came back so far, compared or not.
    """

    plan: Plan
    contexts: Sequence[Context] = field(repr=False)
    meanings: Mapping[str, str] = field(default_factory=dict)
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    near_duplicates: Counter[str] = field(default_factory=Counter)
    given_up: int = 0
    reused: int = 0
    tokens: int = 0
    answered: int = 0
    _by_section: Counter[tuple[str, ...]] = field(default_factory=Counter, repr=False)
    _by_passage: Counter[str] = field(default_factory=Counter, repr=False)
    _by_value: Counter[tuple[str, str]] = field(default_factory=Counter, repr=False)

    def add(self, attempt: Attempt) -> None:
        """Count an attempt."""
        self.outcomes[attempt.outcome] += 1
        self.reused += attempt.reused
        if not attempt.accepted:
            self.reasons.update(attempt.reasons)
            self.near_duplicates[attempt.stage] += NEAR_DUPLICATE in attempt.reasons
            self.given_up += attempt.given_up
            return
        context = attempt.context
        self.tokens += attempt.tokens
        self._by_section[context.path] += 1
        self._by_passage.update(context.passages)
        self._by_value.update(context.variety.items())

    @property
    def documents(self) -> int:
        """How many documents are in the output."""
        return self.attempts - self.quarantined

    @property
    def attempts(self) -> int:
        """How many attempts came to an end."""
        return self.outcomes.total()

    @property
    def quarantined(self) -> int:
        """How many of them came to nothing."""
        return self.outcomes[QUARANTINED]

    @property
    def to_do(self) -> int:
        """How many documents are neither written nor given up."""
        return self.plan.documents - self.documents - self.given_up

    @property
    def sections(self) -> tuple[Quota, ...]:
        """Each section's documents."""
        return tuple(
            Quota(section.name, section.documents, self._by_section[section.path])
            for section in self.plan.sections
        )

    def variety(self, meanings: Mapping[tuple[str, str], str]) -> dict[str, tuple[Quota, ...]]:
        """Return the documents of each value, by axis.

        Args:
            meanings: Axis and value as drawn → what that stands for.
        """
        planned = Counter(item for context in self.contexts for item in context.variety.items())
        return {
            axis: tuple(
                Quota(
                    value,
                    count * self.plan.drafts,
                    self._by_value[axis, value],
                    meanings.get((axis, value), ""),
                )
                for (name, value), count in sorted(planned.items(), key=lambda each: each[0])
                if name == axis
            )
            for axis in self.plan.variety
        }

    def uncovered(self, passages: Iterable[str]) -> tuple[str, ...]:
        """Return which of these passages ground fewer documents than they should."""
        return tuple(name for name in passages if self._by_passage[name] < self.plan.per_passage)
