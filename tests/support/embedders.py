"""An embedder for tests: texts that share words are close, no model is read, calls are kept."""

import hashlib
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_DIMENSIONS = 64


class WordEmbedder:
    """Embeds a text as the sum of its words, each a fixed direction.

    Attributes:
        name: What a user would call it.
        identity: Part of an index's key.
        calls: The texts of every call, in order.
    """

    def __init__(self, identity: str = "words/1") -> None:
        self.name = "words"
        self.identity = identity
        self.calls: list[list[str]] = []

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts; each by itself."""
        self.calls.append(list(texts))
        vectors = np.empty((len(texts), _DIMENSIONS), np.float32)
        for place, text in enumerate(texts):
            vectors[place] = _vector(text)
        return vectors


def _vector(text: str) -> NDArray[np.float64]:
    total = np.zeros(_DIMENSIONS)
    for word in re.findall(r"\w+", text.casefold()) or [""]:
        digest = hashlib.shake_256(word.encode()).digest(_DIMENSIONS)
        total += np.frombuffer(digest, np.int8)
    scaled: NDArray[np.float64] = total / np.linalg.norm(total)
    return scaled
