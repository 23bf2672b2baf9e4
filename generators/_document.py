"""The base of generators that write documents from briefs, in two stages: ideas, then texts."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from ._axes import Axis
from ._brief import Brief, brief_from_record
from ._generator import Generator
from ._result import Evidence, Finished, Rejected
from ._steps import Ask, Reply, Steps

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

    takes = "briefs"

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
        """About how long a document is, in tokens: from it a plan tells how many make 3M."""

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

    def text_of(self, columns: Mapping[str, Any]) -> str:
        """Return the text of a finished document, for comparing it with others."""
        return str(columns[self.text_column])

    def item(self, columns: Mapping[str, Any], *, line: int = 1) -> Brief:
        """Return the brief that plain values make.

        Raises:
            GeneratorError: They make none.
        """
        return brief_from_record(columns, line=line)


class IdeaStage(Generator):
    """The idea stage of a document generator, as a generator of its own for the engines.

    What it finishes has two columns: `ideas`, a list of texts, and `variety`.
    """

    takes = "briefs"
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

    def rehearse(self, ask: Ask, item: Brief, *, at_stake: bool = True) -> Reply:
        """Return the generator's typical answer."""
        return self.generator.rehearse(ask, item, at_stake=at_stake)
