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
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

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
from whyset.models import RetryingModel, RetryPolicy, coerce_model
from whyset.retriever import PassageRetriever, Searcher

from ._assembly import Pipeline
from .engine._live import LiveEngine, RowResult
from .engine._record import QUARANTINED
from .ledger._ledger import Ledger

# ---- Which columns of which types a `Dataset` has after a generator, before there are rows to
# tell.


def widen_features(features: Mapping[str, Any], adds: Sequence[str], *, reasoning: bool) -> Any:
    """Return a dataset's features, wide enough for what a generator may put into a row.

    Args:
        features: A `Features` of the datasets library.
        adds: Columns of text that the generator adds.
        reasoning: Whether reasoning goes into a field of its own.
    """
    kind: Any = type(features)
    held: Mapping[str, pa.DataType] = {
        found.name: found.type for found in kind(features).arrow_schema
    }
    new: dict[str, pa.DataType] = dict.fromkeys([*adds, PROVENANCE_COLUMN], pa.string())
    if reasoning:
        new |= {
            name: wider
            for name, one in held.items()
            if (wider := _add_reasoning_field(one)) is not None
        }
        if "response" in held:
            new[REASONING_FIELD] = pa.string()
    if (
        PROVENANCE_COLUMN in held and held[PROVENANCE_COLUMN] != pa.string()
    ):  # somebody else's, which keeps its value
        new[f"{PROVENANCE_COLUMN}_original"] = held[PROVENANCE_COLUMN]
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


# ---- An event loop in a thread of its own, for functions that are called and wait.

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
    *,
    model: Model | str | Any,
    judge: Model | str | Any = None,
    retriever: Searcher | Constitution | None = None,
    concurrency: int = 16,
    selection: Selection = DEFAULT_SELECTION,
    ledger: Path | None = None,
    retries: RetryPolicy = RetryPolicy(),
) -> list[dict[str, Any]]:
    """Put a list of rows, or of briefs, through a generator.

    Asks run side by side. May be called within a running event loop, which it blocks.

    Args:
        rows: Rows, or for a generator of documents what each is to be.
        generator: What is asked, and what must hold of the answers.
        model: Who writes: `provider:model`, a LangChain chat model or a `Model`.
        judge: Who judges; the writer where none is given.
        retriever: Where passages come from: a retriever, or a constitution that one is opened
            for; the bundled charter where none is given.
        concurrency: How many asks are in flight at most.
        selection: What of each row is to be worked on.
        ledger: A file in which every reply is kept as it comes: with it, work that was cut off
            goes on where it stopped, and nothing is paid twice.
        retries: When an ask that met a passing fault is sent again.

    Returns:
        As many as there were, in their order, each with a `whyset` column. What is not
        `quarantined` there is finished.

    Raises:
        Declined: The model or the judge cannot do what the generator needs of them.
        ModelRefused: The provider turns every ask down.
        RunStopped: The provider does not answer.
        WhysetError: Something cannot be opened; the message says what to do.
    """
    work = Mapper(
        generator,
        model=model,
        judge=judge,
        retriever=retriever,
        concurrency=concurrency,
        selection=selection,
        ledger=ledger,
        retries=retries,
    )
    held = [dict(row) for row in rows]
    return run_in_background(lambda: work.finish(held, close=True))


def mapper(
    generator: Generator,
    *,
    model: Model | str | Any,
    judge: Model | str | Any = None,
    retriever: Searcher | Constitution | None = None,
    concurrency: int = 16,
    selection: Selection = DEFAULT_SELECTION,
    ledger: Path | None = None,
    retries: RetryPolicy = RetryPolicy(),
) -> "Mapper":
    """Return what `Dataset.map(…, batched=True)` takes; the arguments are those of `rewrite_rows`.

    Name models, and give a constitution rather than a retriever, where the function has to go to
    other processes (`num_proc`): each then opens its own. A ledger is for one process.
    """
    return Mapper(
        generator,
        model=model,
        judge=judge,
        retriever=retriever,
        concurrency=concurrency,
        selection=selection,
        ledger=ledger,
        retries=retries,
    )


