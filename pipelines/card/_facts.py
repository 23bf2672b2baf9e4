"""What rows say of themselves, counted for a dataset card."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whyset.datasets import DEFAULT_SELECTION, DatasetError, Selection
from whyset.errors import RunError
from whyset.generators import GeneratorError, load_generator_class

from .._files import RunFiles, sibling_path
from ..ledger._status import RunStatus

# ---- What the manifest and the ledger beside an output tell of the run, for a dataset card.


@dataclass(frozen=True, slots=True)
class RunFacts:
    """What is known of the run that made an output.

    Attributes:
        manifest: The manifest; empty where there is none.
        costs: Steps, each with its model, replies, tokens, and dollars where those are known.
    """

    manifest: Mapping[str, Any] = field(default_factory=dict, repr=False)
    costs: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def read(cls, output: Path) -> "RunFacts":
        """Read what lies beside an output; nothing where nothing does.

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
        held = self.manifest.get("selection")
        if not isinstance(held, Mapping):
            return DEFAULT_SELECTION
        try:
            return Selection(
                turns=held["turns"],
                side=held["side"],
                shape=self.manifest.get("to") or held["shape"],
            )
        except (KeyError, DatasetError):
            return DEFAULT_SELECTION

    @property
    def summary(self) -> Mapping[str, Any]:
        """The account of the run."""
        found: Mapping[str, Any] = self.manifest.get("summary", {})
        return found

    @property
    def dollars(self) -> float | None:
        """What it cost; `None` where a part of it is not known."""
        costs = [step.get("dollars") for step in self.costs]
        return None if None in costs else float(sum(filter(None, costs)))

    def command(self) -> list[str]:
        """Return the command that makes such an output: with no path, no address and no key."""
        told = self.manifest
        if not told:
            return []
        name = str(told["generator"]["name"])
        words = ["whyset", "rewrite" if "input" in told else "write"]
        if "input" not in told or name != "deliberation":
            words.append(name)
        if "input" in told:
            words += [told["input"]] if isinstance(told["input"], str) else list(told["input"])
        words += ["-o", str(told["output"]), *self._written(), *self._models()]
        if told["constitution"].get("file"):
            words += ["--constitution", str(told["constitution"]["file"])]
        return [*words, *_changed_options(name, told.get("settings", {})), *self._selected()]

    def _written(self) -> list[str]:
        plan = self.manifest.get("plan")
        if not isinstance(plan, Mapping):
            return []
        if self.manifest.get("plan_file"):
            return ["--plan", str(self.manifest["plan_file"])]
        return ["-n", str(plan["documents"]), "--seed", str(plan["seed"])]

    def _models(self) -> list[str]:
        models = self.manifest.get("models", {})
        writer, judge = models.get("writer"), models.get("judge")
        words = ["--model", str(writer)] if writer else []
        return [*words, "--judge", str(judge)] if judge and judge != writer else words

    def _selected(self) -> list[str]:
        held, words = self.manifest.get("selection", {}), []
        for name, usual in (("turns", "last"), ("side", "chosen"), ("shape", None)):
            if held.get(name, usual) != usual:
                words += [f"--{name}", str(held[name])]
        if self.manifest.get("to"):
            words += ["--to", str(self.manifest["to"])]
        return words


def _read_manifest(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read as a run's manifest") from error
    if not isinstance(held, dict) or not {"output", "generator", "constitution"} <= held.keys():
        raise RunError(f"{path}: is not a run's manifest; move it away")
    return held


def _changed_options(generator: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the options that were chosen otherwise than by default."""
    try:
        usual = load_generator_class(generator).options_class.model_fields
    except GeneratorError:
        usual = {}
    words: list[str] = []
    for name, value in settings.items():
        if name == "embedder" and value != "minilm":
            words += ["--embedder", str(value)]
        elif name == "effort" and value is not None:
            words += ["--effort", str(value)]
        elif name in usual:
            default = usual[name].get_default(call_default_factory=True)
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
        self.models.update(f"{role}: {name}" for role, name in _iter_pairs(provenance, "models"))
        self.prompts.update(
            f"{name} {digest}" for name, digest in _iter_pairs(provenance, "prompts")
        )
        constitution = provenance.get("constitution")
        if isinstance(constitution, Mapping):
            said = (str(constitution.get("title")), str(constitution.get("sha256")))
            self.constitutions[said] += 1
        self.settings.update(_iter_settings(provenance))
        if isinstance(language := provenance.get("language"), str) and language:
            self.languages[language] += 1
        for checks in _iter_checks(provenance):
            for name, status in checks.items():
                self.checks.setdefault(str(name), Counter())[str(status)] += 1

    @classmethod
    def from_provenance(cls, provenances: Iterable[Mapping[str, Any] | None]) -> "CardFacts":
        """Count the provenance of rows."""
        facts = cls()
        for provenance in provenances:
            facts.add(provenance)
        return facts


def _iter_pairs(provenance: Mapping[str, Any], name: str) -> Iterator[tuple[str, str]]:
    held = provenance.get(name)
    if isinstance(held, Mapping):
        yield from ((str(key), str(value)) for key, value in held.items())


def _iter_settings(provenance: Mapping[str, Any]) -> Iterator[str]:
    for name in _SETTINGS_SHOWN:
        value = provenance.get(name)
        if isinstance(value, list | tuple):
            value = ", ".join(map(str, value))
        if value not in (None, ""):
            yield f"{name}: {value}"


def _iter_checks(provenance: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    targets = provenance.get("targets")
    for held in targets if isinstance(targets, list) else [provenance]:
        checks = held.get("checks") if isinstance(held, Mapping) else None
        if isinstance(checks, Mapping):
            yield checks
