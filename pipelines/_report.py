"""The account of a run: what came out, what it took."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from whyset.datasets import Selection, Shape
from whyset.generators import Usage, usage_record

from ._files import RunFiles
from ._pipeline import Pipeline
from .engine._record import QUARANTINED, RowResult
from .engine._requests import RequestStats
from .estimate._cost import SavedEstimate
from .ledger._ledger import StepCost


@dataclass(slots=True)
class RunCounts:
    """What has come out of a run so far.

    Attributes:
        meanings: Outcomes that may be → what they mean, in the order in which a summary has them.
        rows: How many rows there were; the sum of all outcomes.
        outcomes: Rows by outcome, `quarantined` among them.
        reasons: Quarantined rows by reason; a row may have several.
        reused: Rows whose result was made in an earlier run.
        usage: What the replies behind these rows took, whenever they were paid for.
    """

    meanings: Mapping[str, str] = field(default_factory=dict)
    rows: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    reused: int = 0
    usage: Usage = Usage()

    def add(self, done: RowResult) -> None:
        """Count a row."""
        self.rows += 1
        self.reused += done.is_reused
        self.outcomes[done.record.outcome] += 1
        self.reasons.update(done.record.reasons)
        self.usage += done.record.usage

    def record(self) -> dict[str, Any]:
        """Return the counts as plain values; every outcome that may be is there, be it 0."""
        return {
            "rows": self.rows,
            **{outcome: self.outcomes[outcome] for outcome in (*self.meanings, QUARANTINED)},
            "reasons": dict(sorted(self.reasons.items())),
        }


@dataclass(frozen=True, slots=True)
class Summary:
    """The account of a run.

    Attributes:
        counts: What came out.
        costs: What all replies in the run's ledger took, by step and model, earlier runs included.
        stats: What this process sent and received.
        seconds: How long it took.
        files: Where everything lies.
        saved_estimate: What a dry run said of it beforehand; `None` where there was none.
    """

    counts: RunCounts
    costs: tuple[StepCost, ...]
    stats: RequestStats
    seconds: float
    files: RunFiles
    saved_estimate: SavedEstimate | None = None

    @property
    def exit_code(self) -> int:
        """0 where all rows are done, 1 where some are in quarantine."""
        return 1 if self.counts.outcomes[QUARANTINED] else 0

    def record(self) -> dict[str, Any]:
        """Return the account as plain values."""
        return {
            **self.counts.record(),
            "reused": self.counts.reused,
            "answered": self.stats.answered,
            "replayed": self.stats.replayed,
            "retried": self.stats.retried,
            "spent": [step_cost_record(spent) for spent in self.costs],
            "foretold": None if self.saved_estimate is None else self.saved_estimate.record(),
            "seconds": round(self.seconds, 3),
        }


def step_cost_record(spent: StepCost) -> Mapping[str, Any]:
    """Return what a step took as plain values; `dollars` is null where the model is unpriced."""
    return {
        "step": spent.step,
        "model": spent.model,
        "replies": spent.replies,
        **usage_record(spent.usage),
        "dollars": None if spent.cost is None else float(spent.cost),
    }


# ---- The manifest: what is true of a run and belongs in none of its rows


def manifest_record(
    summary: Summary,
    pipeline: Pipeline,
    *,
    started: datetime,
    finished: datetime,
    prices_date: date,
    selection: Selection,
    output_shape: Shape | None,
) -> dict[str, Any]:
    """Return a finished run's manifest as plain values."""
    files = summary.files
    read = files.source.labels
    quarantine = files.quarantine if summary.counts.outcomes[QUARANTINED] else None
    return {
        "whyset": version("whyset"),
        "started": started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
        "input": read[0] if len(read) == 1 else list(read),
        "output": Path(files.output).name,
        "quarantine": quarantine.name if quarantine else None,
        "selection": asdict(selection),
        "to": output_shape,
        **pipeline_record(pipeline, files.constitution),
        "prices_of": prices_date.isoformat(),
        "summary": summary.record(),
    }


def pipeline_record(pipeline: Pipeline, constitution_file: Path | None) -> dict[str, Any]:
    """Return what a manifest says of who worked."""
    constitution = pipeline.retriever.constitution
    return {
        "constitution": {
            "title": constitution.title,
            "sha256": constitution.digest,
            "file": constitution_file.name if constitution_file else None,
        },
        "generator": {"name": pipeline.generator.name, "version": pipeline.generator.version},
        "models": pipeline.model_names,
        "retrieval": pipeline.retriever.identity,
        "settings": dict(pipeline.settings),
    }
