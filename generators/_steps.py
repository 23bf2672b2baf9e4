"""What a generator's steps yield, what they are sent, who answers, and the loop that runs them.

A generator never calls a model or an index. Its steps are a plain Python generator that yields an
`Ask`, a `Find` or a `Fetch` and is sent a `Reply` or a `Grounding`, until it returns its result;
whoever runs it does the input and output. (httpx does this for authentication flows, h11 for
HTTP.)
"""

import hashlib
import json
from collections.abc import Awaitable, Callable
from collections.abc import Generator as PythonGenerator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, Literal, Protocol, TypeVar, runtime_checkable

import orjson

from whyset.retriever import FetchScope, Grounding

if TYPE_CHECKING:
    from pydantic import BaseModel


Role = Literal["writer", "judge"]
"""Who an ask is for: a writer answers with the text itself, a judge by a schema."""

StopReason = Literal["complete", "truncated", "refused", "other"]
"""Why a reply ended. Only `complete` is ever used; `other` covers every other end."""


@dataclass(frozen=True, slots=True)
class Find:
    """A request for passages.

    Attributes:
        texts: What the passages should bear on; several texts (the turns of a conversation) are
            found together and their results fused.
        k: How many passages are wanted.
    """

    texts: tuple[str, ...]
    k: int


@dataclass(frozen=True, slots=True)
class Fetch:
    """A request for passages by name.

    Attributes:
        ids: The passages wanted.
        scope: What comes along behind them.
    """

    ids: tuple[str, ...]
    scope: FetchScope = "passages"


@dataclass(frozen=True, slots=True)
class Turn:
    """A message that precedes an ask's own, where a model answers within a conversation."""

    role: Literal["user", "assistant"]
    text: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that a model has at hand while it answers; a reply that calls it is not complete.

    Attributes:
        name: What it is called by.
        description: What it does.
        parameters: The JSON Schema of its arguments, as JSON text.
    """

    name: str
    description: str
    parameters: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a model.

    Attributes:
        role: Who should answer.
        step: The prompt it was rendered from, such as `deliberation/write`.
        system: What is the same for every ask of the step; it comes first, so that a provider
            can cache it.
        user: What is this row's own.
        max_tokens: The room for the answer.
        schema: What the answer must parse as; its text is then JSON. `None` for prose.
        grounding: The passages the ask shows, for those who answer without a language model.
        sample: Tells apart several answers wanted to the same question.
        turns: What was said before `user`, oldest first; roles alternate and a user begins.
        tools: What the model has at hand.
        is_completion: Whether `user` is the beginning of a text that a base model is to continue,
            instead of a message that is to be answered.
    """

    role: Role
    step: str
    system: str
    user: str
    max_tokens: int
    schema: "type[BaseModel] | None" = None
    grounding: Grounding | None = field(default=None, repr=False)
    sample: int = 0
    turns: tuple[Turn, ...] = ()
    tools: tuple[Tool, ...] = ()
    is_completion: bool = False

    @property
    def name(self) -> str:
        """The step's name within its generator, such as `write`."""
        return self.step.rpartition("/")[2]

    def key(self, model_identity: str) -> str:
        """Return the digest of everything that could change the reply: 64 hex digits.

        Role and step are left out: they choose a model and a prompt, which are in it.

        Args:
            model_identity: `Model.identity` of the model that is to answer.
        """
        parts: list[object] = [
            model_identity,
            self.system,
            self.user,
            self.max_tokens,
            _schema_json(self.schema) if self.schema else None,
            _grounding_key(self.grounding) if self.grounding else None,
            self.sample,
        ]
        # Left out where there is nothing, so that what was paid for before there could be is
        # found again.
        if self.turns or self.tools or self.is_completion:
            parts.append([(turn.role, turn.text) for turn in self.turns])
            parts.append([(tool.name, tool.description, tool.parameters) for tool in self.tools])
            parts.append(self.is_completion)
        try:
            text = orjson.dumps(parts)
        except TypeError:  # half a surrogate pair, which JSON can escape but not hold
            text = json.dumps(parts).encode()
        return hashlib.sha256(text).hexdigest()


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens a reply took.

    Attributes:
        input_tokens: Read at the full price; cached ones not included.
        output_tokens: Written, reasoning included.
        cache_read_tokens: Read from the provider's prompt cache.
        cache_write_tokens: Written to the provider's prompt cache.
    """

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.cache_read_tokens + other.cache_read_tokens,
            self.cache_write_tokens + other.cache_write_tokens,
        )


@dataclass(frozen=True, slots=True)
class RateLimit:
    """How much of something a provider still grants.

    Attributes:
        remaining: How many requests or tokens are left.
        reset_seconds: Seconds until there are more.
    """

    remaining: int
    reset_seconds: float


@dataclass(frozen=True, slots=True)
class RateLimits:
    """What a provider said it still grants, of each kind that it reports."""

    requests: RateLimit | None = None
    input_tokens: RateLimit | None = None
    output_tokens: RateLimit | None = None


@dataclass(frozen=True, slots=True)
class Reply:
    """A model's answer to one ask.

    Attributes:
        text: The answer: prose, or JSON where the ask had a schema.
        stop_reason: Why it ended; anything but `complete` must not be used as an answer.
        usage: What it took.
        model: The model as the provider named it.
        detail: What the provider said of an answer that did not end well.
        rate_limits: What the provider said of its limits along with it; no part of the answer.
    """

    text: str
    stop_reason: StopReason
    usage: Usage = Usage()
    model: str = ""
    detail: str = ""
    rate_limits: RateLimits | None = field(default=None, repr=False, compare=False)


Result = TypeVar("Result")
Steps = PythonGenerator[Ask | Find | Fetch, Reply | Grounding, Result]
"""The asks, finds and fetches of one row or document in order, ending in a result."""


@runtime_checkable
class Model(Protocol):
    """Who answers asks.

    `answer` and `aanswer` make one attempt. What they raise is a `ModelError` of `whyset.errors`,
    by what the caller should do about it. A model whose asks LangChain's callbacks see without our
    help says so by an attribute `traced` that is true.
    """

    @property
    def name(self) -> str:
        """`provider:model`, as the user wrote it."""

    @property
    def identity(self) -> str:
        """The model and the parameters that could change a reply; part of every ask's key."""

    @property
    def is_extractive(self) -> bool:
        """Whether it only selects and quotes, and can weigh nothing."""

    def answer(self, ask: Ask) -> Reply:
        """Answer one ask."""

    async def aanswer(self, ask: Ask) -> Reply:
        """Answer one ask, asynchronously."""

    async def aclose(self) -> None:
        """Release connections."""


