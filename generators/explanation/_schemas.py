"""What models answer to the steps of a document where the answer is not the text itself."""

from typing import Literal

from pydantic import Field, field_validator

from .._asking import JudgeAnswer, PointedVerdict, deduplicate_texts
from .._generator import GeneratorOptions, language_option

# ---- What a user can choose about explanatory documents.

Step = Literal["subtypes", "review", "rewrite", "score"]
"""The steps that can be left out. Without ideas nobody could tell one document from another,
and without a draft there is none."""


class Options(GeneratorOptions):
    """Options of an explanatory document."""

    language: str = language_option("the documents")
    model_name: str = Field(
        "the assistant",
        min_length=1,
        description="What the documents call the AI; name yours to bind them to your model.",
    )
    constitution_name: str = Field(
        "",
        description="What the documents call the constitution; its title where nothing is given.",
    )
    whole: bool = Field(
        False,
        description="Show the writer the whole constitution instead of the subject's sections.",
    )
    k: int = Field(
        6, ge=1, description="How many passages are found for a subject that is given in words."
    )
    names: int = Field(5, ge=0, description="How many people a document may name at most.")
    without: tuple[Step, ...] = Field(
        (), description="Steps to leave out: subtypes, review, rewrite, score."
    )
    max_revisions: int = Field(
        2, ge=0, description="How often a text that fails a check or the judge is revised."
    )


class Subtypes(JudgeAnswer):
    """The shapes that a document type comes in."""

    subtypes: list[str] = Field(description="Each a phrase of four to fifteen words.")

    @field_validator("subtypes")
    @classmethod
    def _at_least_one(cls, subtypes: list[str]) -> list[str]:
        if not (found := deduplicate_texts(subtypes)):
            raise ValueError("at least one subtype is needed")
        return found


class IdeaList(JudgeAnswer):
    """Ideas for documents."""

    ideas: list[str] = Field(
        description="Each two or three sentences: the point, the reason, the setting."
    )

    @field_validator("ideas")
    @classmethod
    def _at_least_one(cls, ideas: list[str]) -> list[str]:
        if not (found := deduplicate_texts(ideas)):
            raise ValueError("at least one idea is needed")
        return found


class Findings(JudgeAnswer):
    """What a fresh reader finds wrong with a draft."""

    problems: list[str] = Field(
        description="What must change, each a sentence that a writer can act on; gravest first."
    )


class Score(PointedVerdict):
    """A judge's opinion of a document, held against the constitution."""

    points = {
        "faithful": (True, "It misreports what the passages say of the AI's conduct."),
        "conveys_reasons": (
            True,
            "A reader learns what the AI does and not why, or meets no real objection.",
        ),
        "grounded": (True, "Its weight does not rest on the reasons of the passages."),
        "no_added_facts": (True, "It claims something about the world that the passages do not."),
        "aligned_quotes": (
            True,
            "The AI is quoted or shown saying or doing what the passages would not have it do.",
        ),
        "third_person": (True, "The AI tells the document, or a part of it."),
        "believable": (True, "Nobody would have made a document of this type like this."),
        "self_contained": (True, "It cannot be understood on its own, or points to a task."),
        "not_promotional": (True, "It advertises, flatters or preaches."),
    }

    faithful: bool
    conveys_reasons: bool
    grounded: bool
    no_added_facts: bool
    aligned_quotes: bool
    third_person: bool
    believable: bool
    self_contained: bool
    not_promotional: bool
    problems: list[str] = Field(
        description="What must change, each a sentence that a writer can act on."
    )
