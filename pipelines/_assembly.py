"""Who works on a run."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from whyset.constitution import Constitution
from whyset.datasets import Channel
from whyset.errors import RunError
from whyset.generators import (
    DocumentGenerator,
    Generator,
    Model,
    Role,
    UnsupportedModel,
    load_generator_class,
)
from whyset.generators.deliberation import Cite, Deliberation, OnConflict
from whyset.models import default_model_name, open_model
from whyset.retriever import PassageRetriever, Searcher

from .plan import Plan, open_planned_generator

# ---- A user's prompts: a folder of templates that take the place of those that ship.


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
                f"{path}: is there already, and may hold somebody's work; name another "
                "folder or remove it"
            )
    try:
        own.mkdir(parents=True, exist_ok=True)
        for name, path in paths.items():
            path.write_text(sources[name], encoding="utf-8")
    except OSError as error:
        raise RunError(f"{own}: cannot be written: {error.strerror or error}") from error
    return list(paths.values())


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
        """Gather a crew; an extractive writer gets the generator's extractive variant.

        Raises:
            Declined: The generator has no extractive variant, or not with its options.
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


# ---- From names to a crew: what the command line and a library user open a run with.


def open_deliberation_pipeline(
    constitution: Constitution | None = None,
    *,
    model: str | None = None,
    judge: str | None = None,
    channel: Channel = "preface",
    cite: Cite = "implicit",
    on_conflict: OnConflict = "quarantine",
    k: int = 8,
    settle_below: float | None = None,
    max_revisions: int = 2,
    prompts: Mapping[str, str] | None = None,
    embedder: str = "minilm",
    chroma: str | None = None,
    ephemeral: bool = False,
    effort: str | None = None,
) -> Pipeline:
    """Open everything a deliberation run needs.

    Args:
        constitution: The bundled charter where none is given.
        model: Who writes, `provider:model`; `extractive` where none is given.
        judge: Who judges; the writer where none is given.
        channel: See `Deliberation`.
        cite: See `Deliberation`.
        on_conflict: See `Deliberation`.
        k: How many passages are retrieved each time.
        settle_below: See `Deliberation`; the measured threshold of the embedder where none is
            given.
        max_revisions: How often a draft that does not pass is revised.
        prompts: Sources of prompts that take the place of its own, by name.
        embedder: See `whyset.retriever.open_embedder`.
        chroma: The address of a Chroma server; the embedded one where none is given.
        ephemeral: Whether to keep the index in memory instead of the user's cache.
        effort: How much the models should put into an answer, where they can be told.

    Raises:
        Declined: The writer or the judge cannot do what this run needs of them.
        WhysetError: Something cannot be opened; the message says what to do.
    """
    choose = partial(
        Deliberation,
        channel=channel,
        cite=cite,
        on_conflict=on_conflict,
        k=k,
        max_revisions=max_revisions,
        prompts=prompts,
    )

    def fitted(retriever: PassageRetriever) -> Generator:
        threshold = retriever.relevance_threshold if settle_below is None else settle_below
        return choose(settle_below=threshold)

    return _open_pipeline(
        choose(settle_below=settle_below or 0.0),
        constitution,
        model=model,
        judge=judge,
        embedder=embedder,
        chroma=chroma,
        ephemeral=ephemeral,
        effort=effort,
        fitted=fitted,
    )


def open_pipeline(
    generator: Generator,
    constitution: Constitution | None = None,
    *,
    model: str | None = None,
    judge: str | None = None,
    embedder: str = "minilm",
    chroma: str | None = None,
    ephemeral: bool = False,
    effort: str | None = None,
) -> Pipeline:
    """Open everything that a run of any generator needs; otherwise as `open_deliberation_pipeline`.

    Args:
        generator: What is asked, and what must hold of the answers.
        constitution: See `open_deliberation_pipeline`.
        model: See `open_deliberation_pipeline`.
        judge: See `open_deliberation_pipeline`.
        embedder: See `open_deliberation_pipeline`.
        chroma: See `open_deliberation_pipeline`.
        ephemeral: See `open_deliberation_pipeline`.
        effort: See `open_deliberation_pipeline`.

    Raises:
        Declined: The writer or the judge cannot do what this run needs of them.
        WhysetError: Something cannot be opened; the message says what to do.
    """
    return _open_pipeline(
        generator,
        constitution,
        model=model,
        judge=judge,
        embedder=embedder,
        chroma=chroma,
        ephemeral=ephemeral,
        effort=effort,
        fitted=lambda _: generator,
    )


