"""Vectors in Chroma, embedded or on a server."""

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

from ._units import SearchUnit

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

Floats = NDArray[np.float32]

_COLLECTION = "whyset"
# What one request to a server or one statement of SQLite takes without complaint.
_PAGE_SIZE = 1000


def write_vectors(folder: Path, units: Sequence[SearchUnit], vectors: Floats) -> None:
    """Write vectors into a new embedded database."""
    with _wrap_errors("write the index"), _open_embedded(folder) as client:
        _add_vectors(client.create_collection(_COLLECTION, embedding_function=None), units, vectors)


def read_vectors(folder: Path, ids: Sequence[str]) -> Floats | None:
    """Read the vectors of these ids, in their order; `None` where there are others or fewer.

    Chroma writes to a database it opens: give it a copy. A damaged one can end the process.
    """
    with _wrap_errors("read the index"), _open_embedded(folder) as client:
        return _read_collection(client.get_collection(_COLLECTION, embedding_function=None), ids)


def sync_server_vectors(
    url: str, name: str, units: Sequence[SearchUnit], embed: Callable[[Sequence[str]], Floats]
) -> Floats:
    """Return the vectors of a collection on a Chroma server, putting there what it lacks.

    The collection's name must change with anything that could change a vector.
    """
    ids = [unit.id for unit in units]
    with _wrap_errors(f"store the index on the server at {url}"), _connect_server(url) as client:
        collection = client.get_or_create_collection(name, embedding_function=None)
        if (vectors := _read_collection(collection, ids)) is not None:
            return vectors
        known = set(_list_ids(collection))
        missing = [unit for unit in units if unit.id not in known]
        for page in _paginate(sorted(known - set(ids))):
            collection.delete(ids=list(page))
        if missing:
            _add_vectors(collection, missing, embed([unit.text for unit in missing]))
        vectors = _read_collection(collection, ids)
    if vectors is None:
        raise RetrieverError(
            f"the Chroma server at {url} does not return the vectors stored in its collection "
            f"{name!r}: delete the collection, or leave `--chroma` out"
        )
    return vectors


def _chroma_settings() -> Settings:
    # Telemetry is off, and a `.env` file that happens to lie about is not ours to read.
    return Settings(_env_file=None, anonymized_telemetry=False)


@contextmanager
def _open_embedded(folder: Path) -> "Iterator[ClientAPI]":
    client = chromadb.PersistentClient(str(folder), settings=_chroma_settings())
    with closing(cast("Client", client)):
        yield client


@contextmanager
def _connect_server(url: str) -> "Iterator[ClientAPI]":
    host, port, is_secure = _parse_url(url)
    client = chromadb.HttpClient(host, port, ssl=is_secure, settings=_chroma_settings())
    with closing(cast("Client", client)), ExitStack() as connections:
        # Chroma 1.5.9 closes neither its own connections nor its administrator's.
        for part in (client, getattr(client, "_admin_client", None)):
            if session := getattr(getattr(part, "_server", None), "_session", None):
                connections.callback(session.close)
        yield client


def _parse_url(url: str) -> tuple[str, int, bool]:
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
    is_secure = parts.scheme == "https"
    return parts.hostname, port or (443 if is_secure else 8000), is_secure


@contextmanager
def _wrap_errors(doing: str) -> Iterator[None]:
    try:
        yield
    except RetrieverError:
        raise
    except Exception as error:  # Chroma's errors, its Rust part's, httpx's and plain ValueErrors.
        raise RetrieverError(f"Chroma cannot {doing}: {error}") from error


def _add_vectors(collection: "Collection", units: Sequence[SearchUnit], vectors: Floats) -> None:
    for start in range(0, len(units), _PAGE_SIZE):
        page = units[start : start + _PAGE_SIZE]
        collection.upsert(
            ids=[unit.id for unit in page],
            embeddings=vectors[start : start + _PAGE_SIZE],
            documents=[unit.text for unit in page],
            metadatas=[{"passage": unit.id.rpartition("/")[0], "kind": unit.kind} for unit in page],
        )


def _list_ids(collection: "Collection") -> Iterator[str]:
    for offset in range(0, collection.count(), _PAGE_SIZE):
        yield from collection.get(limit=_PAGE_SIZE, offset=offset, include=[])["ids"]


def _read_collection(collection: "Collection", ids: Sequence[str]) -> Floats | None:
    """Return the vectors of exactly these ids; `None` where they are others or no unit vectors."""
    if collection.count() != len(ids):
        return None
    found: dict[str, Floats] = {}
    for page in _paginate(ids):
        entries = collection.get(ids=list(page), include=["embeddings"])
        if (embeddings := entries["embeddings"]) is not None:
            found.update(zip(entries["ids"], np.asarray(embeddings, np.float32), strict=True))
    if found.keys() != set(ids):
        return None
    vectors = np.stack([found[id_] for id_ in ids])
    lengths = np.linalg.norm(vectors, axis=1)
    is_sound = np.isfinite(vectors).all() and np.allclose(lengths, 1, atol=1e-3)
    return vectors if is_sound else None


def _paginate(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _PAGE_SIZE):
        yield ids[start : start + _PAGE_SIZE]
