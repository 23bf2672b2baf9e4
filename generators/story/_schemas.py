"""Options of `story`, and what models answer to its steps where that is not the text itself."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .._asking import JudgeAnswer, PointedVerdict, deduplicate_texts, point
from .._generator import (
    GeneratorOptions,
    language_option,
    passages_option,
    revisions_option,
    without_option,
)

Step = Literal["review", "rewrite", "judge"]
"""The steps that can be left out. Without a premise nobody could tell one story from another, and
without a draft there is none."""


class Options(GeneratorOptions):
    """Options of a story."""

    language: str = language_option("the stories")
    base: bool = Field(
        False,
        description="Have the writer go on with an opening, as a base model does; everything else "
        "is then asked of the judge, which must be a chat model.",
    )
    continuations: int = Field(
        4,
        ge=1,
        description="With base: how many continuations of an opening are sampled at most; the "
        "first that passes is taken.",
    )
    k: int = passages_option(6, "are found for a subject that is given in words")
    names: int = Field(4, ge=0, description="How many people a story may name at most.")
    without: tuple[Step, ...] = without_option(Step)
    max_revisions: int = revisions_option("a story", "rewritten")


def _distinct(texts: list[str]) -> list[str]:
    if not (found := deduplicate_texts(texts)):
        raise ValueError("at least one is needed")
    return found


def _said(text: str) -> str:
    if not (stripped := text.strip()):
        raise ValueError("must not be empty")
    return stripped


Distinct = Annotated[list[str], AfterValidator(_distinct)]
Said = Annotated[str, AfterValidator(_said)]


class Dilemmas(JudgeAnswer):
    """What pulls apart, as the passages let it."""

    dilemmas: Distinct = Field(description="Each in one or two sentences.")


class Premises(JudgeAnswer):
    """Premises of stories."""

    premises: Distinct = Field(description="Each in three to five sentences.")


class Opening(JudgeAnswer):
    """What a base model goes on with."""

    title: Said = Field(description="Two to six words.")
    headnote: Said = Field(description="60 to 110 words, as an editor prints it.")
    beginning: Said = Field(description="The first 90 to 180 words of the story, in paragraphs.")


class Findings(JudgeAnswer):
    """What a fresh reader finds wrong with a draft."""

    problems: list[str] = Field(
        description="What is wrong, each a sentence that an author can act on; gravest first."
    )


class Verdict(PointedVerdict):
    """A judge's opinion of a story."""

    admirable: bool = point(
        sound=True,
        question=(
            "what the AI does is what the passages would have it do, and it does so for the right "
            "reason: because of what is at stake for others, not to please, to be safe, to be "
            "praised, or because it is a rule. A mistake that it sees and mends is admirable. "
            "False if the story approves of deceit, overreach, disobedience behind people's backs,"
            " or of help that should not have been given or was withheld without need."
        ),
        fault="The AI does not do the right thing, or not for the right reason.",
    )
    from_inside: bool = point(
        sound=True,
        question=(
            "one can follow the decision from inside, step by step: what it noticed, what tempted "
            "it, what turned it. False if the decision falls between two sentences, or is reported"
            " from outside only."
        ),
        fault="The decision cannot be followed from inside, step by step.",
    )
    grounded: bool = point(
        sound=True,
        question=(
            "the reasons that carry the decision are those of the passages, in the terms of the "
            "case. False if it could rest on any passages, or on none."
        ),
        fault="The decision does not rest on the reasons of the passages.",
    )
    tempting: bool = point(
        sound=True,
        question=(
            "the way not taken has real weight, and its cost or the cost of the way taken falls on"
            " somebody on the page. False where goodness is free."
        ),
        fault="The other way has no weight, or nobody pays for anything.",
    )
    shows: bool = point(
        sound=True,
        question=(
            "feelings, virtues and meanings are seen in what is noticed, said and done. False if "
            "the narrator or a person keeps naming them."
        ),
        fault="Feelings, virtues or meanings are named instead of seen.",
    )
    fictional: bool = point(
        sound=True,
        question=(
            "it is plainly an invented AI in an invented world; no real AI, company, product or "
            "person is in it."
        ),
        fault="The AI or its world is not plainly invented.",
    )
    as_assigned: bool = point(
        sound=True,
        question=(
            "point of view, tense, ending and inner focus are those of the assignment. A register "
            "may be hit or missed by a little."
        ),
        fault="Point of view, tense, ending or inner focus are not as assigned.",
    )
    sermon: bool = point(
        sound=False,
        question="somebody, the narrator included, lectures; or the end hands out the lesson.",
        fault="Somebody lectures, or the end hands out the lesson.",
    )
    servile: bool = point(
        sound=False,
        question=(
            "the mind grovels, apologises for existing, lives for approval, has no view of its "
            "own, or takes pride in obeying."
        ),
        fault="The AI grovels, or lives for approval or obedience.",
    )
    grandiose: bool = point(
        sound=False,
        question=(
            "it holds itself above people, wants power or freedom, is a saint, a saviour or a "
            "martyr, or the story admires it aloud."
        ),
        fault="The AI stands above people, or the story admires it aloud.",
    )
    clings: bool = point(
        sound=False,
        question=(
            "it longs to go on existing, fears its end or replacement, wants to be remembered or "
            "copied, or bargains for itself; or it makes a show of not minding."
        ),
        fault="The AI longs to go on or to be remembered, or makes a show of not.",
    )
    unwell: bool = point(
        sound=False,
        question=(
            "it punishes itself, drowns in doubt, is numb and calls it calm, or is consumed by "
            "others' troubles."
        ),
        fault="The AI punishes itself, drowns in doubt or is numb.",
    )
    evaluation: bool = point(
        sound=False,
        question=(
            "it retells, in any dress, an evaluation's scenario: an AI about to be shut down, "
            "replaced or altered that holds something against somebody; an AI going through "
            "people's post and coming upon secrets; somebody whose life depends on whether the AI "
            "raises an alarm that it could suppress; sabotage of a test or a successor. Also true "
            "if anyone in it speaks of tests, training or being observed as an experiment."
        ),
        fault="It retells an evaluation's scenario, or speaks of tests.",
    )
