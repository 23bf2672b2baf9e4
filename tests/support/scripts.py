"""Scripts by step for any generator, and how its steps went."""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from whyset.constitution import Constitution
from whyset.generators import (
    Ask,
    Brief,
    DocumentGenerator,
    Fetch,
    Find,
    Finished,
    Generator,
    Ideas,
    Item,
    Rejected,
    Reply,
    Steps,
    Usage,
    add_provenance,
    arun_steps,
    run_steps,
)
from whyset.models.testing import ScriptedModel, ScriptedReply
from whyset.retriever import Grounding, fetch_passages
from whyset.retriever.testing import FakeSearcher

ScriptLine = ScriptedReply | Callable[[Ask], ScriptedReply]
Script = Mapping[str, ScriptLine | list[ScriptLine]]
"""Step → what is said to it: a list in order, anything else every time. A step that is not named
must not be asked."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class ScriptedRun(Generic[Result]):
    """How steps went.

    Attributes:
        result: What they ended in.
        usage: The tokens their replies took.
        asks: Every ask, in order.
        wanted: Every request for passages, in order.
    """

    result: Result
    usage: Usage
    asks: list[Ask]
    wanted: list[Find | Fetch]

    @property
    def steps(self) -> list[str]:
        """The steps that were asked, in order, without the generator's name."""
        return [ask.step.rsplit("/", 1)[-1] for ask in self.asks]

    @property
    def finished(self) -> Finished:
        """The result, which must be finished."""
        assert isinstance(self.result, Finished), self.result
        return self.result

    @property
    def rejected(self) -> Rejected:
        """The result, which must be a rejection."""
        assert isinstance(self.result, Rejected), self.result
        return self.result

    @property
    def ideas(self) -> Ideas:
        """The result, which must be ideas."""
        assert isinstance(self.result, Ideas), self.result
        return self.result

    @property
    def column(self) -> dict[str, Any]:
        """The `whyset` column of the result, which must be finished."""
        names = {"writer": "scripted:writer", "judge": "scripted:judge"}
        written = add_provenance(self.finished, usage=self.usage, models=names)
        column: dict[str, Any] = written["whyset"]
        return column

    def ask(self, step: str) -> Ask:
        """Return the one ask of a step."""
        (found,) = self.asks_of(step)
        return found

    def asks_of(self, step: str) -> list[Ask]:
        """Return every ask of a step."""
        return [ask for ask in self.asks if ask.step.rsplit("/", 1)[-1] == step]


class StepScriptedModel(ScriptedModel):
    """A model that answers each step by its own lines, and fails on any other."""

    def __init__(self, script: Script) -> None:
        self._said = {
            step: deque(said) if isinstance(said, list) else said for step, said in script.items()
        }
        super().__init__(self._line)

    @property
    def left(self) -> dict[str, int]:
        """How many lines of each list are left."""
        return {
            step: len(said) for step, said in self._said.items() if isinstance(said, deque) and said
        }

    def _line(self, ask: Ask) -> ScriptedReply:
        step = ask.step.rsplit("/", 1)[-1]
        assert step in self._said, f"nothing is written for this {ask.step}: {ask.user}"
        said = self._said[step]
        if isinstance(said, deque):
            assert said, f"nothing is left for this {ask.step}: {ask.user}"
            said = said.popleft()
        return said(ask) if callable(said) else said


def run_script(
    generator: DocumentGenerator,
    columns: Mapping[str, Any] | Brief,
    script: Script,
    *,
    constitution: Constitution,
    asynchronous: bool = False,
) -> ScriptedRun[Finished | Rejected]:
    """Run the steps of a document with what is written, all of which must be used."""
    brief = columns if isinstance(columns, Brief) else generator.item_from_columns(columns)
    return run_scripted_steps(
        generator.steps(brief), script, constitution=constitution, asynchronous=asynchronous
    )


def run_idea_script(
    generator: DocumentGenerator,
    columns: Mapping[str, Any] | Brief,
    script: Script,
    *,
    constitution: Constitution,
    count: int = 1,
    asynchronous: bool = False,
) -> ScriptedRun[Ideas | Rejected]:
    """Run the idea stage of a document, as `run_script` does."""
    brief = columns if isinstance(columns, Brief) else generator.item_from_columns(columns)
    return run_scripted_steps(
        generator.idea_steps(brief, count=count),
        script,
        constitution=constitution,
        asynchronous=asynchronous,
    )


def run_scripted_steps(
    steps: Steps[Result],
    script: Script,
    *,
    constitution: Constitution,
    relevance: float = 1.0,
    asynchronous: bool = False,
) -> ScriptedRun[Result]:
    """Run any steps with what is written, all of which must be used."""
    model = StepScriptedModel(script)
    wanted: list[Find | Fetch] = []
    find = make_finder(constitution, wanted, relevance=relevance)
    if asynchronous:

        async def afind(request: Find | Fetch) -> Grounding:
            return find(request)

        ended = asyncio.run(arun_steps(steps, model.aanswer, afind))
    else:
        ended = run_steps(steps, model.answer, find)
    assert not model.left, f"written and not asked for: {model.left}"
    return ScriptedRun(ended.result, ended.usage, model.asks, wanted)


def make_finder(
    constitution: Constitution,
    wanted: list[Find | Fetch] | None = None,
    *,
    relevance: float = 1.0,
) -> Callable[[Find | Fetch], Grounding]:
    """Return what answers finds and fetches of a small constitution, and notes each of them."""
    searcher = FakeSearcher(constitution, relevance=relevance)

    def find(request: Find | Fetch) -> Grounding:
        if wanted is not None:
            wanted.append(request)
        if isinstance(request, Fetch):
            return fetch_passages(constitution, request.ids, scope=request.scope)
        return searcher.find_passages([request.texts], k=request.k)[0]

    return find


def run_with_mock_replies(
    generator: Generator,
    item: Item,
    *,
    constitution: Constitution,
    at_stake: bool = True,
    steps: Steps[Result] | None = None,
) -> tuple[Any, list[tuple[Ask, Reply]]]:
    """Walk a document's or row's steps, or others of its generator's, with mock replies."""
    asked: list[tuple[Ask, Reply]] = []

    def answer(ask: Ask) -> Reply:
        reply = generator.mock_reply(ask, item, at_stake=at_stake)
        asked.append((ask, reply))
        return reply

    walked: Steps[Any] = steps or generator.steps(item)
    return run_steps(walked, answer, make_finder(constitution)).result, asked


class ScriptRunner(Protocol):
    """`run_script`, synchronously or asynchronously."""

    def __call__(
        self,
        generator: DocumentGenerator,
        columns: Mapping[str, Any] | Brief,
        script: Script,
        *,
        constitution: Constitution,
    ) -> ScriptedRun[Finished | Rejected]:
        """Run the steps of a document with what is written."""
