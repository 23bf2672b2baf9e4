"""What a run's ledger says of it, read without asking anyone and while a process works on it."""

import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from whyset.errors import RunError
from whyset.generators import Usage, usage_record

from ._batches import Batch, read_batches
from ._ledger import LEDGER_FORMAT

_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class StepStatus:
    """The replies of one step by one model.

    Attributes:
        step: The prompt they answered.
        model: `provider:model`.
        replies: How many there are.
        batched: How many of them came out of message batches.
        usage: What they took together.
    """

    step: str
    model: str
    replies: int
    batched: int
    usage: Usage


@dataclass(frozen=True, slots=True)
class RunStatus:
    """What a run's ledger says of it.

    Attributes:
        rows: How many rows are done.
        steps: The replies, by step and model.
        batches: Every batch, as the provider was last heard of it, in order of creation.
    """

    rows: int
    steps: tuple[StepStatus, ...]
    batches: tuple[Batch, ...]

    @classmethod
    def read(cls, ledger: Path) -> "RunStatus":
        """Read a ledger. It is neither locked nor changed, whether a process works on it or not.

        Raises:
            RunError: There is no such file, or it is not a ledger that this version can read.
        """
        if not ledger.is_file():
            raise RunError(f"{ledger}: no such file; has the run begun?")
        attempt = 0
        while True:
            attempt += 1
            try:
                with closing(_connect_read_only(ledger)) as connection:
                    return cls._read(connection, ledger)
            except sqlite3.Error as error:
                # Read as a file that nobody writes to, and then somebody did: it goes better the
                # next time, with their log beside it.
                if attempt == _ATTEMPTS:
                    raise RunError(f"{ledger}: cannot be read as a ledger: {error}") from error

    @property
    def pending(self) -> tuple[Batch, ...]:
        """The batches whose results are yet to come."""
        return tuple(batch for batch in self.batches if not batch.is_final)

    @property
    def waves(self) -> dict[int, tuple[Batch, ...]]:
        """The batches by wave."""
        numbers = sorted({batch.wave for batch in self.batches})
        return {
            number: tuple(batch for batch in self.batches if batch.wave == number)
            for number in numbers
        }

    def record(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return {
            "rows": self.rows,
            "steps": [
                {
                    "step": step.step,
                    "model": step.model,
                    "replies": step.replies,
                    "batched": step.batched,
                    **usage_record(step.usage),
                }
                for step in self.steps
            ],
            "waves": [
                {"wave": number, "batches": [_batch_record(batch) for batch in batches]}
                for number, batches in self.waves.items()
            ],
        }

    @classmethod
    def _read(cls, connection: sqlite3.Connection, ledger: Path) -> "RunStatus":
        with connection:
            connection.execute("BEGIN")  # one view of it, whatever is written meanwhile
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (1, LEDGER_FORMAT):
                raise RunError(
                    f"{ledger}: is not a ledger of this version of whyset (its format is "
                    f"{version}, not {LEDGER_FORMAT})"
                )
            batched = "sum(batched)" if version == LEDGER_FORMAT else "0"
            steps = [
                StepStatus(step, model, replies, by_batch, Usage(*tokens))
                for step, model, replies, by_batch, *tokens in connection.execute(
                    f"SELECT step, asked, count(*), {batched}, sum(input_tokens), "
                    "sum(output_tokens), sum(cache_read_tokens), sum(cache_write_tokens) "
                    "FROM replies GROUP BY step, asked ORDER BY step, asked"
                )
            ]
            (rows,) = connection.execute("SELECT count(*) FROM rows").fetchone()
            batches = read_batches(connection) if version == LEDGER_FORMAT else []
        return cls(rows, tuple(steps), tuple(batches))


def _connect_read_only(ledger: Path) -> sqlite3.Connection:
    """Open a ledger for reading alone.

    Where there is a log beside it, somebody writes, or was killed: it is read along. Without one
    the file is complete, and opening it as a file that never changes leaves none beside it.
    """
    logged = ledger.with_name(f"{ledger.name}-wal").exists()
    mode = "mode=ro" if logged else "mode=ro&immutable=1"
    uri = f"file:{quote(str(ledger.absolute()))}?{mode}"
    return sqlite3.connect(uri, uri=True, isolation_level=None)


def _batch_record(batch: Batch) -> dict[str, Any]:
    return {
        "model": batch.model,
        "id": batch.id or None,
        "state": batch.state,
        "requests": batch.requests,
        "size": batch.size,
        "intended_at": batch.intended_at,
        "created_at": batch.created_at or None,
        "ended_at": batch.ended_at or None,
        "collected_at": batch.collected_at or None,
        "succeeded": batch.succeeded,
        "errored": batch.errored,
        "canceled": batch.canceled,
        "expired": batch.expired,
    }
