"""The base of every generator, built in or plugged in."""

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from whyset.datasets import row_from_record
from whyset.errors import GeneratorError, UnsupportedModel

from ._asking import JudgeAnswer, PointedVerdict
from ._brief import Axis, Brief, Item, brief_from_record
from ._mock import make_mock_reply
from ._prompts import PromptSet, expand_points, load_prompt_sources
from ._result import Evidence, Finished, Rejected
from ._row_checks import LANGUAGE_PATTERN, ROW_LANGUAGE
from ._steps import Ask, Model, Reply, Role, Steps
from ._work import WorkState

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from whyset.retriever import Searcher

    from ._langchain import BoundGenerator


# ---- Options: pydantic fields, which the command line shows.


class GeneratorOptions(BaseModel):
    """Options of a generator; each field's description is its help on the command line.

    A field is a string, a number, true or false, a `Literal`, or a tuple of strings.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def of(cls, values: dict[str, Any]) -> Self:
        """Make options of values by name.

        Raises:
            GeneratorError: A name is unknown or a value does not fit; the message has all of them.
        """
        try:
            return cls.model_validate(values)
        except ValidationError as error:
            problems = [_describe_error(problem) for problem in error.errors(include_url=False)]
            if any(problem["type"] == "extra_forbidden" for problem in error.errors()):
                problems.append(f"valid options: {', '.join(cls.model_fields)}")
            raise GeneratorError("; ".join(problems)) from error

    def record(self) -> dict[str, Any]:
        """Return the options as plain values."""
        return self.model_dump(mode="json")


# What several generators let a user choose, each once; what differs is what the help speaks of.

Cite = Literal["none", "implicit", "explicit"]
"""Whether a text may name or quote the constitution; `implicit` reasons in its own words."""


def cite_option(subject: str) -> Any:
    """Return the option of type `Cite`; the subject is what may cite, such as `the text`."""
    return Field("implicit", description=f"Whether {subject} may name or quote the constitution.")


def language_option(subject: str) -> Any:
    """Return the option that names the language of what a generator writes: `the stories`."""
    return Field(
        "en",
        min_length=2,
        description=f"The language of {subject}, by its ISO 639-1 code: en, de, ja, …",
    )


def row_language_option(subject: str) -> Any:
    """Return the option that names a language, or `row` for that of the row's conversation."""
    return Field(
        ROW_LANGUAGE,
        pattern=LANGUAGE_PATTERN,
        description=f"The language {subject} by its ISO 639 code, or `row` for that of the row's "
        "conversation.",
    )


def passages_option(default: int, use: str) -> Any:
    """Return the option `k`: how many passages, and when or for what."""
    return Field(default, ge=1, description=f"How many passages {use}.")


def settle_option(item: str) -> Any:
    """Return the option `settle_below`; the item is `row` or `pair`."""
    return Field(
        0.0,
        ge=0,
        allow_inf_nan=False,
        description=f"A {item} whose retrieval relevance is lower passes through untouched without "
        f"a call; 0 sends every {item} to the judge.",
    )


def without_option(steps: Any, purpose: str = "") -> Any:
    """Return the option of a tuple of the names of a `Literal`: the steps to leave out."""
    return Field((), description=f"Steps to leave out{purpose}: {', '.join(get_args(steps))}.")


def revisions_option(text: str, revised: str = "revised") -> Any:
    """Return the option `max_revisions` of a text, such as `a draft`."""
    return Field(
        2, ge=0, description=f"How often {text} that fails a check or the judge is {revised}."
    )


def seed_option(drawn: str) -> Any:
    """Return the option `seed`; what it draws is in the plural."""
    return Field(0, ge=0, description=f"Another number draws other {drawn}.")


_BOUND_PHRASES = {
    "greater_than_equal": "at least {ge:g}",
    "greater_than": "more than {gt:g}",
    "less_than_equal": "at most {le:g}",
    "less_than": "less than {lt:g}",
    "finite_number": "a number",
}
"""Pydantic's name of a bound → how a message says it."""


def _describe_error(problem: "ErrorDetails") -> str:
    name = ".".join(map(str, problem["loc"])) or "the options"
    kind, context = problem["type"], problem.get("ctx", {})
    if kind == "extra_forbidden":
        return f"there is no option {name}"
    if kind == "value_error":
        return f"{name}: {problem['msg'].removeprefix('Value error, ')}"
    given = f"not {problem['input']!r}"
    if kind == "literal_error":
        allowed = context["expected"].replace("'", "").replace(" or ", ", ")
        return f"{name} must be one of {allowed}, {given}"
    if kind in _BOUND_PHRASES:
        return f"{name} must be {_BOUND_PHRASES[kind].format_map(context)}, {given}"
    return f"{name}: {problem['msg'][:1].lower()}{problem['msg'][1:]}, {given}"


