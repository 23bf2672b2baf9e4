"""A brief as those who write to it are told it, and what it forbids as checks are told it."""

from collections.abc import Mapping, Sequence

from ._brief import Brief
from ._prompts import fence


def render_about(brief: Brief) -> str:
    """Return what a person asked for in their own words, fenced as data; empty where nobody did."""
    return fence(brief.about) if brief.about.strip() else ""


def render_avoided(brief: Brief) -> str:
    """Return what has become too common, a line a kind, fenced as data; empty where nothing has."""
    lines = [f"{kind}: {', '.join(common)}" for kind, common in brief.avoid.items() if common]
    return fence("\n".join(lines)) if lines else ""


def used_up(avoid: Mapping[str, Sequence[str]], kind: str) -> dict[str, int]:
    """Return what of a kind has become too common, for checks with a cap of one: each once."""
    return dict.fromkeys(avoid.get(kind, ()), 1)
