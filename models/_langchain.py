"""Any chat model of LangChain's."""

import asyncio
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.runnables import Runnable
from pydantic import BaseModel

from whyset.errors import ModelError, ModelUnavailable
from whyset.generators import Ask, Declined, Reply, Tool, Usage

from ._continuing import as_messages
from ._faults import excerpt
from ._langchain_faults import unfinished
from ._langchain_open import open_chat_model
from ._langchain_params import name_of
from ._of_langchain import OfLangChain
from ._stops import stop_of
from ._tools import parameters_of, told_calls

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata


class LangChainModel(OfLangChain):
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
        super().__init__(chat_model, name=name or name_of(chat_model), timeout=timeout)
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
            answered = runnable.invoke(_messages(ask))
        except Exception as error:
            if (reply := unfinished(error)) is not None:
                return reply
            raise self._faults.error(error) from self._faults.cause(error)
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
                answered = await runnable.ainvoke(_messages(ask))
        except Exception as error:
            if (reply := unfinished(error)) is not None:
                return reply
            raise self._faults.error(error) from self._faults.cause(error)
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
                raise Declined(
                    f"{self.name}: structured output and tools do not go together in LangChain."
                )
            try:
                return chat.bind_tools([_function(tool) for tool in tools], **room)
            except NotImplementedError as error:
                raise Declined(f"{self.name} takes no tools: name another model.") from error
        if schema is None:
            return chat.bind(**room) if room else chat
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
        stop, detail = stop_of(metadata, called_as_asked=bool(calls))
        others = [
            call["name"]
            for call in (*message.tool_calls, *message.invalid_tool_calls)
            if call["name"] != wanted
        ]
        if refusal := message.additional_kwargs.get("refusal"):
            stop, detail = "refused", excerpt(str(refusal))
        elif stop in ("complete", "other") and (
            len(message.tool_calls) + len(message.invalid_tool_calls) > len(calls)
        ):
            stop = "other"
            detail = told_calls(others) if ask.tools else "a tool call nobody asked for"
        elif stop == "complete" and not text.strip():
            stop, detail = "other", "empty"
        return Reply(
            text=text,
            stop=stop,
            usage=_usage(message.usage_metadata),
            model=str(metadata.get("model_name") or metadata.get("model") or ""),
            detail=detail,
        )


def _messages(ask: Ask) -> list[BaseMessage]:
    system, user = as_messages(ask)
    messages: list[BaseMessage] = [SystemMessage(system)] if system else []
    messages += [
        HumanMessage(turn.text) if turn.role == "user" else AIMessage(turn.text)
        for turn in ask.turns
    ]
    return [*messages, HumanMessage(user)]


def _function(tool: Tool) -> dict[str, Any]:
    """Return a tool in OpenAI's form, which every integration takes."""
    return {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": parameters_of(tool),
        },
    }


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
