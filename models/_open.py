"""From what a user types to a model."""

import inspect
from collections.abc import Callable
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Any

from whyset.errors import ModelError

if TYPE_CHECKING:
    from whyset.generators import Model

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
