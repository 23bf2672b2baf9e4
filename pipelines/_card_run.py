"""What the manifest and the ledger beside an output tell of the run, for a dataset card."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from whyset.datasets import DEFAULT, DatasetError, Selection
from whyset.errors import RunError
from whyset.generators import GeneratorError, open_generator

from ._files import RunFiles, beside_output
from ._status import RunStatus


@dataclass(frozen=True, slots=True)
class RunTold:
    """What is known of the run that made an output.

    Attributes:
        manifest: The manifest; empty where there is none.
        spent: Steps, each with its model, replies, tokens, and dollars where those are known.
    """

    manifest: Mapping[str, Any] = field(default_factory=dict, repr=False)
    spent: tuple[Mapping[str, Any], ...] = ()

    @classmethod
    def of(cls, output: Path) -> "RunTold":
        """Read what lies beside an output; nothing where nothing does.

        Raises:
            RunError: There is a manifest that cannot be read.
        """
        manifest = _manifest(beside_output(output, "run.json"))
        spent = manifest.get("summary", {}).get("spent", [])
        ledger = RunFiles.ledger_of(output)
        if not manifest and ledger.is_file():
            spent = RunStatus.of(ledger).record()["steps"]
        return cls(manifest, tuple(spent))

    @property
    def selection(self) -> Selection:
        """Which responses were worked on, in the shape that rows were written in."""
        held = self.manifest.get("selection")
        if not isinstance(held, Mapping):
            return DEFAULT
        try:
            return Selection(
                turns=held["turns"],
                side=held["side"],
                shape=self.manifest.get("to") or held["shape"],
            )
        except (KeyError, DatasetError):
            return DEFAULT

    @property
    def summary(self) -> Mapping[str, Any]:
        """The account of the run."""
        found: Mapping[str, Any] = self.manifest.get("summary", {})
        return found

    @property
    def dollars(self) -> float | None:
        """What it cost; `None` where a part of it is not known."""
        costs = [step.get("dollars") for step in self.spent]
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
        return [*words, *_options(name, told.get("settings", {})), *self._selected()]

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


def _manifest(path: Path) -> dict[str, Any]:
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: cannot be read as a run's manifest") from error
    if not isinstance(held, dict) or not {"output", "generator", "constitution"} <= held.keys():
        raise RunError(f"{path}: is not a run's manifest; move it away")
    return held


def _options(generator: str, settings: Mapping[str, Any]) -> list[str]:
    """Return the options that were chosen otherwise than by default."""
    try:
        usual = open_generator(generator).options_class.model_fields
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
                words += _option(name, value)
    return words


def _option(name: str, value: Any) -> Sequence[str]:
    flag = "-k" if name == "k" else f"--{name.replace('_', '-')}"
    if isinstance(value, bool):
        return [flag] if value else [f"--no-{flag.removeprefix('--')}"]
    if isinstance(value, list):
        return [word for each in value for word in (flag, str(each))]
    return [flag, str(value)] if value is not None else []