def _grounding_key(grounding: Grounding) -> list[object]:
    """Return what a model that quotes may see of a grounding; its scores only order it."""
    passages = [(found.passage.id, found.matched_text) for found in grounding.passages]
    return [grounding.digest, grounding.queries, passages]


@lru_cache
def _schema_json(schema: "type[BaseModel]") -> str:
    return json.dumps(schema.model_json_schema(), sort_keys=True)


# ---- The loop that answers asks and finds until there is a result.


@dataclass(frozen=True, slots=True)
class StepsResult(Generic[Result]):
    """A result, and the tokens that its replies took together."""

    result: Result
    usage: Usage


def run_steps(
    steps: Steps[Result],
    answer: Callable[[Ask], Reply],
    find: Callable[[Find | Fetch], Grounding],
) -> StepsResult[Result]:
    """Run steps to their end; what `answer` and `find` raise ends them and is passed on."""
    usage, sent = Usage(), None
    while True:
        try:
            question = next(steps) if sent is None else steps.send(sent)
        except StopIteration as end:
            return StepsResult(end.value, usage)
        sent = answer(question) if isinstance(question, Ask) else find(question)
        usage = _add_usage(usage, sent)


async def arun_steps(
    steps: Steps[Result],
    answer: Callable[[Ask], Awaitable[Reply]],
    find: Callable[[Find | Fetch], Awaitable[Grounding]],
) -> StepsResult[Result]:
    """Run steps to their end, asynchronously; otherwise as `run_steps`."""
    usage, sent = Usage(), None
    while True:
        try:
            question = next(steps) if sent is None else steps.send(sent)
        except StopIteration as end:
            return StepsResult(end.value, usage)
        sent = await (answer(question) if isinstance(question, Ask) else find(question))
        usage = _add_usage(usage, sent)


def _add_usage(usage: Usage, sent: Reply | Grounding) -> Usage:
    return usage + sent.usage if isinstance(sent, Reply) else usage
