"""Plain functions: a list of rows in and out, and what `Dataset.map` takes.

Nothing is lost: a row that does not pass comes back as it was, marked in its `whyset` column as
`quarantined`, with the reasons.
"""

import asyncio
import atexit
import os
import sys
import threading
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar, Unpack

import pyarrow as pa

from whyset.constitution import Constitution
from whyset.datasets import (
    DEFAULT_SELECTION,
    PROVENANCE_COLUMN,
    REASONING_FIELD,
    BadRow,
    DatasetError,
    Row,
    Selection,
    find_provenance,
    free_provenance_column,
    is_identical,
    loads,
    read_rows,
    require_provenance,
    serialise_provenance,
)
from whyset.errors import RunError
from whyset.generators import Generator, GeneratorError, Item, Model, UnsupportedModel
from whyset.retriever import PassageRetriever, Searcher

from ._config import RunConfig
from ._pipeline import Pipeline, PipelineOptions, open_pipeline, require_supported_models
from .engine._engine import start_engine
from .engine._record import QUARANTINED, RowResult
from .engine._stop import StopSignal
from .ledger._ledger import Ledger

# ---- The columns of a `Dataset` after a generator, before there are rows to show them


def widen_features(features: Mapping[str, Any], adds: Sequence[str], *, reasoning: bool) -> Any:
    """Return a dataset's features, wide enough for what a generator may put into a row."""
    kind: Any = type(features)
    given: Mapping[str, pa.DataType] = {
        column.name: column.type for column in kind(features).arrow_schema
    }
    new: dict[str, pa.DataType] = dict.fromkeys([*adds, PROVENANCE_COLUMN], pa.string())
    if reasoning:
        new |= {
            name: wider
            for name, one in given.items()
            if (wider := _add_reasoning_field(one)) is not None
        }
        if "response" in given:
            new[REASONING_FIELD] = pa.string()
    if (
        PROVENANCE_COLUMN in given and given[PROVENANCE_COLUMN] != pa.string()
    ):  # somebody else's, which keeps its value
        new[f"{PROVENANCE_COLUMN}_original"] = given[PROVENANCE_COLUMN]
    changed = kind.from_arrow_schema(pa.schema(list(new.items())))
    return kind({**features, **changed})


def _add_reasoning_field(kind: pa.DataType) -> pa.DataType | None:
    """Return the type of a list of messages with a field for reasoning; `None` for other types."""
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
        return None
    message = kind.value_type
    if not pa.types.is_struct(message):
        return None
    fields = {message.field(at).name: message.field(at).type for at in range(message.num_fields)}
    if not {"role", "content"} <= fields.keys() or REASONING_FIELD in fields:
        return None
    return pa.list_(pa.struct([*fields.items(), (REASONING_FIELD, pa.string())]))


# ---- An event loop in a thread of its own, for functions that are called and wait

T = TypeVar("T")

_JOIN_TIMEOUT = 5.0
"""Seconds that the end of the process waits for connections to be closed."""


class _BackgroundLoop:
    """A running event loop. A process that was forked off has none of it and needs its own."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._running = threading.Event()
        self._thread = threading.Thread(
            target=asyncio.run, args=(self._serve(),), name="whyset-functions", daemon=True
        )
        self._thread.start()
        self._running.wait()
        atexit.register(self._end)

    def run(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        # The context goes along, and LangChain's callbacks with it.
        future = asyncio.run_coroutine_threadsafe(work(), self._loop)
        try:
            return future.result()
        except BaseException:  # Ctrl-C among them
            future.cancel()
            raise

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._over = asyncio.Event()
        self._running.set()
        await self._over.wait()

    def _end(self) -> None:
        if self.process == os.getpid():
            self._loop.call_soon_threadsafe(self._over.set)
            self._thread.join(_JOIN_TIMEOUT)


_lock = threading.Lock()
_background: _BackgroundLoop | None = None
_modules_at_fork: frozenset[str] = frozenset()


def _record_fork() -> None:
    global _modules_at_fork
    _modules_at_fork = frozenset(sys.modules)


os.register_at_fork(after_in_child=_record_fork)


def is_forked_after_import(module: str) -> bool:
    """Say whether this process was forked off one that had imported a module already.

    Threads do not come along, and what relies on some that are gone waits for them for ever.
    """
    return module in _modules_at_fork


def run_in_background(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do work in the background loop of this process, and wait for it.

    An interruption ends the work.
    """
    global _background
    with _lock:
        if _background is None or _background.process != os.getpid():
            _background = _BackgroundLoop()
        background = _background
    return background.run(work)


