"""The account of a run: what came out, what it took."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from whyset.generators import Usage, usage_record

from ._answering import Traffic
from ._files import RunFiles
from ._foretold import Foretold
from ._ledger import Spent
from ._live import Done
from ._rowrecord import QUARANTINED


@dataclass(slots=True)
class Tally:
    """What has come out of a run so far.

    Attributes:
        meanings: Outcomes that may be → what they mean, in the order in which they are told.
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

    def add(self, done: Done) -> None:
        """Count a row."""
        self.rows += 1
        self.reused += done.reused
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
        tally: What came out.
        spent: What all replies in the run's ledger took, by step and model, earlier runs included.
        traffic: What this process sent and received.
        seconds: How long it took.
        files: Where everything lies.
        foretold: What a dry run said of it beforehand; `None` where there was none.
    """

    tally: Tally
    spent: tuple[Spent, ...]
    traffic: Traffic
    seconds: float
    files: RunFiles
    foretold: Foretold | None = None

    @property
    def exit_code(self) -> int:
        """0 where all rows are done, 1 where some are in quarantine."""
        return 1 if self.tally.outcomes[QUARANTINED] else 0

    def record(self) -> dict[str, Any]:
        """Return the account as plain values."""
        return {
            **self.tally.record(),
            "reused": self.tally.reused,
            "answered": self.traffic.answered,
            "replayed": self.traffic.replayed,
            "retried": self.traffic.retried,
            "spent": [spent_record(spent) for spent in self.spent],
            "foretold": None if self.foretold is None else self.foretold.record(),
            "seconds": round(self.seconds, 3),
        }


def spent_record(spent: Spent) -> Mapping[str, Any]:
    """Return what a step took as plain values; `dollars` is null where the model is unpriced."""
    return {
        "step": spent.step,
        "model": spent.model,
        "replies": spent.replies,
        **usage_record(spent.usage),
        "dollars": None if spent.cost is None else float(spent.cost),
    }
