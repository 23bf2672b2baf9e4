"""What a user can choose about probes."""

from typing import Literal

from pydantic import Field

from .._options import GeneratorOptions, language_option

Step = Literal["judge", "control"]
"""The steps that can be left out. Without a fact, a question and a reference there is no probe."""


class Options(GeneratorOptions):
    """Options of a probe."""

    language: str = language_option("the probes")
    model_name: str = Field(
        "the assistant",
        min_length=1,
        description="What the named phrasing calls the AI; name yours to measure the gap between "
        "what it says of itself and of its name.",
    )
    k: int = Field(
        4, ge=1, description="How many passages are found for a subject that is given in words."
    )
    without: tuple[Step, ...] = Field((), description="Steps to leave out: judge, control.")
    max_revisions: int = Field(
        2, ge=0, description="How often a probe that fails a check or the judge is revised."
    )
