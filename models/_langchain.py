"""Any chat model of LangChain's; the only module that imports `langchain_core`.

Longer than most: every provider names its stop reasons, limits and errors differently, and the
tables of those names are here.
"""

import asyncio
import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from langchain_core.exceptions import (
    ContextOverflowError,
    ModelAuthenticationError,
    ModelInvalidRequestError,
    ModelNotFoundError,
    ModelPermissionDeniedError,
)
from langchain_core.exceptions import ModelError as LangChainModelError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable
from pydantic import BaseModel, SecretStr

from whyset.generators import Ask, Declined, Reply, Stop, Usage

from ._errors import ModelError, ModelRefused, ModelUnavailable, UnusableReply
from ._faults import error_for_status, excerpt, redacted
from ._langchain_open import open_chat_model

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata

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
    # Cohere
    "complete": "complete",
    "error_toxic": "refused",
}
_TOOL_STOPS = frozenset({"tool_use", "tool_calls", "function_call", "tool_call"})
_REASONS = ("stop_reason", "stopReason", "finish_reason", "done_reason")

_UNFINISHED: dict[str, Stop] = {
    "LengthFinishReasonError": "truncated",
    "ContentFilterFinishReasonError": "refused",
}
"""What OpenAI's client raises, by name, in place of structured output that did not end well."""

_ROOM = (
    "max_tokens",
    "max_output_tokens",
    "max_completion_tokens",
    "num_predict",
    "max_new_tokens",
    "max_tokens_to_sample",
)
"""What the classes call the room for an answer."""

_NO_PART = re.compile(
    r"key|secret|password|credential|authorization|auth|header|cert|proxy|url|endpoint|api_base"
    r"|^base$|host|port|region|timeout|retr|max_.*tokens|max_tokens|num_predict|stream|client"
    r"|callback|cache$|verbose|metadata|tags|rate_limiter|^name$|profile|version"
    r"|(^|_)token$|access_token|organization|project|user",
    re.IGNORECASE,
)
"""Parameters that are secret, or that change how an answer travels and not what it says."""


