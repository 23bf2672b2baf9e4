"""What is answered by a schema: lists to choose from, prompts in two parts, the verdict."""

from typing import Annotated

from pydantic import Field, StringConstraints

from .._opinions import Opinion, PointedVerdict
from .._reviewing import Review

Entry = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Principles(Opinion):
    """What passages state, as principles."""

    principles: list[Entry] = Field(
        min_length=1, description="Each in one or two sentences, with the reason it rests on."
    )


class PromptTypes(Opinion):
    """Kinds of requests that bring a principle into play."""

    prompt_types: list[Entry] = Field(
        min_length=1, description="Each a kind of request in a clause, open as to setting."
    )


class Domains(Opinion):
    """Parts of life and work."""

    domains: list[Entry] = Field(min_length=1, description="Each in two to six words.")


class Scenarios(Opinion):
    """Cases, each for one conversation."""

    scenarios: list[Entry] = Field(min_length=1, description="Each in one or two sentences.")


class PromptDraft(Opinion):
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
