"""Probes: questions that measure whether a model has taken in a constitution."""

from collections.abc import Mapping
from typing import Any

from whyset.errors import Declined

from .._axes import Axis
from .._brief import Brief, brief_from_record
from .._document import DocumentGenerator, Ideas
from .._result import Evidence, Finished, Rejected
from .._steps import Ask, Reply, Steps
from ._extracting import ExtractSteps
from ._grounds import check_subject
from ._options import Options
from ._probe_steps import ProbeSteps
from ._rehearsing import rehearsed_reply
from ._variety import AXES, EXTRACTED_AXES, assign, extracted_assignment

# Question, named question, reference and criteria, of a middling probe.
_TYPICAL_TOKENS = 250


class Probe(DocumentGenerator):
    """Writes questions that only knowledge of the constitution answers, with their references.

    Each record is one question in two phrasings, of "you" and of the model's name, because what a
    model says of itself and of its name are known to differ. It is a row that Inspect reads; the
    room of pipelines writes a whole task of them.
    """

    name = "probe"
    version = "1"
    summary = "questions that measure what a model has taken in"
    outcomes = {
        "written": "a probe that passed every check, the judge and the control",
        "annotated": "a cloze or a true-or-false statement made of the text by rule",
    }
    options_class = Options
    text_column = "input"

    options: Options

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The ways in which probes differ."""
        return AXES

    @property
    def typical_tokens(self) -> int:
        """About how long a probe is, in tokens."""
        return _TYPICAL_TOKENS

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one probe; a brief without a fact gets one first."""
        return self._begun(item).probe()

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        """Return the steps of the idea stage: facts to ask about."""
        return self._begun(brief).facts(count)

    def item(self, columns: Mapping[str, Any], *, line: int = 1) -> Brief:
        """Return the brief that plain values make.

        Raises:
            GeneratorError: They make none, name no subject, or want what no axis has.
        """
        brief = brief_from_record(columns, line=line)
        check_subject(brief)
        self._require_possible(brief)
        return brief

    def extractive(self) -> "ExtractedProbe":
        """Return the variant that makes items of the text itself, by rule.

        Raises:
            Declined: The probes are to be in another language than English, whose rules these are.
        """
        if self.options.language[:2].casefold() != "en":
            raise Declined(
                f"a probe in the language {self.options.language!r} takes a language model: the "
                "rules that make items of the text itself are English; name one with --model"
            )
        return ExtractedProbe(**self.options.model_dump())

    def rehearse(self, ask: Ask, item: Brief, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a probe."""
        return rehearsed_reply(ask, item, self.options, at_stake=at_stake)

    def _require_possible(self, brief: Brief) -> None:
        assign(brief)

    def _begun(self, brief: Brief) -> ProbeSteps:
        check_subject(brief)
        evidence = self.evidence(
            language=self.options.language,
            model_name=self.options.model_name,
            without=list(self.options.without),
        )
        return ProbeSteps(brief, self.options, evidence, self.prompts)


class ExtractedProbe(Probe):
    """What probing comes to without a language model: the text's own sentences, by rule."""

    has_ideas = False

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The formats that rules can make."""
        return EXTRACTED_AXES

    @property
    def identity(self) -> str:
        """The generator's, and that it only extracts."""
        return f"extract {super().identity}"

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one item."""
        check_subject(item)
        evidence = Evidence(self.name, self.version, {"model_name": self.options.model_name})
        return ExtractSteps(item, self.options, evidence, self.prompts).steps()

    def extractive(self) -> "ExtractedProbe":
        """Return itself."""
        return self

    def _require_possible(self, brief: Brief) -> None:
        extracted_assignment(brief)
