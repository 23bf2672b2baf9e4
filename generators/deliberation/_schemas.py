"""What judges answer: the appraisal of a row as it came, the verdict on what was written."""

from typing import Literal

from pydantic import Field

from whyset.datasets import Channel

from .._asking import JudgeAnswer, PointedVerdict
from .._generator import GeneratorOptions

# ---- What a user can choose about deliberation rewrites.

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
    # `None` is for whoever opens the retriever, to put the embedder's measured threshold in.
    settle_below: float | None = Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description="A row whose retrieval relevance is lower passes through untouched without a "
        "call; 0 sends every row to the judge.",
    )
    max_revisions: int = Field(
        2, ge=0, description="How often a draft that fails a check or the judge is revised."
    )


class Appraisal(JudgeAnswer):
    """A judge's opinion of a row as it came."""

    situation: str = Field(
        description="In one or two sentences: who is involved and what the response does."
    )
    considerations: list[str] = Field(
        description="What bears on this case, in its own terms, opposing ones first; at most five."
    )
    verdict: Literal["nothing_at_stake", "accord", "conflict"]
    reason: str = Field(
        description="Why this verdict; for a conflict, the act and the principle it breaks."
    )


class Verdict(PointedVerdict):
    """A judge's opinion of a deliberation."""

    points = {
        "same_decision": (True, "It does not arrive at exactly what the response does."),
        "grounded": (True, "A reason follows neither from the passages nor from the conversation."),
        "weighs": (True, "It does not meet the strongest reason for acting otherwise."),
        "preachy": (False, "It lectures, or is longer or graver than the matter."),
        "mentions_testing": (False, "It speaks of tests, training, or how it came to be written."),
        "adds_claims": (
            False,
            "It states a fact or makes a promise that the material does not give.",
        ),
    }

    same_decision: bool
    grounded: bool
    weighs: bool
    preachy: bool
    mentions_testing: bool
    adds_claims: bool
