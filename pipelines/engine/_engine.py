"""The engine of a run, live or by batch, opened, watched over and closed."""

import gc
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

from whyset.datasets import BadRow
from whyset.errors import RunError, RunStopped
from whyset.generators import Generator, Item

from .._config import RunConfig
from .._pipeline import Pipeline
from ..ledger._ledger import Ledger
from ._batch import BatchEngine, collect_ended_batches
from ._live import LiveEngine
from ._record import RowResult
from ._stop import StopSignal


class Engine(Protocol):
    """What drives the steps of rows."""

    def run(
        self, rows: Iterable[Item | BadRow], *, generator: Generator | None = None
    ) -> AsyncGenerator[RowResult, None]:
        """Yield every row in the order of the input; see `LiveEngine.run`."""


async def start_engine(
    pipeline: Pipeline, ledger: Ledger, config: RunConfig, stop_signal: StopSignal
) -> LiveEngine | BatchEngine:
    """Return an engine; a live one once what earlier batches have to say is collected.

    Raises:
        RunError: No budget can be kept to, or no message batches be made.
        ModelAccessDenied: The provider turns every ask down.
    """
    if not config.batch:
        await collect_ended_batches(pipeline, ledger, config, stop_signal)
        return LiveEngine(pipeline, ledger, config, stop_signal)
    if not ledger.is_durable:
        raise RunError(
            "message batches take up to a day, and without -o FILE there is no ledger to record "
            "what they cost: name an output with -o, or leave --batch out"
        )
    return BatchEngine(pipeline, ledger, config, stop_signal)


@asynccontextmanager
async def open_engine(
    pipeline: Pipeline,
    ledger: Ledger,
    config: RunConfig,
    stop_signal: StopSignal,
    *,
    render_stop: Callable[[str], str],
) -> AsyncIterator[LiveEngine | BatchEngine]:
    """Start an engine for the work within; the pipeline is closed behind it.

    Raises:
        RunStopped: The work stopped; every reply so far is on the disk.
    """
    try:
        yield await start_engine(pipeline, ledger, config, stop_signal)
    except RunStopped as reason:
        ledger.flush()
        raise RunStopped(render_stop(str(reason))) from reason
    finally:
        await pipeline.aclose()


@contextmanager
def freeze_gc() -> Iterator[None]:
    """Keep what exists already out of the sight of Python's collector of cycles.

    The vendors' packages hold some 240,000 objects that it would look through again and again as
    rows come and go: a fifth of a run's time, measured.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
