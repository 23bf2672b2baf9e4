"""Running: a generator over a dataset, without losing a row or a paid reply."""

from whyset.errors import BudgetSpent, PlanError, RunError, RunLocked, RunStopped

from ._assembly import (
    Crew,
    open_crew,
    open_crew_for,
    open_document_crew,
    read_prompts,
    write_prompts,
)
from ._files import CorpusFiles, RunFiles
from ._functions import Mapper, mapper, rewrite_rows
from ._holdout import read_scenarios
from ._inspect import InspectExport, export_inspect
from ._report import Summary, Tally
from ._run import Run
from .card._card import CardExport, CardSettings, card_export, card_text
from .card._facts import CardFacts, RunTold
from .corpus._dedup import MEASURED, Likeness
from .corpus._production import Attempt
from .corpus._report import CorpusSummary, CorpusTally, Quota
from .corpus._run import CorpusRun
from .engine._batch import BatchEngine
from .engine._batch_jobs import BatchPolicy
from .engine._budget import Budget, Reservation
from .engine._live import Done, LiveEngine
from .engine._record import QUARANTINED, RowRecord
from .engine._requests import Traffic
from .estimate._cost import Estimate, Forecast, Foretold, Range, Ranges, StepForecast
from .estimate._estimate import SAMPLE, estimate
from .ledger._batches import Batch, forget_batch
from .ledger._ledger import Ledger, Spent
from .ledger._status import RunStatus, StepStatus
from .plan import (
    Focus,
    Plan,
    PlannedAxis,
    PlannedConstitution,
    PlannedSection,
    amount,
    coverage_text,
    focus_groups,
    make_plan,
    parse_plan,
    plan_text,
    read_plan,
    uncovered,
    write_plan,
)

__all__ = [
    "MEASURED",
    "QUARANTINED",
    "SAMPLE",
    "Attempt",
    "Batch",
    "BatchEngine",
    "BatchPolicy",
    "Budget",
    "BudgetSpent",
    "CardExport",
    "CardFacts",
    "CardSettings",
    "CorpusFiles",
    "CorpusRun",
    "CorpusSummary",
    "CorpusTally",
    "Crew",
    "Done",
    "Estimate",
    "Focus",
    "Forecast",
    "Foretold",
    "InspectExport",
    "Ledger",
    "Likeness",
    "LiveEngine",
    "Mapper",
    "Plan",
    "PlanError",
    "PlannedAxis",
    "PlannedConstitution",
    "PlannedSection",
    "Quota",
    "Range",
    "Ranges",
    "Reservation",
    "RowRecord",
    "Run",
    "RunError",
    "RunFiles",
    "RunLocked",
    "RunStatus",
    "RunStopped",
    "RunTold",
    "Spent",
    "StepForecast",
    "StepStatus",
    "Summary",
    "Tally",
    "Traffic",
    "amount",
    "card_export",
    "card_text",
    "coverage_text",
    "estimate",
    "export_inspect",
    "focus_groups",
    "forget_batch",
    "make_plan",
    "mapper",
    "open_crew",
    "open_crew_for",
    "open_document_crew",
    "parse_plan",
    "plan_text",
    "read_plan",
    "read_prompts",
    "read_scenarios",
    "rewrite_rows",
    "uncovered",
    "write_plan",
    "write_prompts",
]