def rewrite_rows(
    rows: Iterable[Mapping[str, Any]],
    generator: Generator,
    constitution: Constitution | Searcher | None = None,
    *,
    model: Model | str | Any,
    config: RunConfig | None = None,
    selection: Selection = DEFAULT_SELECTION,
    ledger: Path | None = None,
    **options: Unpack[PipelineOptions],
) -> list[dict[str, Any]]:
    """Put a list of rows, or of briefs, through a generator.

    Asks run side by side. May be called within a running event loop, which it blocks.

    Args:
        rows: Rows, or for a generator of documents what each is to be.
        generator: What is asked, and what must hold of the answers.
        constitution: See `open_pipeline`, as for `model` and `options`.
        model: Who writes.
        config: How asks are sent.
        selection: What of each row is to be worked on.
        ledger: A file in which every reply is recorded as it comes: with it, work that was cut off
            goes on where it stopped, and nothing is paid twice.
        options: What else the pipeline is opened with: `judge`, `embedder`, `effort`, ….

    Returns:
        As many as there were, in their order, each with a `whyset` column. What is not
        `quarantined` there is finished.

    Raises:
        UnsupportedModel: The model or the judge cannot do what the generator needs of them.
        ModelAccessDenied: The provider turns every ask down.
        RunStopped: The provider does not answer.
        WhysetError: Something cannot be opened; the message says what to do.
    """
    work = Mapper(
        generator,
        constitution,
        model=model,
        config=config,
        selection=selection,
        ledger=ledger,
        **options,
    )
    given = [dict(row) for row in rows]
    return run_in_background(lambda: work.finish(given, close=True))


