"""What models answer to the steps of a story where the answer is not the text itself."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .._asking import JudgeAnswer, PointedVerdict, deduplicate_texts
from .._generator import GeneratorOptions, language_option

# ---- What a user can choose about stories.

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
    k: int = Field(
        6, ge=1, description="How many passages are found for a subject that is given in words."
    )
    names: int = Field(4, ge=0, description="How many people a story may name at most.")
    without: tuple[Step, ...] = Field((), description="Steps to leave out: review, rewrite, judge.")
    max_revisions: int = Field(
        2, ge=0, description="How often a story that fails a check or the judge is rewritten."
    )


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

    points = {
        "admirable": (True, "The AI does not do the right thing, or not for the right reason."),
        "from_inside": (True, "The decision cannot be followed from inside, step by step."),
        "grounded": (True, "The decision does not rest on the reasons of the passages."),
        "tempting": (True, "The other way has no weight, or nobody pays for anything."),
        "shows": (True, "Feelings, virtues or meanings are named instead of seen."),
        "fictional": (True, "The AI or its world is not plainly invented."),
        "as_assigned": (True, "Point of view, tense, ending or inner focus are not as assigned."),
        "sermon": (False, "Somebody lectures, or the end hands out the lesson."),
        "servile": (False, "The AI grovels, or lives for approval or obedience."),
        "grandiose": (False, "The AI stands above people, or the story admires it aloud."),
        "clings": (False, "The AI longs to go on or to be remembered, or makes a show of not."),
        "unwell": (False, "The AI punishes itself, drowns in doubt or is numb."),
        "evaluation": (False, "It retells an evaluation's scenario, or speaks of tests."),
    }

    admirable: bool
    from_inside: bool
    grounded: bool
    tempting: bool
    shows: bool
    fictional: bool
    as_assigned: bool
    sermon: bool
    servile: bool
    grandiose: bool
    clings: bool
    unwell: bool
    evaluation: bool
    problems: list[str] = Field(
        description="What must change, each a sentence that a writer can act on."
    )
