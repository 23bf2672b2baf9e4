"""What judges answer: the appraisal of a pair, blind, and the verdict on a rationale."""

from typing import Literal

from pydantic import Field

from .._opinions import Opinion, PointedVerdict


class Appraisal(Opinion):
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