@dataclass(kw_only=True)
class Mapper:
    """A generator as a function of columns; see `mapper`.

    The `whyset` column is JSON text, as in files: `whyset.datasets.provenance_of` reads it.
    """

    generator: Generator = field(kw_only=False)
    model: Model | str | Any
    judge: Model | str | Any = None
    retriever: Searcher | Constitution | None = None
    concurrency: int = 16
    selection: Selection = DEFAULT_SELECTION
    ledger: Path | None = None
    retries: RetryPolicy = RetryPolicy()
    _pipeline: Pipeline | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse at once what could never work.

        Raises:
            Declined: The extractive model cannot do what the generator needs, or cannot judge.
        """
        if self.model == "extractive":
            self.generator.extractive_variant()
        elif self.judge == "extractive":
            raise _no_judge_error()

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
        state = {**self.__dict__, "_crew": None}
        if isinstance(self.retriever, PassageRetriever):
            # Enough to tell two mappers apart by, as `Dataset.map` does to know finished work.
            state["retriever"] = _RetrieverStub(self.retriever.identity)
        return state

    def features(self, features: Any) -> Any:
        """Return a dataset's features with what rows may have afterwards, for `Dataset.map`.

        It takes types from the first rows that come back, where a column may be empty that is not
        so later. `features=work.features(dataset.features)` tells it beforehand.
        """
        pass  # pyarrow is needed here alone

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
        crew = self._pipeline = self._pipeline or self._open_pipeline()
        try:
            with Ledger(self.ledger) as ledger:
                engine = LiveEngine(
                    crew, ledger, concurrency=self.concurrency, retries=self.retries
                )
                async with aclosing(engine.run(self._items(rows))) as results:
                    return [
                        self._restore_row(done, rows[done.row.line - 1]) async for done in results
                    ]
        finally:
            if close:
                await self._close(crew)

    def _open_pipeline(self) -> Pipeline:
        retriever = self.retriever
        if isinstance(retriever, _RetrieverStub):
            raise UnsupportedModel(
                "the retriever stayed in the process that it was opened in: give mapper() the "
                "constitution in its place, for which every process opens one"
            )
        if retriever is None or isinstance(retriever, Constitution):
            if is_forked_after_import("chromadb"):
                raise RunError(
                    "this process was forked off one that has an index open, which would never "
                    "answer here: leave num_proc out, since asks run side by side anyway, or map "
                    "with it before anything else has been searched"
                )
            retriever = PassageRetriever.open(retriever or Constitution.charter())
        writer = _coerce_unretried(self.model)
        judge = writer if self.judge is None else _coerce_unretried(self.judge)
        if judge.is_extractive and not writer.is_extractive:
            raise _no_judge_error()
        return Pipeline.build(self.generator, writer, judge, retriever)

    async def _close(self, crew: Pipeline) -> None:
        """Close the models that were opened here; others are their owners' to close."""
        if isinstance(self.model, str):
            await crew.models["writer"].aclose()
        if isinstance(self.judge, str):
            await crew.models["judge"].aclose()

    def _items(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[Item | BadRow]:
        for line, row in enumerate(rows, start=1):
            try:
                if self.generator.input_kind == "briefs":
                    brief = self.generator.item_from_columns(row, line=line)
                    self.generator.steps(brief).close()  # refuses one that nothing can come of
                    yield brief
                else:
                    (read,) = read_rows([row], selection=self.selection)
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


def _coerce_unretried(model: Any) -> Model:
    """Return who answers; the engine has patience of its own."""
    adopted = coerce_model(model)
    return adopted.wrapped if isinstance(adopted, RetryingModel) else adopted


def _no_judge_error() -> UnsupportedModel:
    return UnsupportedModel("the extractive model cannot judge; name a language model as judge")
