"""The deliberation rewrite: attach the why to a response without changing what it does."""

import json

from whyset.datasets import Channel, Row

from .._errors import Declined
from .._generator import Generator
from .._prompts import load_prompt
from .._result import Evidence, Finished, Rejected
from .._steps import Ask, Reply, Steps
from ._extracting import ExtractSteps
from ._options import Cite, OnConflict, Options
from ._rehearsing import rehearsed_reply
from ._row_steps import RowSteps

_PROMPTS = ("appraise", "judge", "repair", "revise", "write")


class Deliberation(Generator):
    """Rewrites a row so that its response says why it is right, grounded in passages.

    The method is the deliberation rewrite of "Teaching Claude Why" (Anthropic, 2026): the prompt
    stays, a fresh reader sees prompt, response and the relevant passages, and the action does not
    change. Rows with nothing at stake pass through untouched; a response that goes against the
    constitution is never given a reason.
    """

    name = "deliberation"
    version = "1"

    def __init__(
        self,
        *,
        channel: Channel = "preface",
        cite: Cite = "implicit",
        on_conflict: OnConflict = "quarantine",
        k: int = 8,
        settle_below: float = 0.0,
        max_revisions: int = 2,
    ) -> None:
        """Choose how to deliberate; see `Options` for what each choice means.

        Raises:
            GeneratorError: A value is not among those allowed.
        """
        self.options = Options(
            channel=channel,
            cite=cite,
            on_conflict=on_conflict,
            k=k,
            settle_below=settle_below,
            max_revisions=max_revisions,
        )

    @property
    def identity(self) -> str:
        """The options and the digests of the prompts."""
        return json.dumps([self.name, self.version, self.options.record(), self.prompt_digests()])

    def prompt_digests(self) -> dict[str, str]:
        """Return each prompt's digest by step."""
        prompts = [load_prompt(__package__, f"{self.name}/{name}") for name in _PROMPTS]
        return {prompt.step: prompt.digest for prompt in prompts}

    def steps(self, row: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        return RowSteps(row, self.options, self._evidence()).steps()

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
        return rehearsed_reply(ask, row, self.options.channel, at_stake=at_stake)

    def _evidence(self) -> Evidence:
        settings = {
            "channel": self.options.channel,
            "cite": self.options.cite,
            "prompts": self.prompt_digests(),
        }
        return Evidence(self.name, self.version, settings)


class Annotation(Generator):
    """What deliberation comes to without a language model: quotations, weighed by nobody."""

    name = Deliberation.name
    version = Deliberation.version

    def __init__(self, options: Options) -> None:
        self.options = options

    @property
    def identity(self) -> str:
        """The options."""
        return json.dumps([self.name, "extract", self.version, self.options.record()])

    def steps(self, row: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        settings = {"channel": self.options.channel, "cite": "explicit"}
        return ExtractSteps(row, self.options, Evidence(self.name, self.version, settings)).steps()

    def extractive(self) -> Generator:
        """Return itself."""
        return self
