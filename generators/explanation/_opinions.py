"""What models answer to the steps of a document where the answer is not the text itself."""

from pydantic import Field, field_validator

from .._opinions import Opinion, PointedVerdict, distinct


class Subtypes(Opinion):
    """The shapes that a document type comes in."""

    subtypes: list[str] = Field(description="Each a phrase of four to fifteen words.")

    @field_validator("subtypes")
    @classmethod
    def _at_least_one(cls, subtypes: list[str]) -> list[str]:
        if not (found := distinct(subtypes)):
            raise ValueError("at least one subtype is needed")
        return found


class IdeaList(Opinion):
    """Ideas for documents."""

    ideas: list[str] = Field(
        description="Each two or three sentences: the point, the reason, the setting."
    )

    @field_validator("ideas")
    @classmethod
    def _at_least_one(cls, ideas: list[str]) -> list[str]:
        if not (found := distinct(ideas)):
            raise ValueError("at least one idea is needed")
        return found


class Findings(Opinion):
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
