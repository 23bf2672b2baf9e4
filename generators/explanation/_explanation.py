"""Explanatory documents: texts of many kinds in which the reasons of a constitution are at work."""

from collections.abc import Mapping
from typing import Any

from .._axes import Axis
from .._brief import Brief, brief_from_record
from .._document import DocumentGenerator, Ideas
from .._result import Evidence, Finished, Rejected
from .._steps import Ask, Reply, Steps
from ._digest import DigestSteps
from ._document_steps import DocumentSteps
from ._grounds import check_subject
from ._options import Options
from ._rehearsing import rehearsed_reply
from ._variety import assign, axes, typical_words

_TOKENS_PER_WORD = 1.5
_DIGEST_TOKENS = 500


class Explanation(DocumentGenerator):
    """Writes documents that show why an AI conducts itself as its constitution says.

    The method is synthetic document fine-tuning as in "Teaching Claude Why" (Anthropic, 2026):
    document types, subtypes, ideas, a draft for each, problems listed by a fresh reader, a
    rewrite, and a score against the constitution by which documents are kept or not.
    """

    name = "explanation"
    version = "1"
    summary = "documents of many types that show why an AI acts as it does"
    outcomes = {
        "written": "a document that passed every check and the judge",
        "annotated": "the passages' own sentences under their headings, weighed by nobody",
    }
    options_class = Options

    options: Options

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The ways in which documents differ."""
        return axes(subtypes="subtypes" not in self.options.without)

    @property
    def typical_tokens(self) -> int:
        """About how long a document is, in tokens, where lengths are drawn."""
        return round(typical_words() * _TOKENS_PER_WORD)

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one document; a brief without an idea gets one first."""
        return self._begun(item).document()

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        """Return the steps of the idea stage."""
        return self._begun(brief).ideas(count)

    def item(self, columns: Mapping[str, Any], *, line: int = 1) -> Brief:
        """Return the brief that plain values make.

        Raises:
            GeneratorError: They make none, name no subject, or want what no axis has.
        """
        brief = brief_from_record(columns, line=line)
        check_subject(brief, self.options)
        assign(brief)
        return brief

    def extractive(self) -> "Digest":
        """Return the variant that quotes the passages on a subject and concludes nothing."""
        return Digest(**self.options.model_dump())

    def rehearse(self, ask: Ask, item: Brief, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a document."""
        return rehearsed_reply(ask, item, self.options, at_stake=at_stake)

    def _begun(self, brief: Brief) -> DocumentSteps:
        check_subject(brief, self.options)
        return DocumentSteps(brief, self.options, self._settings(), self.prompts)

    def _settings(self) -> Evidence:
        settings: dict[str, Any] = {
            "language": self.options.language,
            "model_name": self.options.model_name,
            "without": list(self.options.without),
        }
        if self.options.constitution_name:
            settings["constitution_name"] = self.options.constitution_name
        if self.options.whole:
            settings["whole"] = True
        return self.evidence(**settings)


class Digest(Explanation):
    """An annotated digest: what explaining comes to without a language model."""

    has_ideas = False

    @property
    def axes(self) -> tuple[Axis, ...]:
        """None: a digest of the same passages is always the same."""
        return ()

    @property
    def typical_tokens(self) -> int:
        """About how long a digest is, in tokens."""
        return _DIGEST_TOKENS

    @property
    def identity(self) -> str:
        """The generator's, and that it only quotes."""
        return f"extract {super().identity}"

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one digest."""
        check_subject(item, self.options)
        evidence = Evidence(self.name, self.version, {})
        return DigestSteps(item, self.options, evidence, self.prompts).steps()

    def extractive(self) -> "Digest":
        """Return itself."""
        return self
