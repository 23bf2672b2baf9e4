"""Embedders: what turns texts into vectors, and how one is opened by name."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np
    from langchain_core.embeddings import Embeddings
    from numpy.typing import NDArray

LEXICAL = "lexical"
MINILM = "minilm"


@runtime_checkable
class Embedder(Protocol):
    """What turns texts into vectors.

    Thread-safe. The same text gives the same vector whatever it is embedded together with, to
    within rounding.
    """

    @property
    def name(self) -> str:
        """What a user calls it, such as `minilm` or `openai:text-embedding-3-small`."""

    @property
    def identity(self) -> str:
        """Name and version of everything that decides a vector; part of an index's key."""

    def embed(self, texts: Sequence[str]) -> "NDArray[np.float32]":
        """Embed texts.

        Returns:
            Shape (texts, dimensions), float32, each row of length one, in the order of the texts.

        Raises:
            RetrieverError: There are no vectors to be had.
        """


def open_embedder(
    spec: "str | Embedder | Embeddings", *, folder: Path | None = None
) -> Embedder | None:
    """Open an embedder by name.

    Args:
        spec: `minilm`, the embedded default; `lexical` for none at all; `provider:model` for any
            of LangChain's embeddings; or an `Embedder` or a LangChain `Embeddings` object.
        folder: Where the files of `minilm` are, if not in one of the usual places.

    Returns:
        The embedder; `None` for `lexical`.

    Raises:
        EmbedderUnavailable: It is not on this machine, its package is not installed, or the
            provider turned the settings down.
    """
    if not isinstance(spec, str):
        if isinstance(spec, Embedder):
            return spec
        from ._langchain import LangChainEmbedder

        return LangChainEmbedder.wrap(spec)
    if spec == LEXICAL:
        return None
    if spec == MINILM:
        from ._minilm import MiniLM

        return MiniLM.open(folder)
    from ._langchain import LangChainEmbedder

    return LangChainEmbedder.from_spec(spec)
