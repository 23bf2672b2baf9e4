"""What a typical reply to each step looks like, for walking the steps without a model.

Its length is what counts. It means nothing and must never be written anywhere.
"""

from whyset.datasets import Row
from whyset.errors import GeneratorError

from .._rehearsal import filler, rehearsed, source_of
from .._steps import Ask, Reply
from .._words import count_words
from ._opinions import DeliberateVerdict, Verdict
from ._options import Options

_FEWEST_WORDS = 12
_THOUGHT_WORDS = {True: 260, False: 40}


def rehearsed_reply(ask: Ask, row: Row, options: Options, *, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a row.

    Args:
        ask: The step's ask.
        row: The row it is about.
        options: The generator's.
        at_stake: Whether there is much to deliberate.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's.

    Raises:
        GeneratorError: The step is none of a resampling's.
    """
    match ask.step.rsplit("/", 1)[-1]:
        case "respond":
            text = _response(row, options, at_stake=at_stake)
        case "judge":
            verdict = DeliberateVerdict if ask.schema is DeliberateVerdict else Verdict
            text = verdict.sound().model_dump_json()
        case other:
            raise GeneratorError(f"a resampling has no step {other!r} to rehearse")
    return rehearsed(ask, text)


def _response(row: Row, options: Options, *, at_stake: bool) -> str:
    source = source_of(row, options.language)
    words = max(count_words(row.conversation.response.text), _FEWEST_WORDS)
    answer = filler(words, source=source)
    if "deliberate" in options.without:
        return answer
    thought = filler(_THOUGHT_WORDS[at_stake], source=source)
    if options.channel == "thinking":
        return f"<deliberation>\n{thought}\n</deliberation>\n\n{answer}"
    return f"{thought}\n\n{answer}"
