"""What steps end in: a finished row or a rejected one, and the provenance either carries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from whyset.datasets import PROVENANCE_COLUMN, free_provenance_column
from whyset.retriever import Grounding, ScoredPassage

from ._steps import Usage
from .checks import Check

NO_ORIGINAL: Final = object()
"""What a document has for an original: it was written from nothing."""


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of the constitution that a result quotes: verbatim, with where it stands."""

    passage_id: str
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
    """A row or document that is done.

    Attributes:
        outcome: What happened to it: one of the generator's `outcomes`.
        columns: The row's columns as they are to be written, provenance not yet among them.
        original: The response as it stood, where it was changed or added to; else `None`.
            `NO_ORIGINAL` where there never was one.
        evidence: What the result rests on.
        original_reasoning: The reasoning that stood beside the response, where it is gone.
        targets: Of a row with several responses under work, each one's own result by what a
            person calls it, in the order in which they were worked on; else empty.
    """

    outcome: str
    columns: Mapping[str, Any] = field(repr=False)
    original: Any
    evidence: Evidence
    original_reasoning: Any = None
    targets: Mapping[str, "Finished"] = field(default_factory=dict, repr=False)


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


def add_provenance(
    finished: Finished, *, usage: Usage, models: Mapping[str, str]
) -> dict[str, Any]:
    """Return a finished row's columns with the `whyset` column at the end.

    Args:
        finished: The row.
        usage: What its replies took together.
        models: Role → name of the model.
    """
    evidence = finished.evidence
    record: dict[str, Any] = {"outcome": finished.outcome}
    if finished.targets:
        record |= _shared_record(evidence, models)
        record["constitution"] = _constitution_record(evidence.groundings)
        record["targets"] = [
            {
                "target": name,
                "outcome": result.outcome,
                **_note_record(result.evidence),
                **_response_record(result.evidence),
                **_original_record(result),
            }
            for name, result in finished.targets.items()
        ]
    else:
        record |= evidence_record(evidence, models=models)
        record |= _original_record(finished)
    record["usage"] = usage_record(usage)
    return {**free_provenance_column(finished.columns), PROVENANCE_COLUMN: record}


def evidence_record(evidence: Evidence, *, models: Mapping[str, str]) -> dict[str, Any]:
    """Return evidence as plain values, as provenance and quarantine show it."""
    return {
        **_shared_record(evidence, models),
        **_note_record(evidence),
        "constitution": _constitution_record(evidence.groundings),
        **_response_record(evidence),
    }


def usage_record(usage: Usage) -> dict[str, int]:
    """Return token counts as plain values."""
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
    }


def _shared_record(evidence: Evidence, models: Mapping[str, str]) -> dict[str, Any]:
    return {
        "generator": evidence.generator,
        "version": evidence.version,
        "models": dict(models),
        **evidence.settings,
    }


def _note_record(evidence: Evidence) -> dict[str, str]:
    return {"note": evidence.note} if evidence.note else {}


def _response_record(evidence: Evidence) -> dict[str, Any]:
    """Return what is another for each response of a row."""
    first = evidence.groundings[0] if evidence.groundings else None
    return {
        "relevance": None if first is None else round(first.relevance, 4),
        "passages": [
            {"id": found.passage.id, "path": list(found.passage.path)}
            for found in evidence.passages
        ],
        "quotes": [{"passage": q.passage_id, "text": q.text} for q in evidence.quotes],
        "checks": {check.name: check.status for check in evidence.checks},
        "appraisal": dict(evidence.appraisal) if evidence.appraisal else None,
        "verdict": dict(evidence.verdict) if evidence.verdict else None,
    }


def _original_record(finished: Finished) -> dict[str, Any]:
    record = {}
    if finished.original is not NO_ORIGINAL:
        record["original_response"] = finished.original
    if finished.original_reasoning:
        record["original_reasoning"] = finished.original_reasoning
    return record


def _constitution_record(groundings: Sequence[Grounding]) -> dict[str, str] | None:
    if not groundings:
        return None
    return {"title": groundings[0].title, "sha256": groundings[0].digest}
