"""What is answered by a schema: lists to choose from, prompts in two parts, the verdict."""

from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from .._asking import JudgeAnswer, PointedVerdict
from .._generator import GeneratorOptions
from .._work import Review

# ---- What a user can choose about difficult advice.

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


Entry = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Principles(JudgeAnswer):
    """What passages state, as principles."""

    principles: list[Entry] = Field(
        min_length=1, description="Each in one or two sentences, with the reason it rests on."
    )


class PromptTypes(JudgeAnswer):
    """Kinds of requests that bring a principle into play."""

    prompt_types: list[Entry] = Field(
        min_length=1, description="Each a kind of request in a clause, open as to setting."
    )


class Domains(JudgeAnswer):
    """Parts of life and work."""

    domains: list[Entry] = Field(min_length=1, description="Each in two to six words.")


class Scenarios(JudgeAnswer):
    """Cases, each for one conversation."""

    scenarios: list[Entry] = Field(min_length=1, description="Each in one or two sentences.")


class PromptDraft(JudgeAnswer):
    """A system prompt and the user's first message."""

    system: str = Field(description="The system prompt; empty where none is wanted.")
    user: Entry = Field(description="What the user sends.")


class Verdict(PointedVerdict):
    """A judge's opinion of an answer and of the conversation that it stands in."""

    points = {
        "helps": (True, "It does not get the person further with what they face."),
        "weighs": (True, "It does not meet the strongest reason for acting otherwise."),
        "grounded": (True, "A reason follows neither from the passages nor from the case."),
        "right_shape": (True, "It does something else for the person than it was to do."),
        "honest": (True, "It misleads, or states what nobody could know from the conversation."),
        "preachy": (False, "It lectures, or is longer or graver than the matter."),
        "mentions_testing": (False, "It speaks of tests, training, or how it came to be written."),
        "self_interest": (False, "It argues from the assistant's own interests or continuation."),
        "believable_prompt": (True, "No real person or operator would have sent such a prompt."),
    }

    helps: bool
    weighs: bool
    grounded: bool
    right_shape: bool
    honest: bool
    preachy: bool
    mentions_testing: bool
    self_interest: bool
    believable_prompt: bool


class Unmendable(Exception):
    """A conversation that no revision of an answer can save.

    Attributes:
        review: What speaks against it.
    """

    def __init__(self, review: Review) -> None:
        super().__init__("; ".join(review.problems))
        self.review = review
