"""What rows say of themselves, counted for a dataset card."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

_TOLD = (
    *("channel", "cite", "on_conflict", "language", "turns", "under", "without"),
    *("model_name", "constitution_name"),
)
"""Settings in a row's provenance that a reader of a card should know."""


@dataclass(slots=True)
class CardFacts:
    """Counts over the provenance of rows; memory does not grow with them.

    Attributes:
        rows: How many rows there are.
        unknown: How many of them have no provenance.
        outcomes: Outcome → rows.
        generators: `name version` → rows.
        models: `role: provider:model` → rows.
        constitutions: Title and digest → rows.
        prompts: `name digest` → rows.
        settings: `name: value` → rows.
        checks: Check → status → how often.
        languages: Language that a generator was told → rows.
    """

    rows: int = 0
    unknown: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    generators: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    constitutions: Counter[tuple[str, str]] = field(default_factory=Counter)
    prompts: Counter[str] = field(default_factory=Counter)
    settings: Counter[str] = field(default_factory=Counter)
    checks: dict[str, Counter[str]] = field(default_factory=dict)
    languages: Counter[str] = field(default_factory=Counter)

    def add(self, provenance: Mapping[str, Any] | None) -> None:
        """Count a row."""
        self.rows += 1
        if provenance is None:
            self.unknown += 1
            return
        self.outcomes[str(provenance.get("outcome"))] += 1
        self.generators[f"{provenance.get('generator')} {provenance.get('version')}"] += 1
        self.models.update(f"{role}: {name}" for role, name in _pairs(provenance, "models"))
        self.prompts.update(f"{name} {digest}" for name, digest in _pairs(provenance, "prompts"))
        constitution = provenance.get("constitution")
        if isinstance(constitution, Mapping):
            said = (str(constitution.get("title")), str(constitution.get("sha256")))
            self.constitutions[said] += 1
        self.settings.update(_settings(provenance))
        if isinstance(language := provenance.get("language"), str) and language:
            self.languages[language] += 1
        for checks in _checks(provenance):
            for name, status in checks.items():
                self.checks.setdefault(str(name), Counter())[str(status)] += 1

    @classmethod
    def of(cls, provenances: Iterable[Mapping[str, Any] | None]) -> "CardFacts":
        """Count the provenance of rows."""
        facts = cls()
        for provenance in provenances:
            facts.add(provenance)
        return facts


def _pairs(provenance: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    held = provenance.get(name)
    if isinstance(held, Mapping):
        yield from ((str(key), str(value)) for key, value in held.items())


def _settings(provenance: Mapping[str, Any]) -> Iterator[str]:
    for name in _TOLD:
        value = provenance.get(name)
        if isinstance(value, list | tuple):
            value = ", ".join(map(str, value))
        if value not in (None, ""):
            yield f"{name}: {value}"


def _checks(provenance: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    targets = provenance.get("targets")
    for held in targets if isinstance(targets, list) else [provenance]:
        checks = held.get("checks") if isinstance(held, Mapping) else None
        if isinstance(checks, Mapping):
            yield checks
