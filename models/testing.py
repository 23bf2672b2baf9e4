"""A model that answers from a script, for tests; no shipped module imports this one."""

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias, Union

from whyset.generators import Ask, Reply, Usage

if TYPE_CHECKING:
    from pydantic import BaseModel

ScriptedReply: TypeAlias = Union[str, Reply, Exception, "BaseModel"]
"""What a script says to one ask: text, a whole reply, an error to raise, or structured output."""

Script: TypeAlias = (
    Iterable[ScriptedReply | Callable[[Ask], ScriptedReply]] | Callable[[Ask], ScriptedReply]
)
"""Lines for one ask each, or a function that has one for every ask."""


class ScriptExhausted(AssertionError):
    """The model was asked more often than its script has lines."""


class ScriptedModel:
    """A `Model` that answers from a script and records every ask.

    Args:
        replies: One line for each ask, in order (a line may be a function of the ask), or a
            function that answers every ask.
        name: Its name and identity.
        usage: The usage of every reply given as text or structured output.
        extractive: Whether to pass for a model that only quotes.

    Attributes:
        asks: Every ask so far, in order.
        closed: How many times `aclose` was awaited.
    """

    def __init__(
        self,
        replies: Script = (),
        *,
        name: str = "scripted:model",
        usage: Usage = Usage(input_tokens=10, output_tokens=5),
        extractive: bool = False,
    ) -> None:
        self._every = replies if callable(replies) else None
        self._lines = deque(() if callable(replies) else replies)
        self._name = name
        self._usage = usage
        self._extractive = extractive
        self._lock = threading.Lock()
        self.asks: list[Ask] = []
        self.closed = 0

    def __repr__(self) -> str:
        return f"ScriptedModel({self._name!r}, {len(self.asks)} asked, {self.remaining} to go)"

    @property
    def name(self) -> str:
        """The name it was given."""
        return self._name

    @property
    def identity(self) -> str:
        """The name again."""
        return self._name

    @property
    def is_extractive(self) -> bool:
        """Whether it passes for a model that only quotes."""
        return self._extractive

    @property
    def remaining(self) -> int:
        """How many lines are left; 0 where a function answers."""
        return len(self._lines)

    def answer(self, ask: Ask) -> Reply:
        """Answer with the next line.

        Raises:
            ScriptExhausted: There is none.
            Exception: The line is an error.
        """
        with self._lock:
            self.asks.append(ask)
            if self._every is None and not self._lines:
                raise ScriptExhausted(
                    f"The script has no line for ask {len(self.asks)} ({ask.step}): {ask.user!r}"
                )
            line = self._every or self._lines.popleft()
        said = line(ask) if callable(line) else line
        if isinstance(said, Exception):
            raise said
        if isinstance(said, Reply):
            return said
        text = said if isinstance(said, str) else said.model_dump_json()
        return Reply(text=text, stop_reason="complete", usage=self._usage, model=self._name)

    async def aanswer(self, ask: Ask) -> Reply:
        """Do what `answer` does."""
        return self.answer(ask)

    async def aclose(self) -> None:
        """Count that it was closed."""
        self.closed += 1
