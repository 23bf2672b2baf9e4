"""Which batches a run has at the provider, in its ledger before anything else happens."""

import sqlite3
from collections.abc import Collection, Iterable, Mapping
from dataclasses import astuple, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from whyset.errors import RunError
from whyset.models import BatchStatus

from ._ledger import Ledger

INTENDED = "intended"
"""About to be created, or created by a process that did not live to hear of it."""

COLLECTED = "collected"
"""All that came of it is in the ledger."""

LOST = "lost"
"""Gone at the provider before it was collected."""

_FINAL_STATES = (COLLECTED, LOST)


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as the ledger knows it. Times are RFC 3339; empty where it has not come to that.

    Attributes:
        number: The ledger's own number for it.
        wave: Which wave it went out with; counted from 1 through all processes of a run.
        model: The name of the model that is asked.
        identity: The model's identity, which is part of its asks' keys.
        id: The provider's name for it; empty while that is not known.
        state: `intended`, then what the provider said last (`in_progress`, `canceling`, `ended`),
            then `collected`, or `lost` where the provider no longer has the results.
        newest: The provider's newest batch before this one; empty where there was none.
        requests: How many asks it holds.
        size: Their length in bytes.
        intended_at: When it was about to be created.
        created_at: When it was, by the provider's clock.
        ended_at: When it ended, by the provider's clock.
        collected_at: When its results were in the ledger.
        succeeded: How many asks were answered.
        errored: How many failed.
        canceled: How many were canceled.
        expired: How many were not begun in time.
    """

    number: int
    wave: int
    model: str
    identity: str
    id: str
    state: str
    newest: str
    requests: int
    size: int
    intended_at: str
    created_at: str = ""
    ended_at: str = ""
    collected_at: str = ""
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0

    @property
    def is_final(self) -> bool:
        """Whether nothing more can come of it."""
        return self.state in _FINAL_STATES


_COLUMNS = ", ".join(field.name for field in fields(Batch))


def read_batches(connection: sqlite3.Connection) -> list[Batch]:
    """Return every batch in a ledger, in the order in which they were created."""
    return [Batch(*row) for row in connection.execute(f"SELECT {_COLUMNS} FROM batches")]


class BatchTable:
    """The batches in a ledger. What a method writes is durable when it returns.

    Args:
        ledger: Where they stand.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def list_batches(self) -> list[Batch]:
        """Return every batch, in the order in which they were created."""
        return self._ledger.run_transaction(read_batches)

    def list_pending(self, identities: Collection[str]) -> list[Batch]:
        """Return the batches whose results are yet to come."""
        return [
            each
            for each in self.list_batches()
            if not each.is_final and each.identity in identities
        ]

    def record_intent(
        self,
        *,
        wave: int,
        model: str,
        identity: str,
        newest: str,
        size: int,
        steps: Mapping[str, str],
    ) -> Batch:
        """Record that a batch is about to be created."""

        def insert(connection: sqlite3.Connection) -> Batch:
            (highest,) = connection.execute("SELECT max(number) FROM batches").fetchone()
            batch = Batch(
                number=(highest or 0) + 1,
                wave=wave,
                model=model,
                identity=identity,
                id="",
                state=INTENDED,
                newest=newest,
                requests=len(steps),
                size=size,
                intended_at=_now(),
            )
            values = astuple(batch)
            marks = ",".join("?" * len(values))
            connection.execute(f"INSERT INTO batches ({_COLUMNS}) VALUES ({marks})", values)
            connection.executemany(
                "INSERT INTO batched VALUES (?, ?, ?)",
                [(batch.number, key, step) for key, step in steps.items()],
            )
            return batch

        return self._ledger.run_transaction(insert)

    def delete(self, batch: Batch) -> None:
        """Forget a batch that was not created, or will never be collected."""

        def delete(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM batched WHERE batch = ?", (batch.number,))
            connection.execute("DELETE FROM batches WHERE number = ?", (batch.number,))

        self._ledger.run_transaction(delete)

    def record_status(self, batch: Batch, status: BatchStatus) -> Batch:
        """Record what the provider says of a batch, its id above all; return it as it is now."""
        stated: dict[str, str | int] = {
            "id": status.id,
            "state": status.state,
            "created_at": status.created_at,
            "ended_at": status.ended_at,
            "succeeded": status.succeeded,
            "errored": status.errored,
            "canceled": status.canceled,
            "expired": status.expired,
        }
        if all(getattr(batch, name) == value for name, value in stated.items()):
            return batch
        return self._update(batch, stated)

    def record_end(self, batch: Batch, state: str) -> Batch:
        """Record that nothing more can come of a batch; return it as it is now."""
        return self._update(batch, {"state": state, "collected_at": _now()}, forget_asks=True)

    def read_steps(self, batch: Batch) -> dict[str, str]:
        """Return the key of every ask that a batch holds → the ask's step."""

        def select(connection: sqlite3.Connection) -> dict[str, str]:
            found = connection.execute(
                "SELECT key, step FROM batched WHERE batch = ?", (batch.number,)
            )
            return dict(found.fetchall())

        return self._ledger.run_transaction(select)

    def _update(
        self, batch: Batch, values: Mapping[str, str | int], *, forget_asks: bool = False
    ) -> Batch:
        def update(connection: sqlite3.Connection) -> Batch:
            marks = ", ".join(f"{name} = ?" for name in values)
            connection.execute(
                f"UPDATE batches SET {marks} WHERE number = ?", (*values.values(), batch.number)
            )
            if forget_asks:
                connection.execute("DELETE FROM batched WHERE batch = ?", (batch.number,))
            (row,) = connection.execute(
                f"SELECT {_COLUMNS} FROM batches WHERE number = ?", (batch.number,)
            )
            return Batch(*row)

        return self._ledger.run_transaction(update)


def require_no_pending_batches(ledger: Ledger, identities: Collection[str]) -> None:
    """Raise where asks of these models are in batches: asked live, they would be paid twice.

    Raises:
        RunError: There are such batches; the message says what to do.
    """
    left = BatchTable(ledger).list_pending(identities)
    if left:
        raise RunError(
            f"{describe_batches(left)} of this run may still be answered at the provider, and "
            "asking live would pay for the asks in them twice. Run the same command with --batch "
            "to collect them; or wait: a batch ends within a day"
        )


def forget_batch(ledger: Path, batch: str) -> None:
    """Forget a batch that was deleted at the provider: its asks are sent, and paid, again.

    Args:
        ledger: The run's ledger.
        batch: The provider's name for the batch.

    Raises:
        RunLocked: Another process works on the run.
        RunError: The file is no ledger, or no such batch of it is underway.
    """
    if not ledger.exists():
        raise RunError(f"{ledger}: no such file")
    with Ledger(ledger) as opened:
        table = BatchTable(opened)
        found = [each for each in table.list_batches() if each.id == batch and not each.is_final]
        if not found:
            raise RunError(f"{ledger}: has no pending message batch {batch}")
        table.delete(found[0])


def describe_batches(batches: Iterable[Batch]) -> str:
    """Return how many batches there are, and how many asks they hold, in words."""
    sizes = [batch.requests for batch in batches]
    kind = "message batch" if len(sizes) == 1 else "message batches"
    asks = f"{sum(sizes):,} {'ask' if sum(sizes) == 1 else 'asks'}"
    return f"{len(sizes):,} {kind} with {asks}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
