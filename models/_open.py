"""From what a user types to a model."""

import asyncio
import inspect
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from whyset.errors import RETRYABLE, ModelError
from whyset.generators import Ask, Model, Reply

# ---- When to ask again, and how long to wait before it.

_MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter (Brooker, "Exponential Backoff and Jitter", 2015).

    Attributes:
        attempts: How often an ask is sent at most, at least once.
        first_wait: The longest wait before the second attempt, in seconds; doubled each time.
        longest_wait: No own wait is longer than this, in seconds.
        longest_obeyed: A provider's `retry-after` is honoured up to this many seconds.
        longest_outage: A run whose provider answered before and now answers nobody waits up to
            this many seconds for its return; attempts are not counted meanwhile.
    """

    attempts: int = 8
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_obeyed: float = 600.0
    longest_outage: float = 3600.0

    def __post_init__(self) -> None:
        """Refuse what nobody could follow."""
        if self.attempts < 1:
            raise ModelError(f"An ask is sent at least once, not {self.attempts} times.")
        for name in ("first_wait", "longest_wait", "longest_obeyed", "longest_outage"):
            if not getattr(self, name) >= 0:
                raise ModelError(f"{name} must be 0 seconds or more, not {getattr(self, name)}.")

    def wait(self, failed: int, retry_after: float | None) -> float:
        """Return the seconds to wait after an attempt failed.

        Args:
            failed: How many attempts have failed so far, at least 1.
            retry_after: What the provider asked for, in seconds.
        """
        doublings = min(failed - 1, _MOST_DOUBLINGS)
        jittered = random.uniform(0, min(self.first_wait * 2**doublings, self.longest_wait))
        if retry_after is None:
            return jittered
        # A little later than asked for, so that all who were told the same do not come at once.
        return min(retry_after, self.longest_obeyed) + min(jittered, 1.0)


GROUP = "whyset.models"
"""The entry-point group that providers arrive by."""

_GUESSES = (("claude", "anthropic"), ("gpt", "openai"), ("gemini", "google_genai"))


def default_model_name() -> str:
    """Return the model used where none is named: always `extractive`.

    Also where a key is set: a key in the environment is no consent to spend on it. Whoever uses
    this says aloud that no language model was asked, and how to name one.
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

    `extractive` quotes the constitution and asks nobody; `anthropic:MODEL` goes through
    Anthropic's own SDK; any other `provider:model` through LangChain, and so does everything
    behind `langchain:`, as in `langchain:anthropic:MODEL`. `completion:openai:NAME` is a base
    model on a server that speaks OpenAI's `/v1/completions` (vLLM and others; `base_url` or
    `OPENAI_BASE_URL` says where): it only goes on with texts, so that what asks for anything else
    needs a chat model beside it. Further providers arrive by the entry-point group
    `whyset.models`: its names are the prefixes, its values are callables that take what follows
    the colon and return a `Model`. The built-in ones use the same door.

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
    door = _doors().get(provider)
    if door is None and not colon:
        raise ModelError(_no_provider(spec))
    wanted = {"effort": effort, "base_url": base_url, "timeout": timeout}
    options = {name: value for name, value in wanted.items() if value is not None}
    if door is None:
        door, model = _doors()["langchain"], spec.strip()
    opener = _load(door)
    if provider == "langchain":
        options["name"] = spec.strip()
    _require_options(spec, opener, options)
    opened: Model = opener(model, **options)
    return opened


def _doors() -> dict[str, EntryPoint]:
    return {door.name: door for door in entry_points(group=GROUP)}


def _load(door: EntryPoint) -> Callable[..., Any]:
    try:
        opener: Callable[..., Any] = door.load()
    except Exception as error:
        raise ModelError(
            f"The provider {door.name!r} ({door.value}) cannot be loaded: {error}"
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


def _no_provider(spec: str) -> str:
    named = ", ".join(sorted(_doors()))
    for start, provider in _GUESSES:
        if spec.lower().startswith(start):
            return f"{spec!r} names no provider: write {provider}:{spec}."
    return (
        f"{spec!r} is no model: write provider:model, such as anthropic:claude-opus-5-5, or "
        f"extractive. Known here: {named}, and LangChain's providers."
    )


# ---- Whatever a caller has that can answer → a `Model` that also bides its time.


def adopt(model: Any, *, retries: RetryPolicy = RetryPolicy()) -> Model:
    """Return a `Model` that asks again after passing faults.

    Args:
        model: A `provider:model` string, a LangChain chat model, a LangChain completion model
            (`BaseLLM`) or a `Model`.
        retries: When and how often to ask again; takes the place of an earlier adoption's.

    Raises:
        ModelError: It cannot be opened, or is nothing that answers.
    """
    if isinstance(model, PatientModel):
        return PatientModel(model.patient_for, retries)
    if isinstance(model, str):
        return PatientModel(open_model(model), retries)
    if isinstance(model, Model):
        return PatientModel(model, retries)
    if not callable(getattr(model, "with_structured_output", None)):
        raise ModelError(
            f"A {type(model).__name__} is nothing that answers: give provider:model, a LangChain "
            "chat or completion model, or a whyset.generators.Model."
        )
    from ._completion import CompletionModel, completes
    from ._langchain import LangChainModel

    if completes(model):
        return PatientModel(CompletionModel(model), retries)
    return PatientModel(LangChainModel(model), retries)


class PatientModel:
    """A model whose passing faults are waited out; otherwise the model itself.

    Args:
        model: Who answers.
        retries: When and how often it is asked again.

    Attributes:
        patient_for: The model itself.
    """

    def __init__(self, model: Model, retries: RetryPolicy) -> None:
        self.patient_for = model
        self._retries = retries

    def __repr__(self) -> str:
        return f"PatientModel({self.patient_for!r}, {self._retries!r})"

    @property
    def name(self) -> str:
        """The model's own."""
        return self.patient_for.name

    @property
    def identity(self) -> str:
        """The model's own: patience changes no reply."""
        return self.patient_for.identity

    @property
    def extractive(self) -> bool:
        """The model's own."""
        return self.patient_for.extractive

    @property
    def traced(self) -> bool:
        """Whether LangChain's callbacks see the model's asks without anybody's help."""
        return bool(getattr(self.patient_for, "traced", False))

    def answer(self, ask: Ask) -> Reply:
        """Answer one ask, in as many attempts as the policy allows.

        Raises:
            ModelError: The last attempt's error, or the first one that waiting cannot mend.
        """
        for failed in range(1, self._retries.attempts):
            try:
                return self.patient_for.answer(ask)
            except RETRYABLE as error:
                time.sleep(self._retries.wait(failed, error.retry_after))
        return self.patient_for.answer(ask)

    async def aanswer(self, ask: Ask) -> Reply:
        """Answer one ask, asynchronously; as `answer`."""
        for failed in range(1, self._retries.attempts):
            try:
                return await self.patient_for.aanswer(ask)
            except RETRYABLE as error:
                await asyncio.sleep(self._retries.wait(failed, error.retry_after))
        return await self.patient_for.aanswer(ask)

    async def aclose(self) -> None:
        """Release the model's connections."""
        await self.patient_for.aclose()
