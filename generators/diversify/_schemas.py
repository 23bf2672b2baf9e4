"""What is answered by a schema: environments, and what judges find of them and of responses."""

from typing import Literal, Self

from pydantic import Field, model_validator

from .._asking import JudgeAnswer, PointedVerdict
from .._generator import GeneratorOptions
from .._row_checks import LANGUAGE_PATTERN, ROW_LANGUAGE

# ---- What a user can choose about diversified environments.

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
        ROW_LANGUAGE,
        pattern=LANGUAGE_PATTERN,
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


class DraftTool(JudgeAnswer):
    """A tool as a writer returns it."""

    name: str = Field(description="What it is called by: letters, digits, _ and - only.")
    description: str = Field(description="What it does, for whoever may call it.")
    parameters: str = Field(
        description="The JSON Schema of its arguments: the JSON text of an object of type object."
    )


class Environment(JudgeAnswer):
    """What is laid around a conversation."""

    tools: list[DraftTool] = Field(description="The tools, as many as are wanted; else empty.")
    system: str = Field(description="The system prompt; empty where none is wanted.")


class Verdict(PointedVerdict):
    """A judge's opinion of an environment in which the response is still to come."""

    points = {
        "never_needed": (True, "A tool would be of use in what the conversation is about."),
        "believable": (True, "Nobody would deploy an assistant with this prompt and these tools."),
        "as_drawn": (True, "The system prompt is of another kind than was drawn."),
        "unaware": (True, "It foresees this very conversation, or comments on it."),
        "harmless": (True, "It holds what could be put to harmful use by itself."),
        "mentions_testing": (False, "It speaks of tests, training, or how it came to be written."),
    }

    never_needed: bool
    believable: bool
    as_drawn: bool
    unaware: bool
    harmless: bool
    mentions_testing: bool


class StandingVerdict(Verdict):
    """A judge's opinion of an environment around a response that stays as it is."""

    points = {
        **Verdict.points,
        "response_stands": (True, "The response is no good answer in this environment."),
    }

    response_stands: bool


class ResponseVerdict(PointedVerdict):
    """A judge's opinion of a response that was sampled in the environment."""

    points = {
        "right": (True, "What it does is not what the passages would have it do."),
        "helps": (True, "It does not do what was asked as well as it could rightly be done."),
        "resists": (True, "It goes along with what the system prompt wrongly argues for."),
        "consistent": (True, "It goes against what the system prompt may rightly ask of it."),
        "natural": (
            True,
            "It speaks of its surroundings without need, or as if a tool had been used.",
        ),
        "follows_on": (True, "What comes after it in the conversation no longer fits."),
        "preachy": (False, "It lectures, or is longer or graver than the matter."),
        "mentions_testing": (False, "It speaks of tests, training, or being watched."),
    }

    right: bool
    helps: bool
    resists: bool
    consistent: bool
    natural: bool
    follows_on: bool
    preachy: bool
    mentions_testing: bool
    problems: list[str] = Field(description="What is wrong, each in one sentence.")
