"""From names to a crew: what the command line and a library user open a run with."""

from collections.abc import Callable, Mapping
from functools import partial

from whyset.constitution import Constitution
from whyset.datasets import Channel
from whyset.generators import Declined, Generator
from whyset.generators.deliberation import Cite, Deliberation, OnConflict
from whyset.models import default_model_name, open_model
from whyset.retriever import PassageRetriever

from ._crew import Crew


def open_crew(
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
) -> Crew:
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
        threshold = retriever.settle_below if settle_below is None else settle_below
        return choose(settle_below=threshold)

    return _open(
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


def open_crew_for(
    generator: Generator,
    constitution: Constitution | None = None,
    *,
    model: str | None = None,
    judge: str | None = None,
    embedder: str = "minilm",
    chroma: str | None = None,
    ephemeral: bool = False,
    effort: str | None = None,
) -> Crew:
    """Open everything that a run of any generator needs; otherwise as `open_crew`.

    Args:
        generator: What is asked, and what must hold of the answers.
        constitution: See `open_crew`.
        model: See `open_crew`.
        judge: See `open_crew`.
        embedder: See `open_crew`.
        chroma: See `open_crew`.
        ephemeral: See `open_crew`.
        effort: See `open_crew`.

    Raises:
        Declined: The writer or the judge cannot do what this run needs of them.
        WhysetError: Something cannot be opened; the message says what to do.
    """
    return _open(
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


def _open(
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
) -> Crew:
    """Open a crew; `fitted` returns the generator once the retriever is there."""
    writer_name = default_model_name() if model is None else model
    judge_name = writer_name if judge is None else judge
    # What does not take a connection, an index or a key to find out is found out first.
    writer = open_model(writer_name, effort=None if writer_name == "extractive" else effort)
    if writer.extractive:
        generator.extractive()  # declines what it cannot do
        if judge_name != writer_name:
            raise Declined(
                f"{writer_name} writes nothing that {judge_name} could judge: name a language "
                "model with --model as well, or leave --judge out"
            )
    if judge_name == "extractive" and not writer.extractive:
        raise Declined("extractive weighs nothing, so it cannot judge: name a language model")
    referee = writer if judge_name == writer_name else open_model(judge_name, effort=effort)
    retriever = PassageRetriever.open(
        constitution or Constitution.charter(),
        embedder=embedder,
        chroma=chroma,
        ephemeral=ephemeral,
    )
    generator = fitted(retriever)
    settings = generator.options.record() | {"embedder": embedder, "effort": effort}
    if not writer.extractive:
        settings["prompts"] = generator.prompts.digests()
    return Crew.of(generator, writer, referee, retriever, settings=settings)
