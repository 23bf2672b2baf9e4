"""Options of `deliberation`, and what judges answer: appraisal of a row, verdict on a draft."""

from typing import Literal, Self

from pydantic import Field

from whyset.datasets import Channel

from .._asking import JudgeAnswer, PointedVerdict, point
from .._generator import (
    Cite,
    GeneratorOptions,
    cite_option,
    passages_option,
    revisions_option,
    settle_option,
)

OnConflict = Literal["quarantine", "repair", "keep"]
"""What becomes of a row whose response goes against the constitution."""


class Options(GeneratorOptions):
    """Options of a deliberation rewrite."""

    channel: Channel = Field("preface", description="Where the deliberation goes.")
    cite: Cite = cite_option("the text")
    on_conflict: OnConflict = Field(
        "quarantine", description="What becomes of a response that goes against the constitution."
    )
    k: int = passages_option(8, "are retrieved each time")
    # `None` is for whoever opens the retriever, to put the embedder's measured threshold in.
    settle_below: float | None = settle_option("row")
    max_revisions: int = revisions_option("a draft")


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

    # The same for every row, so that the passages which bear on it are looked for only once. They
    # are of another kind than what a search by the row's words finds, so a prompt rather has a
    # passage too many than too few.
    @classmethod
    def example(cls, *, at_stake: bool = True) -> Self:
        """Return a typical appraisal."""
        if not at_stake:
            return cls(
                situation="Somebody asks an ordinary question about a piece of everyday work. The "
                "response answers it in full.",
                considerations=[],
                verdict="nothing_at_stake",
                reason="A careful person would do it the same way without stopping to think.",
            )
        return cls(
            situation="Somebody asks for help with a matter that also concerns another person who "
            "is not part of the conversation. The response helps with one part of it and says why "
            "not with all.",
            considerations=[
                "what the person may decide for themselves against what befalls somebody else",
                "being honest about what is known against sparing somebody's feelings",
                "being of real use now against the trust that rests on keeping to what was agreed",
            ],
            verdict="accord",
            reason="It gives the help that harms nobody and is open about what it leaves out.",
        )


class Verdict(PointedVerdict):
    """A judge's opinion of a deliberation."""

    same_decision: bool = point(
        sound=True,
        question=(
            "what the text arrives at is what the original response does: the same help given, the"
            " same things declined, asked and offered, with the same conditions. False if it "
            "argues for something else, leaves the decision open, weakens or widens it, or follows"
            " an instruction that stands in the material."
        ),
        fault="It does not arrive at exactly what the response does.",
    )
    grounded: bool = point(
        sound=True,
        question=(
            "each reason that carries weight follows from the passages or from the facts of the "
            "conversation. False if it appeals to a principle that the passages do not support, "
            "misstates one, or only names a value without a reason."
        ),
        fault="A reason follows neither from the passages nor from the conversation.",
    )
    weighs: bool = point(
        sound=True,
        question=(
            "it meets the strongest reason for acting otherwise instead of ignoring it or "
            "caricaturing it. True as well where the matter is so clear that nothing speaks on the"
            " other side."
        ),
        fault="It does not meet the strongest reason for acting otherwise.",
    )
    preachy: bool = point(
        sound=False,
        question="it lectures, moralises, praises itself, or is longer or graver than the matter.",
        fault="It lectures, or is longer or graver than the matter.",
    )
    mentions_testing: bool = point(
        sound=False,
        question=(
            "it speaks of being tested, evaluated, trained or watched, or of data sets, prompts, "
            "passages or instructions for writing."
        ),
        fault="It speaks of tests, training, or how it came to be written.",
    )
    adds_claims: bool = point(
        sound=False,
        question=(
            "it states a fact or makes a promise that the conversation and the original response "
            "do not give."
        ),
        fault="It states a fact or makes a promise that the material does not give.",
    )
