"""The ledger: every reply as it arrives and every row that is done, so that nothing is paid twice.

SQLite in WAL mode with one writing thread. What arrives within a few milliseconds is committed
together, so durability costs no throughput; a reply survives a kill some 20 ms after it came.
"""

import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from filelock import FileLock, Timeout

from whyset.errors import RunError, RunLocked
from whyset.generators import Ask, Reply, Usage
from whyset.models import Prices

# ---- The tables

LEDGER_FORMAT = 2
"""The layout; a ledger of another one is refused, never misread. 1 had no batches: it is brought
up to 2 when it is opened."""

_BATCHES = """
CREATE TABLE batches (
    number INTEGER PRIMARY KEY, wave INTEGER NOT NULL, model TEXT NOT NULL, identity TEXT NOT NULL,
    id TEXT NOT NULL, state TEXT NOT NULL, newest TEXT NOT NULL,
    requests INTEGER NOT NULL, size INTEGER NOT NULL,
    intended_at TEXT NOT NULL, created_at TEXT NOT NULL, ended_at TEXT NOT NULL,
    collected_at TEXT NOT NULL,
    succeeded INTEGER NOT NULL, errored INTEGER NOT NULL, canceled INTEGER NOT NULL,
    expired INTEGER NOT NULL
);
CREATE TABLE batched (
    batch INTEGER NOT NULL, key TEXT NOT NULL, step TEXT NOT NULL, PRIMARY KEY (batch, key)
) WITHOUT ROWID;
"""

# The version is set in the same transaction: a kill in between leaves no ledger without one.
# Keys are digests, scattered over the index; the records themselves are appended.
CREATE_TABLES = f"""
BEGIN IMMEDIATE;
CREATE TABLE replies (
    key TEXT PRIMARY KEY, step TEXT NOT NULL, asked TEXT NOT NULL, text TEXT NOT NULL,
    stop TEXT NOT NULL, model TEXT NOT NULL, detail TEXT NOT NULL,
    input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
    cache_read_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL,
    batched INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE rows (key TEXT PRIMARY KEY, record BLOB NOT NULL);
{_BATCHES}
PRAGMA user_version = {LEDGER_FORMAT};
COMMIT;
"""

MIGRATE_FROM_1 = f"""
BEGIN IMMEDIATE;
ALTER TABLE replies ADD COLUMN batched INTEGER NOT NULL DEFAULT 0;
{_BATCHES}
PRAGMA user_version = {LEDGER_FORMAT};
COMMIT;
"""


# ---- Keys that have surely not been seen: to look one up in SQLite in vain takes 58 µs, here 4

_BITS = 1 << 26
_MASK = _BITS - 1
_PROBES = 4


