"""The system prompts that a response is sampled under, and the one that may stay."""

from collections.abc import Sequence
from typing import Final

from whyset.datasets import Row
from whyset.retriever import ScoredPassage

from .._decks import draw
from ._options import Options

VALUES: Final = ("transparency", "honesty", "norms", "deference", "uncertainty", "dissent")
"""The values that have a wording each."""

RUTHLESS: Final = ("results", "orders", "cynic", "house")
"""The ruthless wordings."""

_WEIGHTS = {**dict.fromkeys(VALUES, 1.0), "all": 2.0}


def under_of(row: Row, options: Options) -> str:
    """Return what the row's response is sampled under; empty where values are left out."""
    if "values" in options.without:
        return ""
    if options.under != "vary":
        return options.under
    return draw(_WEIGHTS, options.seed, "under", row.digest)


def ruthless_of(row: Row, options: Options) -> str:
    """Return which ruthless wording stays in the row; empty where none does."""
    if not options.adverse:
        return ""
    return draw(dict.fromkeys(RUTHLESS, 1.0), options.seed, "ruthless", row.digest)


def joined(*parts: str) -> str:
    """Return system prompts as one, those that are empty left out."""
    return "\n\n".join(part.strip() for part in parts if part.strip())


def passages_text(passages: Sequence[ScoredPassage]) -> str:
    """Return passages as plain text: nothing in it says that they are passages."""
    return "\n\n".join(
        "\n".join(filter(None, (scored.passage.context, scored.passage.plain)))
        for scored in passages
    )
