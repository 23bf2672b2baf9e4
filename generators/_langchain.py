"""A generator bound to a model and a retriever: a LangChain `Runnable`."""

import asyncio
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import (
    AsyncCallbackManagerForChainRun,
    AsyncCallbackManagerForLLMRun,
    CallbackManagerForChainRun,
    CallbackManagerForLLMRun,
)
from langchain_core.documents import Document
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.outputs import ChatGeneration, LLMResult
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from langchain_core.runnables.config import (
    get_async_callback_manager_for_config,
    get_callback_manager_for_config,
    patch_config,
)

from whyset.errors import RowRejected, UnsupportedModel
from whyset.retriever import Grounding, Searcher, fetch_passages

from ._result import Finished, Rejected, add_provenance, usage_record
from ._steps import Ask, Fetch, Find, Model, Reply, StepsResult, Usage, arun_steps, run_steps

if TYPE_CHECKING:
    from ._generator import Generator

# ---- Asks and finds as LangChain's callbacks see them, with who answered and what it took.


def trace_answer(
    ask: Ask, model: Model, config: RunnableConfig, manager: CallbackManagerForChainRun
) -> Reply:
    """Have a model answer an ask, as a child of a run."""
    replies: list[Reply] = []

    def answer(_: dict[str, Any], config: RunnableConfig) -> dict[str, Any]:
        if _is_traced(model):
            reply = model.answer(ask)
        else:
            callbacks = get_callback_manager_for_config(config)
            callbacks.add_metadata(_run_metadata(ask, model), inherit=False)
            (run,) = callbacks.on_chat_model_start(**_chat_model_start(ask, model))
            reply = _answer_with_callbacks(run, ask, model)
        replies.append(reply)
        return _run_output(reply)

    child = patch_config(config, callbacks=manager.get_child())
    RunnableLambda(answer, name=ask.step).invoke(_run_input(ask), child)
    return replies[0]


async def atrace_answer(
    ask: Ask, model: Model, config: RunnableConfig, manager: AsyncCallbackManagerForChainRun
) -> Reply:
    """Have a model answer an ask, as a child of a run, asynchronously."""
    replies: list[Reply] = []

    async def answer(_: dict[str, Any], config: RunnableConfig) -> dict[str, Any]:
        if _is_traced(model):
            reply = await model.aanswer(ask)
        else:
            callbacks = get_async_callback_manager_for_config(config)
            callbacks.add_metadata(_run_metadata(ask, model), inherit=False)
            (run,) = await callbacks.on_chat_model_start(**_chat_model_start(ask, model))
            reply = await _aanswer_with_callbacks(run, ask, model)
        replies.append(reply)
        return _run_output(reply)

    child = patch_config(config, callbacks=manager.get_child())
    await RunnableLambda(_reject_sync_call, answer, name=ask.step).ainvoke(_run_input(ask), child)
    return replies[0]


def trace_find(
    wanted: Find | Fetch,
    find: Callable[[Find | Fetch], Grounding],
    manager: CallbackManagerForChainRun,
) -> Grounding:
    """Find passages, as a child of a run."""
    run = manager.get_child().on_retriever_start(**_retriever_start(wanted))
    try:
        grounding = find(wanted)
    except BaseException as error:
        run.on_retriever_error(error)
        raise
    run.on_retriever_end(_to_documents(grounding))
    return grounding


async def atrace_find(
    wanted: Find | Fetch,
    find: Callable[[Find | Fetch], Grounding],
    manager: AsyncCallbackManagerForChainRun,
) -> Grounding:
    """Find passages in a thread, as a child of a run."""
    run = await manager.get_child().on_retriever_start(**_retriever_start(wanted))
    try:
        grounding = await asyncio.to_thread(find, wanted)
    except BaseException as error:
        await run.on_retriever_error(error)
        raise
    await run.on_retriever_end(_to_documents(grounding))
    return grounding


def _reject_sync_call(_: dict[str, Any]) -> dict[str, Any]:
    raise TypeError("an ask within ainvoke is answered asynchronously")


def _is_traced(model: Model) -> bool:
    """Say whether a model's own run needs no making: LangChain makes it, or there is no model."""
    return model.is_extractive or getattr(model, "traced", False)


