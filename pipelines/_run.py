"""A whole run: rows in, rows and quarantine out, a manifest beside them, an account at the end."""

import time
from collections.abc import Callable
from contextlib import ExitStack, aclosing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from whyset.datasets import (
    DEFAULT_SELECTION,
    PROVENANCE_COLUMN,
    DatasetError,
    Selection,
    Shape,
    UnsupportedConversion,
    convert_row,
    dumps,
    loads,
    read_rows,
)
from whyset.errors import RunStopped

from ._config import RunConfig
from ._files import RunFiles, RunWriter, open_run_writer, write_json
from ._pipeline import Pipeline
from ._report import RunCounts, Summary, manifest_record
from .engine._batch import BatchEngine
from .engine._engine import freeze_gc, open_engine
from .engine._live import LiveEngine
from .engine._record import QUARANTINED, RowRecord, RowResult
from .engine._requests import RequestStats
from .engine._stop import StopSignal, render_stop_message, run_with_signals
from .estimate._cost import Estimate, load_estimate, save_estimate
from .estimate._estimate import DEFAULT_SAMPLE, estimate_run
from .ledger._ledger import Ledger

SHAPE_REASON = "shape"
"""Why a row is quarantined that the shape cannot hold."""


@dataclass(slots=True)
class Run:
    """A generator over a dataset. Run again after an interruption, it goes on where it stopped.

    Attributes:
        files: Where to read and write.
        pipeline: Who works.
        config: How it asks.
        selection: What of each row is worked on.
        output_shape: The shape that finished rows are written in; each in its own where none is
            given.
        on_row: Called after every row with the counts so far.
        on_quarantine: Called with every line for the quarantine.
    """

    files: RunFiles
    pipeline: Pipeline
    config: RunConfig = field(default_factory=RunConfig)
    selection: Selection = DEFAULT_SELECTION
    output_shape: Shape | None = None
    on_row: Callable[[RunCounts, RequestStats], None] = lambda counts, stats: None
    on_quarantine: Callable[[bytes], None] = lambda line: None
    _counts: RunCounts = field(default_factory=RunCounts, init=False, repr=False)
    _stop_signal: StopSignal = field(default_factory=StopSignal, init=False, repr=False)

    def execute(self, *, on_interrupt: Callable[[], None] = lambda: None) -> Summary:
        """Do it, in an event loop of its own.

        The first SIGINT or SIGTERM lets asks in flight finish, the second ends the run at once
        (where this is the main thread).

        Args:
            on_interrupt: Called after the first signal.

        Raises:
            DatasetError: The input cannot be read or the output not written.
            RunError: The ledger cannot be used.
            RunStopped: A signal came, or the provider does not answer; the output is not written.
            ModelAccessDenied: The provider turns every ask down.
        """
        return run_with_signals(
            self.aexecute,
            stop=self.stop,
            on_interrupt=on_interrupt,
            render_stop=self._render_stop,
        )

    async def aexecute(self) -> Summary:
        """Do it in the running event loop; as `execute`, but signals are left to the caller."""
        began, started = time.monotonic(), datetime.now(UTC)
        self._counts = RunCounts(self.pipeline.generator.outcomes)
        self._stop_signal = StopSignal()
        with ExitStack() as stack:
            stack.enter_context(freeze_gc())
            ledger = stack.enter_context(Ledger(self.files.ledger))
            writer = stack.enter_context(
                open_run_writer(self.files, self.files.source, on_quarantine=self.on_quarantine)
            )
            async with open_engine(
                self.pipeline,
                ledger,
                self.config,
                self._stop_signal,
                render_stop=self._render_stop,
            ) as engine:
                await self._write_rows(engine, writer)
            summary = Summary(
                self._counts,
                ledger.cost_by_step(self.config.prices),
                engine.stats,
                time.monotonic() - began,
                self.files,
                load_estimate(
                    self.files.estimate, identity=self.pipeline.identity, batch=self.config.batch
                ),
            )
            writer.commit()
            if self.files.manifest is not None:
                record = manifest_record(
                    summary,
                    self.pipeline,
                    started=started,
                    finished=datetime.now(UTC),
                    prices_date=self.config.prices.dated,
                    selection=self.selection,
                    output_shape=self.output_shape,
                )
                write_json(self.files.manifest, record)
        return summary

    def stop(self) -> None:
        """Let asks in flight finish and send no more; `execute` then raises `RunStopped`.

        Batches in flight are not waited for: the next run collects them.
        """
        self._stop_signal.trigger(RunStopped("Stopped"))

    def estimate(self, *, sample: int = DEFAULT_SAMPLE, seed: int = 0) -> Estimate:
        """Say what the run would ask and cost from here on; nothing is sent.

        What was said is kept beside the output, and repeated when the run has ended.

        Args:
            sample: How many rows to walk, drawn at random; 0 walks all.
            seed: What the sample is drawn with.

        Raises:
            DatasetError: The input cannot be read.
            RunError: Another process works on this run, or its ledger cannot be read.
            WhysetError: See `estimate_run`.
        """
        with Ledger.open_existing(self.files.ledger) as ledger:
            estimated = estimate_run(
                self.pipeline,
                read_rows(self.files.source, selection=self.selection),
                self.config.prices,
                ledger=ledger,
                sample=sample,
                seed=seed,
            )
        if self.files.estimate is not None:
            save_estimate(self.files.estimate, estimated, identity=self.pipeline.identity)
        return estimated

    async def _write_rows(self, engine: LiveEngine | BatchEngine, writer: RunWriter) -> None:
        rows = read_rows(self.files.source, selection=self.selection)
        async with aclosing(engine.run(rows)) as results:
            async for done in results:
                if self.output_shape is not None:
                    done = convert_result(done, self.output_shape)
                self._counts.add(done)
                if done.record.line is not None:
                    writer.write(done.record.line)
                else:
                    writer.write_quarantine(done.record.quarantine_line(done.row))
                self.on_row(self._counts, engine.stats)

    def _render_stop(self, reason: str) -> str:
        done = f"{self._counts.rows:,} {'row' if self._counts.rows == 1 else 'rows'}"
        return render_stop_message(reason, done, self.files.ledger)


def convert_result(done: RowResult, to: Shape) -> RowResult:
    """Return a finished row written in a shape, or quarantined where that cannot hold it.

    The ledger keeps the row as it is: another run may write it in another shape.
    """
    line = done.record.line
    if line is None:
        return done
    columns = loads(line)
    provenance = columns.pop(PROVENANCE_COLUMN, None)
    try:
        converted = convert_row(columns, to=to)
    except (UnsupportedConversion, DatasetError) as error:
        record = RowRecord(
            QUARANTINED,
            done.record.usage,
            reasons=(SHAPE_REASON,),
            detail=str(error),
            quarantine_fields={"finished": columns, PROVENANCE_COLUMN: provenance},
        )
        return replace(done, record=record)
    return replace(
        done, record=replace(done.record, line=dumps({**converted, PROVENANCE_COLUMN: provenance}))
    )
