"""The retriever with the manners of LangChain: documents, batches in one pass, callbacks."""

import asyncio
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from langchain_core.callbacks import AsyncCallbackHandler, BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableLambda
from numpy.typing import NDArray
from pydantic import ValidationError
from support.embedders import WordEmbedder

from whyset.constitution import Constitution
from whyset.retriever import PassageRetriever, RetrieverError

TEXTS = ["Whose diary is it?", "Is a lie ever welcome?", "May I act on her behalf?"]


class Failing(WordEmbedder):
    """Fails on every text that says so."""

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        if any("fail" in text for text in texts):
            self.calls.append(list(texts))
            raise RetrieverError("the provider is away")
        return super().embed(texts)


class Waiting(WordEmbedder):
    """Waits until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()
        self.let_go.set()

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        assert self.let_go.wait(20), "the event loop was held up"
        return super().embed(texts)


class Log:
    """What was called back."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Any]] = []


class Watching(BaseCallbackHandler, Log):
    def on_retriever_start(self, serialized: Any, query: str, **kwargs: Any) -> None:
        self.events.append(("start", query))

    def on_retriever_end(self, documents: Sequence[Document], **kwargs: Any) -> None:
        self.events.append(("end", [document.id for document in documents]))

    def on_retriever_error(self, error: BaseException, **kwargs: Any) -> None:
        self.events.append(("error", str(error)))


class AsyncWatching(AsyncCallbackHandler, Log):
    async def on_retriever_start(self, serialized: Any, query: str, **kwargs: Any) -> None:
        self.events.append(("start", query))

    async def on_retriever_end(self, documents: Sequence[Document], **kwargs: Any) -> None:
        self.events.append(("end", [document.id for document in documents]))


def opened(constitution: Constitution, embedder: WordEmbedder, **options: Any) -> PassageRetriever:
    retriever = PassageRetriever.open(constitution, embedder=embedder, ephemeral=True, **options)
    embedder.calls.clear()
    return retriever


@pytest.fixture
def retriever(constitution: Constitution, embedder: WordEmbedder) -> PassageRetriever:
    return opened(constitution, embedder, k=2)


def ids(documents: Sequence[Document]) -> list[str | None]:
    return [document.id for document in documents]


def test_a_document_is_a_passage_found_with_where_it_stands(
    retriever: PassageRetriever, constitution: Constitution
) -> None:
    [grounding] = retriever.find_passages([[TEXTS[0]]], k=2)

    assert isinstance(retriever, BaseRetriever)
    assert retriever.invoke(TEXTS[0]) == [
        Document(
            id=found.passage.id,
            page_content=found.passage.plain,
            metadata={
                "id": found.passage.id,
                "path": list(found.passage.path),
                "lines": list(found.passage.lines),
                "kind": "paragraph",
                "score": found.score,
                "similarity": found.similarity,
            },
        )
        for found in grounding.passages
    ]
    assert grounding.passages[0].passage == constitution.passages[0]
    assert retriever.invoke(TEXTS[0])[0].metadata["path"] == ["Manners", "Other people's things"]
    assert retriever.invoke(TEXTS[0])[0].metadata["lines"] == [5, 5]


async def test_every_way_of_asking_finds_the_same(retriever: PassageRetriever) -> None:
    expected = [retriever.invoke(text) for text in TEXTS]

    assert len({document.id for documents in expected for document in documents}) > 2
    assert [await retriever.ainvoke(text) for text in TEXTS] == expected
    assert retriever.batch(TEXTS) == expected
    assert await retriever.abatch(TEXTS) == expected
    assert retriever.batch(TEXTS, config={"max_concurrency": 1}) == expected
    chain = retriever | RunnableLambda(ids)
    assert chain.batch(TEXTS) == await chain.abatch(TEXTS) == list(map(ids, expected))


async def test_a_batch_is_embedded_in_one_call(
    retriever: PassageRetriever, embedder: WordEmbedder
) -> None:
    retriever.batch([*TEXTS, TEXTS[0]])
    await retriever.abatch(TEXTS)

    assert embedder.calls == [TEXTS, TEXTS]


async def test_an_empty_batch_and_a_blank_text_find_nothing(
    retriever: PassageRetriever, embedder: WordEmbedder
) -> None:
    assert retriever.batch([]) == await retriever.abatch([]) == []
    assert retriever.invoke(" ") == []
    assert retriever.batch(["", " "]) == [[], []]
    assert embedder.calls == []