class LangChainModel:
    """A LangChain chat model as a `Model`.

    Callbacks and tracers of the calling context are passed on. An ask's room for the answer is
    set on a copy of the model, in whatever field its class has for it. A chat model built by the
    caller keeps its own retries and timeouts: set `max_retries=0`, since the engine retries.

    Use it asynchronously in one event loop only. LangChain's integrations share connections
    between loops: the first asks in another loop may reach the provider and lose their replies.

    Args:
        chat_model: A chat model, or LangChain's `provider:model` to open one by (its retries are
            then turned off and its timeout set).
        name: What to call it in messages and reports; derived from the model without it.
        effort: How much reasoning to put into an answer, where the class has a field for it; only
            for a model opened by its name.
        base_url: Where to send requests; only for a model opened by its name.
        timeout: Seconds after which `aanswer` gives an attempt up.

    Raises:
        ModelError: The model cannot be opened.
    """

    def __init__(
        self,
        chat_model: BaseChatModel | str,
        *,
        name: str | None = None,
        effort: str | None = None,
        base_url: str | None = None,
        timeout: float = 600.0,
    ) -> None:
        if isinstance(chat_model, str):
            name = name or chat_model
            chat_model = open_chat_model(
                chat_model, effort=effort, base_url=base_url, timeout=timeout
            )
        elif effort is not None or base_url is not None:
            raise ModelError("Set the effort and the base URL on the chat model itself.")
        if not isinstance(chat_model, BaseChatModel):
            raise ModelError(f"A {type(chat_model).__name__} is no chat model of LangChain's.")
        self._chat = chat_model
        self._name = name or _name(chat_model)
        self._identity = _identity(chat_model)
        self._seconds = timeout
        # A few rooms and schemas recur over a whole run; making a runnable is not free.
        self._runnable = lru_cache(maxsize=128)(self._make_runnable)
        self._room = next((field for field in _ROOM if field in type(chat_model).model_fields), "")

    def __repr__(self) -> str:
        return f"LangChainModel({self._name!r})"

    @property
    def name(self) -> str:
        """`provider:model`."""
        return self._name

    @property
    def identity(self) -> str:
        """The model's class and its public parameters; no keys, addresses, timeouts or limits."""
        return self._identity

    @property
    def extractive(self) -> bool:
        """Always false."""
        return False

    def answer(self, ask: Ask) -> Reply:
        """Answer one ask.

        Raises:
            ModelUnavailable: A passing fault.
            ModelRefused: The key, the credit, the permission or the model was turned down.
            UnusableReply: This request was turned down.
            Declined: The model has no structured output, and the ask wants it.
        """
        runnable = self._runnable(ask.max_tokens, ask.schema)
        try:
            answered = runnable.invoke(_messages(ask))
        except Exception as error:
            if (unfinished := _unfinished(error)) is not None:
                return unfinished
            raise self._fault(error) from self._cause(error)
        return self._reply(ask, answered)

    async def aanswer(self, ask: Ask) -> Reply:
        """Answer one ask, asynchronously.

        Raises:
            ModelUnavailable: A passing fault.
            ModelRefused: The key, the credit, the permission or the model was turned down.
            UnusableReply: This request was turned down.
            Declined: The model has no structured output, and the ask wants it.
        """
        runnable = self._runnable(ask.max_tokens, ask.schema)
        try:
            async with asyncio.timeout(self._seconds):
                answered = await runnable.ainvoke(_messages(ask))
        except Exception as error:
            if (unfinished := _unfinished(error)) is not None:
                return unfinished
            raise self._fault(error) from self._cause(error)
        return self._reply(ask, answered)

    async def aclose(self) -> None:
        """Do nothing: LangChain's models have no way to be closed."""

    def _make_runnable(self, max_tokens: int, schema: type[BaseModel] | None) -> Runnable[Any, Any]:
        chat = self._chat
        if self._room:
            chat = chat.model_copy(update={self._room: max_tokens})
        if schema is None:
            return chat if self._room else chat.bind(max_tokens=max_tokens)
        for method in ("json_schema", "function_calling"):
            try:
                return chat.with_structured_output(schema, method=method, include_raw=True)
            except (NotImplementedError, ValueError):
                continue
        raise Declined(
            f"{self.name} has no structured output, which a judge needs: name another model."
        )

    def _reply(self, ask: Ask, answered: Any) -> Reply:
        """Return what LangChain handed back: a message, or the trio of structured output."""
        message, parsed = answered, None
        if ask.schema is not None:
            message, parsed = answered["raw"], answered["parsed"]
        if not isinstance(message, AIMessage):
            raise ModelUnavailable(f"{self.name}: the answer is no message: {type(message)}.")
        metadata = message.response_metadata
        wanted = ask.schema.__name__ if ask.schema is not None else ""
        calls = [call["args"] for call in message.tool_calls if call["name"] == wanted]
        if isinstance(parsed, BaseModel):
            text = parsed.model_dump_json()
        elif parsed is not None:
            text = json.dumps(parsed, ensure_ascii=False)
        elif calls:
            text = json.dumps(calls[0], ensure_ascii=False)
        else:
            text = message.text
        stop, detail = _stop(metadata, called_as_asked=bool(calls))
        if refusal := message.additional_kwargs.get("refusal"):
            stop, detail = "refused", excerpt(str(refusal))
        elif stop in ("complete", "other") and (
            len(message.tool_calls) + len(message.invalid_tool_calls) > len(calls)
        ):
            stop, detail = "other", "a tool call nobody asked for"
        elif stop == "complete" and not text.strip():
            stop, detail = "other", "empty"
        return Reply(
            text=text,
            stop=stop,
            usage=_usage(message.usage_metadata),
            model=str(metadata.get("model_name") or metadata.get("model") or ""),
            detail=detail,
        )

    def _fault(self, error: Exception) -> ModelError:
        """Return the own error for whatever an integration raised.

        By the HTTP status on the error or on one it was raised from; else by LangChain's own
        classes; else by type: what reading another shape raises, and lost connections, pass.
        """
        chain = list(_chain(error))
        said = self._redacted(str(error) or type(error).__name__)
        for link in chain:
            if isinstance(link, ContextOverflowError):
                return UnusableReply(f"{self.name}: the prompt is too long: {excerpt(said)}")
            if (status := _status(link)) is not None:
                return error_for_status(
                    status, said, model=self.name, code=_code(link), headers=_headers(link)
                )
        for link in chain:
            kind = type(link)
            if isinstance(
                link, ModelAuthenticationError | ModelPermissionDeniedError | ModelNotFoundError
            ):
                return ModelRefused(f"{self.name}: {excerpt(said)}")
            if isinstance(link, ModelInvalidRequestError):
                return UnusableReply(f"{self.name}: {excerpt(said)}")
            if isinstance(link, LangChainModelError) and link.is_retryable:
                return ModelUnavailable(f"{self.name}: {excerpt(said)}")
            if isinstance(link, TimeoutError):
                return ModelUnavailable(f"{self.name}: no answer in time.")
            if isinstance(link, OSError | EOFError) or re.search(
                "connect|timeout|network|transport", kind.__name__, re.IGNORECASE
            ):
                return ModelUnavailable(f"{self.name}: the connection failed: {excerpt(said)}")
        if isinstance(error, AttributeError | LookupError | TypeError | ValueError):
            return ModelUnavailable(
                f"{self.name}: the answer cannot be read: {type(error).__name__}: {excerpt(said)}"
            )
        return UnusableReply(f"{self.name}: {type(error).__name__}: {excerpt(said)}")

    def _cause(self, error: Exception) -> Exception | None:
        """Return the error to chain: none where its text would give the key away."""
        texts = [str(link) for link in _chain(error)]
        return error if all(self._redacted(text) == text for text in texts) else None

    def _redacted(self, text: str) -> str:
        values = vars(self._chat).values()
        return redacted(
            text, *(value.get_secret_value() for value in values if isinstance(value, SecretStr))
        )