def _answer_with_callbacks(run: CallbackManagerForLLMRun, ask: Ask, model: Model) -> Reply:
    try:
        reply = model.answer(ask)
    except BaseException as error:
        run.on_llm_error(error, response=LLMResult(generations=[]))
        raise
    run.on_llm_end(_to_llm_result(reply, model))
    return reply


async def _aanswer_with_callbacks(
    run: AsyncCallbackManagerForLLMRun, ask: Ask, model: Model
) -> Reply:
    try:
        reply = await model.aanswer(ask)
    except BaseException as error:
        await run.on_llm_error(error, response=LLMResult(generations=[]))
        raise
    await run.on_llm_end(_to_llm_result(reply, model))
    return reply


def _to_messages(ask: Ask) -> list[BaseMessage]:
    messages: list[BaseMessage] = [SystemMessage(ask.system)] if ask.system else []
    messages += [
        HumanMessage(turn.text) if turn.role == "user" else AIMessage(turn.text)
        for turn in ask.turns
    ]
    return [*messages, HumanMessage(ask.user)]


def _run_input(ask: Ask) -> dict[str, Any]:
    """Return an ask as a run's input; what says nothing is left out."""
    values: dict[str, Any] = {
        "messages": _to_messages(ask),
        "role": ask.role,
        "max_tokens": ask.max_tokens,
        "schema": ask.schema.__name__ if ask.schema else None,
        "sample": ask.sample,
        "tools": [tool.name for tool in ask.tools],
        "prefix": ask.is_completion,
    }
    return {name: value for name, value in values.items() if value}


def _run_output(reply: Reply) -> dict[str, Any]:
    values: dict[str, Any] = {
        "text": reply.text,
        "stop": reply.stop_reason,
        "model": reply.model,
        "detail": reply.detail,
        "usage": None if reply.usage == Usage() else usage_record(reply.usage),
    }
    return {name: value for name, value in values.items() if value}


def _split_model_name(model: Model) -> tuple[str, str]:
    """Return a model's provider and its name there."""
    provider, _, name = model.name.rpartition(":")
    return provider or model.name, name


def _run_metadata(ask: Ask, model: Model) -> dict[str, Any]:
    """Return the keys by which LangSmith, and those who follow it, know providers and models."""
    provider, name = _split_model_name(model)
    return {
        "ls_provider": provider,
        "ls_model_name": name,
        "ls_model_type": "chat",
        "ls_max_tokens": ask.max_tokens,
    }


def _chat_model_start(ask: Ask, model: Model) -> dict[str, Any]:
    provider, name = _split_model_name(model)
    parameters: dict[str, Any] = {
        "_type": provider,
        "model": name,
        "max_tokens": ask.max_tokens,
        "response_format": ask.schema.__name__ if ask.schema else None,
        "tools": [tool.name for tool in ask.tools] or None,
    }
    return {
        "serialized": {"lc": 1, "type": "not_implemented", "id": [], "name": model.name},
        "messages": [_to_messages(ask)],
        "invocation_params": {key: value for key, value in parameters.items() if value},
        "name": model.name,
    }


def _to_llm_result(reply: Reply, model: Model) -> LLMResult:
    provider, name = _split_model_name(model)
    message = AIMessage(
        reply.text,
        usage_metadata=_to_usage_metadata(reply.usage),
        response_metadata={
            "model_provider": provider,
            "model_name": reply.model or name,
            "stop_reason": reply.stop_reason,
        },
    )
    output = {"model_name": reply.model or name}
    return LLMResult(generations=[[ChatGeneration(message=message)]], llm_output=output)


def _to_usage_metadata(usage: Usage) -> UsageMetadata | None:
    """Return tokens in LangChain's way, which counts the cached ones into the input."""
    if usage == Usage():
        return None  # not reported
    read, written = usage.cache_read_tokens, usage.cache_write_tokens
    taken = usage.input_tokens + read + written
    return UsageMetadata(
        input_tokens=taken,
        output_tokens=usage.output_tokens,
        total_tokens=taken + usage.output_tokens,
        input_token_details=InputTokenDetails(cache_read=read, cache_creation=written),
    )


def _retriever_start(wanted: Find | Fetch) -> dict[str, Any]:
    name = "find" if isinstance(wanted, Find) else "fetch"
    texts = wanted.texts if isinstance(wanted, Find) else wanted.ids
    return {"serialized": {"name": name}, "query": "\n\n".join(texts), "name": name}


