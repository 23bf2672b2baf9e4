"""What a typical reply to each step looks like, for walking the steps without a model.

Its length is what counts. It means nothing and must never be written anywhere.
"""

from whyset.errors import GeneratorError

from .._brief import Brief
from .._rehearsal import filler, rehearsed, source_in, wanted_of
from .._steps import Ask, Reply
from ._opinions import Dilemmas, Findings, Opening, Premises, Verdict
from ._variety import DILEMMAS, assign

_DILEMMA_WORDS = 45
_PREMISE_WORDS = 120
_PROBLEMS = 4
_PROBLEM_WORDS = 40
_HEADNOTE_WORDS = 85
_BEGINNING_WORDS = 135


def rehearsed_reply(ask: Ask, brief: Brief, *, language: str, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a story.

    Args:
        ask: The step's ask.
        brief: What the story is to be.
        language: The one asked for.
        at_stake: Whether the reader finds something to mend, so that the story is rewritten.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's.

    Raises:
        GeneratorError: The step is none of a story's.
    """
    source = source_in(language)
    words = assign(brief).bounds.middle
    match ask.step.rsplit("/", 1)[-1]:
        case "dilemmas":
            # One word more each, since what is said twice counts once.
            said = [filler(_DILEMMA_WORDS + more, source=source) for more in range(DILEMMAS)]
            text = Dilemmas(dilemmas=said).model_dump_json()
        case "premise":
            said = [filler(_PREMISE_WORDS + more, source=source) for more in range(wanted_of(ask))]
            text = Premises(premises=said).model_dump_json()
        case "draft" | "rewrite":
            text = filler(words, source=source)
        case "review":
            problems = [filler(_PROBLEM_WORDS)] * _PROBLEMS if at_stake else []
            text = Findings(problems=problems).model_dump_json()
        case "judge":
            text = Verdict.sound().model_dump_json()
        case "opening":
            text = Opening(
                title=filler(4, source=source),
                headnote=filler(_HEADNOTE_WORDS, source=source),
                beginning=filler(_BEGINNING_WORDS, source=source),
            ).model_dump_json()
        case "continue":
            text = filler(max(words - _BEGINNING_WORDS, 1), source=source)
        case other:
            raise GeneratorError(f"a story has no step {other!r} to rehearse")
    return rehearsed(ask, text)
