"""From what a user types, or a caller has, to a model that asks again after temporary faults."""

import asyncio
import inspect
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from whyset.errors import RETRYABLE_ERRORS, ModelError
from whyset.generators import Ask, Model, Reply

ENTRY_POINT_GROUP = "whyset.models"
"""The entry-point group that providers arrive by."""

_PROVIDER_BY_PREFIX = (("claude", "anthropic"), ("gpt", "openai"), ("gemini", "google_genai"))
_MAX_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter (Brooker, "Exponential Backoff and Jitter", 2015).

    Attributes:
        attempts: How often an ask is sent at most, 1 or more.
        initial_wait: The longest wait before the second attempt, in seconds; doubled each time.
        max_wait: No wait of our own is longer than this, in seconds.
        max_retry_after: A provider's `retry-after` is honoured up to this many seconds.
        max_outage: A run whose provider answered before and no longer does waits up to this many
            seconds for its return; attempts are not counted meanwhile.
    """

    attempts: int = 8
    initial_wait: float = 1.0
    max_wait: float = 60.0
    max_retry_after: float = 600.0
    max_outage: float = 3600.0

    def __post_init__(self) -> None:
        """Refuse what cannot be followed."""
        if self.attempts < 1:
            raise ModelError(f"An ask is sent at least once, not {self.attempts} times.")
        for name in ("initial_wait", "max_wait", "max_retry_after", "max_outage"):
            if not getattr(self, name) >= 0:
                raise ModelError(f"{name} must be 0 seconds or more, not {getattr(self, name)}.")

    def compute_wait(self, failed: int, retry_after: float | None) -> float:
        """Return the seconds to wait after an attempt failed.

        Args:
            failed: How many attempts have failed so far, at least 1.
            retry_after: What the provider asked for, in seconds.
        """
        doublings = min(failed - 1, _MAX_DOUBLINGS)
        jittered = random.uniform(0, min(self.initial_wait * 2**doublings, self.max_wait))
        if retry_after is None:
            return jittered
        # A little later than asked for, so that not everybody comes back at once.
        return min(retry_after, self.max_retry_after) + min(jittered, 1.0)


def default_model_name() -> str:
    """Return the model used where none is named: always `extractive`.

    Also where a key is set: a key in the environment is no consent to spend on it. A caller that
    falls back on it says that no language model was asked, and how to name one.
    """
    return "extractive"


def open_model(
    spec: str,
    *,
    effort: str | None = None,
    base_url: str | None = None,
    timeout: float | None = None,
) -> "Model":
    """Open the model a user named.

    `extractive` quotes the constitution without a language model; `anthropic:MODEL` goes through
    Anthropic's own SDK; any other `provider:model` through LangChain, and so does everything
    behind `langchain:`, as in `langchain:anthropic:MODEL`. `completion:openai:NAME` is a base
    model on a server that speaks OpenAI's `/v1/completions` (vLLM and others; `base_url` or
    `OPENAI_BASE_URL` says where): it only continues texts; for anything else name a chat model
    beside it. Further providers arrive by the entry-point group `whyset.models`: its names are
    the prefixes, its values are callables that take what follows the colon and return a `Model`.
    The built-in ones arrive the same way.

    Args:
        spec: The model, such as `anthropic:claude-opus-5-5`.
        effort: How much the model should put into an answer, such as `low` or `high`; the
            provider's default without it.
        base_url: Where to send requests, instead of the provider's own address and variables.
        timeout: Seconds after which an attempt is given up; the adapter's default without it.

    Raises:
        ModelError: The name or its provider is unknown, a package or a key is missing, or the
            model does not take an option. The message says what to type.
    """
    provider, colon, model = spec.strip().partition(":")
    providers = {entry.name: entry for entry in entry_points(group=ENTRY_POINT_GROUP)}
    entry = providers.get(provider)
    if entry is None:
        if not colon:
            raise ModelError(_describe_unknown(spec, sorted(providers)))
        entry, model = providers["langchain"], spec.strip()
    opener = _load_opener(entry)
    wanted = {"effort": effort, "base_url": base_url, "timeout": timeout}
    options: dict[str, Any] = {name: value for name, value in wanted.items() if value is not None}
    if provider == "langchain":
        options["name"] = spec.strip()
    _require_options(spec, opener, options)
    opened: Model = opener(model, **options)
    return opened


def _load_opener(entry: EntryPoint) -> Callable[..., Any]:
    try:
        opener: Callable[..., Any] = entry.load()
    except Exception as error:
        raise ModelError(
            f"The provider {entry.name!r} ({entry.value}) cannot be loaded: {error}"
        ) from error
    return opener


def _require_options(spec: str, opener: Callable[..., Any], options: dict[str, Any]) -> None:
    """Raise where a provider does not take an option, before it raises a `TypeError`."""
    try:
        inspect.signature(opener).bind("", **options)
    except TypeError as error:
        named = " and ".join(sorted(options))
        raise ModelError(f"{spec} does not take {named}.") from error
    except ValueError:
        return  # written in C: no signature to look at


def _describe_unknown(spec: str, known: list[str]) -> str:
    for prefix, provider in _PROVIDER_BY_PREFIX:
        if spec.lower().startswith(prefix):
            return f"{spec!r} names no provider: write {provider}:{spec}."
    return (
        f"{spec!r} is no model: write provider:model, such as anthropic:claude-opus-5-5, or "
        f"extractive. Known here: {', '.join(known)}, and LangChain's providers."
    )


def coerce_model(model: Any, *, retries: RetryPolicy = RetryPolicy()) -> Model:
    """Return a `Model` that asks again after temporary faults.

    Args:
        model: A `provider:model` string, a LangChain chat model, a LangChain completion model
            (`BaseLLM`) or a `Model`.
        retries: When and how often to ask again; replaces an earlier policy.

    Raises:
        ModelError: It cannot be opened, or is nothing that answers.
    """
    if isinstance(model, RetryingModel):
        model = model.wrapped
    elif isinstance(model, str):
        model = open_model(model)
    elif not isinstance(model, Model):
        model = _wrap_langchain(model)
    return RetryingModel(model, retries)


def _wrap_langchain(model: Any) -> Model:
    if not callable(getattr(model, "with_structured_output", None)):
        raise ModelError(
            f"A {type(model).__name__} is not a model: give provider:model, a LangChain "
            "chat or completion model, or a whyset.generators.Model."
        )
    from langchain_core.language_models import BaseLLM

    if isinstance(model, BaseLLM):
        from ._completion import CompletionModel

        return CompletionModel(model)
    from ._langchain import LangChainModel

    return LangChainModel(model)


class RetryingModel:
    """A model that is asked again after temporary faults; otherwise the model itself.

    Args:
        model: Who answers.
        retries: When and how often it is asked again.

    Attributes:
        wrapped: The model itself.
    """

    def __init__(self, model: Model, retries: RetryPolicy) -> None:
        self.wrapped = model
        self._retries = retries

    def __repr__(self) -> str:
        return f"RetryingModel({self.wrapped!r}, {self._retries!r})"

    @property
    def name(self) -> str:
        """The model's own."""
        return self.wrapped.name

    @property
    def identity(self) -> str:
        """The model's own: retries change no reply."""
        return self.wrapped.identity

    @property
    def is_extractive(self) -> bool:
        """The model's own."""
        return self.wrapped.is_extractive

    @property
    def traced(self) -> bool:
        """Whether LangChain's callbacks see the model's asks already."""
        return bool(getattr(self.wrapped, "traced", False))

    def answer(self, ask: Ask) -> Reply:
        """Answer one ask, in as many attempts as the policy allows.

        Raises:
            ModelError: The last attempt's error, or the first one that is not temporary.
        """
        for failed in range(1, self._retries.attempts):
            try:
                return self.wrapped.answer(ask)
            except RETRYABLE_ERRORS as error:
                time.sleep(self._retries.compute_wait(failed, error.retry_after))
        return self.wrapped.answer(ask)

    async def aanswer(self, ask: Ask) -> Reply:
        """Answer one ask, asynchronously; as `answer`."""
        for failed in range(1, self._retries.attempts):
            try:
                return await self.wrapped.aanswer(ask)
            except RETRYABLE_ERRORS as error:
                await asyncio.sleep(self._retries.compute_wait(failed, error.retry_after))
        return await self.wrapped.aanswer(ask)

    async def aclose(self) -> None:
        """Release the model's connections."""
        await self.wrapped.aclose()
