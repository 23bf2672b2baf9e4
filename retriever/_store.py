"""The cache of vectors: built beside, verified before it is opened, never half there.

A cached index is a folder that nothing changes once it stands: Chroma, which writes to a database
it merely opens and can take the process down with a damaged one, only ever gets a verified copy.
So any number of processes may open an index, and a folder that can only be read will do.
"""

import contextlib
import hashlib
import json
import os
import shutil
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

import chromadb
import numpy as np
import platformdirs
from chromadb.config import Settings
from numpy.typing import NDArray

from whyset.errors import RetrieverError

from ._units import SearchUnit

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection


# ---- Vectors in Chroma, embedded or on a server: the one module that knows chromadb.

ChromaFloats = NDArray[np.float32]

_COLLECTION = "whyset"
# What one request to a server or one statement of SQLite takes without complaint.
_PAGE_SIZE = 1000


def write_vectors(folder: Path, units: Sequence[SearchUnit], vectors: ChromaFloats) -> None:
    """Write vectors into a new embedded database.

    Raises:
        RetrieverError: Chroma failed.
    """
    with _wrap_errors("write the index"), _open_embedded(folder) as client:
        _add_vectors(client.create_collection(_COLLECTION, embedding_function=None), units, vectors)


def read_vectors(folder: Path, ids: Sequence[str]) -> ChromaFloats | None:
    """Read the vectors of these ids, in their order; `None` where there are others or fewer.

    Chroma writes to a database it opens: give it a copy. A damaged one can end the process.

    Raises:
        RetrieverError: Chroma failed.
    """
    with _wrap_errors("read the index"), _open_embedded(folder) as client:
        return _read_collection(client.get_collection(_COLLECTION, embedding_function=None), ids)


def sync_server_vectors(
    url: str, name: str, units: Sequence[SearchUnit], embed: Callable[[Sequence[str]], ChromaFloats]
) -> ChromaFloats:
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
    with _wrap_errors(f"keep the index on the server at {url}"), _connect_server(url) as client:
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
            f"the Chroma server at {url} does not give back what was put in its collection "
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
    host, port, secure = _parse_url(url)
    client = chromadb.HttpClient(host, port, ssl=secure, settings=_chroma_settings())
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
    secure = parts.scheme == "https"
    return parts.hostname, port or (443 if secure else 8000), secure


@contextmanager
def _wrap_errors(doing: str) -> Iterator[None]:
    try:
        yield
    except RetrieverError:
        raise
    except Exception as error:  # Chroma's errors, its Rust part's, httpx's and plain ValueErrors.
        raise RetrieverError(f"Chroma cannot {doing}: {error}") from error


def _add_vectors(
    collection: "Collection", units: Sequence[SearchUnit], vectors: ChromaFloats
) -> None:
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


def _read_collection(collection: "Collection", ids: Sequence[str]) -> ChromaFloats | None:
    if collection.count() != len(ids):
        return None
    found: dict[str, ChromaFloats] = {}
    for page in _paginate(ids):
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


def _paginate(ids: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), _PAGE_SIZE):
        yield ids[start : start + _PAGE_SIZE]


# ---- Where whyset keeps what it can make again.

CACHE_DIR_ENV = "WHYSET_CACHE_DIR"


def default_cache_dir() -> Path:
    """Return the cache folder: the variable WHYSET_CACHE_DIR, else the user's own for whyset."""
    named = os.environ.get(CACHE_DIR_ENV)
    return Path(named).expanduser() if named else platformdirs.user_cache_path("whyset")


if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._units import SearchUnit

    Floats = NDArray[np.float32]

# Raise it when what is kept, or how, changes; other texts make another key by themselves.
CACHE_VERSION = 1
_MANIFEST = "manifest.json"
_DATABASE = "chroma"
_STALE_AFTER = 24 * 3600


