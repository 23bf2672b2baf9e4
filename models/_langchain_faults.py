"""What LangChain's integrations raise, as own errors: every provider names them differently."""

import re
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any

from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAuthenticationError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
)
from langchain_core.exceptions import ModelError as LangChainModelError
from pydantic import SecretStr

from whyset.errors import ModelError, ModelRefused, ModelUnavailable, UnusableReply
from whyset.generators import Reply, Stop, Usage

from ._faults import error_for_status, excerpt, redacted

# ---- Why an answer ended, by what providers call it; the names they all use are in one table.

_STOPS: dict[str, Stop] = {
    # Anthropic and Bedrock
    "end_turn": "complete",
    "stop_sequence": "complete",
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "refusal": "refused",
    "guardrail_intervened": "refused",
    "content_filtered": "refused",
    # OpenAI and those who speak like it, Ollama
    "stop": "complete",
    "length": "truncated",
    "content_filter": "refused",
    # Google
    "safety": "refused",
    "recitation": "refused",
    "blocklist": "refused",
    "prohibited_content": "refused",
    "spii": "refused",
    # Hugging Face's server of base models
    "eos_token": "complete",
    # Cohere
    "complete": "complete",
    "error_toxic": "refused",
}
_TOOL_STOPS = frozenset({"tool_use", "tool_calls", "function_call", "tool_call"})
_REASONS = ("stop_reason", "stopReason", "finish_reason", "done_reason")


def stop_of(metadata: Mapping[str, Any], *, called_as_asked: bool = False) -> tuple[Stop, str]:
    """Return why an answer ended, and what the provider called it where that is no clean end.

    A provider that gives no reason at all is taken at its word: the answer counts as complete.
    """
    reason = next((metadata[name] for name in _REASONS if metadata.get(name)), None)
    if reason is None:
        return "complete", ""
    said = str(getattr(reason, "name", reason))
    if said.lower() in _TOOL_STOPS and called_as_asked:
        return "complete", ""
    stop = _STOPS.get(said.lower(), "other")
    return stop, "" if stop == "complete" else said


_UNFINISHED: dict[str, Stop] = {
    "LengthFinishReasonError": "truncated",
    "ContentFilterFinishReasonError": "refused",
}
"""What OpenAI's client raises, by name, in place of structured output that did not end well."""


class Faults:
    """Makes own errors of whatever an integration raises, and keeps its keys out of them.

    Args:
        name: What the model is called in messages.
        model: LangChain's model, whose secrets are not to be repeated.
    """

    def __init__(self, name: str, model: Any) -> None:
        self._name = name
        self._model = model

    def error(self, error: Exception) -> ModelError:
        """Return the own error for whatever an integration raised.

        By the HTTP status on the error or on one it was raised from; else by LangChain's own
        classes; else by type: what reading another shape raises, and lost connections, pass.
        """
        chain = list(_chain(error))
        said = self._redacted(str(error) or type(error).__name__)
        for link in chain:
            if isinstance(link, ContextOverflowError):
                return UnusableReply(f"{self._name}: the prompt is too long: {excerpt(said)}")
            if (status := _status(link)) is not None:
                return error_for_status(
                    status, said, model=self._name, code=_code(link), headers=_headers(link)
                )
        for link in chain:
            kind = type(link)
            if isinstance(
                link, ModelAuthenticationError | ModelPermissionDeniedError | ModelNotFoundError
            ):
                return ModelRefused(f"{self._name}: {excerpt(said)}")
            if isinstance(link, ModelInvalidRequestError):
                return UnusableReply(f"{self._name}: {excerpt(said)}")
            if isinstance(link, LangChainModelError) and link.is_retryable:
                return ModelUnavailable(f"{self._name}: {excerpt(said)}")
            if isinstance(link, TimeoutError):
                return ModelUnavailable(f"{self._name}: no answer in time.")
            if isinstance(link, OSError | EOFError) or re.search(
                "connect|timeout|network|transport", kind.__name__, re.IGNORECASE
            ):
                return ModelUnavailable(f"{self._name}: the connection failed: {excerpt(said)}")
        if isinstance(error, AttributeError | LookupError | TypeError | ValueError):
            return ModelUnavailable(
                f"{self._name}: the answer cannot be read: {type(error).__name__}: {excerpt(said)}"
            )
        return UnusableReply(f"{self._name}: {type(error).__name__}: {excerpt(said)}")

    def cause(self, error: Exception) -> Exception | None:
        """Return the error to chain: none where its text would give the key away."""
        texts = [str(link) for link in _chain(error)]
        return error if all(self._redacted(text) == text for text in texts) else None

    def _redacted(self, text: str) -> str:
        values = vars(self._model).values()
        return redacted(
            text, *(value.get_secret_value() for value in values if isinstance(value, SecretStr))
        )


def unfinished(error: Exception) -> Reply | None:
    """Return the reply that an error stands for, where it stands for one."""
    for link in _chain(error):
        if (stop := _UNFINISHED.get(type(link).__name__)) is not None:
            usage = getattr(getattr(link, "completion", None), "usage", None)
            return Reply(
                text="",
                stop=stop,
                usage=Usage(
                    input_tokens=getattr(usage, "prompt_tokens", 0),
                    output_tokens=getattr(usage, "completion_tokens", 0),
                ),
                detail=excerpt(str(link)),
            )
    return None


def _chain(error: BaseException) -> Iterable[BaseException]:
    """Yield the error, what it was raised from, and so on."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _status(error: BaseException) -> int | None:
    response = getattr(error, "response", None)
    if isinstance(response, Mapping):  # AWS keeps a dictionary there
        response = SimpleNamespace(
            status_code=response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        )
    for found in (
        getattr(error, "status_code", None),
        getattr(response, "status_code", None),
        getattr(error, "code", None),
    ):
        if isinstance(found, int) and 400 <= found < 600:
            return found
    return None


def _code(error: BaseException) -> str | None:
    for name in ("error_code", "code"):
        if isinstance(code := getattr(error, name, None), str):
            return code
    return None


def _headers(error: BaseException) -> Mapping[str, str]:
    headers = getattr(getattr(error, "response", None), "headers", None)
    if not isinstance(headers, Mapping):
        return {}
    return {str(name).lower(): str(value) for name, value in headers.items()}
