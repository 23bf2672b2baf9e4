"""Any chat model of LangChain's."""

import asyncio
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable
from pydantic import BaseModel, SecretStr, ValidationError

from whyset.errors import ModelError, ModelUnavailable
from whyset.generators import Ask, Reply, Tool, UnsupportedModel, Usage

from ._anthropic_messages import (
    describe_tool_calls,
    parse_tool_parameters,
    render_continuation_messages,
)
from ._faults import truncate_line
from ._langchain_faults import ErrorMapper, parse_stop_reason, reply_from_error

if TYPE_CHECKING:
    from langchain_core.language_models import BaseLLM
    from langchain_core.messages.ai import UsageMetadata


# ---- What LangChain's models are called, what tells them apart, and where they keep their
# limits.

_MAX_TOKENS_FIELDS = (
    "max_tokens",
    "max_output_tokens",
    "max_completion_tokens",
    "num_predict",
    "max_new_tokens",
    "max_tokens_to_sample",
)
"""What the classes call the room for an answer."""

_EXCLUDED_PARAMS = re.compile(
    r"key|secret|password|credential|authorization|auth|header|cert|proxy|url|endpoint|api_base"
    r"|^base$|host|port|region|timeout|retr|max_.*tokens|max_tokens|num_predict|stream|client"
    r"|callback|cache$|verbose|metadata|tags|rate_limiter|^name$|profile|version"
    r"|(^|_)token$|access_token|organization|project|user",
    re.IGNORECASE,
)
"""Parameters that are secret, or that change how an answer travels and not what it says."""


def max_tokens_field(model: "BaseChatModel | BaseLLM") -> str:
    """Return the field in which a class has the room for an answer; empty where it has none."""
    return next((field for field in _MAX_TOKENS_FIELDS if field in type(model).model_fields), "")


def model_name(model: "BaseChatModel | BaseLLM") -> str:
    """Return `provider:model`."""
    params = model._get_ls_params()
    provider = params.get("ls_provider", "langchain")
    return f"{provider}:{params.get('ls_model_name', model._llm_type)}"


def model_identity(model: "BaseChatModel | BaseLLM") -> str:
    """Return the class, and the public parameters: those it names, and those somebody set."""
    fields = type(model).model_fields
    named = dict(model._identifying_params)
    for field in sorted(model.model_fields_set & set(fields)):
        named.setdefault(field, getattr(model, field))
    named.setdefault("model", model_name(model))
    public = _public_value(named)
    return f"{type(model).__name__} {json.dumps(public, sort_keys=True, ensure_ascii=False)}"


def _public_value(value: Any) -> Any:
    """Return the plain, public part of a parameter; `None` where there is none."""
    if isinstance(value, Mapping):
        kept = {
            str(key): plain
            for key, part in value.items()
            if not _EXCLUDED_PARAMS.search(str(key)) and (plain := _public_value(part)) is not None
        }
        return kept or None
    if isinstance(value, list | tuple):
        return [plain for part in value if (plain := _public_value(part)) is not None] or None
    return value if isinstance(value, str | int | float | bool) else None


# ---- What keeps a model of LangChain's from being opened, said so that a person knows what to
# type.

_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:API_KEY|KEY|TOKEN)\b")


def describe_open_failure(spec: str, said: str) -> str:
    """Return what to say where a class cannot be made: which key is missing, where it is that."""
    if (variable := _VARIABLE.search(said)) is not None:
        return f"{spec} needs a key: set {variable[0]}."
    return f"{spec} cannot be opened: {truncate_line(said)}"


def require_key(spec: str, model: "BaseChatModel | BaseLLM") -> None:
    """Raise where the class has a field for a key and nothing in it."""
    for field, variable in model.lc_secrets.items():
        value = getattr(model, field, None)
        if isinstance(value, SecretStr) and not value.get_secret_value():
            if "authorization" in str(getattr(model, "default_headers", None)).lower():
                continue
            raise ModelError(f"{spec} needs a key: set {variable}.")


