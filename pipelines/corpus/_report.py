"""The account of a corpus: what was written beside what was planned, what is short, the costs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from .._files import CorpusFiles
from .._pipeline import Pipeline
from .._report import pipeline_record, step_cost_record
from ..engine._record import QUARANTINED
from ..engine._requests import RequestStats
from ..estimate._cost import SavedEstimate
from ..ledger._ledger import StepCost
from ..plan import Context, Plan, plan_record
from ._production import NEAR_DUPLICATE, Attempt


@dataclass(frozen=True, slots=True)
class Quota:
    """How many documents were planned of something, and how many are written.

    Attributes:
        name: What of: a section, or a value of an axis.
        planned: How many were planned.
        written: How many are in the output.
        meaning: What a value that was drawn as a number stands for; empty for any other.
    """

    name: str
    planned: int
    written: int
    meaning: str = ""

    @property
    def shortfall(self) -> int:
        """How many are missing."""
        return max(self.planned - self.written, 0)

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        meaning = {"meaning": self.meaning} if self.meaning else {}
        return {"name": self.name, **meaning, "planned": self.planned, "written": self.written}


@dataclass(slots=True)
class CorpusCounts:
    """What was made of a plan so far.

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
        self.reused += attempt.is_reused
        if not attempt.is_accepted:
            self.reasons.update(attempt.reasons)
            self.near_duplicates[attempt.stage] += NEAR_DUPLICATE in attempt.reasons
            self.given_up += attempt.is_abandoned
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
        """How many of them were rejected."""
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


@dataclass(frozen=True, slots=True)
class CorpusSummary:
    """The account of a corpus.

    Attributes:
        counts: What was made of the plan.
        variety: Axis → how many documents each of its values has.
        uncovered: The passages that ground fewer documents than they should, the ones that a best
            effort leaves out included.
        costs: What all replies in the run's ledger took, by step and model, earlier runs included.
        stats: What this process sent and received.
        seconds: How long it took.
        files: Where everything lies.
        stop_reason: Why it ended before everything was tried: the budget; empty where it did not.
        notes: What a reader of the account should know.
        saved_estimate: What a dry run estimated beforehand; `None` where there was none.
    """

    counts: CorpusCounts
    variety: Mapping[str, tuple[Quota, ...]]
    uncovered: tuple[str, ...]
    costs: tuple[StepCost, ...]
    stats: RequestStats
    seconds: float
    files: CorpusFiles
    stop_reason: str = ""
    notes: tuple[str, ...] = ()
    saved_estimate: SavedEstimate | None = None

    @property
    def exit_code(self) -> int:
        """0 where the plan is kept, 1 where it falls short, 3 where the budget ended the run."""
        if self.stop_reason:
            return 3
        return 1 if self.shortfalls else 0

    @property
    def shortfalls(self) -> tuple[str, ...]:
        """What the corpus is short of, a sentence each; none where the plan is kept."""
        counts, plan = self.counts, self.counts.plan
        lines = []
        if counts.documents < plan.documents:
            lines.append(f"{counts.documents:,} of {plan.documents:,} documents are written")
        quotas = [
            (f"section {quota.name or '(before the first heading)'}", quota)
            for quota in counts.sections
        ]
        quotas += [
            (f"{axis} {quota.meaning or quota.name}", quota)
            for axis, values in self.variety.items()
            for quota in values
        ]
        lines += [
            f"{name}: {quota.written:,} of {quota.planned:,} documents"
            for name, quota in quotas
            if quota.shortfall
        ]
        if self.uncovered and not plan.best_effort:
            few = "no document" if plan.per_passage == 1 else f"fewer than {plan.per_passage}"
            lines.append(f"passages that ground {few}: {len(self.uncovered):,}")
        return tuple(lines)

    @property
    def token_shortfall(self) -> int:
        """How many tokens are missing where tokens were asked for."""
        return max((self.counts.plan.tokens or 0) - self.counts.tokens, 0)

    def record(self) -> dict[str, Any]:
        """Return the account as plain values."""
        counts, plan = self.counts, self.counts.plan
        return {
            "documents": counts.documents,
            "planned": plan.documents,
            "tokens": counts.tokens,
            "tokens_planned": plan.tokens,
            "attempts": counts.attempts,
            **{outcome: counts.outcomes[outcome] for outcome in (*counts.meanings, QUARANTINED)},
            "given_up": counts.given_up,
            "to_do": counts.to_do,
            "reasons": dict(sorted(counts.reasons.items())),
            "near_duplicates": {
                stage: counts.near_duplicates[stage] for stage in ("idea", "document")
            },
            "shortfalls": list(self.shortfalls),
            "stopped": self.stop_reason or None,
            "sections": [quota.record() for quota in counts.sections],
            "variety": {
                axis: [quota.record() for quota in quotas] for axis, quotas in self.variety.items()
            },
            "uncovered": list(self.uncovered),
            "notes": list(self.notes),
            "reused": counts.reused,
            "answered": self.stats.answered,
            "replayed": self.stats.replayed,
            "retried": self.stats.retried,
            "spent": [step_cost_record(spent) for spent in self.costs],
            "foretold": None if self.saved_estimate is None else self.saved_estimate.record(),
            "seconds": round(self.seconds, 3),
        }


def corpus_manifest(
    summary: CorpusSummary,
    pipeline: Pipeline,
    *,
    started: datetime,
    finished: datetime,
    prices_date: date,
) -> dict[str, Any]:
    """Return the manifest of a corpus as plain values; see `manifest_record`."""
    files = summary.files
    quarantine = files.quarantine if summary.counts.quarantined else None
    return {
        "whyset": version("whyset"),
        "started": started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
        "output": Path(files.output).name,
        "quarantine": quarantine.name if quarantine else None,
        "against": [path.name for path in files.against],
        "plan_file": files.plan.name if files.plan else None,
        "plan": plan_record(summary.counts.plan),
        **pipeline_record(pipeline, files.constitution),
        "prices_of": prices_date.isoformat(),
        "summary": summary.record(),
    }
