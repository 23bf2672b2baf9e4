"""Running: a generator over a dataset, without losing a row or a paid reply."""

from ._answering import Traffic
from ._crew import Crew
from ._crewing import open_crew
from ._errors import RunError, RunLocked, RunStopped
from ._files import RunFiles
from ._ledger import Ledger, Spent
from ._live import Done, LiveEngine
from ._rowrecord import QUARANTINED, RowRecord
from ._run import Run
from ._summary import Summary, Tally

__all__ = [
    "QUARANTINED",
    "Crew",
    "Done",
    "Ledger",
    "LiveEngine",
    "RowRecord",
    "Run",
    "RunError",
    "RunFiles",
    "RunLocked",
    "RunStopped",
    "Spent",
    "Summary",
    "Tally",
    "Traffic",
    "open_crew",
]