async def test_a_failure_is_raised_or_returned_in_its_place(constitution: Constitution) -> None:
    retriever = opened(constitution, Failing())
    texts = [TEXTS[0], "fail", TEXTS[1]]

    with pytest.raises(RetrieverError, match="the provider is away"):
        retriever.invoke("fail")
    with pytest.raises(RetrieverError, match="the provider is away"):
        retriever.batch(texts)
    with pytest.raises(RetrieverError, match="the provider is away"):
        await retriever.abatch(texts)

    for found in (
        retriever.batch(texts, return_exceptions=True),
        await retriever.abatch(texts, return_exceptions=True),
    ):
        assert found[0] == retriever.invoke(TEXTS[0])
        assert isinstance(found[1], RetrieverError)
        assert found[2] == retriever.invoke(TEXTS[1])


async def test_the_event_loop_goes_on_while_texts_are_embedded(
    constitution: Constitution,
) -> None:
    embedder = Waiting()
    retriever = opened(constitution, embedder)
    for ask in (lambda: retriever.ainvoke(TEXTS[0]), lambda: retriever.abatch(TEXTS)):
        embedder.let_go.clear()
        asked = asyncio.ensure_future(ask())
        await asyncio.sleep(0.01)
        assert not asked.done()
        embedder.let_go.set()
        assert await asked


def test_callbacks_hear_of_every_query(retriever: PassageRetriever) -> None:
    watching = Watching()
    expected = [
        event for text in TEXTS for event in (("start", text), ("end", ids(retriever.invoke(text))))
    ]

    for text in TEXTS:
        retriever.invoke(text, config={"callbacks": [watching]})
    assert watching.events == expected

    watching.events.clear()
    retriever.batch(TEXTS, config={"callbacks": [watching], "max_concurrency": 1})
    assert watching.events == expected


async def test_asynchronous_callbacks_hear_of_every_query(retriever: PassageRetriever) -> None:
    watching = AsyncWatching()

    await retriever.ainvoke(TEXTS[0], config={"callbacks": [watching]})
    await retriever.abatch(TEXTS[1:], config={"callbacks": [watching], "max_concurrency": 1})

    assert watching.events == [
        event for text in TEXTS for event in (("start", text), ("end", ids(retriever.invoke(text))))
    ]


def test_callbacks_hear_of_a_failure(constitution: Constitution) -> None:
    watching = Watching()
    retriever = opened(constitution, Failing())

    with pytest.raises(RetrieverError):
        retriever.invoke("fail", config={"callbacks": [watching]})

    assert watching.events == [("start", "fail"), ("error", "the provider is away")]


def test_neighbours_come_along_from_the_passages_own_section(
    embedder: WordEmbedder,
) -> None:
    constitution = Constitution.parse(
        "# One\n\nalpha\n\nbeta\n\ngamma\n\ndelta\n\n# Two\n\nepsilon\n\nzeta\n"
    )
    around = {}
    for neighbours in (1, 2):
        retriever = opened(constitution, embedder, k=6, neighbours=neighbours)
        around[neighbours] = {
            document.page_content: (document.metadata["before"], document.metadata["after"])
            for document in retriever.invoke("alpha beta gamma delta epsilon zeta")
        }

    assert around[1] == {
        "alpha": ([], ["beta"]),
        "beta": (["alpha"], ["gamma"]),
        "gamma": (["beta"], ["delta"]),
        "delta": (["gamma"], []),
        "epsilon": ([], ["zeta"]),
        "zeta": (["epsilon"], []),
    }
    assert around[2]["gamma"] == (["alpha", "beta"], ["delta"])
    assert around[2]["epsilon"] == ([], ["zeta"])


@pytest.mark.parametrize("options", [{"k": 0}, {"neighbours": -1}])
def test_settings_out_of_bounds_are_refused(
    options: dict[str, int], constitution: Constitution, embedder: WordEmbedder
) -> None:
    with pytest.raises(ValidationError, match="greater than or equal to"):
        opened(constitution, embedder, **options)


def test_its_representation_does_not_spill_the_index(retriever: PassageRetriever) -> None:
    assert "index" not in repr(retriever)
    assert "k=2" in repr(retriever)
