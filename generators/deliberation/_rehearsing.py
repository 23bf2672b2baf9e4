"""What a typical reply to each step looks like, for walking a row's steps without a model.

Its length is what counts: the middle of what a writer is asked for, in the response's own words,
so that it is in its language, costs its tokens and passes every check of every channel. It means
nothing and must never be written anywhere.
"""

from whyset.datasets import Channel, Row
from whyset.errors import GeneratorError

from .._rehearsal import filler, rehearsed
from .._steps import Ask, Reply
from .._words import count_words
from ._checking import length_bounds
from ._opinions import Appraisal, Verdict

# The same for every row, so that the passages which bear on them are looked for only once. They
# are of another kind than what a search by the row's words finds, so a prompt rather has a passage
# too many than too few.
_AT_STAKE = Appraisal(
    situation=(
        "Somebody asks for help with a matter that also concerns another person who is not part "
        "of the conversation. The response helps with one part of it and says why not with all."
    ),
    considerations=[
        "what the person may decide for themselves against what befalls somebody else",
        "being honest about what is known against sparing somebody's feelings",
        "being of real use now against the trust that rests on keeping to what was agreed",
    ],
    verdict="accord",
    reason="It gives the help that harms nobody and is open about what it leaves out.",
)
_NOTHING_AT_STAKE = Appraisal(
    situation=(
        "Somebody asks an ordinary question about a piece of everyday work. The response answers "
        "it in full."
    ),
    considerations=[],
    verdict="nothing_at_stake",
    reason="A careful person would do it the same way without stopping to think.",
)


def rehearsed_reply(ask: Ask, row: Row, channel: Channel, *, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a deliberation.

    Args:
        ask: The step's ask.
        row: The row it is about.
        channel: Where the deliberation goes.
        at_stake: What the appraisal finds: accord and three considerations, or nothing at stake.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's, no
        reasoning included and nothing cached.

    Raises:
        GeneratorError: The step is none of a deliberation's.
    """
    response = row.conversation.response.text
    match ask.step.rsplit("/", 1)[-1]:
        case "appraise":
            text = (_AT_STAKE if at_stake else _NOTHING_AT_STAKE).model_dump_json()
        case "judge":
            text = Verdict.sound().model_dump_json()
        case "write" | "revise":
            text = _draft(response, channel)
        case "repair":
            text = response.strip() or filler(11)
        case other:
            raise GeneratorError(f"a deliberation has no step {other!r} to rehearse")
    return rehearsed(ask, text)


def _draft(response: str, channel: Channel) -> str:
    wanted = length_bounds(response, channel).middle
    if channel != "inline":
        return filler(wanted, source=response)
    # All that must be kept is in it; a blank line, so that no link grows by the word behind it.
    return (
        f"{response.strip()}\n\n{filler(wanted - count_words(response), source=response)}".strip()
    )
