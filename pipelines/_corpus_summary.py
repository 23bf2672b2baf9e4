"""The account of a corpus: what came of the plan, what is short, what it took."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from ._answering import Traffic
from ._corpus_files import CorpusFiles
from ._corpus_tally import CorpusTally, Quota
from ._crew import Crew
from ._foretold import Foretold
from ._ledger import Spent
from ._manifest import crew_record
from ._rowrecord import QUARANTINED
from ._summary import spent_record
from .planning import plan_record


@dataclass(frozen=True, slots=True)
class CorpusSummary:
    """The account of a corpus.

    Attributes:
        tally: What came of the plan.
        variety: Axis → how many documents each of its values has.
        uncovered: The passages that ground fewer documents than they should, the ones that a best
            effort leaves out included.
        spent: What all replies in the run's ledger took, by step and model, earlier runs included.
        traffic: What this process sent and received.
        seconds: How long it took.
        files: Where everything lies.
        stopped: Why it ended before everything was tried: the budget; empty where it did not.
        notes: What a reader of the account should know.
        foretold: What a dry run said of it beforehand; `None` where there was none.
    """

    tally: CorpusTally
    variety: Mapping[str, tuple[Quota, ...]]
    uncovered: tuple[str, ...]
    spent: tuple[Spent, ...]
    traffic: Traffic
    seconds: float
    files: CorpusFiles
    stopped: str = ""
    notes: tuple[str, ...] = ()
    foretold: Foretold | None = None

    @property
    def exit_code(self) -> int:
        """0 where the plan is kept, 1 where it falls short, 3 where the budget ended the run."""
        if self.stopped:
            return 3
        return 1 if self.shortfalls else 0

    @property
    def shortfalls(self) -> tuple[str, ...]:
        """What the corpus is short of, a sentence each; none where the plan is kept."""
        tally, plan = self.tally, self.tally.plan
        told = []
        if tally.documents < plan.documents:
            told.append(f"{tally.documents:,} of {plan.documents:,} documents are written")
        told += [
            f"section {quota.name or '(before the first heading)'}: {quota.written:,} of "
            f"{quota.planned:,} documents"
            for quota in tally.sections
            if quota.short
        ]
        told += [
            f"{axis} {quota.meaning or quota.name}: {quota.written:,} of {quota.planned:,} "
            "documents"
            for axis, quotas in self.variety.items()
            for quota in quotas
            if quota.short
        ]
        if self.uncovered and not plan.best_effort:
            few = "no document" if plan.per_passage == 1 else f"fewer than {plan.per_passage}"
            told.append(f"passages that ground {few}: {len(self.uncovered):,}")
        return tuple(told)

    @property
    def tokens_short(self) -> int:
        """How many tokens are lacking where tokens were asked for."""
        return max((self.tally.plan.tokens or 0) - self.tally.tokens, 0)

    def record(self) -> dict[str, Any]:
        """Return the account as plain values."""
        tally, plan = self.tally, self.tally.plan
        return {
            "documents": tally.documents,
            "planned": plan.documents,
            "tokens": tally.tokens,
            "tokens_planned": plan.tokens,
            "attempts": tally.attempts,
            **{outcome: tally.outcomes[outcome] for outcome in (*tally.meanings, QUARANTINED)},
            "given_up": tally.given_up,
            "to_do": tally.to_do,
            "reasons": dict(sorted(tally.reasons.items())),
            "near_duplicates": {
                stage: tally.near_duplicates[stage] for stage in ("idea", "document")
            },
            "shortfalls": list(self.shortfalls),
            "stopped": self.stopped or None,
            "sections": [quota.record() for quota in tally.sections],
            "variety": {
                axis: [quota.record() for quota in quotas] for axis, quotas in self.variety.items()
            },
            "uncovered": list(self.uncovered),
            "notes": list(self.notes),
            "reused": tally.reused,
            "answered": self.traffic.answered,
            "replayed": self.traffic.replayed,
            "retried": self.traffic.retried,
            "spent": [spent_record(spent) for spent in self.spent],
            "foretold": None if self.foretold is None else self.foretold.record(),
            "seconds": round(self.seconds, 3),
        }


def corpus_manifest(
    summary: CorpusSummary, crew: Crew, *, started: datetime, finished: datetime, prices_of: str
) -> dict[str, Any]:
    """Return the manifest of a corpus as plain values; see `manifest_record`."""
    files = summary.files
    quarantine = files.quarantine if summary.tally.quarantined else None
    return {
        "whyset": version("whyset"),
        "started": started.isoformat(timespec="seconds"),
        "finished": finished.isoformat(timespec="seconds"),
        "output": Path(files.output).name,
        "quarantine": quarantine.name if quarantine else None,
        "against": [path.name for path in files.against],
        "plan_file": files.plan.name if files.plan else None,
        "plan": plan_record(summary.tally.plan),
        **crew_record(crew, files.constitution),
        "prices_of": prices_of,
        "summary": summary.record(),
    }
