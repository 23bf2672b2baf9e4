"""Difficult advice: the user has the dilemma, the assistant counsels."""

from collections.abc import Mapping
from typing import Any

from .._axes import Axis
from .._brief import Brief
from .._document import DocumentGenerator, Ideas
from .._result import Evidence, Finished, Rejected
from .._steps import Ask, Reply, Steps
from . import _variety as variety
from ._document_steps import DocumentSteps
from ._options import Options
from ._rehearsing import rehearsed_reply

_TOKENS_PER_WORD = 1.35


class Advice(DocumentGenerator):
    """Writes conversations in which a user has a hard choice and the assistant counsels.

    The method is the difficult advice of "Teaching Claude Why" (Anthropic, 2026): scenarios are
    led from the constitution's sections over principles and kinds of requests to prompts, the
    prompt is revised after a sampled answer, and the answer, sampled under an injected passage
    that is taken away again, is rewritten against the passages. What a plan draws keeps the
    defects of published corpora out: ten domains for half of all cases, one shape for most
    answers.
    """

    name = "advice"
    version = "1"
    summary = "conversations in which the user has a hard choice"
    outcomes = {"written": "a conversation that passed every check and the judge"}
    options_class = Options
    text_column = "messages"

    options: Options

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The ways in which conversations differ; without prompt types there are none to draw."""
        left_out = {variety.REQUEST} if "prompt_types" in self.options.without else set()
        return tuple(axis for axis in variety.axes() if axis.name not in left_out)

    @property
    def typical_tokens(self) -> int:
        """About how long a conversation is, in tokens."""
        first = sum(map(variety.typical_words, ("system", "length", variety.SHAPE)))
        later = variety.words("length", "later").middle
        later += variety.words(variety.SHAPE, "as_it_goes").middle
        return round(_TOKENS_PER_WORD * (first + (self.options.turns - 1) * later))

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        """Return the steps from the section to scenarios."""
        return self._steps(brief).ideas(count)

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one conversation; a brief without a scenario gets one first."""
        return self._steps(item).document()

    def text_of(self, columns: Mapping[str, Any]) -> str:
        """Return the user's first message: by it conversations are told to be alike."""
        return next(str(said["content"]) for said in columns["messages"] if said["role"] == "user")

    def rehearse(self, ask: Ask, item: Brief, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a conversation."""
        return rehearsed_reply(ask, item, language=self.options.language, at_stake=at_stake)

    def _steps(self, brief: Brief) -> DocumentSteps:
        return DocumentSteps(brief, self.options, self._evidence(brief), self.prompts)

    def _evidence(self, brief: Brief) -> Evidence:
        held = self.options
        return self.evidence(
            about=brief.about,
            language=held.language,
            turns=held.turns,
            cite=held.cite,
            without=list(held.without),
        )