def _open_pipeline(
    generator: Generator,
    constitution: Constitution | None,
    *,
    model: str | None,
    judge: str | None,
    embedder: str,
    chroma: str | None,
    ephemeral: bool,
    effort: str | None,
    fitted: Callable[[PassageRetriever], Generator],
) -> Pipeline:
    """Open a crew; `fitted` returns the generator once the retriever is there."""
    writer_name = default_model_name() if model is None else model
    judge_name = writer_name if judge is None else judge
    # What does not take a connection, an index or a key to find out is found out first.
    writer = open_model(writer_name, effort=None if writer_name == "extractive" else effort)
    if writer.is_extractive:
        generator.extractive_variant()  # declines what it cannot do
        if judge_name != writer_name:
            raise UnsupportedModel(
                f"{writer_name} writes nothing that {judge_name} could judge: name a language "
                "model with --model as well, or leave --judge out"
            )
    if judge_name == "extractive" and not writer.is_extractive:
        raise UnsupportedModel(
            "extractive weighs nothing, so it cannot judge: name a language model"
        )
    referee = writer if judge_name == writer_name else open_model(judge_name, effort=effort)
    retriever = PassageRetriever.open(
        constitution or Constitution.charter(),
        embedder=embedder,
        chroma=chroma,
        ephemeral=ephemeral,
    )
    generator = fitted(retriever)
    settings = generator.options.record() | {"embedder": embedder, "effort": effort}
    if not writer.is_extractive:
        settings["prompts"] = generator.prompts.digests()
    return Pipeline.build(generator, writer, referee, retriever, settings=settings)


# ---- From a plan or the name of a generator to a crew that writes documents.


def open_document_pipeline(
    generator: DocumentGenerator | Plan | str,
    constitution: Constitution | None = None,
    *,
    model: str | None = None,
    judge: str | None = None,
    prompts: Mapping[str, str] | None = None,
    embedder: str = "minilm",
    chroma: str | None = None,
    ephemeral: bool = False,
    effort: str | None = None,
) -> Pipeline:
    """Open everything that a corpus needs.

    Args:
        generator: Who writes: a generator of documents, the name of an installed one, or a plan,
            which names one with its options.
        constitution: The bundled charter where none is given.
        model: Who writes, `provider:model`; `extractive` where none is given.
        judge: Who judges; the writer where none is given.
        prompts: Sources of prompts that take the place of the generator's own, by name; of one
            that is opened here.
        embedder: See `whyset.retriever.open_embedder`.
        chroma: The address of a Chroma server; the embedded one where none is given.
        ephemeral: Whether to keep the index in memory instead of the user's cache.
        effort: How much the models should put into an answer, where they can be told.

    Raises:
        Declined: The generator writes no documents, or the writer or the judge cannot do what it
            needs of them.
        WhysetError: Something cannot be opened; the message says what to do.
    """
    return open_pipeline(
        _open_document_generator(generator, prompts),
        constitution,
        model=model,
        judge=judge,
        embedder=embedder,
        chroma=chroma,
        ephemeral=ephemeral,
        effort=effort,
    )


def _open_document_generator(
    generator: DocumentGenerator | Plan | str, prompts: Mapping[str, str] | None
) -> DocumentGenerator:
    if isinstance(generator, Plan):
        return open_planned_generator(generator, prompts=prompts)
    if not isinstance(generator, str):
        return generator
    opened = load_generator_class(generator)(prompts=prompts)
    if not isinstance(opened, DocumentGenerator):
        raise UnsupportedModel(f"{generator} works on rows: it writes no documents of its own")
    return opened
