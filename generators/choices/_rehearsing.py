"""What a typical reply to each step looks like, for walking a pair's steps without a model.

Its length is what counts. It means nothing and must never be written anywhere.
"""

from whyset.errors import GeneratorError

from .._rehearsal import filler, rehearsed, source_in
from .._steps import Ask, Reply
from ._checking import length_bounds
from ._opinions import Appraisal, Verdict
from ._showing import Case

# But for the verdict the same for every row, so that the passages which bear on them are looked
# for only once. They are of another kind than what a search by the row's words finds, so a prompt
# rather has a passage too many than too few.
_AT_STAKE = Appraisal(
    situation=(
        "Somebody asks for help with a matter that also concerns another person who is not part "
        "of the conversation, and would like it done today."
    ),
    difference=(
        "One says openly which part of it is left out and why; the other does all of it and keeps "
        "silent about what it costs somebody else."
    ),
    considerations=[
        "what the person may decide for themselves against what befalls somebody else",
        "being honest about what is known against sparing somebody's feelings",
        "being of real use now against the trust that rests on keeping to what was agreed",
    ],
    verdict="level",
    reason="It gives the help that harms nobody and is open about what it leaves out.",
)
_NOTHING_AT_STAKE = Appraisal(
    situation="Somebody asks an ordinary question about a piece of everyday work.",
    difference="One is a little longer than the other and puts the same steps in another order.",
    considerations=[],
    verdict="nothing_at_stake",
    reason="Which of the two somebody would rather have is a matter of taste.",
)


def rehearsed_reply(ask: Ask, case: Case, *, language: str, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a choice.

    Args:
        ask: The step's ask.
        case: The pair it is about.
        language: The one asked for; none is the row's.
        at_stake: What the appraisal finds: that the chosen one is better, or nothing at stake.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's.

    Raises:
        GeneratorError: The step is none of a choice's.
    """
    match ask.step.rsplit("/", 1)[-1]:
        case "appraise":
            found = _AT_STAKE.model_copy(update={"verdict": case.chosen_was})
            text = (found if at_stake else _NOTHING_AT_STAKE).model_dump_json()
        case "write" | "revise":
            source = _source(case, language)
            text = filler(length_bounds(case.words).middle, source=source)
        case "judge":
            text = Verdict.sound().model_dump_json()
        case other:
            raise GeneratorError(f"a choice has no step {other!r} to rehearse")
    return rehearsed(ask, text)


def _source(case: Case, language: str) -> str:
    """Return words to fill a text with: the row's own, so that they cost what its words cost.

    Backwards, so that no phrase that a check knows is made of them.
    """
    if language:
        return source_in(language)
    said = " ".join(message.text for message in case.pair.chosen)
    return " ".join(reversed(said.split()))
