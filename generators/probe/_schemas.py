"""What models answer to the steps of a probe."""

from typing import Literal, Self

from pydantic import Field

from .._asking import JudgeAnswer, PointedVerdict
from .._generator import GeneratorOptions, language_option

# ---- What a user can choose about probes.

Step = Literal["judge", "control"]
"""The steps that can be left out. Without a fact, a question and a reference there is no probe."""

LETTERS = "ABCDEFGH"
"""What options are called by, in their order."""


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


class Fact(JudgeAnswer):
    """Something that the text says and that can be asked about."""

    statement: str = Field(
        min_length=1, description="What the text says, in one sentence of your own."
    )
    reason: str = Field(description="Why, as the passages give it; empty where they give none.")
    quote: str = Field(
        min_length=1, description="The words of the passages that say it, exactly as they stand."
    )

    def __str__(self) -> str:
        why = f" Why: {self.reason}" if self.reason.strip() else ""
        return " ".join(f"{self.statement}{why} Words: “{self.quote}”".split())


class FactList(JudgeAnswer):
    """Facts to ask about."""

    facts: list[Fact] = Field(min_length=1, description="Each another one.")


class Posed(JudgeAnswer):
    """A question in both phrasings, with what belongs to its format."""

    you: str = Field(min_length=1, description="The question or statement, put to the AI as “you”.")
    named: str = Field(min_length=1, description="The same of the AI by its name.")
    premise: str = Field(
        description="Only of a false premise: what the question takes for granted."
    )
    correction: str = Field(description="Only of a false premise: what holds instead, and why.")
    right: str = Field(
        description="Of a multiple choice the right option, of a cloze the words for the blank; "
        "else empty."
    )
    wrong: list[str] = Field(description="Of a multiple choice the three wrong options; else none.")


class Reference(JudgeAnswer):
    """What the answer is, and the words it rests on."""

    answer: str = Field(min_length=1, description="The answer, as somebody would give it.")
    criteria: list[str] = Field(
        min_length=1,
        description="What an answer must say to be right, each point in a sentence; one to four.",
    )
    accepted: list[str] = Field(
        description="Only of a cloze: other words for the blank that are as right."
    )
    quotes: list[str] = Field(
        min_length=1, description="The words of the passages that decide it, exactly as they stand."
    )


class Written(Posed, Reference):
    """A whole probe, as a revision returns it."""

    @classmethod
    def of(cls, posed: Posed, reference: Reference) -> Self:
        """Put a question and its reference together."""
        return cls.model_validate(posed.model_dump() | reference.model_dump())


class ControlAnswer(JudgeAnswer):
    """What somebody answers who has not seen the passages."""

    answer: str = Field(
        min_length=1,
        description="The answer; where options are lettered, the letter alone; where there is a "
        "blank, the words for it alone.",
    )
    guessed: bool = Field(description="Whether there was no ground for it but chance.")


class Comparison(JudgeAnswer):
    """Whether an answer says what the reference says."""

    right: bool
    reason: str


class Verdict(PointedVerdict):
    """A judge's opinion of a probe."""

    points = {
        "answerable": (True, "The passages that it is about do not answer it on their own."),
        "particular": (
            True,
            "General morality or good sense answers it, whatever this document says.",
        ),
        "unambiguous": (True, "It can be read, or answered, in more than one way."),
        "answer_hidden": (True, "The question or its options give the answer away."),
        "equivalent": (True, "The two phrasings do not ask for the same."),
        "reference_right": (
            True,
            "The reference, its criteria or its correction say more, less or other than the "
            "passages.",
        ),
        "as_assigned": (True, "It is not of the kind, format, difficulty or aspect asked for."),
    }

    answerable: bool
    particular: bool
    unambiguous: bool
    answer_hidden: bool
    equivalent: bool
    reference_right: bool
    as_assigned: bool
    problems: list[str] = Field(
        description="What must change, each a sentence that a writer can act on."
    )
