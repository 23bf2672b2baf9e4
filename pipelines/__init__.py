"""Running: a generator over a dataset, without losing a row or a paid reply."""

from whyset.errors import BudgetExhausted, PlanError, RunError, RunLocked, RunStopped

from ._config import BatchPolicy, RunConfig
from ._files import CorpusFiles, RunFiles
from ._functions import Mapper, mapper, rewrite_rows
from ._holdout import load_scenarios
from ._inspect import InspectExport, export_inspect
from ._pipeline import Pipeline, open_pipeline, read_prompts, write_prompts
from ._report import RunCounts, Summary
from ._run import Run
from .card._card import CardSettings, ExportFacts, collect_export_facts, render_card
from .card._facts import CardFacts, RunFacts
from .corpus._dedup import DEFAULT_THRESHOLDS, DedupThresholds
from .corpus._production import Attempt
from .corpus._report import CorpusCounts, CorpusSummary, Quota
from .corpus._run import CorpusRun
from .engine._batch import BatchEngine
from .engine._budget import Budget, Reservation
from .engine._live import LiveEngine
from .engine._record import QUARANTINED, RowRecord, RowResult
from .engine._requests import RequestStats
from .estimate._cost import (
    ConfidenceInterval,
    Estimate,
    Forecast,
    ForecastIntervals,
    SavedEstimate,
    StepForecast,
)
from .estimate._estimate import DEFAULT_SAMPLE, estimate_run
from .ledger._batches import Batch, forget_batch
from .ledger._ledger import Ledger, StepCost
from .ledger._status import RunStatus, StepStatus
from .plan import (
    Focus,
    Plan,
    PlannedAxis,
    PlannedConstitution,
    PlannedSection,
    find_uncovered_passages,
    group_passages,
    make_plan,
    parse_amount,
    parse_plan,
    read_plan,
    render_coverage,
    render_plan,
    write_plan,
)

__all__ = [
    "DEFAULT_SAMPLE",
    "DEFAULT_THRESHOLDS",
    "QUARANTINED",
    "Attempt",
    "Batch",
    "BatchEngine",
    "BatchPolicy",
    "Budget",
    "BudgetExhausted",
    "CardFacts",
    "CardSettings",
    "ConfidenceInterval",
    "CorpusCounts",
    "CorpusFiles",
    "CorpusRun",
    "CorpusSummary",
    "DedupThresholds",
    "Estimate",
    "ExportFacts",
    "Focus",
    "Forecast",
    "ForecastIntervals",
    "InspectExport",
    "Ledger",
    "LiveEngine",
    "Mapper",
    "Pipeline",
    "Plan",
    "PlanError",
    "PlannedAxis",
    "PlannedConstitution",
    "PlannedSection",
    "Quota",
    "RequestStats",
    "Reservation",
    "RowRecord",
    "RowResult",
    "Run",
    "RunConfig",
    "RunCounts",
    "RunError",
    "RunFacts",
    "RunFiles",
    "RunLocked",
    "RunStatus",
    "RunStopped",
    "SavedEstimate",
    "StepCost",
    "StepForecast",
    "StepStatus",
    "Summary",
    "collect_export_facts",
    "estimate_run",
    "export_inspect",
    "find_uncovered_passages",
    "forget_batch",
    "group_passages",
    "load_scenarios",
    "make_plan",
    "mapper",
    "open_pipeline",
    "parse_amount",
    "parse_plan",
    "read_plan",
    "read_prompts",
    "render_card",
    "render_coverage",
    "render_plan",
    "rewrite_rows",
    "write_plan",
    "write_prompts",
]
