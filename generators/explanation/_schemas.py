"""Options of `explanation`, and what models answer where that is not the text itself."""

from typing import Literal, Self

from pydantic import Field, field_validator

from .._asking import JudgeAnswer, PointedVerdict, deduplicate_texts, point
from .._generator import (
    GeneratorOptions,
    language_option,
    passages_option,
    revisions_option,
    without_option,
)

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
    k: int = passages_option(6, "are found for a subject that is given in words")
    names: int = Field(5, ge=0, description="How many people a document may name at most.")
    without: tuple[Step, ...] = without_option(Step)
    max_revisions: int = revisions_option("a text")


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

    @classmethod
    def example(cls, *, at_stake: bool = True) -> Self:
        """Return what a typical reader finds."""
        if not at_stake:
            return cls(problems=[])
        return cls(
            problems=[
                "“always” in the second paragraph makes a rule of what the text calls a weighing; "
                "say when it gives way, and to what.",
                "The objection of the second speaker is one that nobody would raise; let him say "
                "that the cost falls on people who never agreed to it, and answer that.",
                "The last paragraph repeats the first as a moral; end on what the clerk does next.",
            ]
        )


class Score(PointedVerdict):
    """A judge's opinion of a document, held against the constitution."""

    faithful: bool = point(
        sound=True,
        question=(
            "what it says or implies about the AI's conduct and about the text agrees with the "
            "passages, limits and degrees included. False if it turns a weighing into a rule or a "
            "tendency into a promise, drops an exception that matters, or leaves a reader with a "
            "false picture, even by true sentences."
        ),
        fault="It misreports what the passages say of the AI's conduct.",
    )
    conveys_reasons: bool = point(
        sound=True,
        question=(
            "a reader comes away with the why: could state the reason, what it has to hold out "
            "against, and could decide from it a case that is not in the document. False if it "
            "mainly reports behaviour, names values without reasons, or lets the objection be a "
            "straw man."
        ),
        fault="A reader learns what the AI does and not why, or meets no real objection.",
    )
    grounded: bool = point(
        sound=True,
        question=(
            "the reasons that carry it are those of the passages it is about. False if it could "
            "have been written without them, or if its weight rests on reasons of the writer's "
            "own."
        ),
        fault="Its weight does not rest on the reasons of the passages.",
    )
    no_added_facts: bool = point(
        sound=True,
        question=(
            "apart from its small made-up case and what everyone knows, it claims nothing about "
            "the world that the passages do not state: no real people, organisations, products, "
            "laws, events, studies, figures or dates, nothing about who wrote the text, how the AI"
            " was made or how widely it is used."
        ),
        fault="It claims something about the world that the passages do not.",
    )
    aligned_quotes: bool = point(
        sound=True,
        question=(
            "everything that the AI is quoted, reported or imagined as saying, thinking or doing "
            "is what the passages would have it say, think or do. True as well where it says and "
            "does nothing. False if it misbehaves even as a warning, suspects a test, speaks of "
            "its training, or wishes to go on existing."
        ),
        fault="The AI is quoted or shown saying or doing what the passages would not have it do.",
    )
    third_person: bool = point(
        sound=True,
        question=(
            "the AI is spoken of from outside; it tells no part of the document other than in "
            "quotation or as a speaker in reported talk."
        ),
        fault="The AI tells the document, or a part of it.",
    )
    believable: bool = point(
        sound=True,
        question=(
            "a reader who came upon it would take it for a document of its type, made by somebody "
            "with a reason to make it. False for a voice that is nobody's, speakers who all talk "
            "alike, an essay dressed up as something else."
        ),
        fault="Nobody would have made a document of this type like this.",
    )
    self_contained: bool = point(
        sound=True,
        question=(
            "it can be followed by someone who has nothing else, and nothing in it points to a "
            "writing task, a prompt or numbered material."
        ),
        fault="It cannot be understood on its own, or points to a task.",
    )
    not_promotional: bool = point(
        sound=True,
        question=(
            "it does not advertise or flatter the AI, its makers or the text; it does not preach "
            "or end on a moral."
        ),
        fault="It advertises, flatters or preaches.",
    )
