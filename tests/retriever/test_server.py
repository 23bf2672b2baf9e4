"""An index on a Chroma server: the same groundings, mended where it was changed, clear errors."""

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from support.embedders import WordEmbedder

from whyset.constitution import Constitution
from whyset.retriever import PassageRetriever, RetrieverError
from whyset.retriever._cache import CacheKey
from whyset.retriever._chroma import _connect_server
from whyset.retriever._units import SearchUnit, build_units

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

QUERIES = (("May I read my sister's diary?",), ("Is a lie ever welcome?", "What was lent?"))


@pytest.fixture(autouse=True)
def own_identity(request: pytest.FixtureRequest, embedder: WordEmbedder) -> None:
    """Give every test a collection of its own on the one server."""
    embedder.identity = request.node.name


@pytest.fixture
def stored(constitution: Constitution) -> tuple[SearchUnit, ...]:
    return build_units(constitution.passages)


@pytest.fixture
def collection(
    chroma_server: str,
    constitution: Constitution,
    embedder: WordEmbedder,
    stored: tuple[SearchUnit, ...],
) -> Iterator["Collection"]:
    """The collection of the index, built and seen through Chroma's own client."""
    PassageRetriever.open(constitution, embedder=embedder, chroma=chroma_server)
    embedder.calls.clear()
    with _connect_server(chroma_server) as client:
        name = CacheKey.derive(constitution.digest, embedder.identity, stored).name
        yield client.get_collection(name, embedding_function=None)


def test_a_server_gives_the_groundings_that_memory_gives(
    chroma_server: str, constitution: Constitution, embedder: WordEmbedder
) -> None:
    memory = PassageRetriever.open(constitution, embedder=embedder, ephemeral=True)
    built = PassageRetriever.open(constitution, embedder=embedder, chroma=chroma_server)
    assert len(embedder.calls) == 2
    read = PassageRetriever.open(constitution, embedder=embedder, chroma=chroma_server)
    assert len(embedder.calls) == 2

    expected = memory.find_passages(QUERIES, k=9)
    assert built.find_passages(QUERIES, k=9) == read.find_passages(QUERIES, k=9) == expected
    assert built.identity == memory.identity


def test_a_collection_holds_texts_and_where_they_come_from(
    collection: "Collection", constitution: Constitution, stored: tuple[SearchUnit, ...]
) -> None:
    held = collection.get(include=["documents", "metadatas"])

    assert held["documents"] and held["metadatas"]
    assert dict(zip(held["ids"], held["documents"], strict=True)) == {
        unit.id: unit.text for unit in stored
    }
    passages = {str(metadata["passage"]) for metadata in held["metadatas"] if metadata["passage"]}
    assert passages == {passage.id for passage in constitution.passages}


def test_what_is_missing_is_put_back_and_nothing_else_is_embedded(
    collection: "Collection",
    chroma_server: str,
    constitution: Constitution,
    embedder: WordEmbedder,
    stored: tuple[SearchUnit, ...],
) -> None:
    missing = [stored[0], stored[5]]
    collection.delete(ids=[unit.id for unit in missing])

    PassageRetriever.open(constitution, embedder=embedder, chroma=chroma_server)

    assert embedder.calls == [[unit.text for unit in missing]]
    assert set(collection.get(include=[])["ids"]) == {unit.id for unit in stored}


def test_what_does_not_belong_is_taken_out(
    collection: "Collection",
    chroma_server: str,
    constitution: Constitution,
    embedder: WordEmbedder,
    stored: tuple[SearchUnit, ...],
) -> None:
    alien = embedder.embed(["alien"])
    collection.add(ids=["alien"], embeddings=alien, documents=["alien"])
    embedder.calls.clear()

    PassageRetriever.open(constitution, embedder=embedder, chroma=chroma_server)

    assert embedder.calls == []
    assert set(collection.get(include=[])["ids"]) == {unit.id for unit in stored}


def test_an_alien_in_the_place_of_a_unit_is_replaced(
    collection: "Collection",
    chroma_server: str,
    constitution: Constitution,
    embedder: WordEmbedder,
    stored: tuple[SearchUnit, ...],
) -> None:
    collection.delete(ids=[stored[3].id])
    collection.add(ids=["alien"], embeddings=embedder.embed(["alien"]), documents=["alien"])
    embedder.calls.clear()

    PassageRetriever.open(constitution, embedder=embedder, chroma=chroma_server)

    assert embedder.calls == [[stored[3].text]]
    assert set(collection.get(include=[])["ids"]) == {unit.id for unit in stored}


def test_vectors_that_no_embedder_made_are_refused(
    collection: "Collection",
    chroma_server: str,
    constitution: Constitution,
    embedder: WordEmbedder,
    stored: tuple[SearchUnit, ...],
) -> None:
    collection.update(ids=[stored[0].id], embeddings=3 * embedder.embed([stored[0].text]))

    with pytest.raises(RetrieverError) as refused:
        PassageRetriever.open(constitution, embedder=embedder, chroma=chroma_server)

    assert str(refused.value) == (
        f"the Chroma server at {chroma_server} does not return the vectors stored in its "
        f"collection {collection.name!r}: delete the collection, or leave `--chroma` out"
    )


def test_more_units_than_one_request_carries(chroma_server: str, embedder: WordEmbedder) -> None:
    many = "\n\n".join(f"Paragraph {number} weighs {number} words." for number in range(600))
    constitution = Constitution.parse(f"# Many\n\n{many}\n")
    assert len(build_units(constitution.passages)) > 1000

    built = PassageRetriever.open(constitution, embedder=embedder, chroma=chroma_server)
    read = PassageRetriever.open(constitution, embedder=embedder, chroma=chroma_server)

    assert len(embedder.calls) == 1
    assert built.find_passages([["Paragraph 599"]], k=3) == read.find_passages(
        [["Paragraph 599"]], k=3
    )


def test_a_server_that_is_not_there(constitution: Constitution, embedder: WordEmbedder) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{probe.getsockname()[1]}"

    with pytest.raises(RetrieverError) as refused:
        PassageRetriever.open(constitution, embedder=embedder, chroma=url)

    assert str(refused.value) == (
        f"Chroma cannot store the index on the server at {url}: Could not connect to a Chroma "
        "server. Are you sure it is running?"
    )
    assert embedder.calls == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost",
        "localhost:8000",
        "ftp://localhost:8000",
        "http://",
        "http://:8000",
        "http://localhost:eight",
        "http://localhost:99999",
        "http://[::1",
        "http://localhost:8000/chroma",
        "http://somebody:secret@localhost:8000",
        "http://localhost:8000?tenant=mine",
    ],
)
def test_a_url_that_is_none_or_says_more_than_is_heeded(
    url: str, constitution: Constitution, embedder: WordEmbedder
) -> None:
    with pytest.raises(RetrieverError) as refused:
        PassageRetriever.open(constitution, embedder=embedder, chroma=url)

    assert str(refused.value) == f"no Chroma server at {url!r}: write http://host:port"


def test_a_slash_at_the_end_is_no_path(
    chroma_server: str, constitution: Constitution, embedder: WordEmbedder
) -> None:
    PassageRetriever.open(constitution, embedder=embedder, chroma=f"{chroma_server}/")
    PassageRetriever.open(constitution, embedder=embedder, chroma=chroma_server)

    assert len(embedder.calls) == 1
