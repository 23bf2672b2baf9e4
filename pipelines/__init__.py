"""Running: a generator over a dataset, without losing a row or a paid reply."""

from ._answering import Traffic
from ._batch import BatchEngine
from ._batchbook import Batch, forget_batch
from ._batchpolicy import BatchPolicy
from ._budget import Budget, Reservation
from ._crew import Crew
from ._crewing import open_crew
from ._errors import RunError, RunLocked, RunStopped
from ._estimate import estimate
from ._files import RunFiles
from ._forecast import Estimate, Forecast, Ranges, StepForecast
from ._foretold import Foretold
from ._ledger import Ledger, Spent
from ._live import Done, LiveEngine
from ._rowrecord import QUARANTINED, RowRecord
from ._run import Run
from ._sampling import Range
from ._status import RunStatus, StepStatus
from ._summary import Summary, Tally

__all__ = [
    "QUARANTINED",
    "Batch",
    "BatchEngine",
    "BatchPolicy",
    "Budget",
    "Crew",
    "Done",
    "Estimate",
    "Forecast",
    "Foretold",
    "Ledger",
    "LiveEngine",
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
    "Spent",
    "StepForecast",
    "StepStatus",
    "Summary",
    "Tally",
    "Traffic",
    "estimate",
    "forget_batch",
    "open_crew",
]
