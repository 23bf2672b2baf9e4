"""Finds answered together: what is asked for within a moment is embedded in one pass."""

import asyncio
from collections import defaultdict
from functools import partial

from whyset.generators import Fetch, Find
from whyset.retriever import Grounding, Searcher, fetch

from ._threads import Worker

_LARGEST_BATCH = 64
_GATHERING = 0.005


class Finder:
    """Collects finds for a few milliseconds and answers them in one call to the retriever.

    Retrieval runs in a thread of its own, one batch at a time: the embedder uses every core, and
    the asks of other rows go on meanwhile. What comes while a batch is found makes up the next.
    """

    def __init__(self, retriever: Searcher) -> None:
        self._retriever = retriever
        self._worker = Worker("whyset-finder")
        self._waiting: list[tuple[Find, asyncio.Future[Grounding]]] = []
        self._arrived = asyncio.Event()
        self._task = asyncio.create_task(self._serve())

    async def find(self, wanted: Find | Fetch) -> Grounding:
        """Return what is found, with whatever else is wanted at the same time.

        Raises:
            RetrieverError: The embedder or the index failed.
            NotInConstitution: There is no passage of a name that is fetched.
        """
        if isinstance(wanted, Fetch):
            return fetch(self._retriever.constitution, wanted.ids, scope=wanted.scope)
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
            if len(self._waiting) < _LARGEST_BATCH:
                await asyncio.sleep(_GATHERING)
            batch = self._waiting[:_LARGEST_BATCH]
            del self._waiting[:_LARGEST_BATCH]
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
            found = await self._worker.call(partial(self._retriever.ground, texts, k=k))
            answers = list(zip(group, found, strict=True))
        except Exception as error:
            for _, future in group:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), grounding in answers:
            if not future.done():
                future.set_result(grounding)
