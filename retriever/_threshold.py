"""The measured threshold of relevance, apart from what measures it: it imports nothing."""

SETTLE_BELOW = 0.1
"""Rows of lower `Grounding.relevance` surely have nothing at stake, by the embedded default.

docs/retrieval.md has the measurement. It holds for `minilm` only; other embedders need their own.
"""

UNKNOWN = 1.0
"""The relevance of what cannot be measured: no embedder, or a text in another language than the
constitution. No threshold settles such a row."""
