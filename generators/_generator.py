"""The base of every generator, built in or plugged in."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from whyset.datasets import row_from_record
from whyset.errors import Declined, GeneratorError

from ._brief import Item
from ._options import GeneratorOptions
from ._prompts import PromptSet, shipped_prompts
from ._result import Evidence, Finished, Rejected
from ._steps import Ask, Model, Reply, Steps

if TYPE_CHECKING:
    from whyset.retriever import Searcher

    from ._bound import BoundGenerator

ENTRY_POINTS = "whyset.generators"
"""The entry-point group by which generators arrive, built-in ones included."""


class Generator(ABC):
    """What to ask a model, and what must hold of the answer; no input or output.

    A subclass that takes rows implements `steps` for a `Row`; one that writes documents derives
    from `DocumentGenerator`. What it needs beside that: `name`, `version`, `summary`, `outcomes`,
    `options_class`, and prompts, in a folder `prompts` beside its module or in `templates`.
    """

    name: ClassVar[str]
    """What it is called on the command line and in provenance."""

    version: ClassVar[str]
    """Changed with every change that could change a result."""

    summary: ClassVar[str] = ""
    """What it makes, in a line."""

    takes: ClassVar[Literal["rows", "briefs"]] = "rows"
    """Whether it works on the rows of a dataset, or writes documents from briefs."""

    outcomes: ClassVar[Mapping[str, str]] = {}
    """What may become of what it takes, and what that means, in a few words; in the order in
    which a summary tells it."""

    options_class: ClassVar[type[GeneratorOptions]] = GeneratorOptions
    """What a user can choose."""

    templates: ClassVar[Mapping[str, str]] = {}
    """Prompt templates by name, of a generator that has them in its module."""

    def __init__(self, *, prompts: Mapping[str, str] | None = None, **options: Any) -> None:
        """Make a generator.

        Args:
            prompts: Sources of templates that take the place of its own, by name.
            options: By name; see the class's `options_class`.

        Raises:
            GeneratorError: An option or a template does not fit; the message says why.
        """
        self.options: Any = self.options_class.of(options)
        self.prompts = PromptSet.of(self.name, self.prompt_sources(), prompts)

    @classmethod
    def prompt_sources(cls) -> Mapping[str, str]:
        """Return the sources of the prompts it ships with, by name."""
        return cls.templates or shipped_prompts(cls.__module__.rpartition(".")[0])

    @property
    def identity(self) -> str:
        """Everything of the generator that could change a result: options and prompts, as text."""
        return json.dumps([self.name, self.version, self.options.record(), self.prompts.digests()])

    def evidence(self, **settings: Any) -> Evidence:
        """Return what every result of this generator begins to rest on.

        Args:
            settings: Choices that a reader of the result should know.
        """
        return Evidence(self.name, self.version, {**settings, "prompts": self.prompts.digests()})

    @property
    def adds(self) -> tuple[str, ...]:
        """Columns of text that a finished row has beside those it came with, provenance apart."""
        return ()

    @abstractmethod
    def steps(self, item: Any) -> Steps[Finished | Rejected]:
        """Return the steps of one row or one document."""

    def item(self, columns: Mapping[str, Any], *, line: int = 1) -> Item:
        """Return what `steps` takes, from plain values.

        Raises:
            DatasetError: The columns hold no usable conversation.
        """
        return row_from_record(dict(columns), line=line)

    def extractive(self) -> "Generator":
        """Return the variant that works without a language model.

        Raises:
            Declined: There is none, or not with these options.
        """
        raise Declined(
            f"{self.name} needs a language model, since quoting alone makes none of it: name one "
            "with --model, such as --model anthropic:claude-opus-5-5"
        )

    def rehearse(self, ask: Ask, item: Any, *, at_stake: bool = True) -> Reply:
        """Return what stands for a model's answer where a dry run walks the steps.

        It need only be of a typical length and let the steps go on; nothing of it is kept.

        Args:
            ask: What a model would be asked.
            item: The row or brief whose steps these are.
            at_stake: Whether it is to be worked on in full, or as little as can be.

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
        """Return a LangChain `Runnable` that takes plain values and returns them finished.

        Args:
            model: Who writes: a LangChain chat model, a `provider:model` string or a `Model`.
            retriever: Where passages come from.
            judge: Who judges; the writer where none is given.
        """
        from ._bound import BoundGenerator, as_model

        writer = as_model(model)
        return BoundGenerator.of(self, writer, as_model(judge) if judge else writer, retriever)


def installed_generators() -> dict[str, str]:
    """Return the names of all installed generators, each with the distribution it comes from."""
    return {
        entry.name: entry.dist.name if entry.dist else ""
        for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name)
    }


def open_generator(name: str) -> type[Generator]:
    """Return an installed generator's class by its name.

    Raises:
        GeneratorError: No generator of that name is installed, or what is cannot be loaded; the
            message says which are.
    """
    found = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in found:
        raise GeneratorError(f"no generator {name!r}; installed: {', '.join(sorted(found))}")
    try:
        loaded = found[name].load()
    except Exception as error:
        raise GeneratorError(f"generator {name!r} cannot be loaded: {error}") from error
    if not (isinstance(loaded, type) and issubclass(loaded, Generator)):
        raise GeneratorError(f"generator {name!r} is not a subclass of whyset.generators.Generator")
    return loaded