# ---- Opening a LangChain chat model by its name; the only module that imports `langchain`.

_PACKAGE = re.compile(r"pip install `?([\w.\[\]-]+)")


def open_chat_model(
    spec: str, *, effort: str | None, base_url: str | None, timeout: float
) -> "BaseChatModel":
    """Return LangChain's model for `provider:model`, its own retries off.

    Args:
        spec: LangChain's name; a leading `langchain:` is left out.
        effort: How much reasoning to put into an answer.
        base_url: Where to send requests.
        timeout: Seconds for one attempt, where the class has a field for it.

    Raises:
        ModelError: The provider is unknown, its package is not installed, its key is missing,
            or its class cannot do what is asked. The message says what to type.
    """
    provider, colon, model = spec.removeprefix("langchain:").partition(":")
    if not (provider and colon and model):
        raise ModelError(
            f"{spec!r} is no chat model of LangChain's: write provider:model, such as "
            "openai:MODEL, or langchain:provider:model."
        )
    given = {} if base_url is None else {"base_url": base_url}
    probe = _init_chat_model(spec, provider, model, given)
    known = type(probe).model_fields
    fields = {*known, *(field.alias for field in known.values() if field.alias)}
    if effort is not None and "reasoning_effort" not in fields:
        raise ModelError(f"{spec}: {type(probe).__name__} takes no effort; leave --effort out.")
    wanted: dict[str, Any] = {
        "max_retries": 0,
        "timeout": timeout,
        "reasoning_effort": effort,
    }
    # Clients are often made with the model, so what they should be like must be said at once.
    more = {name: value for name, value in wanted.items() if name in fields and value is not None}
    chat = _init_chat_model(spec, provider, model, {**given, **more})
    require_key(spec, chat)
    return chat


def _init_chat_model(
    spec: str, provider: str, model: str, options: dict[str, Any]
) -> "BaseChatModel":
    try:
        chat: BaseChatModel = init_chat_model(model, model_provider=provider, **options)
    except ImportError as error:
        package = _PACKAGE.search(str(error))
        name = package[1] if package else f"langchain-{provider.replace('_', '-')}"
        raise ModelError(f"{spec} needs the package {name}: pip install {name}") from error
    except ValidationError as error:
        # Without the inputs: a key may be among them.
        said = "; ".join(found["msg"] for found in error.errors(include_input=False))
        raise ModelError(describe_open_failure(spec, said)) from None
    except Exception as error:
        if isinstance(error, ValueError) and str(error).startswith("Unsupported provider"):
            known = str(error).rpartition(": ")[2]
            raise ModelError(
                f"{spec!r}: there is no provider {provider!r}. Anthropic's models go by "
                f"anthropic:MODEL, LangChain's providers by their names: {known}."
            ) from None
        raise ModelError(describe_open_failure(spec, str(error))) from error
    return chat


# ---- What a model of LangChain's is known by and asked with, whichever kind it is.


class LangChainBase:
    """What chat models and base models have in common."""

    traced = True
    """LangChain's callbacks see every ask."""

    def __init__(self, model: "BaseChatModel | BaseLLM", *, name: str, timeout: float) -> None:
        self._name = name
        self._identity = model_identity(model)
        self._faults = ErrorMapper(name, model)
        self._room = max_tokens_field(model)
        self._seconds = timeout

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


