"""Passages by name: no search, just the constitution's own order."""

from collections.abc import Sequence
from typing import Literal

from whyset.constitution import Constitution, Passage

from ._grounding import Grounding, ScoredPassage

Scope = Literal["passages", "section", "document"]
"""How much comes along: nothing, the rest of each passage's own section, or everything."""


def fetch(
    constitution: Constitution, ids: Sequence[str], *, scope: Scope = "passages"
) -> Grounding:
    """Return passages by their ids, as a search would return them.

    Args:
        constitution: Where they stand.
        ids: The passages wanted; they come first, in this order, and score 1.
        scope: What comes behind them, in the order of the document, and scores 0.

    Returns:
        A grounding of relevance 1, whose texts are the ids.

    Raises:
        NotInConstitution: There is no such passage; the message names the nearest.
    """
    wanted = [constitution.passage(name) for name in dict.fromkeys(ids)]
    held = set(ids)
    along = [p for p in _along(constitution, wanted, scope) if p.id not in held]
    scored = [*(_scored(p, 1.0) for p in wanted), *(_scored(p, 0.0) for p in along)]
    return Grounding(tuple(ids), tuple(scored), 1.0, constitution.title, constitution.digest)


def _along(
    constitution: Constitution, wanted: Sequence[Passage], scope: Scope
) -> Sequence[Passage]:
    if scope == "document":
        return constitution.passages
    if scope == "passages":
        return ()
    paths = {passage.path for passage in wanted}
    return [passage for passage in constitution.passages if passage.path in paths]


def _scored(passage: Passage, score: float) -> ScoredPassage:
    return ScoredPassage(passage, score, None, passage.plain)
