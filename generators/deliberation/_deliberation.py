"""The deliberation rewrite: attach the why to a response without changing what it does."""

import json

from whyset.datasets import Row
from whyset.errors import Declined

from .._generator import Generator
from .._prompts import PromptSet
from .._result import Evidence, Finished, Rejected
from .._steps import Ask, Reply, Steps
from ._extracting import ExtractSteps
from ._options import Options
from ._rehearsing import rehearsed_reply
from ._row_steps import RowSteps
from ._targets import asked_about, each_target

OUTCOMES = {
    "rewritten": "the response carries its reasons",
    "untouched": "nothing at stake, or kept as asked",
    "repaired": "the response itself was changed as well",
    "annotated": "quotations beside the response, weighed by nobody",
}
"""`annotated` rows are not training data."""


class Deliberation(Generator):
    """Rewrites a row so that its response says why it is right, grounded in passages.

    The method is the deliberation rewrite of "Teaching Claude Why" (Anthropic, 2026): the prompt
    stays, a fresh reader sees prompt, response and the relevant passages, and the action does not
    change. Rows with nothing at stake pass through untouched; a response that goes against the
    constitution is never given a reason.
    """

    name = "deliberation"
    version = "1"
    summary = "says why the response of a row is right, without changing what it does"
    outcomes = OUTCOMES
    options_class = Options

    options: Options

    def steps(self, row: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        evidence = self.evidence(channel=self.options.channel, cite=self.options.cite)
        return each_target(
            row, lambda one: RowSteps(one, self.options, evidence, self.prompts).steps()
        )

    def extractive(self) -> Generator:
        """Return the variant that quotes passages beside the response and weighs nothing.

        Raises:
            Declined: The channel is `inline`: quoting cannot rewrite a response.
        """
        if self.options.channel == "inline":
            raise Declined(
                "the channel 'inline' rewrites the response, which takes a language model; name "
                "one with --model, or choose --channel preface or thinking"
            )
        return Annotation(self.options)

    def rehearse(self, ask: Ask, row: Row, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a deliberation."""
        about = asked_about(ask, row)
        return rehearsed_reply(ask, about, self.options.channel, at_stake=at_stake)


class Annotation(Generator):
    """What deliberation comes to without a language model: quotations, weighed by nobody."""

    name = Deliberation.name
    version = Deliberation.version
    outcomes = OUTCOMES
    options_class = Options

    def __init__(self, options: Options) -> None:
        self.options = options

    @property
    def identity(self) -> str:
        """The options."""
        return json.dumps([self.name, "extract", self.version, self.options.record()])

    def steps(self, row: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        settings = {"channel": self.options.channel, "cite": "explicit"}
        evidence = Evidence(self.name, self.version, settings)
        unasked = PromptSet({})
        return each_target(
            row, lambda one: ExtractSteps(one, self.options, evidence, unasked).steps()
        )

    def extractive(self) -> Generator:
        """Return itself."""
        return self
