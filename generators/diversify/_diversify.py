"""Diversified environments: the same conversation, other surroundings."""

from whyset.datasets import Row

from .._generator import Generator
from .._result import Finished, Rejected
from .._steps import Ask, Reply, Steps
from ._options import Options
from ._rehearsing import rehearsed_reply
from ._row_steps import RowSteps


class Diversify(Generator):
    """Lays tools that are never needed and another system prompt around a row.

    In "Teaching Claude Why" (Anthropic, 2026) the same chats, with irrelevant tools and varied
    system prompts added and the user turn fixed, taught faster. What is laid around a row is drawn
    from its digest, written by a model, checked against the row, and judged; the user's turns
    stay as they are to the last byte, and so does the response unless a new one is asked for.
    """

    name = "diversify"
    version = "1"
    summary = "lays tools that are never needed and another system prompt around a row"
    outcomes = {
        "diversified": "the conversation stands in another environment",
        "untouched": "its system prompt was kept as asked, and no tools were wanted",
    }
    options_class = Options

    options: Options

    def steps(self, item: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        held = self.options
        evidence = self.evidence(
            system=held.system,
            respond=held.respond,
            language=held.language,
            without=list(held.without),
        )
        return RowSteps(item, held, evidence, self.prompts).steps()

    def rehearse(self, ask: Ask, item: Row, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a row."""
        return rehearsed_reply(ask, item, self.options, at_stake=at_stake)
