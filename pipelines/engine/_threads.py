"""Threads that never keep a process alive: an interrupted run must not wait for a slow pipe.

The event loop's own executor is joined at the end of the loop and again at the end of the
process, so a read from a terminal where nobody types would outlast Ctrl-C.
"""

import asyncio
import queue
import threading
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

from whyset.generators import Fetch, Find
from whyset.retriever import Grounding, Searcher, fetch_passages

T = TypeVar("T")

_PREFETCH = 256
# Room is given back so many items at a time: the reader is not woken for every one.
_RELEASE_CHUNK = 64


class WorkerThread:
    """A thread that runs one function at a time."""

    def __init__(self, name: str) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        threading.Thread(target=self._work, name=name, daemon=True).start()

    async def call(self, function: Callable[[], T]) -> T:
        """Run a function after those that were called before it, and return what it returns."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                # Without an error it is a T, be that `None`.
                future.set_result(result)  # type: ignore[arg-type]

        def run() -> None:
            result, error = None, None
            try:
                result = function()
            except BaseException as raised:
                error = raised
            _call_in_loop(loop, settle, result, error)

        self._calls.put(run)
        return await future

    def close(self) -> None:
        """End the thread after what it is at; nobody waits for it."""
        self._calls.put(None)

    def _work(self) -> None:
        while (run := self._calls.get()) is not None:
            run()


class Prefetcher(Generic[T]):
    """An iterable read in a thread, some items ahead; each is handed over as soon as it is there.

    Iterate asynchronously, once, and `close` at the end.
    """

    def __init__(self, source: Iterable[T]) -> None:
        self._source = source
        self._loop = asyncio.get_running_loop()
        self._room = threading.Semaphore(_PREFETCH)
        self._items: deque[T] = deque()
        self._news = asyncio.Event()
        self._awaited = False
        self._ended = False
        self._closed = False
        self._error: BaseException | None = None
        threading.Thread(target=self._read, name="whyset-reader", daemon=True).start()

    async def __aiter__(self) -> AsyncIterator[T]:
        """Yield the items in order, then raise what the source raised, if it did."""
        taken = 0
        while True:
            while self._items:
                yield self._items.popleft()
                taken += 1
                if taken % _RELEASE_CHUNK == 0:
                    self._room.release(_RELEASE_CHUNK)
            if self._ended:
                break
            self._news.clear()
            self._awaited = True
            # The reader looks after it has added: of the two, one sees what the other did.
            if not self._items and not self._ended:
                await self._news.wait()
            self._awaited = False
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Read no further."""
        self._closed = True
        self._room.release()

    def _read(self) -> None:
        try:
            for item in self._source:
                self._room.acquire()
                if self._closed:
                    break
                self._items.append(item)
                if self._awaited:
                    _call_in_loop(self._loop, self._news.set)
        except BaseException as error:
            self._error = error
        finally:
            if isinstance(self._source, Generator):
                self._source.close()
            self._ended = True
            _call_in_loop(self._loop, self._news.set)


def _call_in_loop(
    loop: asyncio.AbstractEventLoop, function: Callable[..., object], *args: object
) -> None:
    with suppress(RuntimeError):  # the loop has ended: nobody is left to hear of it
        loop.call_soon_threadsafe(function, *args)


# ---- Finds answered together: what is asked for within a moment is embedded in one pass

_MAX_BATCH = 64
_BATCH_SECONDS = 0.005


class RetrievalBatcher:
    """Collects finds for a few milliseconds and answers them in one call to the retriever.

    Retrieval runs in a thread of its own, one batch at a time: the embedder uses every core, and
    the asks of other rows go on meanwhile. What comes while a batch is found makes up the next.
    """

    def __init__(self, retriever: Searcher) -> None:
        self._retriever = retriever
        self._worker = WorkerThread("whyset-retrieval")
        self._waiting: list[tuple[Find, asyncio.Future[Grounding]]] = []
        self._arrived = asyncio.Event()
        self._task = asyncio.create_task(self._serve())

    async def find(self, wanted: Find | Fetch) -> Grounding:
        """Return what is found, with whatever else is wanted at the same time.

        Raises:
            RetrieverError: The embedder or the index failed.
            ConstitutionLookupError: There is no passage of a name that is fetched.
        """
        if isinstance(wanted, Fetch):
            return fetch_passages(self._retriever.constitution, wanted.ids, scope=wanted.scope)
        future: asyncio.Future[Grounding] = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, future))
        self._arrived.set()
        return await future

    async def aclose(self) -> None:
        """Stop serving."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._worker.close()

    async def _serve(self) -> None:
        while True:
            await self._arrived.wait()
            if len(self._waiting) < _MAX_BATCH:
                await asyncio.sleep(_BATCH_SECONDS)
            batch = self._waiting[:_MAX_BATCH]
            del self._waiting[:_MAX_BATCH]
            if not self._waiting:
                self._arrived.clear()
            by_k: dict[int, list[tuple[Find, asyncio.Future[Grounding]]]] = defaultdict(list)
            for wanted, future in batch:
                by_k[wanted.k].append((wanted, future))
            for k, group in by_k.items():
                await self._answer(k, group)

    async def _answer(self, k: int, group: list[tuple[Find, asyncio.Future[Grounding]]]) -> None:
        texts = [wanted.texts for wanted, _ in group]
        try:
            found = await self._worker.call(partial(self._retriever.find_passages, texts, k=k))
            answers = list(zip(group, found, strict=True))
        except Exception as error:
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), grounding in answers:
            if not future.done():
                future.set_result(grounding)
