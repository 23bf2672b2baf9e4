"""What a user can choose about diversified environments."""

from typing import Literal, Self

from pydantic import Field, model_validator

from .._options import GeneratorOptions
from .._row_checks import LANGUAGES, OF_THE_ROW

KeepSystem = Literal["extend", "replace", "keep"]
"""What becomes of a system prompt that a row has already."""

Optional = Literal["tools", "system", "judge"]
"""The steps that can be left out; without both tools and a system prompt nothing is left to do."""


class Options(GeneratorOptions):
    """Options of diversified environments."""

    system: KeepSystem = Field(
        "extend",
        description="What becomes of a system prompt that a row has: extended, its own words kept "
        "to the letter; replaced; or kept as it is. A row without one is given one in any case.",
    )
    persona: str = Field(
        "",
        max_length=60,
        description="What the system prompt calls the assistant: a name, `draw` for one drawn for "
        "each row, empty for none in particular.",
    )
    respond: bool = Field(
        False,
        description="Sample a new response in the new environment, tools at hand, instead of "
        "leaving the response untouched.",
    )
    samples: int = Field(
        1, ge=1, le=16, description="With respond, how many responses are sampled at most."
    )
    language: str = Field(
        OF_THE_ROW,
        pattern=LANGUAGES,
        description="The language of system prompts and descriptions by its ISO 639 code, or `row` "
        "for that of the row's conversation.",
    )
    without: tuple[Optional, ...] = Field(
        (), description="Steps to leave out, for ablations: tools, system, judge."
    )
    k: int = Field(
        6,
        ge=1,
        description="How many passages a judge is shown where an action is to be judged.",
    )
    max_revisions: int = Field(
        2, ge=0, description="How often an environment that fails a check or the judge is revised."
    )
    seed: int = Field(0, ge=0, description="Another number draws other environments.")

    @model_validator(mode="after")
    def _something_to_do(self) -> Self:
        if {"tools", "system"} <= set(self.without):
            raise ValueError("without both tools and system there is nothing to do: leave one in")
        if self.persona and "system" in self.without:
            raise ValueError("a persona stands in the system prompt, which is left out")
        if self.persona and self.persona != self.persona.strip():
            raise ValueError("a persona's name neither begins nor ends with white space")
        return self
