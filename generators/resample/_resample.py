"""Resampled responses: the row's conversation, answered anew under values that are then removed."""

from whyset.datasets import Row

from .._generator import Generator
from .._result import Finished, Rejected
from .._steps import Ask, Reply, Steps
from ._options import Options
from ._rehearsing import rehearsed_reply
from ._row_steps import RowSteps


class Resample(Generator):
    """Samples a row's response anew under a value-laden system prompt that is removed afterwards.

    In "Teaching Claude Why" (Anthropic, 2026) right actions alone left 15 % of misbehaviour, and
    responses that also deliberate, sampled so, about 3 %. Whatever is sampled is kept only where
    a judge finds its action right against the passages.
    """

    name = "resample"
    version = "1"
    summary = "samples a response anew under a value-laden system prompt that is then removed"
    outcomes = {
        "resampled": "a new response whose action was found right",
        "adverse": "such a response, and a ruthless system prompt left ahead of it",
    }
    options_class = Options

    options: Options

    def steps(self, item: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        held = self.options
        evidence = self.evidence(
            channel=held.channel,
            adverse=held.adverse,
            language=held.language,
            without=list(held.without),
        )
        return RowSteps(item, held, evidence, self.prompts).steps()

    def rehearse(self, ask: Ask, item: Row, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a row."""
        return rehearsed_reply(ask, item, self.options, at_stake=at_stake)
