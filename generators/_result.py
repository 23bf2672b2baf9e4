"""What steps end in: a finished row or a rejected one, and the provenance either carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from whyset.datasets import COLUMN
from whyset.retriever import Grounding, ScoredPassage

from ._checks import Check
from ._steps import Usage

Outcome = Literal["rewritten", "untouched", "repaired", "annotated"]
"""`annotated` rows carry quotations that nobody weighed; they are not training data."""

OUTCOMES: tuple[Outcome, ...] = ("rewritten", "untouched", "repaired", "annotated")


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of the constitution that a result quotes: verbatim, with where it stands."""

    passage: str
    text: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a result rests on, gathered along the steps.

    Attributes:
        generator: The generator's name.
        version: The generator's version.
        settings: Its options, as they appear in the provenance.
        groundings: Everything that was found for the row.
        passages: The passages that a model was shown.
        quotes: What the result quotes of them.
        checks: Every check, in the order in which they were made.
        appraisal: The judge's opinion of the row as it came.
        verdict: The judge's opinion of the result.
        note: Why the row ended as it did, where the outcome alone does not say.
    """

    generator: str
    version: str
    settings: Mapping[str, Any]
    groundings: tuple[Grounding, ...] = field(default=(), repr=False)
    passages: tuple[ScoredPassage, ...] = field(default=(), repr=False)
    quotes: tuple[Quote, ...] = ()
    checks: tuple[Check, ...] = ()
    appraisal: Mapping[str, Any] | None = None
    verdict: Mapping[str, Any] | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class Finished:
    """A row that is done.

    Attributes:
        outcome: What happened to it.
        columns: The row's columns as they are to be written, provenance not yet among them.
        original: The response as it stood, where it was changed or added to; else `None`.
        evidence: What the result rests on.
        original_reasoning: The reasoning that stood beside the response, where it is gone.
    """

    outcome: Outcome
    columns: Mapping[str, Any] = field(repr=False)
    original: Any
    evidence: Evidence
    original_reasoning: str | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row for the quarantine.

    Attributes:
        reasons: One word each, to be counted: `conflict`, `refused`, `failed_checks`, …
        detail: The same for a person.
        evidence: What is known of the row.
        draft: The last text a writer returned, where there was one.
    """

    reasons: tuple[str, ...]
    detail: str
    evidence: Evidence
    draft: str | None = None


def with_provenance(
    finished: Finished, *, usage: Usage, models: Mapping[str, str]
) -> dict[str, Any]:
    """Return a finished row's columns with the `whyset` column at the end.

    Args:
        finished: The row.
        usage: What its replies took together.
        models: Role → name of the model.
    """
    record = {"outcome": finished.outcome, **evidence_record(finished.evidence, models=models)}
    record["original_response"] = finished.original
    if finished.original_reasoning:
        record["original_reasoning"] = finished.original_reasoning
    record["usage"] = usage_record(usage)
    return {**finished.columns, COLUMN: record}


def evidence_record(evidence: Evidence, *, models: Mapping[str, str]) -> dict[str, Any]:
    """Return evidence as plain values, as provenance and quarantine show it."""
    record: dict[str, Any] = {
        "generator": evidence.generator,
        "version": evidence.version,
        "models": dict(models),
        **evidence.settings,
    }
    if evidence.note:
        record["note"] = evidence.note
    record["constitution"] = _constitution(evidence.groundings)
    record["relevance"] = (
        round(evidence.groundings[0].relevance, 4) if evidence.groundings else None
    )
    record["passages"] = [
        {"id": found.passage.id, "path": list(found.passage.path)} for found in evidence.passages
    ]
    record["quotes"] = [{"passage": q.passage, "text": q.text} for q in evidence.quotes]
    record["checks"] = {check.name: check.status for check in evidence.checks}
    record["appraisal"] = dict(evidence.appraisal) if evidence.appraisal else None
    record["verdict"] = dict(evidence.verdict) if evidence.verdict else None
    return record


def usage_record(usage: Usage) -> dict[str, int]:
    """Return token counts as plain values."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }


def _constitution(groundings: Sequence[Grounding]) -> dict[str, str] | None:
    if not groundings:
        return None
    return {"title": groundings[0].title, "sha256": groundings[0].digest}
