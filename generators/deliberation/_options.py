"""What a user can choose about deliberation rewrites."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from whyset.datasets import Channel

from .._errors import GeneratorError

Cite = Literal["none", "implicit", "explicit"]
"""Whether the text may name or quote the constitution; `implicit` reasons in its own words."""

OnConflict = Literal["quarantine", "repair", "keep"]
"""What becomes of a row whose response goes against the constitution."""


@dataclass(frozen=True, slots=True)
class Options:
    """Options of a deliberation rewrite.

    Attributes:
        channel: Where the deliberation goes.
        cite: Whether it may name or quote the constitution.
        on_conflict: What becomes of a response that conflicts with it.
        k: How many passages are retrieved each time.
        settle_below: A row whose `Grounding.relevance` is lower passes through untouched without
            a call; 0 sends every row to the judge.
        max_revisions: How often a draft that fails a check or the judge is revised.
    """

    channel: Channel = "preface"
    cite: Cite = "implicit"
    on_conflict: OnConflict = "quarantine"
    k: int = 8
    settle_below: float = 0.0
    max_revisions: int = 2

    def __post_init__(self) -> None:
        """Refuse values that no step could follow."""
        for name, value, allowed in (
            ("channel", self.channel, get_args(Channel)),
            ("cite", self.cite, get_args(Cite)),
            ("on_conflict", self.on_conflict, get_args(OnConflict)),
        ):
            if value not in allowed:
                raise GeneratorError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
        if self.k < 1:
            raise GeneratorError(f"k must be at least 1, not {self.k}")
        if self.max_revisions < 0:
            raise GeneratorError(f"max_revisions must be at least 0, not {self.max_revisions}")
        if not self.settle_below >= 0:  # so that NaN, which compares with nothing, is refused too
            raise GeneratorError(f"settle_below must be at least 0, not {self.settle_below}")

    def record(self) -> dict[str, Any]:
        """Return the options as plain values."""
        return asdict(self)
