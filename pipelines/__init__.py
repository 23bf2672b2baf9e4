"""Running: a generator over a dataset, without losing a row or a paid reply."""

from whyset.errors import BudgetSpent, PlanError, RunError, RunLocked, RunStopped

from ._answering import Traffic
from ._batch import BatchEngine
from ._batchbook import Batch, forget_batch
from ._batchpolicy import BatchPolicy
from ._budget import Budget, Reservation
from ._card import CardExport, CardSettings, card_text
from ._card_export import card_export
from ._card_facts import CardFacts
from ._card_run import RunTold
from ._corpus import CorpusRun
from ._corpus_attempts import Attempt
from ._corpus_crewing import open_document_crew
from ._corpus_files import CorpusFiles
from ._corpus_novelty import MEASURED, Likeness
from ._corpus_summary import CorpusSummary
from ._corpus_tally import CorpusTally, Quota
from ._crew import Crew
from ._crewing import open_crew, open_crew_for
from ._estimate import SAMPLE, estimate
from ._files import RunFiles
from ._forecast import Estimate, Forecast, Ranges, StepForecast
from ._foretold import Foretold
from ._functions import Mapper, mapper, rewrite_rows
from ._held_out import read_scenarios
from ._inspect import InspectExport, export_inspect
from ._ledger import Ledger, Spent
from ._live import Done, LiveEngine
from ._promptfolder import read_prompts, write_prompts
from ._rowrecord import QUARANTINED, RowRecord
from ._run import Run
from ._sampling import Range
from ._status import RunStatus, StepStatus
from ._summary import Summary, Tally
from .planning import (
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
