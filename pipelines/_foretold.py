"""What a dry run said, kept beside the run until it can be held against what came of it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ._forecast import Estimate
from ._keeping import write_record


@dataclass(frozen=True, slots=True)
class Foretold:
    """What a dry run of a run said, in short; dollars are `None` where a model is unpriced.

    Attributes:
        rows: How many rows there were to do.
        least: Dollars if nothing were at stake in any row.
        most: Dollars if something were at stake in every row.
        projected: Dollars as the rows done by then went; `None` where none were.
        batch: Whether these are the prices of message batches.
    """

    rows: int
    least: float | None
    most: float | None
    projected: float | None
    batch: bool

    def record(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "rows": self.rows,
            "least": self.least,
            "most": self.most,
            "projected": self.projected,
            "batch": self.batch,
        }


def keep_estimate(path: Path, estimate: Estimate, *, crew: str) -> None:
    """Write down what a dry run said, for the end of the run itself.

    Args:
        path: Where.
        estimate: What it said.
        crew: The identity of the crew it was said of.

    Raises:
        DatasetError: It cannot be written.
    """
    write_record(path, {"crew": crew, **estimate.record()})


def read_estimate(path: Path | None, *, crew: str, batch: bool) -> Foretold | None:
    """Return what a dry run said of this very run; `None` where none did.

    Args:
        path: Where it would be.
        crew: The identity of the crew that has worked: of any other, nothing was said.
        batch: Whether to read the prices of message batches.
    """
    if path is None:
        return None
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        if record["crew"] != crew:
            return None
        name = "dollars_batch" if batch else "dollars"
        projected = record["as_so_far"]
        return Foretold(
            rows=record["remaining"],
            least=record["least"][name],
            most=record["most"][name],
            projected=None if projected is None else projected[name],
            batch=batch,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None  # a convenience: nothing hangs on it
