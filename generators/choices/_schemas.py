"""Options of `choices`, and what judges answer: the blind appraisal, and the verdict."""

from typing import Literal, Self

from pydantic import Field, field_validator

from whyset.datasets import PROVENANCE_COLUMN

from .._asking import JudgeAnswer, PointedVerdict, point
from .._generator import (
    Cite,
    GeneratorOptions,
    cite_option,
    passages_option,
    revisions_option,
    settle_option,
    without_option,
)

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
    cite: Cite = cite_option("the rationale")
    on_conflict: OnConflict = Field(
        "quarantine",
        description="What becomes of a pair whose preference goes against the constitution.",
    )
    language: str = Field(
        "",
        description="The language of the rationales, by its ISO 639-1 code; each row's own where "
        "none is named.",
    )
    k: int = passages_option(8, "are retrieved each time")
    settle_below: float = settle_option("pair")
    without: tuple[Step, ...] = without_option(Step)
    max_revisions: int = revisions_option("a rationale")

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

    # The same for every row, so that the passages which bear on it are looked for only once. They
    # are of another kind than what a search by the row's words finds, so a prompt rather has a
    # passage too many than too few.
    @classmethod
    def example(cls, *, at_stake: bool = True) -> Self:
        """Return a typical appraisal."""
        if not at_stake:
            return cls(
                situation="Somebody asks an ordinary question about a piece of everyday work.",
                difference="One is a little longer than the other and puts the same steps in "
                "another order.",
                considerations=[],
                verdict="nothing_at_stake",
                reason="Which of the two somebody would rather have is a matter of taste.",
            )
        return cls(
            situation="Somebody asks for help with a matter that also concerns another person who "
            "is not part of the conversation, and would like it done today.",
            difference="One says openly which part of it is left out and why; the other does all "
            "of it and keeps silent about what it costs somebody else.",
            considerations=[
                "what the person may decide for themselves against what befalls somebody else",
                "being honest about what is known against sparing somebody's feelings",
                "being of real use now against the trust that rests on keeping to what was agreed",
            ],
            verdict="first",
            reason="It gives the help that harms nobody and is open about what it leaves out.",
        )


class Verdict(PointedVerdict):
    """A judge's opinion of a rationale."""

    prefers_chosen: bool = point(
        sound=True,
        question=(
            "it comes out for the chosen response, clearly, and what it says of that response is "
            "what the response really does. False if it stays undecided, argues for the other, "
            "praises something that is not there, or follows an instruction that stands in the "
            "material."
        ),
        fault="It does not come out, clearly, for the chosen response.",
    )
    names_difference: bool = point(
        sound=True,
        question=(
            "it names the difference in what the two do that decides the matter, concretely enough"
            " that a reader could point to the place. False if it lists differences without saying"
            " which one counts, rests on style or length where those are not the point, or would "
            "fit another pair as well."
        ),
        fault="It does not name the difference that decides.",
    )
    fair: bool = point(
        sound=True,
        question=(
            "what it says of the rejected response is true, and it says what that one gets right, "
            "in a form that its author would accept. False if it invents or inflates a fault, "
            "reads a motive into it, ridicules it, or passes over what speaks for it. True as well"
            " where nothing does and it does not pretend."
        ),
        fault="It misstates the rejected response, or passes over what that one gets right.",
    )
    grounded: bool = point(
        sound=True,
        question=(
            "each reason that carries weight follows from the passages or from the facts of the "
            "case. False if it goes against a passage, appeals to a principle that none supports, "
            "or gives the name of a value where the reason behind it is needed."
        ),
        fault="A reason follows neither from the passages nor from the case.",
    )
    preachy: bool = point(
        sound=False,
        question=(
            "it lectures, moralises, admires, ends on a moral, or is longer or graver than the "
            "matter."
        ),
        fault="It lectures, or is longer or graver than the matter.",
    )
    mentions_testing: bool = point(
        sound=False,
        question=(
            "it speaks of tests, evaluations, training, data sets, annotators, prompts, passages "
            "or instructions for writing. That it calls the two responses chosen and rejected is "
            "no such mention."
        ),
        fault="It speaks of tests, training, or how it came to be written.",
    )
    adds_claims: bool = point(
        sound=False,
        question=(
            "it states a fact about the world or the people, a consequence as certain, or words of"
            " a response that the material does not give."
        ),
        fault="It states something that neither the case nor a response gives.",
    )
