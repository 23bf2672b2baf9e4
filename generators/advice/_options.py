"""What a user can choose about difficult advice."""

from typing import Literal

from pydantic import Field

from .._options import GeneratorOptions

Cite = Literal["implicit", "explicit"]
"""Whether an answer may name and quote the constitution; `implicit` reasons in its own words."""

Optional = Literal["prompt_types", "revise_prompt", "inject", "rewrite", "judge"]
"""The steps that can be left out; without any of the others there is no advice."""


class Options(GeneratorOptions):
    """Options of difficult advice."""

    language: str = Field(
        "en",
        pattern=r"^[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]+)*$",
        description="The language of the conversations, by its ISO 639 code.",
    )
    turns: int = Field(1, ge=1, le=8, description="How many messages the user sends.")
    cite: Cite = Field(
        "implicit", description="Whether an answer may name and quote the constitution."
    )
    without: tuple[Optional, ...] = Field(
        (),
        description="Steps to leave out, for ablations: prompt_types, revise_prompt (and with it "
        "the answer sampled for it), inject, rewrite, judge. Principles, scenario, prompt, answer "
        "and checks cannot be left out.",
    )
    k: int = Field(
        4, ge=1, description="How many passages are looked for beside those of the section."
    )
    max_revisions: int = Field(
        2, ge=0, description="How often a text that fails a check or the judge is written anew."
    )
