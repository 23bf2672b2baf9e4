"""Embedders by name and by object; LangChain's among them, and what bad vectors lead to."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from pydantic import Field
from support.embedders import WordEmbedder

from whyset.constitution import Constitution
from whyset.retriever import (
    Embedder,
    EmbedderUnavailable,
    PassageRetriever,
    RetrieverError,
    open_embedder,
)

NAN, INFINITY = float("nan"), float("inf")


class Written(Embeddings):
    """Embeddings that return what is written down, or raise it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        if isinstance(self.answer, Exception):
            raise self.answer
        answered: list[list[float]] = self.answer
        return answered

    def embed_query(self, text: str) -> list[float]:
        raise AssertionError("queries are embedded as documents are")


class Remembering(DeterministicFakeEmbedding):
    """LangChain's fake, counting."""

    calls: list[list[str]] = Field(default_factory=list)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        self.calls.append(texts)
        return super().embed_documents(texts)


def opened(spec: "str | Embedder | Embeddings") -> Embedder:
    embedder = open_embedder(spec)
    assert embedder is not None
    return embedder


def test_lexical_is_no_embedder() -> None:
    assert open_embedder("lexical") is None


def test_minilm_is_the_embedded_default() -> None:
    assert opened("minilm").name == "minilm"


def test_an_embedder_is_taken_as_it_is(embedder: WordEmbedder) -> None:
    assert open_embedder(embedder) is embedder


@pytest.mark.parametrize("spec", ["", "nothing", "MiniLM", "text-embedding-3-small"])
def test_a_name_without_a_provider_is_refused_with_the_known_names(spec: str) -> None:
    with pytest.raises(EmbedderUnavailable) as refused:
        open_embedder(spec)

    assert str(refused.value) == (
        f"no embedder {spec!r}: name `minilm` (the embedded default), `lexical` (none) "
        "or one of LangChain's as `provider:model`"
    )


def test_an_unknown_provider_is_refused_with_the_known_ones() -> None:
    with pytest.raises(EmbedderUnavailable) as refused:
        open_embedder("nosuch:model")

    assert str(refused.value).startswith("embedder 'nosuch:model' cannot be opened: ")
    assert "openai" in str(refused.value)


def test_a_package_that_is_not_installed_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_mistralai", None)
    with pytest.raises(EmbedderUnavailable) as refused:
        open_embedder("mistralai:mistral-embed")

    assert str(refused.value).startswith("embedder 'mistralai:mistral-embed' cannot be opened: ")
    assert "langchain-mistralai" in str(refused.value)


def test_langchains_embeddings_are_scaled_to_length_one() -> None:
    embedder = opened(DeterministicFakeEmbedding(size=16))

    vectors = embedder.embed(["one", "two", "one"])

    expected = np.array(DeterministicFakeEmbedding(size=16).embed_documents(["one", "two"]))
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    assert isinstance(embedder, Embedder)
    assert vectors.dtype == np.float32
    assert np.allclose(vectors, expected[[0, 1, 0]], atol=1e-6)


def test_class_and_settings_are_the_identity_of_langchains_embeddings() -> None:
    small, large = (opened(DeterministicFakeEmbedding(size=size)) for size in (8, 16))

    assert small.name == "langchain_core.embeddings.fake.DeterministicFakeEmbedding"
    assert small.identity == f'langchain:{small.name}:{{"size": 8}}'
    assert large.identity == f'langchain:{large.name}:{{"size": 16}}'
    assert opened(Remembering(size=8)).identity != small.identity


def test_an_index_of_langchains_embeddings_is_built_once(
    constitution: Constitution, tmp_path: Path
) -> None:
    embeddings = Remembering(size=8)
    for _ in range(2):
        retriever = PassageRetriever.open(constitution, embedder=embeddings, cache_dir=tmp_path)
    assert len(embeddings.calls) == 1

    [passage] = constitution.passages[1:2]
    [grounding] = retriever.find_passages([[passage.plain]], k=1)
    assert grounding.passages[0].passage == passage
    assert grounding.passages[0].similarity == 1


@pytest.mark.parametrize(
    ("answer", "shape"),
    [
        ([[1, 0]], "(1, 2)"),
        ([[1, 0]] * 3, "(3, 2)"),
        ([[0, 0], [1, 1]], "(2, 2)"),
        ([[NAN, 1], [1, 1]], "(2, 2)"),
        ([[INFINITY, 1], [1, 1]], "(2, 2)"),
        ([[1e300, 1], [1, 1]], "(2, 2)"),
        ([[], []], "(2, 0)"),
        ([1, 2], "(2,)"),
        ([[[1]], [[1]]], "(2, 1, 1)"),
        ([], "(0,)"),
        (None, "()"),
    ],
    ids=str,
)
def test_vectors_that_cannot_be_used_are_refused_with_their_shape(answer: Any, shape: str) -> None:
    embedder = opened(Written(answer))

    with pytest.raises(RetrieverError) as refused:
        embedder.embed(["one", "two"])

    assert str(refused.value) == (
        f"embedder {embedder.name!r} returned no usable vectors (shape {shape} for 2 texts)"
    )


@pytest.mark.parametrize(
    "answer", [[[1], [1, 2]], [["a"], ["b"]], ConnectionError("gone")], ids=str
)
def test_a_failure_of_the_provider_keeps_its_cause(answer: Any) -> None:
    embedder = opened(Written(answer))

    with pytest.raises(RetrieverError, match=r"^embedder '\S+Written' failed: ") as refused:
        embedder.embed(["one", "two"])

    assert refused.value.__cause__ is not None
    assert str(refused.value).endswith(str(refused.value.__cause__))
