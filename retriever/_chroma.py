"""Vectors in Chroma, embedded or on a server: the one module that knows chromadb.

Chroma keeps the vectors; it does not search them. Its graph index is approximate and differs from
one build to the next, while whyset promises the same output for the same input; and at the size
of a constitution an exact product is the faster one (docs/retrieval.md has the numbers). So a
collection is read whole, once, when an index is opened.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import chromadb
import numpy as np
from chromadb.config import Settings
from numpy.typing import NDArray

from whyset.errors import RetrieverError

from ._units import Unit

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

Floats = NDArray[np.float32]

_COLLECTION = "whyset"
# What one request to a server or one statement of SQLite takes without complaint.
_PAGE = 1000


def write_folder(folder: Path, units: Sequence[Unit], vectors: Floats) -> None:
    """Write vectors into a new embedded database.

    Raises:
        RetrieverError: Chroma failed.
    """
    with _failures("write the index"), _embedded(folder) as client:
        _add(client.create_collection(_COLLECTION, embedding_function=None), units, vectors)


def read_folder(folder: Path, ids: Sequence[str]) -> Floats | None:
    """Read the vectors of these ids, in their order; `None` where there are others or fewer.

    Chroma writes to a database it opens: give it a copy. A damaged one can end the process.

    Raises:
        RetrieverError: Chroma failed.
    """
    with _failures("read the index"), _embedded(folder) as client:
        return _read(client.get_collection(_COLLECTION, embedding_function=None), ids)


def served_vectors(
    url: str, name: str, units: Sequence[Unit], embed: Callable[[Sequence[str]], Floats]
) -> Floats:
    """Return the vectors of a collection on a Chroma server, putting there what it lacks.

    Args:
        url: `http://host:port` or `https://host:port`.
        name: The collection's name; it must change with anything that could change a vector.
        units: What the collection is to hold.
        embed: Called with the texts it lacks.

    Raises:
        RetrieverError: The server cannot be reached, or refused.
    """
    ids = [unit.id for unit in units]
    with _failures(f"keep the index on the server at {url}"), _server(url) as client:
        collection = client.get_or_create_collection(name, embedding_function=None)
        if (vectors := _read(collection, ids)) is not None:
            return vectors
        known = set(_ids(collection))
        missing = [unit for unit in units if unit.id not in known]
        for page in _pages(sorted(known - set(ids))):
            collection.delete(ids=list(page))
        if missing:
            _add(collection, missing, embed([unit.text for unit in missing]))
        vectors = _read(collection, ids)
    if vectors is None:
        raise RetrieverError(
            f"the Chroma server at {url} does not give back what was put in its collection "
            f"{name!r}: delete the collection, or leave `--chroma` out"
        )
    return vectors


def _settings() -> Settings:
    # Telemetry is off, and a `.env` file that happens to lie about is not ours to read.
    return Settings(_env_file=None, anonymized_telemetry=False)


@contextmanager
def _embedded(folder: Path) -> "Iterator[ClientAPI]":
    client = chromadb.PersistentClient(str(folder), settings=_settings())
    with closing(cast("Client", client)):
        yield client


@contextmanager
def _server(url: str) -> "Iterator[ClientAPI]":
    host, port, secure = _address(url)
    client = chromadb.HttpClient(host, port, ssl=secure, settings=_settings())
    with closing(cast("Client", client)), ExitStack() as connections:
        # Chroma 1.5.9 closes neither its own connections nor its administrator's.
        for part in (client, getattr(client, "_admin_client", None)):
            if session := getattr(getattr(part, "_server", None), "_session", None):
                connections.callback(session.close)
        yield client


def _address(url: str) -> tuple[str, int, bool]:
    """Return host, port and whether the connection is secure."""
    refusal = RetrieverError(f"no Chroma server at {url!r}: write http://host:port")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise refusal from error
    # Nothing of a URL is passed over in silence: a path or a password would not reach the server.
    rest = (parts.path.strip("/"), parts.query, parts.fragment, parts.username)
    if parts.scheme not in {"http", "https"} or not parts.hostname or any(rest):
        raise refusal
    secure = parts.scheme == "https"
    return parts.hostname, port or (443 if secure else 8000), secure


@contextmanager
def _failures(doing: str) -> Iterator[None]:
    try:
        yield
    except RetrieverError:
        raise
    except Exception as error:  # Chroma's errors, its Rust part's, httpx's and plain ValueErrors.
        raise RetrieverError(f"Chroma cannot {doing}: {error}") from error


def _add(collection: "Collection", units: Sequence[Unit], vectors: Floats) -> None:
    for start in range(0, len(units), _PAGE):
        page = units[start : start + _PAGE]
        collection.upsert(
            ids=[unit.id for unit in page],
            embeddings=vectors[start : start + _PAGE],
            documents=[unit.text for unit in page],
            metadatas=[{"passage": unit.id.rpartition("/")[0], "kind": unit.kind} for unit in page],
        )


def _ids(collection: "Collection") -> Iterator[str]:
    for offset in range(0, collection.count(), _PAGE):
        yield from collection.get(limit=_PAGE, offset=offset, include=[])["ids"]


def _read(collection: "Collection", ids: Sequence[str]) -> Floats | None:
    if collection.count() != len(ids):
        return None
    found: dict[str, Floats] = {}
    for page in _pages(ids):
        got = collection.get(ids=list(page), include=["embeddings"])
        embeddings = got["embeddings"]
        if embeddings is not None:
            found.update(zip(got["ids"], np.asarray(embeddings, np.float32), strict=True))
    if found.keys() != set(ids):
        return None
    vectors = np.stack([found[id_] for id_ in ids])
    sound = np.isfinite(vectors).all() and np.allclose(
        np.linalg.norm(vectors, axis=1), 1, atol=1e-3
    )
    return vectors if sound else None


def _pages(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _PAGE):
        yield ids[start : start + _PAGE]
