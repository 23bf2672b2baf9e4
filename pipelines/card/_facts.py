"""What a dataset card says of rows: counts over their provenance, and of the run that made them."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whyset.datasets import (
    DEFAULT_SELECTION,
    BadRow,
    DatasetError,
    Selection,
    Source,
    find_provenance,
)
from whyset.errors import RunError
from whyset.generators import GeneratorError, load_generator_class

from .._files import RunFiles, sibling_path
from ..ledger._status import RunStatus


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What the manifest and the ledger beside an output say of the run that made it.

    Attributes:
        manifest: The manifest; empty where there is none.
        costs: Steps, each with its model, replies, tokens, and dollars where those are known.
    """

    manifest: Mapping[str, Any] = field(default_factory=dict, repr=False)
    costs: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def read(cls, output: Path) -> "RunFacts":
        """Read what lies beside an output; without anything there, nothing is known.

        Raises:
            RunError: There is a manifest that cannot be read.
        """
        manifest = _read_manifest(sibling_path(output, "run.json"))
        spent = manifest.get("summary", {}).get("spent", [])
        ledger = RunFiles.ledger_path(output)
        if not manifest and ledger.is_file():
            spent = RunStatus.read(ledger).record()["steps"]
        return cls(manifest, tuple(spent))

    @property
    def selection(self) -> Selection:
        """Which responses were worked on, in the shape that rows were written in."""
        record = self.manifest.get("selection")
        if not isinstance(record, Mapping):
            return DEFAULT_SELECTION
        try:
            return Selection(
                turns=record["turns"],
                side=record["side"],
                shape=self.manifest.get("to") or record["shape"],
            )
        except (KeyError, DatasetError):
            return DEFAULT_SELECTION

    @property
    def summary(self) -> Mapping[str, Any]:
        """The manifest's summary of the run."""
        summary: Mapping[str, Any] = self.manifest.get("summary", {})
        return summary

    @property
    def dollars(self) -> float | None:
        """What it cost; `None` where a part of it is not known."""
        costs = [step.get("dollars") for step in self.costs]
        return None if None in costs else float(sum(filter(None, costs)))

    def command(self) -> list[str]:
        """Return the command that makes such an output: with no path, no address and no key."""
        manifest = self.manifest
        if not manifest:
            return []
        name = str(manifest["generator"]["name"])
        takes_rows = "input" in manifest
        words = ["whyset", "rewrite" if takes_rows else "write"]
        if not takes_rows or name != "deliberation":
            words.append(name)
        if takes_rows:
            rows = manifest["input"]
            words += [rows] if isinstance(rows, str) else list(rows)
        words += ["-o", str(manifest["output"]), *self._plan_words(), *self._model_words()]
        if manifest["constitution"].get("file"):
            words += ["--constitution", str(manifest["constitution"]["file"])]
        words += _changed_options(name, manifest.get("settings", {}))
        return [*words, *self._selection_words()]

    def _plan_words(self) -> list[str]:
        plan = self.manifest.get("plan")
        if not isinstance(plan, Mapping):
            return []
        if self.manifest.get("plan_file"):
            return ["--plan", str(self.manifest["plan_file"])]
        return ["-n", str(plan["documents"]), "--seed", str(plan["seed"])]

    def _model_words(self) -> list[str]:
        models = self.manifest.get("models", {})
        writer, judge = models.get("writer"), models.get("judge")
        words = ["--model", str(writer)] if writer else []
        return [*words, "--judge", str(judge)] if judge and judge != writer else words

    def _selection_words(self) -> list[str]:
        record, words = self.manifest.get("selection", {}), []
        for name, default in (("turns", "last"), ("side", "chosen"), ("shape", None)):
            if record.get(name, default) != default:
                words += [f"--{name}", str(record[name])]
        if self.manifest.get("to"):
            words += ["--to", str(self.manifest["to"])]
        return words


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read as a run's manifest") from error
    required = {"output", "generator", "constitution"}
    if not isinstance(manifest, dict) or not required <= manifest.keys():
        raise RunError(f"{path}: is not a run's manifest; move it away")
    return manifest


def _changed_options(generator: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the options that are not as by default."""
    try:
        fields = load_generator_class(generator).options_class.model_fields
    except GeneratorError:
        fields = {}
    words: list[str] = []
    for name, value in settings.items():
        if name == "embedder" and value != "minilm":
            words += ["--embedder", str(value)]
        elif name == "effort" and value is not None:
            words += ["--effort", str(value)]
        elif name in fields:
            default = fields[name].get_default(call_default_factory=True)
            if value != (list(default) if isinstance(default, tuple) else default):
                words += _option_words(name, value)
    return words


def _option_words(name: str, value: Any) -> Sequence[str]:
    flag = "-k" if name == "k" else f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag] if value else [f"--no-{flag.removeprefix('--')}"]
    if isinstance(value, list):
        return [word for each in value for word in (flag, str(each))]
    return [flag, str(value)] if value is not None else []


_SETTINGS_SHOWN = (
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
        languages: Language that a generator was to write → rows.
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
        self.models.update(f"{role}: {name}" for role, name in _iter_pairs(provenance, "models"))
        self.prompts.update(
            f"{name} {digest}" for name, digest in _iter_pairs(provenance, "prompts")
        )
        constitution = provenance.get("constitution")
        if isinstance(constitution, Mapping):
            title, digest = str(constitution.get("title")), str(constitution.get("sha256"))
            self.constitutions[title, digest] += 1
        self.settings.update(_iter_settings(provenance))
        if isinstance(language := provenance.get("language"), str) and language:
            self.languages[language] += 1
        for checks in _iter_checks(provenance):
            for name, status in checks.items():
                self.checks.setdefault(str(name), Counter())[str(status)] += 1

    @classmethod
    def from_source(cls, source: Source) -> "CardFacts":
        """Count the provenance of a source's rows; what is no row is left out.

        Raises:
            DatasetError: The source cannot be read.
        """
        return cls.from_provenance(
            find_provenance(record.columns)
            for record, _ in source.records()
            if not isinstance(record, BadRow)
        )

    @classmethod
    def from_provenance(cls, provenances: Iterable[Mapping[str, Any] | None]) -> "CardFacts":
        """Count the provenance of rows."""
        facts = cls()
        for provenance in provenances:
            facts.add(provenance)
        return facts


def _iter_pairs(provenance: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    pairs = provenance.get(name)
    if isinstance(pairs, Mapping):
        yield from ((str(key), str(value)) for key, value in pairs.items())


def _iter_settings(provenance: Mapping[str, Any]) -> Iterator[str]:
    for name in _SETTINGS_SHOWN:
        value = provenance.get(name)
        if isinstance(value, list | tuple):
            value = ", ".join(map(str, value))
        if value not in (None, ""):
            yield f"{name}: {value}"


def _iter_checks(provenance: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    targets = provenance.get("targets")
    for record in targets if isinstance(targets, list) else [provenance]:
        checks = record.get("checks") if isinstance(record, Mapping) else None
        if isinstance(checks, Mapping):
            yield checks
