"""The base of every generator, built in or plugged in."""

from abc import ABC, abstractmethod
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, ClassVar

from whyset.datasets import Row

from ._errors import GeneratorError
from ._result import Finished, Rejected
from ._steps import Ask, Model, Reply, Steps

if TYPE_CHECKING:
    from whyset.retriever import Searcher

    from ._bound import BoundGenerator

ENTRY_POINTS = "whyset.generators"
"""The entry-point group by which generators arrive, built-in ones included."""


class Generator(ABC):
    """What to ask a model about a row, and what must hold of the answer; no input or output."""

    name: ClassVar[str]
    """What it is called on the command line and in provenance."""

    version: ClassVar[str]
    """Changed with every change that could change a result."""

    @property
    @abstractmethod
    def identity(self) -> str:
        """Everything of the generator that could change a result: options and prompts, as text."""

    @abstractmethod
    def steps(self, row: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""

    @abstractmethod
    def extractive(self) -> "Generator":
        """Return the variant that works without a language model.

        Raises:
            Declined: There is none, or not with these options.
        """

    def rehearse(self, ask: Ask, row: Row, *, at_stake: bool = True) -> Reply:
        """Return what stands for a model's answer where a dry run walks a row's steps.

        It need only be of a typical length and let the steps go on; nothing of it is kept.

        Args:
            ask: What a model would be asked.
            row: The row whose steps these are.
            at_stake: Whether the row is to be worked on in full, or as little as can be.

        Returns:
            A complete reply. Its usage are estimates: the prompt's tokens as input, the text's as
            output, without any reasoning before it.

        Raises:
            GeneratorError: This generator knows no typical answers, so it has no dry run.
        """
        raise GeneratorError(
            f"generator {self.name!r} knows no typical answer to {ask.step}: it has no dry run"
        )

    def bind(
        self, model: Model | str | Any, retriever: "Searcher", *, judge: Model | str | Any = None
    ) -> "BoundGenerator":
        """Return a LangChain `Runnable` that takes a row's columns and returns them finished.

        Args:
            model: Who writes: a LangChain chat model, a `provider:model` string or a `Model`.
            retriever: Where passages come from.
            judge: Who judges; the writer where none is given.
        """
        from ._bound import BoundGenerator, as_model

        writer = as_model(model)
        return BoundGenerator.of(self, writer, as_model(judge) if judge else writer, retriever)


def open_generator(name: str) -> type[Generator]:
    """Return an installed generator's class by its name.

    Raises:
        GeneratorError: No generator of that name is installed; the message lists those that are.
    """
    found = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in found:
        raise GeneratorError(f"no generator {name!r}; installed: {', '.join(sorted(found))}")
    loaded = found[name].load()
    if not (isinstance(loaded, type) and issubclass(loaded, Generator)):
        raise GeneratorError(f"generator {name!r} is not a subclass of whyset.generators.Generator")
    return loaded