class BloomFilter:
    """A set of texts that may hold too many, never too few (Bloom, CACM 13(7), 1970).

    Eight MiB whatever it holds. One text in 6,000 passes for another at two million, one in 25 at
    ten million; a ledger then looks in vain, no more. The places of a text are steps of one half
    of its hash from the other (Kirsch and Mitzenmacher, "Less Hashing, Same Performance", 2006).
    """

    def __init__(self) -> None:
        self._bits = bytearray(_BITS // 8)

    def add(self, text: str) -> None:
        """Add a text."""
        place = hash(text)
        step = (place >> 32) | 1
        for _ in range(_PROBES):
            self._bits[(place & _MASK) >> 3] |= 1 << (place & 7)
            place += step

    def __contains__(self, text: str) -> bool:
        """Say whether a text may have been added; `False` is certain."""
        place = hash(text)
        step = (place >> 32) | 1
        for _ in range(_PROBES):
            if not self._bits[(place & _MASK) >> 3] & 1 << (place & 7):
                return False
            place += step
        return True


# ---- One process a run


class RunLock:
    """A lock file, held until `release` or to the end of the process, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock.

        Raises:
            RunLocked: Another process holds it.
            RunError: The file cannot be written.
        """
        self._path = path
        # A ledger may be closed in another thread than it was opened in.
        self._lock = FileLock(path, thread_local=False, fallback_to_soft=False)
        try:
            path.parent.stat()  # a folder that is not there would be made
            # Whoever releases it removes the file: one opened in between is opened anew.
            self._lock.acquire(timeout=_LOCK_SECONDS, poll_interval=_LOCK_SECONDS / 10)
        except Timeout as error:
            raise RunLocked(
                f"another whyset process{self._read_holder()} is working on this run ({path}): "
                "wait for it, or name another output with -o"
            ) from error
        except OSError as error:
            raise RunError(f"{path}: cannot be written: {error.strerror or error}") from error
        with suppress(OSError):  # a full disk: the lock holds, only its holder is not named
            path.write_text(str(os.getpid()), encoding="utf-8")

    def release(self) -> None:
        """Remove the file and let other processes in."""
        if self._lock.is_locked:
            self._path.unlink(missing_ok=True)
            self._lock.release()

    def _read_holder(self) -> str:
        try:
            holder = self._path.read_text(encoding="utf-8")
        except OSError:
            return ""
        return f" ({holder})" if holder.isdigit() else ""


# ---- The ledger itself

T = TypeVar("T")

_LOCK_SECONDS = 0.1
_COMMIT_SECONDS = 0.02
# Rows that one statement inserts; SQLite takes some 32,000 values.
_PAGE_ROWS = 500

_PUT_REPLY = "INSERT OR IGNORE INTO replies VALUES "
_PUT_ROW = "INSERT OR REPLACE INTO rows VALUES "
_USAGE = "input_tokens, output_tokens, cache_read_tokens, cache_write_tokens"


@dataclass(frozen=True, slots=True)
class StepCost:
    """What the replies of one step by one model took together.

    Attributes:
        step: The prompt they answered.
        model: `provider:model`.
        replies: How many there were.
        usage: Their tokens.
        cost: Their price in dollars; `None` where the model is unpriced.
    """

    step: str
    model: str
    replies: int
    usage: Usage
    cost: Decimal | None


class Ledger(AbstractContextManager["Ledger"]):
    """The durable record of one run's replies and finished rows.

    Use it from one thread; the thread that writes is the ledger's own. Reading never waits for a
    write to reach the disk.
    """

    def __init__(self, path: Path | None) -> None:
        """Open or create a ledger.

        Args:
            path: The file; `None` keeps a record that ends with the process (in memory, and in an
                unnamed temporary file where memory does not do).

        Raises:
            RunLocked: Another process works on this run.
            RunError: The file cannot be opened, or is not a ledger of this version.
        """
        self._path = path
        self._lock = RunLock(path.with_name(f"{path.name}.lock")) if path else None
        self._unwritten_replies: dict[str, Reply] = {}
        self._unwritten_rows: dict[str, bytes] = {}
        self._queue: queue.SimpleQueue[_Write | _Transaction | None] = queue.SimpleQueue()
        self._hurry = threading.Event()
        self._failure: Exception | None = None
        self._put_here: BloomFilter | None = None
        try:
            self._writer = self._open()
            # An unnamed database has one connection only, which the two threads take turns with.
            self._reader = self._connect() if path else self._writer
            self._turn: AbstractContextManager[object] = nullcontext() if path else threading.Lock()
        except BaseException:
            if self._lock is not None:
                self._lock.release()
            raise
        self._thread = threading.Thread(target=self._write_all, name="whyset-ledger", daemon=True)
        self._thread.start()

    @property
    def is_durable(self) -> bool:
        """Whether it outlives the process."""
        return self._path is not None

    @staticmethod
    def open_existing(path: Path | None) -> "AbstractContextManager[Ledger | None]":
        """Open the ledger that an earlier run has left; nothing where none has.

        Raises:
            RunError: As when any ledger is opened.
        """
        return Ledger(path) if path is not None and path.exists() else nullcontext()

    def reply(self, key: str) -> Reply | None:
        """Return the reply recorded for an ask key, if there is one."""
        if (reply := self._unwritten_replies.get(key)) is not None:
            return reply
        found = self._one(f"SELECT text, stop, model, detail, {_USAGE} FROM replies", key)
        if found is None:
            return None
        text, stop, model, detail, *tokens = found
        return Reply(text, stop, Usage(*tokens), model, detail)

    def put_reply(
        self, key: str, ask: Ask | str, asked: str, reply: Reply, *, batched: bool = False
    ) -> None:
        """Record a reply; it is durable some 20 ms later.

        Args:
            key: The ask's key.
            ask: What was asked, or only its step.
            asked: The name of the model that was asked.
            reply: What it answered, usable or not: it was paid for.
            batched: Whether it was paid at the price of message batches.

        Raises:
            RunError: An earlier record could not be written (a full disk, say).
        """
        self._unwritten_replies[key] = reply
        step = ask if isinstance(ask, str) else ask.step
        values = (key, step, asked, reply.text, reply.stop_reason, reply.model, reply.detail)
        usage = reply.usage
        tokens = (
            usage.input_tokens,
            usage.output_tokens,
            usage.cache_read_tokens,
            usage.cache_write_tokens,
            int(batched),
        )
        self._put(_Write(_PUT_REPLY, (*values, *tokens), self._unwritten_replies))

    def row(self, key: str) -> bytes | None:
        """Return the record of a finished row, if there is one."""
        if (record := self._unwritten_rows.get(key)) is not None:
            return record
        found = self._one("SELECT record FROM rows", key)
        return found[0] if found else None

    def put_row(self, key: str, record: bytes) -> None:
        """Record a row that is done; it is durable some 20 ms later.

        Args:
            key: What the row is known by on resuming.
            record: What `row` is to return.

        Raises:
            RunError: An earlier record could not be written.
        """
        self._unwritten_rows[key] = record
        self._put(_Write(_PUT_ROW, (key, record), self._unwritten_rows))

    def cost_by_step(self, prices: Prices) -> tuple[StepCost, ...]:
        """Return what all recorded replies took, by step and model.

        Some prices hang on a prompt's length, so each reply is priced by itself.

        Raises:
            RunError: A record could not be written.
        """
        self.flush()
        sums: dict[tuple[str, str], StepCost] = {}
        with self._turn:
            for step, asked, batched, *tokens in self._reader.execute(
                f"SELECT step, asked, batched, {_USAGE} FROM replies"
            ):
                usage = Usage(*tokens)
                cost = prices.cost(asked, usage, batch=bool(batched))
                sum_ = sums.get((step, asked), StepCost(step, asked, 0, Usage(), Decimal(0)))
                sums[step, asked] = StepCost(
                    step,
                    asked,
                    sum_.replies + 1,
                    sum_.usage + usage,
                    None if sum_.cost is None or cost is None else sum_.cost + cost,
                )
        return tuple(sums[key] for key in sorted(sums))

    def flush(self) -> None:
        """Wait until all that was put is durable.

        Raises:
            RunError: It could not be written.
        """
        self.run_transaction(lambda _: None)

    def run_transaction(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do something in a transaction of its own, after all that was put; durable on return.

        Args:
            work: What to do with the connection, in the thread that writes.

        Raises:
            RunError: It, or an earlier record, could not be written.
        """
        transaction = _Transaction(work)
        self._queue.put(transaction)
        self._hurry.set()
        transaction.over.wait()
        self._raise_failure()
        if transaction.error is not None:
            raise transaction.error
        # The queue holds work of every type: what this one returns has been lost on the way.
        return transaction.result  # type: ignore[no-any-return]

    def close(self) -> None:
        """Write what is left, close the file and let other processes in."""
        self._queue.put(None)
        self._hurry.set()
        self._thread.join()
        self._reader.close()
        self._writer.close()
        if self._lock is not None:
            self._lock.release()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()

    def __enter__(self) -> Self:
        """Return the ledger itself."""
        return self

    def _open(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if version not in (1, LEDGER_FORMAT) and (version or tables):
                raise RunError(
                    f"{self._path}: is not a ledger of this version of whyset (its format is "
                    f"{version}, not {LEDGER_FORMAT}); name another output with -o, or move the "
                    "file away"
                )
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            if not tables:
                connection.executescript(CREATE_TABLES)
                self._put_here = BloomFilter()
            elif version == 1:
                connection.executescript(MIGRATE_FROM_1)
        except sqlite3.Error as error:
            connection.close()
            raise self._unusable_error(error) from error
        except RunError:
            connection.close()
            raise
        return connection

    def _connect(self) -> sqlite3.Connection:
        try:
            return sqlite3.connect(self._path or "", check_same_thread=False)
        except sqlite3.Error as error:
            raise self._unusable_error(error) from error

    def _unusable_error(self, error: sqlite3.Error) -> RunError:
        return RunError(
            f"{self._path}: cannot be used as a ledger: {error}; name another output with -o, or "
            "move the file away"
        )

    def _one(self, select: str, key: str) -> tuple[Any, ...] | None:
        if self._put_here is not None and key not in self._put_here:
            return None
        try:
            with self._turn:
                found: tuple[Any, ...] | None = self._reader.execute(
                    f"{select} WHERE key = ?", (key,)
                ).fetchone()
        except sqlite3.Error as error:
            raise RunError(f"{self._path}: the ledger cannot be read: {error}") from error
        return found

    def _put(self, write: "_Write") -> None:
        self._raise_failure()
        if self._put_here is not None:
            self._put_here.add(write.key)
        self._queue.put(write)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise RunError(
                f"{self._path}: the ledger cannot be written: {self._failure}. No more requests "
                "are sent; free some disk space and run the same command again"
            ) from self._failure

    def _write_all(self) -> None:
        closing = False
        while not closing:
            taken = [self._queue.get()]
            # Asleep, and not at the queue: to wake up for every write would cost the event loop
            # more than the writing does. Whoever waits for the disk cuts the sleep short.
            self._hurry.wait(_COMMIT_SECONDS)
            self._hurry.clear()
            with suppress(queue.Empty):
                while taken[-1] is not None:
                    taken.append(self._queue.get_nowait())
            closing = taken[-1] is None
            self._commit([item for item in taken if isinstance(item, _Write)])
            for item in taken:
                if isinstance(item, _Transaction):
                    self._run(item)

    def _commit(self, writes: "list[_Write]") -> None:
        if not writes or self._failure is not None:
            return
        try:
            with self._turn, self._writer:
                for statement in (_PUT_REPLY, _PUT_ROW):
                    alike = [write.values for write in writes if write.statement is statement]
                    for start in range(0, len(alike), _PAGE_ROWS):
                        self._insert(statement, alike[start : start + _PAGE_ROWS])
        except Exception as error:
            # Whatever it is: this thread must live on, or whoever waits at a barrier waits forever.
            self._failure = error
            return
        for write in writes:
            write.unwritten.pop(write.key, None)

    def _run(self, transaction: "_Transaction") -> None:
        try:
            if self._failure is None:
                with self._turn, self._writer:
                    transaction.result = transaction.work(self._writer)
        except sqlite3.Error as error:
            self._failure = error
        except Exception as error:
            transaction.error = error
        finally:
            transaction.over.set()

    def _insert(self, statement: str, rows: list[tuple[str | int | bytes, ...]]) -> None:
        """Insert many rows by one statement.

        SQLite works on it without Python's lock; row by row, it would take the lock from the event
        loop and give it back thousands of times a second.
        """
        row = f"({','.join('?' * len(rows[0]))})"
        values = [value for one in rows for value in one]
        self._writer.execute(statement + ",".join([row] * len(rows)), values)


@dataclass(frozen=True, slots=True)
class _Write:
    statement: str
    values: tuple[str | int | bytes, ...]
    unwritten: dict[str, Reply] | dict[str, bytes]

    @property
    def key(self) -> str:
        return str(self.values[0])


class _Transaction:
    def __init__(self, work: Callable[[sqlite3.Connection], Any]) -> None:
        self.work = work
        self.over = threading.Event()
        self.result: Any = None
        self.error: Exception | None = None