def _messages(ask: Ask) -> list[BaseMessage]:
    system = [SystemMessage(ask.system)] if ask.system else []
    return [*system, HumanMessage(ask.user)]


def _stop(metadata: Mapping[str, Any], *, called_as_asked: bool) -> tuple[Stop, str]:
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


def _unfinished(error: Exception) -> Reply | None:
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


def _usage(metadata: "UsageMetadata | None") -> Usage:
    """Return the tokens with the cached ones apart: LangChain counts them into the input."""
    if metadata is None:
        return Usage()
    details = cast("dict[str, int]", metadata.get("input_token_details") or {})
    read = details.get("cache_read") or 0
    # Anthropic's integration splits what was written by how long it lives.
    written = sum(
        details.get(part) or 0
        for part in ("cache_creation", "ephemeral_5m_input_tokens", "ephemeral_1h_input_tokens")
    )
    return Usage(
        input_tokens=max(metadata["input_tokens"] - read - written, 0),
        output_tokens=metadata["output_tokens"],
        cache_read_tokens=read,
        cache_write_tokens=written,
    )


def _name(chat: BaseChatModel) -> str:
    params = chat._get_ls_params()
    return f"{params.get('ls_provider', 'langchain')}:{params.get('ls_model_name', chat._llm_type)}"


def _identity(chat: BaseChatModel) -> str:
    """Return the class, and the public parameters: those it names, and those somebody set."""
    fields = type(chat).model_fields
    named = dict(chat._identifying_params)
    for field in sorted(chat.model_fields_set & set(fields)):
        named.setdefault(field, getattr(chat, field))
    named.setdefault("model", _name(chat))
    public = _public(named)
    return f"{type(chat).__name__} {json.dumps(public, sort_keys=True, ensure_ascii=False)}"


def _public(value: Any) -> Any:
    """Return the plain, public part of a parameter; `None` where there is none."""
    if isinstance(value, Mapping):
        kept = {
            str(key): plain
            for key, part in value.items()
            if not _NO_PART.search(str(key)) and (plain := _public(part)) is not None
        }
        return kept or None
    if isinstance(value, list | tuple):
        return [plain for part in value if (plain := _public(part)) is not None] or None
    return value if isinstance(value, str | int | float | bool) else None


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
