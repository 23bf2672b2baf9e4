"""What a user can choose about the rationales of preference pairs."""

from typing import Literal

from pydantic import Field, field_validator

from whyset.datasets import COLUMN

from .._options import GeneratorOptions

Cite = Literal["none", "implicit", "explicit"]
"""Whether the rationale may name or quote the constitution; `implicit` reasons in its own words."""

OnConflict = Literal["quarantine", "keep"]
"""What becomes of a pair whose preference the constitution does not share."""

Step = Literal["find", "judge", "revise"]
"""The steps that can be left out. Without an appraisal, a bad choice would get a reason."""

_PAIR = frozenset({"prompt", "chosen", "rejected", "tools"})


class Options(GeneratorOptions):
    """Options of a deliberation for choices."""

    column: str = Field(
        "rationale",
        min_length=1,
        description="The column that the rationale goes to; a row that has it is quarantined.",
    )
    cite: Cite = Field(
        "implicit", description="Whether the rationale may name or quote the constitution."
    )
    on_conflict: OnConflict = Field(
        "quarantine",
        description="What becomes of a pair whose preference goes against the constitution.",
    )
    language: str = Field(
        "",
        description="The language of the rationales, by its ISO 639-1 code; each row's own where "
        "none is named.",
    )
    k: int = Field(8, ge=1, description="How many passages are retrieved each time.")
    settle_below: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="A pair whose retrieval relevance is lower passes through untouched without a "
        "call; 0 sends every pair to the judge.",
    )
    without: tuple[Step, ...] = Field((), description="Steps to leave out: find, judge, revise.")
    max_revisions: int = Field(
        2, ge=0, description="How often a rationale that fails a check or the judge is revised."
    )

    @field_validator("column")
    @classmethod
    def _is_free(cls, column: str) -> str:
        if column == COLUMN or column in _PAIR:
            raise ValueError(f"{column!r} is a column of its own; name another")
        return column
