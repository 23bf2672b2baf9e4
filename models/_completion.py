"""A base model, which answers nothing and continues texts: any `BaseLLM` of LangChain's."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models import BaseLLM
from langchain_core.outputs import LLMResult
from langchain_core.runnables.config import ensure_config

from whyset.errors import ModelError, ModelUnavailable
from whyset.generators import Ask, Reply, UnsupportedModel, Usage

from ._langchain_base import (
    LangChainBase,
    build_name,
    parse_stop_reason,
    require_key,
    wrap_open_errors,
)
from ._prompt import render_completion_prompt

if TYPE_CHECKING:
    from langchain_openai import OpenAI

_PREFIX = "completion:"
_INPUT_KEYS = ("prompt_tokens", "input_tokens", "prompt_eval_count")
_OUTPUT_KEYS = ("completion_tokens", "output_tokens", "eval_count")


class CompletionModel(LangChainBase):
    """A completion model of LangChain's as a `Model`.

    It takes asks for a continuation alone (`Ask.is_completion`): it is given the beginning as it
    stands, without a template around it, and returns what follows. Where a server gives no usage,
    its replies count as no tokens, so a budget cannot be enforced. Callbacks and tracers of the
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
        self._open: Callable[[], OpenAI] | None = None
        if isinstance(llm, str):
            name = name or f"{_PREFIX}{llm}"
            self._open = partial(_open_completion_model, llm, base_url=base_url, timeout=timeout)
            llm = self._open()
        elif base_url is not None:
            raise ModelError("Set the base URL on the completion model itself.")
        elif not isinstance(llm, BaseLLM):
            raise ModelError(f"A {type(llm).__name__} is no completion model of LangChain's.")
        super().__init__(llm, name=name or f"{_PREFIX}{build_name(llm)}", timeout=timeout)
        self._lock = threading.Lock()
        self._llm: BaseLLM | None = llm
        # A few lengths recur over a whole run; copying a model is not free.
        self._with_max_tokens = lru_cache(maxsize=128)(self._make_with_max_tokens)

    def answer(self, ask: Ask) -> Reply:
        """Continue the text that an ask begins.

        Raises:
            ModelUnavailable: A temporary fault.
            ModelAccessDenied: The key, the credit, the permission or the model was refused.
            UnusableReply: This request was refused.
            UnsupportedModel: The ask wants anything but a continuation.
        """
        self._require_completion(ask)
        llm, options = self._with_max_tokens(ask.max_tokens)
        prompts, callbacks = [render_completion_prompt(ask)], ensure_config().get("callbacks")
        try:
            result = llm.generate(prompts, callbacks=callbacks, **options)
        except Exception as error:
            raise self._map_error(error) from self._safe_cause(error)
        return self._parse_reply(ask, result)

    async def aanswer(self, ask: Ask) -> Reply:
        """Continue the text that an ask begins, asynchronously; raises as `answer`."""
        self._require_completion(ask)
        llm, options = self._with_max_tokens(ask.max_tokens)
        prompts, callbacks = [render_completion_prompt(ask)], ensure_config().get("callbacks")
        try:
            async with asyncio.timeout(self._timeout):
                result = await llm.agenerate(prompts, callbacks=callbacks, **options)
        except Exception as error:
            raise self._map_error(error) from self._safe_cause(error)
        return self._parse_reply(ask, result)

    async def aclose(self) -> None:
        """Close the connections of a model opened by its name; the next ask opens new ones.

        A model built by the caller is the caller's to close.
        """
        if self._open is None:
            return
        with self._lock:
            opened: Any = self._llm  # an `OpenAI`, with the clients it was opened with
            self._llm = None
            self._with_max_tokens.cache_clear()
        if opened is not None:
            opened.http_client.close()
            await opened.http_async_client.aclose()

    def _make_with_max_tokens(self, max_tokens: int) -> tuple[BaseLLM, dict[str, Any]]:
        with self._lock:
            if self._llm is None and self._open is not None:
                self._llm = self._open()
            llm = cast("BaseLLM", self._llm)
        if self._max_tokens_field:
            return llm.model_copy(update={self._max_tokens_field: max_tokens}), {}
        return llm, {"max_tokens": max_tokens}

    def _require_completion(self, ask: Ask) -> None:
        if ask.is_completion and not (ask.schema or ask.turns or ask.tools):
            return
        option = "--judge" if ask.role == "judge" else "--model"
        raise UnsupportedModel(
            f"{self.name} is a base model, which only completes texts; {ask.step} needs a chat "
            f"model. Name one, such as {option} anthropic:claude-opus-5-5."
        )

    def _parse_reply(self, ask: Ask, result: LLMResult) -> Reply:
        try:
            generation = result.generations[0][0]
        except IndexError as error:
            raise ModelUnavailable(f"{self.name}: the response has no text.") from error
        output = result.llm_output or {}
        info = generation.generation_info or {}
        usage = _parse_usage(output.get("token_usage") or info)
        stop, detail = parse_stop_reason(info)
        if not detail and stop == "complete":
            if usage.output_tokens >= ask.max_tokens:
                # Servers that give no reason: base models are more often cut off than not.
                stop, detail = "truncated", "the token limit is used up"
            elif not generation.text.strip():
                stop, detail = "other", "empty"
        return Reply(
            text=generation.text,
            stop_reason=stop,
            usage=usage,
            model=str(output.get("model_name") or ""),
            detail=detail,
        )


def _parse_usage(counts: Mapping[str, Any]) -> Usage:
    """Return the tokens, by whichever names they have; 0 where they are not given."""
    read, written = (
        next((counts[name] for name in names if isinstance(counts.get(name), int)), 0)
        for names in (_INPUT_KEYS, _OUTPUT_KEYS)
    )
    return Usage(read, written)


def _open_completion_model(spec: str, *, base_url: str | None, timeout: float) -> "OpenAI":
    """Open LangChain's completion model for `[completion:]openai:NAME`, its own retries off."""
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
    with wrap_open_errors(
        spec, key_hint=" A server of your own that asks for none takes any value."
    ):
        llm = OpenAI(
            model=model,
            max_retries=0,
            timeout=timeout,
            # Clients of our own, since the class has no way to close the ones it makes.
            http_client=openai.DefaultHttpxClient(timeout=timeout),
            http_async_client=openai.DefaultAsyncHttpxClient(timeout=timeout),
            **options,
        )
    require_key(spec, llm)
    return llm
