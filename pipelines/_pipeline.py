"""A pipeline: a generator, its models by role, and where passages come from."""

import copy
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypedDict

from whyset.constitution import Constitution
from whyset.errors import RunError
from whyset.generators import Generator, Model, Role, UnsupportedModel, load_generator_class
from whyset.models import RetryingModel, coerce_model, default_model_name, open_model
from whyset.retriever import PassageRetriever, Searcher

from .plan import Plan, open_planned_generator

EXTRACTIVE = "extractive"
"""The model that only quotes."""


@dataclass(frozen=True, slots=True)
class Pipeline:
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
    def build(
        cls,
        generator: Generator,
        writer: Model,
        judge: Model,
        retriever: Searcher,
        *,
        settings: Mapping[str, Any] | None = None,
    ) -> "Pipeline":
        """Put a pipeline together; an extractive writer gets the generator's extractive variant.

        Raises:
            UnsupportedModel: The generator has no extractive variant, or not with its options.
        """
        if writer.is_extractive:
            generator = generator.extractive_variant()
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


class PipelineOptions(TypedDict, total=False):
    """What a pipeline is opened with, the writer aside; see `open_pipeline`."""

    judge: Model | str | Any
    prompts: Mapping[str, str] | None
    embedder: str
    chroma: str | None
    ephemeral: bool
    effort: str | None


def open_pipeline(
    generator: Generator | Plan | str,
    constitution: Constitution | Searcher | None = None,
    *,
    model: Model | str | Any = None,
    judge: Model | str | Any = None,
    prompts: Mapping[str, str] | None = None,
    embedder: str = "minilm",
    chroma: str | None = None,
    ephemeral: bool = False,
    effort: str | None = None,
) -> Pipeline:
    """Open everything that a run needs.

    Args:
        generator: What is asked: a generator, the name of an installed one, or a plan, which
            names one with its options. Where its option `settle_below` is `None`, the threshold
            measured for the embedder takes its place.
        constitution: What passages come from: a constitution, or a retriever that is open on one;
            the bundled charter where none is given.
        model: Who writes: `provider:model`, a LangChain chat model or a `Model`; `extractive`
            where none is given.
        judge: Who judges; the writer where none is given.
        prompts: Sources of prompts that take the place of the generator's own, by name; of a
            generator that is opened here.
        embedder: See `whyset.retriever.open_embedder`.
        chroma: The address of a Chroma server; the embedded one where none is given.
        ephemeral: Whether to keep the index in memory instead of the user's cache.
        effort: How much models that are opened here should put into an answer, where they can be
            told.

    Raises:
        UnsupportedModel: The writer or the judge cannot do what this run needs of them.
        WhysetError: Something cannot be opened; the message says what to do.
    """
    if isinstance(generator, Plan):
        generator = open_planned_generator(generator, prompts=prompts)
    elif isinstance(generator, str):
        generator = load_generator_class(generator)(prompts=prompts)
    # What does not take a connection, an index or a key to find out is found out first.
    model = default_model_name() if model is None else model
    writer = _open_model(model, effort)
    require_supported_models(generator, writer, judge)
    is_own_judge = judge is None or judge is model or judge == model
    referee = writer if is_own_judge else _open_model(judge, effort)
    if isinstance(constitution, Searcher):
        retriever = constitution
    else:
        retriever = PassageRetriever.open(
            constitution or Constitution.charter(),
            embedder=embedder,
            chroma=chroma,
            ephemeral=ephemeral,
        )
    if getattr(generator.options, "settle_below", 0.0) is None:
        threshold = getattr(retriever, "relevance_threshold", 0.0)
        generator = copy.copy(generator)
        generator.options = generator.options.model_copy(update={"settle_below": threshold})
    settings = generator.options.record() | {"embedder": embedder, "effort": effort}
    if not writer.is_extractive:
        settings["prompts"] = generator.prompts.digests()
    return Pipeline.build(generator, writer, referee, retriever, settings=settings)


def require_supported_models(
    generator: Generator, model: Model | str | Any, judge: Model | str | Any
) -> None:
    """Refuse a writer and a judge that could never work.

    Raises:
        UnsupportedModel: The extractive model cannot do what the generator needs, or cannot judge.
    """
    if _is_extractive(model):
        generator.extractive_variant()  # raises where there is none
        if judge is not None and not _is_extractive(judge):
            raise UnsupportedModel(
                f"{getattr(model, 'name', model)} writes nothing that "
                f"{getattr(judge, 'name', judge)} could judge: name a language model with --model "
                "as well, or leave --judge out"
            )
    elif judge is not None and _is_extractive(judge):
        raise UnsupportedModel(
            "extractive weighs nothing, so it cannot judge: name a language model"
        )


def _is_extractive(model: Model | str | Any) -> bool:
    if isinstance(model, str):
        return model == EXTRACTIVE
    return isinstance(model, Model) and model.is_extractive


def _open_model(model: Model | str | Any, effort: str | None) -> Model:
    if isinstance(model, str):
        return open_model(model, effort=None if model == EXTRACTIVE else effort)
    coerced = coerce_model(model)
    # The engine retries by itself.
    return coerced.wrapped if isinstance(coerced, RetryingModel) else coerced


# ---- A user's prompts


def read_prompts(folder: Path, generator: str) -> Mapping[str, str]:
    """Return the templates in `folder/generator/`, by name; see `Generator`.

    Args:
        folder: A folder with a folder for each generator.
        generator: The generator's name.

    Raises:
        RunError: There is no such folder, it holds no template, or one cannot be read.
    """
    own = folder / generator
    if not own.is_dir():
        raise RunError(
            f"{folder}: has no folder {generator!r}; prompts are expected as "
            f"{folder}/{generator}/NAME.md"
        )
    found = {}
    for path in sorted(own.glob("*.md")):
        try:
            found[path.stem] = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise RunError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    if not found:
        raise RunError(f"{own}: holds no prompt; prompts are files NAME.md")
    return found


def write_prompts(folder: Path, generator: str, sources: Mapping[str, str]) -> list[Path]:
    """Write templates to `folder/generator/`, to be edited; return where each lies.

    Raises:
        RunError: One of them is there already, or cannot be written.
    """
    own = folder / generator
    paths = {name: own / f"{name}.md" for name in sources}
    for path in paths.values():
        if path.exists():
            raise RunError(
                f"{path}: exists already and may have been edited; name another folder or remove it"
            )
    try:
        own.mkdir(parents=True, exist_ok=True)
        for name, path in paths.items():
            path.write_text(sources[name], encoding="utf-8")
    except OSError as error:
        raise RunError(f"{own}: cannot be written: {error.strerror or error}") from error
    return list(paths.values())
