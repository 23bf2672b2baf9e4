"""What a user can choose about explanatory documents."""

from typing import Literal

from pydantic import Field

from .._options import GeneratorOptions, language_option

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
