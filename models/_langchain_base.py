"""What LangChain's chat and completion models have in common.

Each integration names its parameters, its keys, its errors and the ends of its answers in its own
way; here they get one name. Neither `langchain` nor an integration is imported.
"""

import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
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
from langchain_core.language_models import BaseChatModel, BaseLLM
from pydantic import SecretStr, ValidationError

from whyset.errors import ModelAccessDenied, ModelError, ModelUnavailable, UnusableReply
from whyset.generators import StopReason

from ._faults import error_for_status, redact, truncate_line

# What the classes call the longest answer they may give.
_MAX_TOKENS_FIELDS = (
    "max_tokens",
    "max_output_tokens",
    "max_completion_tokens",
    "num_predict",
    "max_new_tokens",
    "max_tokens_to_sample",
)  # Parameters that are secret, or that change how an answer travels and not what it says.
_EXCLUDED_PARAMS = re.compile(
    r"key|secret|password|credential|authorization|auth|header|cert|proxy|url|endpoint|api_base"
    r"|^base$|host|port|region|timeout|retr|max_.*tokens|max_tokens|num_predict|stream|client"
    r"|callback|cache$|verbose|metadata|tags|rate_limiter|^name$|profile|version"
    r"|(^|_)token$|access_token|organization|project|user",
    re.IGNORECASE,
)
_KEY_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:API_KEY|KEY|TOKEN)\b")
_CONNECTION_ERROR = re.compile("connect|timeout|network|transport", re.IGNORECASE)
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


class LangChainBase:
    """A model of LangChain's: how it is known, and whyset's errors for its own."""

    traced = True
    """LangChain's callbacks see every ask."""

    def __init__(self, model: BaseChatModel | BaseLLM, *, name: str, timeout: float) -> None:
        self._model = model
        self._name = name
        self._identity = _build_identity(model)
        self._timeout = timeout
        fields = type(model).model_fields
        self._max_tokens_field = next((name for name in _MAX_TOKENS_FIELDS if name in fields), None)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name!r})"

    @property
    def name(self) -> str:
        """`provider:model`; of a base model `completion:provider:model`."""
        return self._name

    @property
    def identity(self) -> str:
        """The model's class and its public parameters; no keys, addresses, timeouts or limits."""
        return self._identity

    @property
    def is_extractive(self) -> bool:
        """Always false."""
        return False

    def _map_error(self, error: Exception) -> ModelError:
        """Return the own error for whatever an integration raised.

        By the HTTP status on the error or on one it was raised from; else by LangChain's own
        classes; else by type: what reading another shape raises, and lost connections, pass.
        """
        chain = list(iter_causes(error))
        said = truncate_line(self._redact(str(error) or type(error).__name__))
        for link in chain:
            if isinstance(link, ContextOverflowError):
                return UnusableReply(f"{self._name}: the prompt is too long: {said}")
            if (status := _find_status(link)) is not None:
                headers = _find_headers(link)
                return error_for_status(
                    status, said, model=self._name, code=_find_code(link), headers=headers
                )
        for link in chain:
            if isinstance(
                link, ModelAuthenticationError | ModelPermissionDeniedError | ModelNotFoundError
            ):
                return ModelAccessDenied(f"{self._name}: {said}")
            if isinstance(link, ModelInvalidRequestError):
                return UnusableReply(f"{self._name}: {said}")
            if isinstance(link, LangChainModelError) and link.is_retryable:
                return ModelUnavailable(f"{self._name}: {said}")
            if isinstance(link, TimeoutError):
                return ModelUnavailable(f"{self._name}: no answer in time.")
            if isinstance(link, OSError | EOFError) or _CONNECTION_ERROR.search(
                type(link).__name__
            ):
                return ModelUnavailable(f"{self._name}: the connection failed: {said}")
        kind = type(error).__name__
        if isinstance(error, AttributeError | LookupError | TypeError | ValueError):
            return ModelUnavailable(f"{self._name}: the answer cannot be read: {kind}: {said}")
        return UnusableReply(f"{self._name}: {kind}: {said}")

    def _safe_cause(self, error: Exception) -> Exception | None:
        """Return the error to chain: none where its text would give the key away."""
        texts = [str(link) for link in iter_causes(error)]
        return error if all(self._redact(text) == text for text in texts) else None

    def _redact(self, text: str) -> str:
        values = vars(self._model).values()
        return redact(
            text, *(value.get_secret_value() for value in values if isinstance(value, SecretStr))
        )


def build_name(model: BaseChatModel | BaseLLM) -> str:
    """Return `provider:model`."""
    params = model._get_ls_params()
    provider = params.get("ls_provider", "langchain")
    return f"{provider}:{params.get('ls_model_name', model._llm_type)}"


def _build_identity(model: BaseChatModel | BaseLLM) -> str:
    """Return the class, and the public parameters: those it names, and those somebody set."""
    named = dict(model._identifying_params)
    for field in sorted(model.model_fields_set & set(type(model).model_fields)):
        named.setdefault(field, getattr(model, field))
    named.setdefault("model", build_name(model))
    public = _public_value(named)
    return f"{type(model).__name__} {json.dumps(public, sort_keys=True, ensure_ascii=False)}"


def _public_value(value: Any) -> Any:
    """Return the plain, public part of a parameter; `None` where there is none."""
    if isinstance(value, Mapping):
        return {
            str(key): plain
            for key, part in value.items()
            if not _EXCLUDED_PARAMS.search(str(key)) and (plain := _public_value(part)) is not None
        } or None
    if isinstance(value, list | tuple):
        return [plain for part in value if (plain := _public_value(part)) is not None] or None
    return value if isinstance(value, str | int | float | bool) else None


@contextmanager
def wrap_open_errors(spec: str, *, key_hint: str = "") -> Iterator[None]:
    """Raise a `ModelError` that says what to type for whatever making a model raises."""
    try:
        yield
    except ModelError:
        raise
    except ValidationError as error:
        # Without the inputs: a key may be among them.
        said = "; ".join(problem["msg"] for problem in error.errors(include_input=False))
        raise _open_error(spec, said, key_hint) from None
    except Exception as error:
        raise _open_error(spec, str(error), key_hint) from error


def _open_error(spec: str, said: str, key_hint: str) -> ModelError:
    if (variable := _KEY_VARIABLE.search(said)) is not None:
        return ModelError(f"{spec} needs a key: set {variable[0]}.{key_hint}")
    return ModelError(f"{spec} cannot be opened: {truncate_line(said)}")


def require_key(spec: str, model: BaseChatModel | BaseLLM) -> None:
    """Raise where the class has a field for a key and nothing in it."""
    for field, variable in model.lc_secrets.items():
        value = getattr(model, field, None)
        if isinstance(value, SecretStr) and not value.get_secret_value():
            if "authorization" in str(getattr(model, "default_headers", None)).lower():
                continue
            raise ModelError(f"{spec} needs a key: set {variable}.")


def parse_stop_reason(
    metadata: Mapping[str, Any], *, is_tool_call_expected: bool = False
) -> tuple[StopReason, str]:
    """Return why an answer ended, and what the provider called it where that is no clean end.

    Without any reason the answer counts as complete.
    """
    reason = next((metadata[name] for name in _STOP_REASON_KEYS if metadata.get(name)), None)
    if reason is None:
        return "complete", ""
    said = str(getattr(reason, "name", reason))
    if said.lower() in _TOOL_STOPS and is_tool_call_expected:
        return "complete", ""
    stop = _STOPS.get(said.lower(), "other")
    return stop, "" if stop == "complete" else said


def iter_causes(error: BaseException) -> Iterator[BaseException]:
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
