"""From a plan or the name of a generator to a crew that writes documents."""

from collections.abc import Mapping

from whyset.constitution import Constitution
from whyset.generators import Declined, DocumentGenerator, open_generator

from ._crew import Crew
from ._crewing import open_crew_for
from .planning import Plan, open_planned_generator


def open_document_crew(
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
) -> Crew:
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
    return open_crew_for(
        _opened(generator, prompts),
        constitution,
        model=model,
        judge=judge,
        embedder=embedder,
        chroma=chroma,
        ephemeral=ephemeral,
        effort=effort,
    )


def _opened(
    generator: DocumentGenerator | Plan | str, prompts: Mapping[str, str] | None
) -> DocumentGenerator:
    if isinstance(generator, Plan):
        return open_planned_generator(generator, prompts=prompts)
    if not isinstance(generator, str):
        return generator
    opened = open_generator(generator)(prompts=prompts)
    if not isinstance(opened, DocumentGenerator):
        raise Declined(f"{generator} works on rows: it writes no documents of its own")
    return opened
