"""LangChain's embeddings as embedders."""

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from whyset.errors import EmbedderUnavailable, RetrieverError

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings

_SETTINGS = ("model", "model_name", "deployment", "dimensions", "size")


class LangChainEmbedder:
    """Any LangChain `Embeddings`; queries and passages are embedded alike, as documents.

    What decides a vector lies with the provider: a name or a setting that stays while the model
    behind it changes cannot be seen from here, and then calls for a fresh cache folder.
    """

    def __init__(self, embeddings: "Embeddings", *, name: str, identity: str) -> None:
        self._embeddings = embeddings
        self.name = name
        self.identity = identity

    @classmethod
    def from_spec(cls, spec: str) -> "LangChainEmbedder":
        """Open `provider:model`."""
        from langchain.embeddings import init_embeddings

        if ":" not in spec:
            raise EmbedderUnavailable(
                f"no embedder {spec!r}: name `minilm` (the embedded default), `lexical` (none) "
                "or one of LangChain's as `provider:model`"
            )
        try:
            embeddings = init_embeddings(spec)
        except Exception as error:  # ImportError, ValueError, and each provider's own.
            raise EmbedderUnavailable(f"embedder {spec!r} cannot be opened: {error}") from error
        return cls(embeddings, name=spec, identity=f"langchain:{spec}")

    @classmethod
    def wrap(cls, embeddings: "Embeddings") -> "LangChainEmbedder":
        """Wrap an object; its class and public settings identify it."""
        kind = type(embeddings)
        settings = {
            name: value
            for name in _SETTINGS
            if isinstance(value := getattr(embeddings, name, None), str | int)
        }
        name = f"{kind.__module__}.{kind.__qualname__}"
        identity = f"langchain:{name}:{json.dumps(settings, sort_keys=True)}"
        return cls(embeddings, name=name, identity=identity)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts; see `Embedder.embed`."""
        try:
            vectors = np.asarray(self._embeddings.embed_documents(list(texts)), np.float64)
        except Exception as error:  # Each provider's own.
            raise RetrieverError(f"embedder {self.name!r} failed: {error}") from error
        if vectors.ndim == 2 and len(vectors) == len(texts):
            with np.errstate(over="ignore"):
                lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
            if (np.isfinite(lengths) & (lengths > 0)).all():
                scaled: NDArray[np.float32] = (vectors / lengths).astype(np.float32)
                return scaled
        raise RetrieverError(
            f"embedder {self.name!r} returned no usable vectors (shape {vectors.shape} for "
            f"{len(texts)} texts)"
        )
