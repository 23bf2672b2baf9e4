"""Any chat model of LangChain's; the only module that imports `langchain`."""

import asyncio
import json
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from langchain.chat_models import init_chat_model
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from whyset.errors import ModelError, ModelUnavailable
from whyset.generators import Ask, Reply, StopReason, Tool, UnsupportedModel, Usage

from ._faults import truncate_line
from ._langchain_base import (
    LangChainBase,
    build_name,
    iter_causes,
    parse_stop_reason,
    require_key,
    wrap_open_errors,
)
from ._prompt import describe_tool_calls, parse_tool_parameters, render_messages

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata

_PACKAGE = re.compile(r"pip install `?([\w.\[\]-]+)")
# What OpenAI's client raises, by name, in place of structured output that did not end well.
_STOP_BY_ERROR: dict[str, StopReason] = {
    "LengthFinishReasonError": "truncated",
    "ContentFilterFinishReasonError": "refused",
}


class LangChainModel(LangChainBase):
    """A LangChain chat model as a `Model`.

    Callbacks and tracers of the calling context are passed on. An ask's `max_tokens` are set on a
    copy of the model, in whatever field its class has for them. A chat model built by the caller
    keeps its own retries and timeouts: set `max_retries=0`, since the engine retries.

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
            chat_model = _open_chat_model(
                chat_model, effort=effort, base_url=base_url, timeout=timeout
            )
        elif effort is not None or base_url is not None:
            raise ModelError("Set the effort and the base URL on the chat model itself.")
        if not isinstance(chat_model, BaseChatModel):
            raise ModelError(f"A {type(chat_model).__name__} is no chat model of LangChain's.")
        super().__init__(chat_model, name=name or build_name(chat_model), timeout=timeout)
        self._chat = chat_model
        # A few lengths and schemas recur over a whole run; making a runnable is not free.
        self._runnable = lru_cache(maxsize=128)(self._make_runnable)

    def answer(self, ask: Ask) -> Reply:
        """Answer one ask.

        Raises:
            ModelUnavailable: A temporary fault.
            ModelAccessDenied: The key, the credit, the permission or the model was refused.
            UnusableReply: This request was refused.
            UnsupportedModel: The ask wants structured output or tools, and the model has none.
        """
        runnable = self._runnable(ask.max_tokens, ask.schema, ask.tools)
        try:
            answered = runnable.invoke(_render_messages(ask))
        except Exception as error:
            return self._parse_error(error)
        return self._parse_reply(ask, answered)

    async def aanswer(self, ask: Ask) -> Reply:
        """Answer one ask, asynchronously; raises as `answer`."""
        runnable = self._runnable(ask.max_tokens, ask.schema, ask.tools)
        try:
            async with asyncio.timeout(self._timeout):
                answered = await runnable.ainvoke(_render_messages(ask))
        except Exception as error:
            return self._parse_error(error)
        return self._parse_reply(ask, answered)

    async def aclose(self) -> None:
        """Do nothing: LangChain's models have no way to be closed."""

    def _make_runnable(
        self, max_tokens: int, schema: type[BaseModel] | None, tools: tuple[Tool, ...]
    ) -> Runnable[Any, Any]:
        chat, options = self._chat, dict[str, Any]()
        if self._max_tokens_field:
            chat = chat.model_copy(update={self._max_tokens_field: max_tokens})
        else:
            options["max_tokens"] = max_tokens
        if tools:
            if schema is not None:
                raise UnsupportedModel(
                    f"{self.name}: LangChain cannot combine structured output and tools."
                )
            try:
                return chat.bind_tools([_render_tool(tool) for tool in tools], **options)
            except NotImplementedError as error:
                raise UnsupportedModel(
                    f"{self.name} takes no tools: name another model."
                ) from error
        if schema is None:
            return chat.bind(**options) if options else chat
        for method in ("json_schema", "function_calling"):
            try:
                return chat.with_structured_output(schema, method=method, include_raw=True)
            except (NotImplementedError, ValueError):
                continue
        raise UnsupportedModel(
            f"{self.name} has no structured output, which a judge needs: name another model."
        )

    def _parse_error(self, error: Exception) -> Reply:
        """Return the reply that an error stands for; raise the own error where it is one."""
        for link in iter_causes(error):
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
        raise self._map_error(error) from self._safe_cause(error)

    def _parse_reply(self, ask: Ask, answered: Any) -> Reply:
        """Return what LangChain handed back: a message, or the trio of structured output."""
        message, parsed = answered, None
        if ask.schema is not None:
            message, parsed = answered["raw"], answered["parsed"]
        if not isinstance(message, AIMessage):
            raise ModelUnavailable(f"{self.name}: the response is not a message: {type(message)}.")
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
            detail = describe_tool_calls(others) if ask.tools else "an unexpected tool call"
        elif stop == "complete" and not text.strip():
            stop, detail = "other", "empty"
        return Reply(
            text=text,
            stop_reason=stop,
            usage=_parse_usage_metadata(message.usage_metadata),
            model=str(metadata.get("model_name") or metadata.get("model") or ""),
            detail=detail,
        )


def _open_chat_model(
    spec: str, *, effort: str | None, base_url: str | None, timeout: float
) -> BaseChatModel:
    """Return LangChain's model for `[langchain:]provider:model`, its own retries off."""
    provider, _, model = spec.removeprefix("langchain:").partition(":")
    if not (provider and model):
        raise ModelError(
            f"{spec!r} is no chat model of LangChain's: write provider:model, such as "
            "openai:MODEL, or langchain:provider:model."
        )
    options: dict[str, Any] = {} if base_url is None else {"base_url": base_url}
    kind = type(_init_chat_model(spec, provider, model, options))
    fields = {*kind.model_fields, *(field.alias for field in kind.model_fields.values())}
    if effort is not None and "reasoning_effort" not in fields:
        raise ModelError(f"{spec}: {kind.__name__} takes no effort; leave --effort out.")
    # Clients are often made with the model, so what they should be like must be said at once.
    wanted = {"max_retries": 0, "timeout": timeout, "reasoning_effort": effort}
    options |= {
        name: value for name, value in wanted.items() if name in fields and value is not None
    }
    chat = _init_chat_model(spec, provider, model, options)
    require_key(spec, chat)
    return chat


def _init_chat_model(
    spec: str, provider: str, model: str, options: dict[str, Any]
) -> BaseChatModel:
    with wrap_open_errors(spec):
        try:
            chat: BaseChatModel = init_chat_model(model, model_provider=provider, **options)
            return chat
        except ImportError as error:
            package = _PACKAGE.search(str(error))
            name = package[1] if package else f"langchain-{provider.replace('_', '-')}"
            raise ModelError(f"{spec} needs the package {name}: pip install {name}") from error
        except ValueError as error:
            if not str(error).startswith("Unsupported provider"):
                raise
            known = str(error).rpartition(": ")[2]
            raise ModelError(
                f"{spec!r}: there is no provider {provider!r}. Anthropic's models go by "
                f"anthropic:MODEL, LangChain's providers by their names: {known}."
            ) from None


def _render_messages(ask: Ask) -> list[BaseMessage]:
    system, user = render_messages(ask)
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
