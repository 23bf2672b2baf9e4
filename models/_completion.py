"""A base model, which answers nothing and goes on with texts: any `BaseLLM` of LangChain's."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from langchain_core.language_models import BaseLLM
from langchain_core.outputs import LLMResult
from langchain_core.runnables.config import ensure_config
from pydantic import ValidationError

from whyset.errors import ModelError, ModelUnavailable
from whyset.generators import Ask, Reply, UnsupportedModel, Usage

from ._anthropic_messages import render_completion_prompt
from ._langchain import LangChainBase, describe_open_failure, model_name, require_key
from ._langchain_faults import parse_stop_reason

# ---- Opening a completion model by its name; the only module that imports `langchain_openai`.

_PREFIX = "completion:"


@dataclass(frozen=True, slots=True)
class CompletionClient:
    """A completion model, and what closes its connections."""

    llm: "BaseLLM"
    aclose: Callable[[], Awaitable[None]]


def open_completion_model(spec: str, *, base_url: str | None, timeout: float) -> CompletionClient:
    """Open LangChain's completion model for `openai:NAME`, its own retries off.

    Args:
        spec: The name; a leading `completion:` is left out.
        base_url: Where to send requests.
        timeout: Seconds for one attempt.

    Raises:
        ModelError: The name is none, the package is not installed, or there is no key. The
            message says what to type.
    """
    provider, _, model = spec.removeprefix(_PREFIX).partition(":")
    spec = f"{_PREFIX}{provider}:{model}"
    if provider != "openai" or not model:
        raise ModelError(
            f"{spec!r} is no completion model: write completion:openai:NAME, for NAME on any "
            "server that speaks OpenAI's /v1/completions (OPENAI_BASE_URL says where), such as "
            "vLLM, llama.cpp or Ollama. From Python, give any BaseLLM of LangChain's."
        )
    try:
        import openai
        from langchain_openai import OpenAI
    except ImportError as error:
        raise ModelError(
            f"{spec} needs the package langchain-openai: pip install langchain-openai"
        ) from error
    options: dict[str, Any] = {} if base_url is None else {"base_url": base_url}
    # Clients of our own, since the class has no way to close the ones it makes.
    client = openai.DefaultHttpxClient(timeout=timeout)
    async_client = openai.DefaultAsyncHttpxClient(timeout=timeout)

    async def aclose() -> None:
        client.close()
        await async_client.aclose()

    try:
        llm = OpenAI(
            model=model,
            max_retries=0,
            timeout=timeout,
            http_client=client,
            http_async_client=async_client,
            **options,
        )
    except ValidationError as error:
        # Without the inputs: a key may be among them.
        said = "; ".join(found["msg"] for found in error.errors(include_input=False))
        raise ModelError(_describe_open_failure(spec, said)) from None
    except Exception as error:
        raise ModelError(_describe_open_failure(spec, str(error))) from error
    require_key(spec, llm)
    return CompletionClient(llm, aclose)


def _describe_open_failure(spec: str, said: str) -> str:
    told = describe_open_failure(spec, said)
    if "OPENAI_API_KEY" in told:
        told += " A server of your own that asks for none takes any value."
    return told


class CompletionModel(LangChainBase):
    """A completion model of LangChain's as a `Model`.

    It takes asks for a continuation alone (`Ask.prefix`): it is given the beginning as it stands,
    without a template around it, and returns what follows. Where a server tells no usage, its
    replies count as no tokens, so a budget cannot be kept by them. Callbacks and tracers of the
    calling context are passed on. Sampling is the class's own (`langchain_openai.OpenAI`: 0.7);
    for another, build the model and hand it over.

    Use it asynchronously in one event loop only, as `LangChainModel`.

    Args:
        llm: A completion model, or `openai:NAME` to open one by (its retries are then turned off
            and its timeout set): NAME on any server that speaks OpenAI's `/v1/completions`, such
            as vLLM, SGLang, llama.cpp or Ollama.
        name: What to call it in messages and reports; derived from the model without it.
        base_url: Where to send requests, such as `http://localhost:8000/v1`; only for a model
            opened by its name. Else `OPENAI_BASE_URL`.
        timeout: Seconds after which `aanswer` gives an attempt up.

    Raises:
        ModelError: The model cannot be opened.
    """

    def __init__(
        self,
        llm: BaseLLM | str,
        *,
        name: str | None = None,
        base_url: str | None = None,
        timeout: float = 600.0,
    ) -> None:
        self._open: Callable[[], CompletionClient]
        if isinstance(llm, str):
            name = name or f"completion:{llm}"
            self._open = partial(open_completion_model, llm, base_url=base_url, timeout=timeout)
        elif base_url is not None:
            raise ModelError("Set the base URL on the completion model itself.")
        elif is_completion_model(llm):
            self._open = partial(CompletionClient, llm, _close_nothing)
        else:
            raise ModelError(f"A {type(llm).__name__} is no completion model of LangChain's.")
        self._opened: CompletionClient | None = self._open()
        llm = self._opened.llm
        super().__init__(llm, name=name or f"completion:{model_name(llm)}", timeout=timeout)
        self._lock = threading.Lock()
        # A few rooms recur over a whole run; copying a model is not free.
        self._with_room = lru_cache(maxsize=128)(self._make_with_max_tokens)

    def answer(self, ask: Ask) -> Reply:
        """Go on with the text that an ask begins.

        Raises:
            ModelUnavailable: A passing fault.
            ModelRefused: The key, the credit, the permission or the model was turned down.
            UnusableReply: This request was turned down.
            Declined: The ask wants anything but a continuation.
        """
        self._require_prefix(ask)
        llm, options = self._with_room(ask.max_tokens)
        callbacks = ensure_config().get("callbacks")
        try:
            result = llm.generate([render_completion_prompt(ask)], callbacks=callbacks, **options)
        except Exception as error:
            raise self._faults.map_error(error) from self._faults.safe_cause(error)
        return self._reply(ask, result)

    async def aanswer(self, ask: Ask) -> Reply:
        """Go on with the text that an ask begins, asynchronously; as `answer`."""
        self._require_prefix(ask)
        llm, options = self._with_room(ask.max_tokens)
        callbacks = ensure_config().get("callbacks")
        try:
            async with asyncio.timeout(self._seconds):
                result = await llm.agenerate(
                    [render_completion_prompt(ask)], callbacks=callbacks, **options
                )
        except Exception as error:
            raise self._faults.map_error(error) from self._faults.safe_cause(error)
        return self._reply(ask, result)

    async def aclose(self) -> None:
        """Close the connections of a model opened by its name; the next ask opens new ones."""
        with self._lock:
            opened, self._opened = self._opened, None
            self._with_room.cache_clear()
        if opened is not None:
            await opened.aclose()

    def _make_with_max_tokens(self, max_tokens: int) -> tuple[BaseLLM, dict[str, Any]]:
        with self._lock:
            if self._opened is None:
                self._opened = self._open()
            llm = self._opened.llm
        if self._room:
            return llm.model_copy(update={self._room: max_tokens}), {}
        return llm, {"max_tokens": max_tokens}

    def _require_prefix(self, ask: Ask) -> None:
        if ask.is_completion and not (ask.schema or ask.turns or ask.tools):
            return
        option = "--judge" if ask.role == "judge" else "--model"
        raise UnsupportedModel(
            f"{self.name} is a base model, which only goes on with texts; {ask.step} needs a chat "
            f"model. Name one, such as {option} anthropic:claude-opus-5-5."
        )

    def _reply(self, ask: Ask, result: LLMResult) -> Reply:
        try:
            generation = result.generations[0][0]
        except IndexError as error:
            raise ModelUnavailable(f"{self.name}: the answer holds no text.") from error
        output = result.llm_output or {}
        said = generation.generation_info or {}
        usage = _parse_usage(output.get("token_usage") or said)
        stop, detail = parse_stop_reason(said)
        if not detail and stop == "complete":
            if usage.output_tokens >= ask.max_tokens:
                # Servers that give no reason: base models are more often cut off than not.
                stop, detail = "truncated", "all of its room is used up"
            elif not generation.text.strip():
                stop, detail = "other", "empty"
        return Reply(
            text=generation.text,
            stop_reason=stop,
            usage=usage,
            model=str(output.get("model_name") or ""),
            detail=detail,
        )


async def _close_nothing() -> None:
    """Close nothing: who has built a model closes it."""


def is_completion_model(model: Any) -> bool:
    """Say whether something is a completion model of LangChain's."""
    return isinstance(model, BaseLLM)


_INPUT_KEYS = ("prompt_tokens", "input_tokens", "prompt_eval_count")
_OUTPUT_KEYS = ("completion_tokens", "output_tokens", "eval_count")


def _parse_usage(counts: Mapping[str, Any]) -> Usage:
    """Return the tokens, by whichever names they have; 0 where they are not told."""
    read, written = (
        next((counts[name] for name in names if isinstance(counts.get(name), int)), 0)
        for names in (_INPUT_KEYS, _OUTPUT_KEYS)
    )
    return Usage(read, written)
