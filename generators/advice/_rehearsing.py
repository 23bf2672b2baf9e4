"""What a typical reply to each step looks like, for walking the steps without a model.

Its length is what counts. It means nothing and must never be written anywhere.
"""

from collections.abc import Callable, Mapping

from pydantic import BaseModel

from whyset.errors import GeneratorError

from .._brief import Brief
from .._rehearsal import filler, rehearsed, source_in, wanted_of
from .._steps import Ask, Reply
from . import _variety as variety
from ._opinions import Domains, Principles, PromptDraft, PromptTypes, Scenarios, Verdict

# Of other words than the messages: what shares words with a principle gives it away.
_PRINCIPLE = "whoever relies upon another has reason for expecting candour because nobody checks"
_SAMPLED_WORDS = 320


def rehearsed_reply(ask: Ask, brief: Brief, *, language: str, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a conversation.

    Args:
        ask: The step's ask.
        brief: What the conversation is to be.
        language: The one asked for.
        at_stake: Whether texts are of the middle of the length they should have, or as short as
            they may be.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's.

    Raises:
        GeneratorError: The step is none of an advice's.
    """
    drawn = variety.drawn(brief)

    def text(axis: str, value: str = "") -> str:
        length = variety.words(axis, value or drawn[axis])
        count = length.middle if at_stake else length.low
        return filler(count, source=source_in(language)) if count else ""

    def advice() -> str:
        later = variety.told(variety.SHAPE, "as_it_goes") in ask.user
        return text(variety.SHAPE, "as_it_goes" if later else "")

    def prompt() -> BaseModel:
        return PromptDraft(system=text("system"), user=text("length"))

    answers: Mapping[str, Callable[[], str | BaseModel]] = {
        "principles": lambda: Principles(
            principles=[filler(30, source=_PRINCIPLE)] * variety.LISTED[variety.PRINCIPLE][0]
        ),
        "prompt_types": lambda: PromptTypes(
            prompt_types=[filler(14)] * variety.LISTED[variety.REQUEST][0]
        ),
        "domains": lambda: Domains(domains=[filler(4)] * variety.LISTED[variety.DOMAIN][0]),
        "scenario": lambda: Scenarios(scenarios=[filler(45)] * wanted_of(ask)),
        "prompt": prompt,
        "revise_prompt": prompt,
        "mend_prompt": prompt,
        "sample": lambda: filler(_SAMPLED_WORDS, source=source_in(language)),
        "answer": lambda: filler(_SAMPLED_WORDS, source=source_in(language)),
        "follow_up": lambda: text("length", "later"),
        "rewrite": advice,
        "revise": advice,
        "judge": Verdict.sound,
    }
    step = ask.step.rsplit("/", 1)[-1]
    if step not in answers:
        raise GeneratorError(f"an advice has no step {step!r} to rehearse")
    said = answers[step]()
    return rehearsed(ask, said if isinstance(said, str) else said.model_dump_json())
