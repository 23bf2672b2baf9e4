"""Driving steps: the loop that answers asks and finds until there is a result."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from whyset.retriever import Grounding

from ._steps import Ask, Fetch, Find, Reply, Steps, Usage

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Driven(Generic[Result]):
    """A result, and the tokens that its replies took together."""

    result: Result
    usage: Usage


def drive(
    steps: Steps[Result],
    answer: Callable[[Ask], Reply],
    find: Callable[[Find | Fetch], Grounding],
) -> Driven[Result]:
    """Run steps to their end; what `answer` and `find` raise ends them and is passed on."""
    usage, sent = Usage(), None
    while True:
        try:
            question = next(steps) if sent is None else steps.send(sent)
        except StopIteration as end:
            return Driven(end.value, usage)
        sent = answer(question) if isinstance(question, Ask) else find(question)
        usage = _counted(usage, sent)


async def adrive(
    steps: Steps[Result],
    answer: Callable[[Ask], Awaitable[Reply]],
    find: Callable[[Find | Fetch], Awaitable[Grounding]],
) -> Driven[Result]:
    """Run steps to their end, asynchronously; otherwise as `drive`."""
    usage, sent = Usage(), None
    while True:
        try:
            question = next(steps) if sent is None else steps.send(sent)
        except StopIteration as end:
            return Driven(end.value, usage)
        sent = await (answer(question) if isinstance(question, Ask) else find(question))
        usage = _counted(usage, sent)


def _counted(usage: Usage, sent: Reply | Grounding) -> Usage:
    return usage + sent.usage if isinstance(sent, Reply) else usage