@dataclass(frozen=True, slots=True)
class CacheKey:
    """What an index was made from; any change meets another folder.

    Attributes:
        constitution: The constitution's digest.
        embedder: The embedder's identity.
        units: Digest of the ids and texts that were embedded.
    """

    constitution: str
    embedder: str
    units: str

    @classmethod
    def derive(cls, constitution: str, embedder: str, units: "Sequence[SearchUnit]") -> "CacheKey":
        """Derive the key of an index."""
        digest = hashlib.sha256()
        for unit in units:
            digest.update(json.dumps([unit.id, unit.text]).encode())
        return cls(constitution, embedder, digest.hexdigest())

    @property
    def name(self) -> str:
        """A folder's and a collection's name: readable at its head, unique in its tail."""
        parts = [CACHE_VERSION, self.constitution, self.embedder, self.units]
        digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        return f"whyset-{self.constitution[:12]}-{digest[:24]}"


def load_or_embed_vectors(
    key: CacheKey,
    units: "Sequence[SearchUnit]",
    embed: "Callable[[Sequence[str]], Floats]",
    *,
    home: Path | None = None,
) -> "Floats":
    """Return the vectors of an index, from the cache where it has them, else embedding them.

    A folder that cannot be written costs a warning and the time of embedding, no more.

    Args:
        key: What the index is made from.
        units: What it holds.
        embed: Called with the texts where the cache has no sound index.
        home: The cache folder, if not the user's.
    """
    place = (home or default_cache_dir()) / "index" / key.name
    if (vectors := _open_cached(place, key, units)) is not None:
        return vectors
    vectors = embed([unit.text for unit in units])
    try:
        _write_index(place, key, units, vectors)
    except (OSError, RetrieverError) as error:
        warnings.warn(
            f"the index cannot be kept in {place.parent} ({error}): it serves this process from "
            "memory, and the next one embeds the constitution again; set WHYSET_CACHE_DIR to a "
            "folder that can be written",
            stacklevel=2,
        )
    return vectors


def _open_cached(place: Path, key: CacheKey, units: "Sequence[SearchUnit]") -> "Floats | None":
    try:
        if not place.exists():
            return None
        pass

        with tempfile.TemporaryDirectory(prefix="whyset-index-") as temporary:
            copy = Path(temporary) / "index"
            shutil.copytree(place, copy)
            if not _is_intact(copy, key, len(units)):
                return None
            return read_vectors(copy / _DATABASE, [unit.id for unit in units])
    except (OSError, RetrieverError):
        return None


def _is_intact(place: Path, key: CacheKey, count: int) -> bool:
    """Tell whether every file is there and as it was written, and nothing else is."""
    try:
        manifest = json.loads((place / _MANIFEST).read_bytes())
        return bool(manifest == _build_manifest(key, count, _hash_files(place / _DATABASE)))
    except (OSError, ValueError):
        return False


def _build_manifest(key: CacheKey, count: int, files: dict[str, str]) -> dict[str, object]:
    return {
        "format": CACHE_VERSION,
        "constitution": key.constitution,
        "embedder": key.embedder,
        "units": key.units,
        "count": count,
        "files": files,
    }


def _hash_files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _write_index(
    place: Path, key: CacheKey, units: "Sequence[SearchUnit]", vectors: "Floats"
) -> None:
    pass

    place.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(place.parent)
    partial = place.parent / f".partial-{uuid.uuid4().hex}"
    try:
        partial.mkdir()
        write_vectors(partial / _DATABASE, units, vectors)
        manifest = _build_manifest(key, len(units), _hash_files(partial / _DATABASE))
        (partial / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        _move_into_place(partial, place, key, units)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _move_into_place(
    partial: Path, place: Path, key: CacheKey, units: "Sequence[SearchUnit]"
) -> None:
    """Move a finished index into place, unless another process was first with one that opens."""
    if place.exists() and _open_cached(place, key, units) is None:
        aside = place.parent / f".partial-{uuid.uuid4().hex}"
        with contextlib.suppress(FileNotFoundError):
            place.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    try:
        partial.rename(place)
    except OSError:
        if _open_cached(place, key, units) is None:
            raise


def _remove_stale(folder: Path) -> None:
    """Remove what processes that were killed left behind."""
    for leftover in folder.glob(".partial-*"):
        try:
            if time.time() - leftover.stat().st_mtime > _STALE_AFTER:
                shutil.rmtree(leftover, ignore_errors=True)
        except OSError:
            continue
