"""A whole run: rows in, rows and quarantine out, a manifest beside them, an account at the end."""

import time
from collections.abc import Callable
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal

from whyset.datasets import DEFAULT, Selection, Shape, read_rows
from whyset.models import Prices, RetryPolicy

from ._answering import Traffic
from ._batchpolicy import DEFAULT_POLICY, BatchPolicy
from ._crew import Crew
from ._engines import Engine, Means, Reins, sparing_the_collector, spent_on
from ._estimate import SAMPLE, estimate
from ._files import RunFiles
from ._forecast import Estimate
from ._foretold import keep_estimate, read_estimate
from ._interrupting import run_interruptibly, told_stopped
from ._keeping import write_record
from ._ledger import Ledger
from ._manifest import manifest_record
from ._outgoing import Outgoing, outgoing
from ._reshaping import reshaped
from ._summary import Summary, Tally


@dataclass(slots=True)
class Run:
    """A generator over a dataset. Run again after an interruption, it goes on where it stopped.

    Attributes:
        files: Where to read and write.
        crew: Who works.
        concurrency: How many asks are in flight at most.
        retries: When a failed ask is sent again.
        batch: Whether to ask by message batches, at their price; what was begun so can be
            finished live, and the other way round.
        batch_policy: How batches are made and looked after.
        budget: The most that may be spent, in dollars, earlier runs on the same ledger included.
        prices: What replies cost; the list that ships with whyset where none is given.
        selection: What of each row is worked on.
        to: The shape that finished rows are written in; each in its own where none is given.
        on_row: Called after every row with the counts so far.
        on_quarantine: Called with every line for the quarantine.
    """

    files: RunFiles
    crew: Crew
    concurrency: int = 16
    retries: RetryPolicy = RetryPolicy()
    batch: bool = False
    batch_policy: BatchPolicy = DEFAULT_POLICY
    budget: Decimal | None = None
    prices: Prices | None = None
    selection: Selection = DEFAULT
    to: Shape | None = None
    on_row: Callable[[Tally, Traffic], None] = lambda tally, traffic: None
    on_quarantine: Callable[[bytes], None] = lambda line: None
    _tally: Tally = field(default_factory=Tally, init=False, repr=False)
    _reins: Reins = field(default_factory=Reins, init=False, repr=False)

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
        return run_interruptibly(self.aexecute, self.stop, self._told)

    async def aexecute(self) -> Summary:
        """Do it in the running event loop; as `execute`, but signals are left to the caller."""
        began, started = time.monotonic(), datetime.now(UTC)
        prices = self.prices or Prices.load()
        tally = self._tally = Tally(self.crew.generator.outcomes)
        reins = self._reins = Reins()
        with ExitStack() as stack:
            stack.enter_context(sparing_the_collector())
            ledger = stack.enter_context(Ledger(self.files.ledger))
            self.files.remove_leftovers()
            written = stack.enter_context(
                outgoing(self.files, self.files.source, on_quarantine=self.on_quarantine)
            )
            means = Means(
                self.concurrency, self.retries, self.batch, self.batch_policy, self.budget, prices
            )
            durable = self.files.ledger is not None
            async with reins.engine(
                means, self.crew, ledger, durable=durable, told=self._told
            ) as engine:
                await self._write_rows(engine, written)
            spent = spent_on(ledger, prices)
            seconds = time.monotonic() - began
            foretold = read_estimate(self.files.estimate, crew=self.crew.identity, batch=self.batch)
            summary = Summary(tally, spent, engine.traffic, seconds, self.files, foretold)
            written.commit()
            if self.files.manifest is not None:
                record = manifest_record(
                    summary,
                    self.crew,
                    started=started,
                    finished=datetime.now(UTC),
                    prices_of=prices.dated.isoformat(),
                    selection=self.selection,
                    to=self.to,
                )
                write_record(self.files.manifest, record)
        return summary

    def stop(self) -> None:
        """Let asks in flight finish and send no more; `execute` then raises `RunStopped`.

        Batches in flight are not waited for: the next run collects them.
        """
        self._reins.stop()

    def estimate(self, *, sample: int = SAMPLE, seed: int = 0) -> Estimate:
        """Say what the run would ask and cost from here on; nothing is sent.

        What was said is kept beside the output, and told again when the run has ended.

        Args:
            sample: How many rows to walk, drawn at random; 0 walks all.
            seed: What the sample is drawn with.

        Raises:
            DatasetError: The input cannot be read.
            RunError: Another process works on this run, or its ledger cannot be read.
            WhysetError: See `whyset.pipelines.estimate`.
        """
        with Ledger.of_earlier_run(self.files.ledger) as ledger:
            estimated = estimate(
                self.crew,
                read_rows(self.files.source, selection=self.selection),
                self.prices or Prices.load(),
                ledger=ledger,
                sample=sample,
                seed=seed,
            )
        if self.files.estimate is not None:
            keep_estimate(self.files.estimate, estimated, crew=self.crew.identity)
        return estimated

    async def _write_rows(self, engine: Engine, written: Outgoing) -> None:
        rows = read_rows(self.files.source, selection=self.selection)
        async with aclosing(engine.run(rows)) as results:
            async for done in results:
                if self.to is not None:
                    done = reshaped(done, self.to)
                self._tally.add(done)
                if done.record.line is not None:
                    written.write(done.record.line)
                else:
                    written.set_aside(done.record.quarantine_line(done.row))
                self.on_row(self._tally, engine.traffic)

    def _told(self, reason: str) -> str:
        done = f"{self._tally.rows:,} {'row' if self._tally.rows == 1 else 'rows'}"
        return told_stopped(reason, done, self.files.ledger)
