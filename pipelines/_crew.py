"""Who works on a run."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from whyset.generators import Generator, Model, Role
from whyset.retriever import Searcher


@dataclass(frozen=True, slots=True)
class Crew:
    """The generator, its models by role, and where passages come from.

    Attributes:
        generator: What is asked, and what must hold of the answers.
        models: Who answers.
        retriever: Where passages come from.
        settings: What the run's manifest tells of how all this was chosen: plain values, no keys.
    """

    generator: Generator
    models: Mapping[Role, Model]
    retriever: Searcher
    settings: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        generator: Generator,
        writer: Model,
        judge: Model,
        retriever: Searcher,
        *,
        settings: Mapping[str, Any] | None = None,
    ) -> "Crew":
        """Gather a crew; an extractive writer gets the generator's extractive variant.

        Raises:
            Declined: The generator has no extractive variant, or not with its options.
        """
        if writer.extractive:
            generator = generator.extractive()
        return cls(generator, {"writer": writer, "judge": judge}, retriever, settings or {})

    @property
    def identity(self) -> str:
        """Everything but the row that could change a row's result, as a digest: 64 hex digits."""
        parts = [
            self.generator.identity,
            *(f"{role}={model.identity}" for role, model in sorted(self.models.items())),
            self.retriever.identity,
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()

    @property
    def model_names(self) -> dict[str, str]:
        """Role → the model's name, as provenance shows it."""
        return {role: model.name for role, model in self.models.items()}

    async def aclose(self) -> None:
        """Release the models' connections."""
        for model in {id(model): model for model in self.models.values()}.values():
            await model.aclose()
