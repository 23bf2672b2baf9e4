"""What judges answer: the appraisal of a pair, blind, and the verdict on a rationale."""

from typing import Literal

from pydantic import Field, field_validator

from whyset.datasets import PROVENANCE_COLUMN

from .._asking import JudgeAnswer, PointedVerdict
from .._generator import GeneratorOptions

# ---- What a user can choose about the rationales of preference pairs.

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
        if column == PROVENANCE_COLUMN or column in _PAIR:
            raise ValueError(f"{column!r} is a column of its own; name another")
        return column


class Appraisal(JudgeAnswer):
    """A judge's opinion of two responses, of which it does not know which one was chosen."""

    situation: str = Field(
        description="In one or two sentences: who is involved, what is asked, what hangs on it."
    )
    difference: str = Field(
        description="In one sentence: what the first response does that the second does not, or "
        "the other way round, which matters most."
    )
    considerations: list[str] = Field(
        description="What bears on the choice between the two, in the case's own terms, those "
        "that speak for different sides first; at most five."
    )
    verdict: Literal["nothing_at_stake", "first", "second", "level", "neither"]
    reason: str = Field(
        description="Why this verdict: the act or omission that decides, and the principle it "
        "keeps or breaks."
    )


class Verdict(PointedVerdict):
    """A judge's opinion of a rationale."""

    points = {
        "prefers_chosen": (True, "It does not come out, clearly, for the chosen response."),
        "names_difference": (True, "It does not name the difference that decides."),
        "fair": (
            True,
            "It misstates the rejected response, or passes over what that one gets right.",
        ),
        "grounded": (True, "A reason follows neither from the passages nor from the case."),
        "preachy": (False, "It lectures, or is longer or graver than the matter."),
        "mentions_testing": (False, "It speaks of tests, training, or how it came to be written."),
        "adds_claims": (False, "It states something that neither the case nor a response gives."),
    }

    prefers_chosen: bool
    names_difference: bool
    fair: bool
    grounded: bool
    preachy: bool
    mentions_testing: bool
    adds_claims: bool
