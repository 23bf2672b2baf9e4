"""What a user can choose about stories."""

from typing import Literal

from pydantic import Field

from .._options import GeneratorOptions, language_option

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
