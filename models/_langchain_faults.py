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

from whyset.errors import ModelAccessDenied, ModelError, ModelUnavailable, UnusableReply
from whyset.generators import Reply, StopReason, Usage

from ._faults import error_for_status, redact, truncate_line

# ---- Why an answer ended, by what providers call it; the names they all use are in one table.

_STOPS: dict[str, StopReason] = {
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
_STOP_REASON_KEYS = ("stop_reason", "stopReason", "finish_reason", "done_reason")


def parse_stop_reason(
    metadata: Mapping[str, Any], *, is_tool_call_expected: bool = False
) -> tuple[StopReason, str]:
    """Return why an answer ended, and what the provider called it where that is no clean end.

    A provider that gives no reason at all is taken at its word: the answer counts as complete.
    """
    reason = next((metadata[name] for name in _STOP_REASON_KEYS if metadata.get(name)), None)
    if reason is None:
        return "complete", ""
    said = str(getattr(reason, "name", reason))
    if said.lower() in _TOOL_STOPS and is_tool_call_expected:
        return "complete", ""
    stop = _STOPS.get(said.lower(), "other")
    return stop, "" if stop == "complete" else said


_STOP_BY_ERROR: dict[str, StopReason] = {
    "LengthFinishReasonError": "truncated",
    "ContentFilterFinishReasonError": "refused",
}
"""What OpenAI's client raises, by name, in place of structured output that did not end well."""


class ErrorMapper:
    """Makes own errors of whatever an integration raises, and keeps its keys out of them.

    Args:
        name: What the model is called in messages.
        model: LangChain's model, whose secrets are not to be repeated.
    """

    def __init__(self, name: str, model: Any) -> None:
        self._name = name
        self._model = model

    def map_error(self, error: Exception) -> ModelError:
        """Return the own error for whatever an integration raised.

        By the HTTP status on the error or on one it was raised from; else by LangChain's own
        classes; else by type: what reading another shape raises, and lost connections, pass.
        """
        chain = list(_iter_causes(error))
        said = self._redact(str(error) or type(error).__name__)
        for link in chain:
            if isinstance(link, ContextOverflowError):
                return UnusableReply(f"{self._name}: the prompt is too long: {truncate_line(said)}")
            if (status := _find_status(link)) is not None:
                return error_for_status(
                    status,
                    said,
                    model=self._name,
                    code=_find_code(link),
                    headers=_find_headers(link),
                )
        for link in chain:
            kind = type(link)
            if isinstance(
                link, ModelAuthenticationError | ModelPermissionDeniedError | ModelNotFoundError
            ):
                return ModelAccessDenied(f"{self._name}: {truncate_line(said)}")
            if isinstance(link, ModelInvalidRequestError):
                return UnusableReply(f"{self._name}: {truncate_line(said)}")
            if isinstance(link, LangChainModelError) and link.is_retryable:
                return ModelUnavailable(f"{self._name}: {truncate_line(said)}")
            if isinstance(link, TimeoutError):
                return ModelUnavailable(f"{self._name}: no answer in time.")
            if isinstance(link, OSError | EOFError) or re.search(
                "connect|timeout|network|transport", kind.__name__, re.IGNORECASE
            ):
                return ModelUnavailable(
                    f"{self._name}: the connection failed: {truncate_line(said)}"
                )
        if isinstance(error, AttributeError | LookupError | TypeError | ValueError):
            return ModelUnavailable(
                f"{self._name}: the answer cannot be read: {type(error).__name__}: {truncate_line(said)}"
            )
        return UnusableReply(f"{self._name}: {type(error).__name__}: {truncate_line(said)}")

    def safe_cause(self, error: Exception) -> Exception | None:
        """Return the error to chain: none where its text would give the key away."""
        texts = [str(link) for link in _iter_causes(error)]
        return error if all(self._redact(text) == text for text in texts) else None

    def _redact(self, text: str) -> str:
        values = vars(self._model).values()
        return redact(
            text, *(value.get_secret_value() for value in values if isinstance(value, SecretStr))
        )


def reply_from_error(error: Exception) -> Reply | None:
    """Return the reply that an error stands for, where it stands for one."""
    for link in _iter_causes(error):
        if (stop := _STOP_BY_ERROR.get(type(link).__name__)) is not None:
            usage = getattr(getattr(link, "completion", None), "usage", None)
            return Reply(
                text="",
                stop_reason=stop,
                usage=Usage(
                    input_tokens=getattr(usage, "prompt_tokens", 0),
                    output_tokens=getattr(usage, "completion_tokens", 0),
                ),
                detail=truncate_line(str(link)),
            )
    return None


def _iter_causes(error: BaseException) -> Iterable[BaseException]:
    """Yield the error, what it was raised from, and so on."""
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _find_status(error: BaseException) -> int | None:
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


def _find_code(error: BaseException) -> str | None:
    for name in ("error_code", "code"):
        if isinstance(code := getattr(error, name, None), str):
            return code
    return None


def _find_headers(error: BaseException) -> Mapping[str, str]:
    headers = getattr(getattr(error, "response", None), "headers", None)
    if not isinstance(headers, Mapping):
        return {}
    return {str(name).lower(): str(value) for name, value in headers.items()}