class Mapper:
    """A generator as a function of columns, for `Dataset.map(…, batched=True)`.

    The `whyset` column is JSON text, as in files: `whyset.datasets.find_provenance` reads it.

    Name models, and give a constitution rather than a retriever, where the function has to go to
    other processes (`num_proc`): each then opens its own. A ledger is for one process.
    """

    def __init__(
        self,
        generator: Generator,
        constitution: Constitution | Searcher | None = None,
        *,
        model: Model | str | Any,
        config: RunConfig | None = None,
        selection: Selection = DEFAULT_SELECTION,
        ledger: Path | None = None,
        **options: Unpack[PipelineOptions],
    ) -> None:
        """Make a mapper; the arguments are those of `rewrite_rows`.

        Raises:
            UnsupportedModel: The extractive model cannot do what the generator needs, or judge.
        """
        require_supported_models(generator, model, options.get("judge"))
        self.generator = generator
        self._constitution: Constitution | Searcher | _RetrieverStub | None = constitution
        self._model = model
        self._config = config or RunConfig()
        self._selection = selection
        self._ledger = ledger
        self._options = options
        self._pipeline: Pipeline | None = None

    def __call__(self, batch: Mapping[str, Sequence[Any]]) -> dict[str, list[Any]]:
        """Finish the rows of a batch: columns in, columns out, as many values in each."""
        columns = {name: list(values) for name, values in batch.items()}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        finished = run_in_background(lambda: self.finish(rows))
        done = [serialise_provenance(row) for row in finished]
        names = dict.fromkeys(
            [*columns, *self.generator.added_columns, *(key for row in done for key in row)]
        )
        return {name: [row.get(name) for row in done] for name in names}

    def __getstate__(self) -> dict[str, Any]:
        """Leave behind what belongs to a process; it is opened anew where it is needed."""
        state = {**self.__dict__, "_pipeline": None}
        if isinstance(self._constitution, PassageRetriever):
            # Enough to tell two mappers apart by, as `Dataset.map` does to know finished work.
            state["_constitution"] = _RetrieverStub(self._constitution.identity)
        return state

    def features(self, features: Any) -> Any:
        """Return a dataset's features with what rows may have afterwards, for `Dataset.map`.

        It takes types from the first rows that come back, where a column may be empty that is not
        so later. `features=work.features(dataset.features)` says so beforehand.
        """
        channel = getattr(self.generator.options, "channel", None)
        return widen_features(
            features, self.generator.added_columns, reasoning=channel == "thinking"
        )

    async def finish(
        self, rows: Sequence[Mapping[str, Any]], *, close: bool = False
    ) -> list[dict[str, Any]]:
        """Finish rows in the running loop.

        Args:
            rows: What to work on.
            close: Whether models that were opened here have no more to do.
        """
        pipeline = self._pipeline = self._pipeline or self._open_pipeline()
        try:
            with Ledger(self._ledger) as ledger:
                engine = await start_engine(pipeline, ledger, self._config, StopSignal())
                async with aclosing(engine.run(self._items(rows))) as results:
                    return [
                        self._restore_row(done, rows[done.row.line - 1]) async for done in results
                    ]
        finally:
            if close:
                await self._close(pipeline)

    def _open_pipeline(self) -> Pipeline:
        constitution = self._constitution
        if isinstance(constitution, _RetrieverStub):
            raise UnsupportedModel(
                "the retriever stayed in the process that it was opened in: give mapper() the "
                "constitution in its place, for which every process opens one"
            )
        if not isinstance(constitution, Searcher) and is_forked_after_import("chromadb"):
            raise RunError(
                "this process was forked off one that has an index open, which would never "
                "answer here: leave num_proc out, since asks run side by side anyway, or map "
                "with it before anything else has been searched"
            )
        return open_pipeline(self.generator, constitution, model=self._model, **self._options)

    async def _close(self, pipeline: Pipeline) -> None:
        """Close the models that were opened here; others are their owners' to close."""
        if isinstance(self._model, str):
            await pipeline.models["writer"].aclose()
        if isinstance(self._options.get("judge"), str):
            await pipeline.models["judge"].aclose()

    def _items(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[Item | BadRow]:
        for line, row in enumerate(rows, start=1):
            try:
                if self.generator.input_kind == "briefs":
                    brief = self.generator.item_from_columns(row, line=line)
                    self.generator.steps(brief).close()  # refuses one that nothing can come of
                    yield brief
                else:
                    (read,) = read_rows([row], selection=self._selection)
                    yield replace(read, line=line)
            except (DatasetError, GeneratorError) as error:
                yield BadRow(line, str(error), b"")

    def _restore_row(self, done: RowResult, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row as it goes back: with what it had that JSON has not, as it was."""
        if done.record.line is None:
            return self._mark_failed(done, given)
        finished: dict[str, Any] = loads(done.record.line)
        if isinstance(done.row, Row):
            for name, read in done.row.columns.items():
                if name in finished and is_identical(finished[name], read):
                    finished[name] = given[name]
        return {**finished, PROVENANCE_COLUMN: require_provenance(finished)}

    def _mark_failed(self, done: RowResult, given: Mapping[str, Any]) -> dict[str, Any]:
        """Return a row as it was, with why it is no better."""
        known: dict[str, Any] = {
            "outcome": QUARANTINED,
            "generator": self.generator.name,
            "version": self.generator.version,
            "reasons": list(done.record.reasons),
            "detail": done.record.detail,
            **(done.record.quarantine_fields or {}),
        }
        if (earlier := find_provenance(given)) is not None:
            known["earlier"] = dict(earlier)
        return {**free_provenance_column(given), PROVENANCE_COLUMN: known}


@dataclass(frozen=True)
class _RetrieverStub:
    """What is left of a retriever in another process."""

    identity: str


mapper = Mapper
