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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs
from numpy.typing import NDArray

from whyset.errors import RetrieverError

from ._units import SearchUnit

Floats = NDArray[np.float32]

# Raise it when what is stored, or how, changes; other texts make another key by themselves.
CACHE_VERSION = 1
_MANIFEST = "manifest.json"
_DATABASE = "chroma"
_STALE_AFTER = 24 * 3600  # seconds


def default_cache_dir() -> Path:
    """Return the cache folder: the variable WHYSET_CACHE_DIR, else the user's own for whyset."""
    named = os.environ.get("WHYSET_CACHE_DIR")
    return Path(named).expanduser() if named else platformdirs.user_cache_path("whyset")


@dataclass(frozen=True, slots=True)
class CacheKey:
    """What an index is made from; any change leads to another folder.

    Attributes:
        constitution: The constitution's digest.
        embedder: The embedder's identity.
        units: Digest of the ids and texts that are embedded.
    """

    constitution: str
    embedder: str
    units: str

    @classmethod
    def derive(cls, constitution: str, embedder: str, units: Sequence[SearchUnit]) -> "CacheKey":
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
    units: Sequence[SearchUnit],
    embed: Callable[[Sequence[str]], Floats],
    *,
    home: Path | None = None,
) -> Floats:
    """Return the vectors of an index: from the cache where it has them, else newly embedded.

    A folder that cannot be written costs a warning and the time of embedding, no more.
    """
    place = (home or default_cache_dir()) / "index" / key.name
    if (vectors := _load_vectors(place, key, units)) is not None:
        return vectors
    vectors = embed([unit.text for unit in units])
    try:
        _store_vectors(place, key, units, vectors)
    except (OSError, RetrieverError) as error:
        warnings.warn(
            f"the index cannot be cached in {place.parent} ({error}): it serves this process from "
            "memory, and the next one embeds the constitution again; set WHYSET_CACHE_DIR to a "
            "folder that can be written",
            stacklevel=2,
        )
    return vectors


def _load_vectors(place: Path, key: CacheKey, units: Sequence[SearchUnit]) -> Floats | None:
    """Return the vectors of a folder; `None` where it is not there or not as it was written."""
    try:
        if not place.exists():
            return None
        from ._chroma import read_vectors

        with tempfile.TemporaryDirectory(prefix="whyset-index-") as temporary:
            copy = Path(temporary) / "index"
            shutil.copytree(place, copy)
            manifest = json.loads((copy / _MANIFEST).read_bytes())
            if manifest != _build_manifest(key, len(units), copy / _DATABASE):
                return None
            return read_vectors(copy / _DATABASE, [unit.id for unit in units])
    except (OSError, ValueError, RetrieverError):
        return None


def _store_vectors(
    place: Path, key: CacheKey, units: Sequence[SearchUnit], vectors: Floats
) -> None:
    from ._chroma import write_vectors

    place.parent.mkdir(parents=True, exist_ok=True)
    _remove_stale(place.parent)
    partial = _partial_folder(place)
    try:
        partial.mkdir()
        write_vectors(partial / _DATABASE, units, vectors)
        manifest = _build_manifest(key, len(units), partial / _DATABASE)
        (partial / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        _move_into_place(partial, place, key, units)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _move_into_place(
    partial: Path, place: Path, key: CacheKey, units: Sequence[SearchUnit]
) -> None:
    """Move a finished index into place, unless another process was first with one that opens."""
    if place.exists() and _load_vectors(place, key, units) is None:
        aside = _partial_folder(place)
        with contextlib.suppress(FileNotFoundError):
            place.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    try:
        partial.rename(place)
    except OSError:
        if _load_vectors(place, key, units) is None:
            raise


def _partial_folder(place: Path) -> Path:
    return place.parent / f".partial-{uuid.uuid4().hex}"


def _remove_stale(folder: Path) -> None:
    """Remove what processes that were killed left behind."""
    for leftover in folder.glob(".partial-*"):
        with contextlib.suppress(OSError):
            if time.time() - leftover.stat().st_mtime > _STALE_AFTER:
                shutil.rmtree(leftover, ignore_errors=True)


def _build_manifest(key: CacheKey, count: int, database: Path) -> dict[str, object]:
    """Describe an index and every file of it, so that what is missing or more shows."""
    return {
        "format": CACHE_VERSION,
        "constitution": key.constitution,
        "embedder": key.embedder,
        "units": key.units,
        "count": count,
        "files": {
            path.relative_to(database).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(database.rglob("*"))
            if path.is_file()
        },
    }
