"""A whole run: rows in, rows and quarantine out, a manifest beside them, an account at the end."""

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, aclosing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from whyset.datasets import (
    STDIN,
    BadRow,
    DatasetError,
    LineWriter,
    Row,
    read_rows,
    read_stream,
)
from whyset.models import Prices, RetryPolicy

from ._answering import Traffic
from ._crew import Crew
from ._errors import RunStopped
from ._files import RunFiles
from ._ledger import Ledger
from ._live import LiveEngine
from ._manifest import manifest_record, write_manifest
from ._summary import Summary, Tally


@dataclass(slots=True)
class Run:
    """A generator over a dataset. Run again after an interruption, it goes on where it stopped.

    Attributes:
        files: Where to read and write.
        crew: Who works.
        concurrency: How many asks are in flight at most.
        retries: When a failed ask is sent again.
        prices: What replies cost; the list that ships with whyset where none is given.
        on_row: Called after every row with the counts so far.
        on_quarantine: Called with every line for the quarantine.
    """

    files: RunFiles
    crew: Crew
    concurrency: int = 16
    retries: RetryPolicy = RetryPolicy()
    prices: Prices | None = None
    on_row: Callable[[Tally, Traffic], None] = lambda tally, traffic: None
    on_quarantine: Callable[[bytes], None] = lambda line: None
    _engine: LiveEngine | None = field(default=None, init=False, repr=False)
    _tally: Tally = field(default_factory=Tally, init=False, repr=False)

    def execute(self) -> Summary:
        """Do it, in an event loop of its own.

        The first SIGINT or SIGTERM lets asks in flight finish, the second ends the run at once
        (where this is the main thread).

        Raises:
            DatasetError: The input cannot be read or the output not written.
            RunError: The ledger cannot be used.
            RunStopped: A signal came, or the provider does not answer; the output is not written.
            ModelRefused: The provider turns every ask down.
        """

        async def interruptible() -> Summary:
            try:
                with _on_signals(self.stop):
                    return await self.aexecute()
            except asyncio.CancelledError:
                raise RunStopped(
                    self._told("Stopped at once, without waiting for asks in flight")
                ) from None

        return asyncio.run(interruptible())

    async def aexecute(self) -> Summary:
        """Do it in the running event loop; as `execute`, but signals are left to the caller."""
        began, started = time.monotonic(), datetime.now(UTC)
        prices = self.prices or Prices.load()
        tally = self._tally = Tally()
        with ExitStack() as stack:
            ledger = stack.enter_context(Ledger(self.files.ledger))
            for path in self.files.leftovers():
                path.unlink(missing_ok=True)
            output = stack.enter_context(LineWriter(self.files.output))
            quarantine = (
                stack.enter_context(LineWriter(self.files.quarantine))
                if self.files.quarantine
                else None
            )
            engine = LiveEngine(
                self.crew, ledger, concurrency=self.concurrency, retries=self.retries
            )
            self._engine = engine
            try:
                await self._write_rows(engine, output, quarantine)
            except RunStopped as stopped:
                ledger.flush()
                raise RunStopped(self._told(str(stopped))) from stopped
            finally:
                self._engine = None
                await self.crew.aclose()
            spent = tuple(ledger.spent(prices.cost))
            seconds = time.monotonic() - began
            summary = Summary(tally, spent, engine.traffic, seconds, self.files)
            self._commit(output, quarantine)
            if self.files.manifest is not None:
                record = manifest_record(
                    summary,
                    self.crew,
                    started=started,
                    finished=datetime.now(UTC),
                    prices_of=prices.dated.isoformat(),
                )
                write_manifest(self.files.manifest, record)
        return summary

    def stop(self) -> None:
        """Let asks in flight finish and send no more; `execute` then raises `RunStopped`."""
        if self._engine is not None:
            self._engine.stop()

    async def _write_rows(
        self, engine: LiveEngine, output: LineWriter, quarantine: LineWriter | None
    ) -> None:
        async with aclosing(engine.run(_rows(self.files.source))) as results:
            async for done in results:
                self._tally.add(done)
                if done.record.line is not None:
                    output.write(done.record.line)
                else:
                    line = done.record.quarantine_line(done.row)
                    self.on_quarantine(line)
                    if quarantine is not None:
                        quarantine.write(line)
                self.on_row(self._tally, engine.traffic)

    def _commit(self, output: LineWriter, quarantine: LineWriter | None) -> None:
        """Put the new files in place of those of an earlier run.

        Its manifest goes first and the new one comes last: where there is one, it speaks of the
        files beside it, even if this process is killed in between.
        """
        if self.files.manifest is not None:
            self.files.manifest.unlink(missing_ok=True)
        if quarantine is not None:
            quarantine.commit(keep_empty=False)
        output.commit()

    def _told(self, reason: str) -> str:
        done = f"{self._tally.rows:,} {'row' if self._tally.rows == 1 else 'rows'}"
        if self.files.ledger is None:
            return f"{reason}. {done} came out; no other reply is kept of a run without -o FILE."
        return (
            f"{reason}. {done} came out; every reply so far is in {self.files.ledger}. Run the "
            "same command again to go on: nothing that was answered is asked again."
        )


def _rows(source: str) -> Iterator[Row | BadRow]:
    if source != STDIN:
        yield from read_rows(source)
        return
    # A stream of our own: were Python's to be closed at exit while the reading thread waits in
    # it for a line that never comes, the interpreter would abort.
    try:
        with os.fdopen(os.dup(0), "rb") as stream:
            yield from read_stream(stream, name="standard input")
    except OSError as error:
        raise DatasetError(f"standard input: cannot be read: {error.strerror or error}") from error


@contextmanager
def _on_signals(stop: Callable[[], None]) -> Iterator[None]:
    """On SIGINT and SIGTERM call `stop`; on a second one end the current task."""
    loop = asyncio.get_running_loop()
    current = asyncio.current_task()
    seen = 0

    def interrupt() -> None:
        nonlocal seen
        seen += 1
        if seen == 1:
            stop()
        elif current is not None:
            current.cancel()

    handled = []
    for number in (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, interrupt)
        except (ValueError, RuntimeError):
            continue  # not the main thread: whoever called keeps the handlers that are there
        handled.append(number)
    try:
        yield
    finally:
        for number in handled:
            loop.remove_signal_handler(number)