class LangChainModel(LangChainBase):
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
        super().__init__(chat_model, name=name or model_name(chat_model), timeout=timeout)
        self._chat = chat_model
        # A few rooms and schemas recur over a whole run; making a runnable is not free.
        self._runnable = lru_cache(maxsize=128)(self._make_runnable)

    def answer(self, ask: Ask) -> Reply:
        """Answer one ask.

        Raises:
            ModelUnavailable: A passing fault.
            ModelRefused: The key, the credit, the permission or the model was turned down.
            UnusableReply: This request was turned down.
            Declined: The ask wants structured output or tools, and the model has none.
        """
        runnable = self._runnable(ask.max_tokens, ask.schema, ask.tools)
        try:
            answered = runnable.invoke(_render_messages(ask))
        except Exception as error:
            if (reply := reply_from_error(error)) is not None:
                return reply
            raise self._faults.map_error(error) from self._faults.safe_cause(error)
        return self._reply(ask, answered)

    async def aanswer(self, ask: Ask) -> Reply:
        """Answer one ask, asynchronously.

        Raises:
            ModelUnavailable: A passing fault.
            ModelRefused: The key, the credit, the permission or the model was turned down.
            UnusableReply: This request was turned down.
            Declined: The ask wants structured output or tools, and the model has none.
        """
        runnable = self._runnable(ask.max_tokens, ask.schema, ask.tools)
        try:
            async with asyncio.timeout(self._seconds):
                answered = await runnable.ainvoke(_render_messages(ask))
        except Exception as error:
            if (reply := reply_from_error(error)) is not None:
                return reply
            raise self._faults.map_error(error) from self._faults.safe_cause(error)
        return self._reply(ask, answered)

    async def aclose(self) -> None:
        """Do nothing: LangChain's models have no way to be closed."""

    def _make_runnable(
        self, max_tokens: int, schema: type[BaseModel] | None, tools: tuple[Tool, ...]
    ) -> Runnable[Any, Any]:
        chat = self._chat
        if self._room:
            chat = chat.model_copy(update={self._room: max_tokens})
        room: dict[str, Any] = {} if self._room else {"max_tokens": max_tokens}
        if tools:
            if schema is not None:
                raise UnsupportedModel(
                    f"{self.name}: structured output and tools do not go together in LangChain."
                )
            try:
                return chat.bind_tools([_render_tool(tool) for tool in tools], **room)
            except NotImplementedError as error:
                raise UnsupportedModel(
                    f"{self.name} takes no tools: name another model."
                ) from error
        if schema is None:
            return chat.bind(**room) if room else chat
        for method in ("json_schema", "function_calling"):
            try:
                return chat.with_structured_output(schema, method=method, include_raw=True)
            except (NotImplementedError, ValueError):
                continue
        raise UnsupportedModel(
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
        stop, detail = parse_stop_reason(metadata, is_tool_call_expected=bool(calls))
        others = [
            call["name"]
            for call in (*message.tool_calls, *message.invalid_tool_calls)
            if call["name"] != wanted
        ]
        if refusal := message.additional_kwargs.get("refusal"):
            stop, detail = "refused", truncate_line(str(refusal))
        elif stop in ("complete", "other") and (
            len(message.tool_calls) + len(message.invalid_tool_calls) > len(calls)
        ):
            stop = "other"
            detail = describe_tool_calls(others) if ask.tools else "a tool call nobody asked for"
        elif stop == "complete" and not text.strip():
            stop, detail = "other", "empty"
        return Reply(
            text=text,
            stop_reason=stop,
            usage=_parse_usage_metadata(message.usage_metadata),
            model=str(metadata.get("model_name") or metadata.get("model") or ""),
            detail=detail,
        )


def _render_messages(ask: Ask) -> list[BaseMessage]:
    system, user = render_continuation_messages(ask)
    messages: list[BaseMessage] = [SystemMessage(system)] if system else []
    messages += [
        HumanMessage(turn.text) if turn.role == "user" else AIMessage(turn.text)
        for turn in ask.turns
    ]
    return [*messages, HumanMessage(user)]


def _render_tool(tool: Tool) -> dict[str, Any]:
    """Return a tool in OpenAI's form, which every integration takes."""
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": parse_tool_parameters(tool),
        },
    }


def _parse_usage_metadata(metadata: "UsageMetadata | None") -> Usage:
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
