"""What a user can choose about deliberation rewrites."""

from typing import Literal

from pydantic import Field

from whyset.datasets import Channel

from .._options import GeneratorOptions

Cite = Literal["none", "implicit", "explicit"]
"""Whether the text may name or quote the constitution; `implicit` reasons in its own words."""

OnConflict = Literal["quarantine", "repair", "keep"]
"""What becomes of a row whose response goes against the constitution."""


class Options(GeneratorOptions):
    """Options of a deliberation rewrite."""

    channel: Channel = Field("preface", description="Where the deliberation goes.")
    cite: Cite = Field(
        "implicit", description="Whether the text may name or quote the constitution."
    )
    on_conflict: OnConflict = Field(
        "quarantine", description="What becomes of a response that goes against the constitution."
    )
    k: int = Field(8, ge=1, description="How many passages are retrieved each time.")
    settle_below: float = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="A row whose retrieval relevance is lower passes through untouched without a "
        "call; 0 sends every row to the judge.",
    )
    max_revisions: int = Field(
        2, ge=0, description="How often a draft that fails a check or the judge is revised."
    )