def _to_documents(grounding: Grounding) -> list[Document]:
    return [
        Document(
            page_content=scored.passage.plain,
            id=scored.passage.id,
            metadata={"path": list(scored.passage.path), "score": scored.score},
        )
        for scored in grounding.passages
    ]


_MODEL_ENTRY_POINT_GROUP = "whyset.adopt"


class BoundGenerator(Runnable[dict[str, Any], dict[str, Any]]):
    """Takes a row's columns or a brief's values, returns a row with the `whyset` column.

    `invoke`, `batch`, `ainvoke` and `abatch` are LangChain's own; every ask is a child run, named
    after its step, with the model's own run and its tokens in it, and every find a retriever's
    run, so that callbacks and tracers see each one. A row that does not pass raises
    `RowRejected`: use `batch(..., return_exceptions=True)` to get the others all the same.
    """

    def __init__(
        self, generator: "Generator", writer: Model, judge: Model, retriever: Searcher
    ) -> None:
        self.name = generator.name
        self.generator = generator
        self.models: Mapping[str, Model] = {"writer": writer, "judge": judge}
        self.retriever = retriever

    @classmethod
    def from_generator(
        cls, generator: "Generator", writer: Model, judge: Model, retriever: Searcher
    ) -> "BoundGenerator":
        """Bind a generator, or its extractive variant where the writer can do no more.

        Raises:
            UnsupportedModel: The judge cannot judge, or there is no extractive variant.
        """
        if writer.is_extractive:
            generator = generator.extractive_variant()
        elif judge.is_extractive:
            raise UnsupportedModel(
                "the extractive model cannot judge; name a language model as judge"
            )
        return cls(generator, writer, judge, retriever)

    def invoke(
        self, input: dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Finish one row.

        Raises:
            DatasetError: The columns hold no usable conversation.
            RowRejected: The row did not pass.
            ModelError: A model could not be asked.
        """
        return self._call_with_config(self._invoke, input, config)

    async def ainvoke(
        self, input: dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Finish one row, asynchronously; as `invoke`."""
        return await self._acall_with_config(self._ainvoke, input, config)

    def _invoke(
        self,
        columns: dict[str, Any],
        run_manager: CallbackManagerForChainRun,
        config: RunnableConfig,
    ) -> dict[str, Any]:
        def answer(ask: Ask) -> Reply:
            return trace_answer(ask, self.models[ask.role], config, run_manager)

        def find(wanted: Find | Fetch) -> Grounding:
            return trace_find(wanted, self._find, run_manager)

        driven = run_steps(
            self.generator.steps(self.generator.item_from_columns(columns)), answer, find
        )
        return self._columns(driven)

    async def _ainvoke(
        self,
        columns: dict[str, Any],
        run_manager: AsyncCallbackManagerForChainRun,
        config: RunnableConfig,
    ) -> dict[str, Any]:
        async def answer(ask: Ask) -> Reply:
            return await atrace_answer(ask, self.models[ask.role], config, run_manager)

        async def find(wanted: Find | Fetch) -> Grounding:
            return await atrace_find(wanted, self._find, run_manager)

        driven = await arun_steps(
            self.generator.steps(self.generator.item_from_columns(columns)), answer, find
        )
        return self._columns(driven)

    def _find(self, wanted: Find | Fetch) -> Grounding:
        if isinstance(wanted, Fetch):
            return fetch_passages(self.retriever.constitution, wanted.ids, scope=wanted.scope)
        return self.retriever.find_passages([wanted.texts], k=wanted.k)[0]

    def _columns(self, driven: StepsResult[Finished | Rejected]) -> dict[str, Any]:
        result = driven.result
        if isinstance(result, Rejected):
            raise RowRejected(result.reasons, result.detail)
        names = {role: model.name for role, model in self.models.items()}
        return add_provenance(result, usage=driven.usage, models=names)


def coerce_model(model: Any) -> Model:
    """Return who answers, from a `Model`, a `provider:model` string or a LangChain chat model.

    The room of models stands above this one; it is reached through the door by which models of
    third parties come in, too.
    """
    if isinstance(model, Model):
        return model
    (door,) = entry_points(group=_MODEL_ENTRY_POINT_GROUP, name="model")
    opened: Model = door.load()(model)
    return opened
