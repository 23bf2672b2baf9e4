"""The cache of vectors: built beside, verified before it is opened, never half there.

A cached index is a folder that nothing changes once it stands: Chroma, which writes to a database
it merely opens and can take the process down with a damaged one, only ever gets a verified copy.
So any number of processes may open an index, and a folder that can only be read will do.
"""

import contextlib
import hashlib
import json
import shutil
import tempfile
import time
import uuid
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from whyset.errors import RetrieverError

from ._places import cache_home

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ._units import Unit

    Floats = NDArray[np.float32]

# Raise it when what is kept, or how, changes; other texts make another key by themselves.
FORMAT = 1
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
    def of(cls, constitution: str, embedder: str, units: "Sequence[Unit]") -> "CacheKey":
        """Derive the key of an index."""
        digest = hashlib.sha256()
        for unit in units:
            digest.update(json.dumps([unit.id, unit.text]).encode())
        return cls(constitution, embedder, digest.hexdigest())

    @property
    def name(self) -> str:
        """A folder's and a collection's name: readable at its head, unique in its tail."""
        parts = [FORMAT, self.constitution, self.embedder, self.units]
        digest = hashlib.sha256(json.dumps(parts).encode()).hexdigest()
        return f"whyset-{self.constitution[:12]}-{digest[:24]}"


def cached_vectors(
    key: CacheKey,
    units: "Sequence[Unit]",
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
    place = (home or cache_home()) / "index" / key.name
    if (vectors := _open(place, key, units)) is not None:
        return vectors
    vectors = embed([unit.text for unit in units])
    try:
        _publish(place, key, units, vectors)
    except (OSError, RetrieverError) as error:
        warnings.warn(
            f"the index cannot be kept in {place.parent} ({error}): it serves this process from "
            "memory, and the next one embeds the constitution again; set WHYSET_CACHE_DIR to a "
            "folder that can be written",
            stacklevel=2,
        )
    return vectors


def _open(place: Path, key: CacheKey, units: "Sequence[Unit]") -> "Floats | None":
    try:
        if not place.exists():
            return None
        from ._chroma import read_folder

        with tempfile.TemporaryDirectory(prefix="whyset-index-") as temporary:
            copy = Path(temporary) / "index"
            shutil.copytree(place, copy)
            if not _sound(copy, key, len(units)):
                return None
            return read_folder(copy / _DATABASE, [unit.id for unit in units])
    except (OSError, RetrieverError):
        return None


def _sound(place: Path, key: CacheKey, count: int) -> bool:
    """Tell whether every file is there and as it was written, and nothing else is."""
    try:
        manifest = json.loads((place / _MANIFEST).read_bytes())
        return bool(manifest == _manifest(key, count, _digests(place / _DATABASE)))
    except (OSError, ValueError):
        return False


def _manifest(key: CacheKey, count: int, files: dict[str, str]) -> dict[str, object]:
    return {
        "format": FORMAT,
        "constitution": key.constitution,
        "embedder": key.embedder,
        "units": key.units,
        "count": count,
        "files": files,
    }


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _publish(place: Path, key: CacheKey, units: "Sequence[Unit]", vectors: "Floats") -> None:
    from ._chroma import write_folder

    place.parent.mkdir(parents=True, exist_ok=True)
    _sweep(place.parent)
    partial = place.parent / f".partial-{uuid.uuid4().hex}"
    try:
        partial.mkdir()
        write_folder(partial / _DATABASE, units, vectors)
        manifest = _manifest(key, len(units), _digests(partial / _DATABASE))
        (partial / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        _rename(partial, place, key, units)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _rename(partial: Path, place: Path, key: CacheKey, units: "Sequence[Unit]") -> None:
    """Move a finished index into place, unless another process was first with one that opens."""
    if place.exists() and _open(place, key, units) is None:
        aside = place.parent / f".partial-{uuid.uuid4().hex}"
        with contextlib.suppress(FileNotFoundError):
            place.rename(aside)
        shutil.rmtree(aside, ignore_errors=True)
    try:
        partial.rename(place)
    except OSError:
        if _open(place, key, units) is None:
            raise


def _sweep(folder: Path) -> None:
    """Remove what processes that were killed left behind."""
    for leftover in folder.glob(".partial-*"):
        try:
            if time.time() - leftover.stat().st_mtime > _STALE_AFTER:
                shutil.rmtree(leftover, ignore_errors=True)
        except OSError:
            continue
