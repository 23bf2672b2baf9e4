"""The embedded default: all-MiniLM-L6-v2 in numpy.

A transformer of six layers is some sixty lines of array arithmetic; docs/retrieval.md has its
speed, and its distance from the reference implementation. Rows of all arrays are tokens.
"""

import json
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ._embedder import MINILM
from ._threads import one_thread_a_product
from ._weights import REVISION, SHA256, WEIGHTS, ModelFiles, model_files

Floats = NDArray[np.float32]

DIMENSIONS = 384
_LAYERS = 6
_HEADS = 12
_HEAD = DIMENSIONS // _HEADS
_MAX_TOKENS = 256
# So many rows of the widest array, and what is derived from them, stay in a core's cache.
_ROWS = 32


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

    name = MINILM
    identity = f"all-MiniLM-L6-v2@{REVISION[:12]}/{SHA256[WEIGHTS][:12]}/{_MAX_TOKENS}"

    def __init__(self, files: ModelFiles) -> None:
        tensors = _tensors(files.weights)
        self._words = tensors["embeddings.word_embeddings.weight"]
        self._positions = (
            tensors["embeddings.position_embeddings.weight"]
            + tensors["embeddings.token_type_embeddings.weight"][0]
        )
        self._norm = _Affine(
            tensors["embeddings.LayerNorm.weight"], tensors["embeddings.LayerNorm.bias"]
        )
        self._layers = [_layer(tensors, f"encoder.layer.{n}") for n in range(_LAYERS)]
        self._tokenizer = Tokenizer.from_buffer(files.tokenizer)
        # The file says 128 and pads every text to it.
        self._tokenizer.enable_truncation(_MAX_TOKENS)
        self._tokenizer.no_padding()

    @classmethod
    def open(cls, folder: Path | None = None) -> "MiniLM":
        """Open the model.

        Args:
            folder: Where its files are, if not in one of the usual places.

        Raises:
            EmbedderUnavailable: The files are nowhere to be had.
        """
        return cls(model_files(folder))

    def embed(self, texts: Sequence[str]) -> Floats:
        """Embed texts; see `Embedder.embed`.

        Each text by itself: a matrix product's last digits depend on its shape, and a text's
        vector must not depend on its company. It also saves all padding.
        """
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        encodings = self._tokenizer.encode_batch(_encodable(texts))
        with one_thread_a_product(), ThreadPoolExecutor(_cores()) as pool:
            rows = pool.map(lambda encoding: self._forward(encoding.ids), encodings)
            for place, vector in enumerate(rows):
                vectors[place] = vector
        return vectors

    def _forward(self, tokens: list[int]) -> Floats:
        hidden = self._words[tokens] + self._positions[: len(tokens)]
        hidden = _normalise(hidden, self._norm)
        for layer in self._layers:
            mixed = _attention(hidden, layer.attend)
            hidden = _normalise(hidden + _apply(mixed, layer.attended), layer.attended_norm)
            wide = _apply(hidden, layer.widen)
            for start in range(0, len(wide), _ROWS):
                wide[start : start + _ROWS] *= _normal_cdf(wide[start : start + _ROWS])
            hidden = _normalise(hidden + _apply(wide, layer.narrow), layer.narrow_norm)
        mean: Floats = hidden.mean(axis=0)
        mean /= np.linalg.norm(mean)
        return mean


def _cores() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Only Linux knows what a process may use.
        return os.cpu_count() or 1


def _encodable(texts: Sequence[str]) -> list[str]:
    # A lone surrogate, legal in JSON, is no text the tokenizer takes.
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]


def _tensors(data: bytes) -> dict[str, Floats]:
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


def _layer(tensors: dict[str, Floats], prefix: str) -> _Layer:
    def linear(name: str) -> _Affine:
        weight = tensors[f"{prefix}.{name}.weight"]
        return _Affine(np.ascontiguousarray(weight.T), tensors[f"{prefix}.{name}.bias"])

    def norm(name: str) -> _Affine:
        return _Affine(tensors[f"{prefix}.{name}.weight"], tensors[f"{prefix}.{name}.bias"])

    query, key, value = (linear(f"attention.self.{part}") for part in ("query", "key", "value"))
    scale = np.float32(_HEAD**-0.5)
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


def _apply(rows: Floats, affine: _Affine) -> Floats:
    result: Floats = rows @ affine.weight
    result += affine.bias
    return result


def _normalise(rows: Floats, affine: _Affine) -> Floats:
    rows -= rows.mean(axis=1, keepdims=True)
    variance = np.einsum("td,td->t", rows, rows)[:, None] / np.float32(DIMENSIONS)
    rows /= np.sqrt(variance + np.float32(1e-12))
    rows *= affine.weight
    rows += affine.bias
    return rows


def _attention(hidden: Floats, attend: _Affine) -> Floats:
    parts = _apply(hidden, attend).reshape(-1, 3, _HEADS, _HEAD)
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