ENTRY_POINT_GROUP = "whyset.generators"
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

    input_kind: ClassVar[Literal["rows", "briefs"]] = "rows"
    """Whether it works on the rows of a dataset, or writes documents from briefs."""

    outcomes: ClassVar[Mapping[str, str]] = {}
    """What may become of an item → what that means, in a few words; in a summary's order."""

    options_class: ClassVar[type[GeneratorOptions]] = GeneratorOptions
    """What a user can choose."""

    recorded_options: ClassVar[Sequence[str]] = ()
    """The options that `begin` writes into the provenance of every result, in this order."""

    verdicts: ClassVar[Sequence[type[PointedVerdict]]] = ()
    """Those whose points prompts list: `{{ Verdict.points }}`, with the name of the class."""

    templates: ClassVar[Mapping[str, str]] = {}
    """Prompt templates by name, of a generator that has them in its module."""

    def __init__(self, *, prompts: Mapping[str, str] | None = None, **options: Any) -> None:
        """Make a generator.

        Args:
            prompts: Sources of templates that replace its own, by name.
            options: By name; see the class's `options_class`.

        Raises:
            GeneratorError: An option or a template does not fit; the message says why.
        """
        self.options: Any = self.options_class.of(options)
        self.prompts = PromptSet.from_sources(self.name, self.prompt_sources(), prompts)

    @classmethod
    def prompt_sources(cls) -> Mapping[str, str]:
        """Return the sources of the prompts it ships with, by name; verdicts' points filled in."""
        sources = cls.templates or load_prompt_sources(cls.__module__.rpartition(".")[0])
        points = {verdict.__name__: verdict.render_points() for verdict in cls.verdicts}
        return {name: expand_points(source, points) for name, source in sources.items()}

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

    def begin(
        self,
        *,
        run: Mapping[str, str] | None = None,
        max_tokens: Mapping[Role, int] | None = None,
        **settings: Any,
    ) -> WorkState:
        """Return the working state of one item.

        Args:
            run: Values of prompts that are the same for every item of the run.
            max_tokens: The room for an answer, by who answers.
            settings: Choices that a reader of the result should know, beside `recorded_options`.
        """
        options = self.options.record()
        recorded = {name: options[name] for name in self.recorded_options}
        return WorkState(
            self.evidence(**settings, **recorded),
            self.prompts,
            run=run,
            max_tokens=max_tokens,
            without=options.get("without", ()),
        )

    @property
    def added_columns(self) -> tuple[str, ...]:
        """Columns of text that a finished row has beside those it came with, provenance apart."""
        return ()

    @abstractmethod
    def steps(self, item: Any) -> Steps[Finished | Rejected]:
        """Return the steps of one row or one document."""

    def item_from_columns(self, columns: Mapping[str, Any], *, line: int = 1) -> Item:
        """Return what `steps` takes, from plain values.

        Raises:
            DatasetError: The columns hold no usable conversation.
        """
        return row_from_record(dict(columns), line=line)

    def extractive_variant(self) -> "Generator":
        """Return the variant that works without a language model.

        Raises:
            UnsupportedModel: There is none, or not with these options.
        """
        raise UnsupportedModel(
            f"{self.name} needs a language model: name one "
            "with --model, such as --model anthropic:claude-opus-5-5"
        )

    def mock_reply(self, ask: Ask, item: Any, *, at_stake: bool = True) -> Reply:
        """Return what stands for a model's answer where a dry run walks the steps.

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
        answer = self.typical_answer(ask, item, at_stake=at_stake)
        return make_mock_reply(ask, answer if isinstance(answer, str) else answer.model_dump_json())

    def typical_answer(self, ask: Ask, item: Any, *, at_stake: bool) -> str | BaseModel:
        """Return a typical answer to a step; arguments and errors as of `mock_reply`.

        That is the example of the ask's schema; a generator says what its texts are like. An
        answer need only be of a typical length and let the steps go on: nothing of it is kept.
        """
        try:
            if ask.schema is not None and issubclass(ask.schema, JudgeAnswer):
                return ask.schema.example(at_stake=at_stake)
        except NotImplementedError:
            pass
        raise GeneratorError(
            f"generator {self.name!r} has no mock reply for {ask.step}: it has no dry run"
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
        from ._langchain import BoundGenerator, coerce_model

        writer = coerce_model(model)
        return BoundGenerator.from_generator(
            self, writer, coerce_model(judge) if judge else writer, retriever
        )


def list_generators() -> dict[str, str]:
    """Return the names of all installed generators, each with the distribution it comes from."""
    return {
        entry.name: entry.dist.name if entry.dist else ""
        for entry in sorted(entry_points(group=ENTRY_POINT_GROUP), key=lambda entry: entry.name)
    }


def load_generator_class(name: str) -> type[Generator]:
    """Return an installed generator's class by its name.

    Raises:
        GeneratorError: No generator of that name is installed, or what is cannot be loaded; the
            message says which are.
    """
    found = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    if name not in found:
        raise GeneratorError(f"no generator {name!r}; installed: {', '.join(sorted(found))}")
    try:
        loaded = found[name].load()
    except Exception as error:
        raise GeneratorError(f"generator {name!r} cannot be loaded: {error}") from error
    if not (isinstance(loaded, type) and issubclass(loaded, Generator)):
        raise GeneratorError(f"generator {name!r} is not a subclass of whyset.generators.Generator")
    return loaded


# ---- Generators that write documents from briefs, in two stages: ideas, then texts.

IDEAS = "ideas"
"""The column that the idea stage ends in, and its outcome."""


@dataclass(frozen=True, slots=True)
class Ideas:
    """What the idea stage came to, for one context.

    Attributes:
        texts: The ideas, each for one document; at least one.
        evidence: What they rest on.
        variety: Axis → value, where the stage has found out what a number drawn stands for.
    """

    texts: tuple[str, ...]
    evidence: Evidence
    variety: Mapping[str, str]


class DocumentGenerator(Generator):
    """Writes documents: each from a brief, which a plan draws or a person states.

    Where a generator has an idea stage, a corpus is made in two passes: ideas first, so that
    near-duplicates are found while they are cheap, then one document an idea.
    """

    input_kind = "briefs"

    has_ideas: ClassVar[bool] = True
    """Whether there is an idea stage."""

    text_column: ClassVar[str] = "text"
    """The column that near-duplicates are found by, and lengths counted of."""

    @property
    @abstractmethod
    def axes(self) -> tuple[Axis, ...]:
        """The ways in which documents differ, with this generator's options."""

    @property
    @abstractmethod
    def typical_tokens(self) -> int:
        """About how long a document is, in tokens: how many make 3M follows from it."""

    @abstractmethod
    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one document; a brief without an idea gets one first."""

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        """Return the steps of the idea stage.

        Args:
            brief: The context: a brief without an idea.
            count: How many ideas are wanted, each for one document.
        """
        raise NotImplementedError(f"{self.name} has no idea stage")

    def document_text(self, columns: Mapping[str, Any]) -> str:
        """Return the text of a finished document, for comparing it with others."""
        return str(columns[self.text_column])

    def item_from_columns(self, columns: Mapping[str, Any], *, line: int = 1) -> Brief:
        """Return the brief that plain values make.

        Raises:
            GeneratorError: They make none.
        """
        return brief_from_record(columns, line=line)


class IdeaStage(Generator):
    """The idea stage of a document generator, as a generator of its own for the engines.

    What it finishes has two columns: `ideas`, a list of texts, and `variety`.
    """

    input_kind = "briefs"
    outcomes = {IDEAS: "ideas for documents"}

    def __init__(self, generator: DocumentGenerator, *, count: int) -> None:
        """Make the stage.

        Args:
            generator: Whose stage it is.
            count: How many ideas are wanted of each context.
        """
        self.generator = generator
        self.count = count

    # Of a class in every other generator, of what a stage is made of here.
    @property
    def name(self) -> str:  # type: ignore[override]
        """The generator's."""
        return self.generator.name

    @property
    def version(self) -> str:  # type: ignore[override]  # as `name`
        """The generator's."""
        return self.generator.version

    @property
    def identity(self) -> str:
        """The generator's, and how many ideas are wanted."""
        return f"{IDEAS} {self.count} {self.generator.identity}"

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one context."""
        ended = yield from self.generator.idea_steps(item, count=self.count)
        if isinstance(ended, Rejected):
            return ended
        columns = {IDEAS: list(ended.texts), "variety": dict(ended.variety)}
        return Finished(IDEAS, columns, None, ended.evidence)

    def mock_reply(self, ask: Ask, item: Brief, *, at_stake: bool = True) -> Reply:
        """Return the generator's typical answer."""
        return self.generator.mock_reply(ask, item, at_stake=at_stake)
