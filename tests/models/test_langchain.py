"""Any LangChain chat model: the real ChatAnthropic on the loopback, and models of our own."""

import asyncio
import json
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from types import SimpleNamespace
from typing import Any

import httpx2
import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import BaseChatModel, GenericFakeChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig, RunnableLambda
from pydantic import Field, SecretStr
from support.loopback import KEY, LoopbackServer, Response, error, html, message, reset, structured

from whyset.generators import Ask, Model, Reply, UnsupportedModel, Usage
from whyset.models import (
    LangChainModel,
    ModelAccessDenied,
    ModelError,
    ModelUnavailable,
    UnusableReply,
)


class OwnChat(BaseChatModel):
    """A chat model as an integration writes one."""

    model_name: str = "own-1"
    num_predict: int | None = None
    temperature: float | None = None
    base_url: str | None = None
    own_api_key: SecretStr | None = None
    default_headers: dict[str, str] = Field(default_factory=dict)
    options: dict[str, Any] = Field(default_factory=dict)
    answer: Callable[["OwnChat", list[BaseMessage], dict[str, Any]], AIMessage] = Field(
        default=lambda *_: AIMessage("Own."), exclude=True
    )

    @property
    def _llm_type(self) -> str:
        return "own"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.answer(self, messages, kwargs))])


class ToolChat(OwnChat):
    """One that knows tools and nothing finer."""

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        return self.bind(tools=tools, tool_choice=tool_choice)


def own(answer: AIMessage, kind: type[OwnChat] = OwnChat, **options: Any) -> LangChainModel:
    return LangChainModel(kind(answer=lambda *_: answer, **options))


@pytest.fixture
async def model(server: LoopbackServer) -> AsyncIterator[LangChainModel]:
    # LangChain shares connections between models and never closes them; the tests must.
    chat = ChatAnthropic(model="claude-opus-5-5", max_retries=0, timeout=60)
    yield LangChainModel(chat)
    await chat._async_client.close()


def test_is_a_model(model: LangChainModel) -> None:
    assert isinstance(model, Model)
    assert model.name == "anthropic:claude-opus-5-5"
    assert model.is_extractive is False
    assert repr(model) == "LangChainModel('anthropic:claude-opus-5-5')"


async def test_prose(server: LoopbackServer, model: LangChainModel, prose: Ask) -> None:
    usage = {
        "input_tokens": 7,
        "output_tokens": 3,
        "cache_read_input_tokens": 400,
        "cache_creation_input_tokens": 50,
        "cache_creation": {"ephemeral_5m_input_tokens": 50, "ephemeral_1h_input_tokens": 0},
    }
    server.answer = lambda body: message(usage=usage, model=body["model"])
    expected = Reply(
        text="Hello.", stop_reason="complete", usage=Usage(7, 3, 400, 50), model="claude-opus-5-5"
    )
    assert model.answer(prose) == expected
    assert await model.aanswer(prose) == expected
    for body in server.bodies:
        assert body["max_tokens"] == 300
        assert body["system"] == "You weigh what pulls apart."
        assert body["messages"] == [{"role": "user", "content": "May I read her diary?"}]


async def test_structured_output_is_the_providers_own(
    server: LoopbackServer, model: LangChainModel, judged: Ask
) -> None:
    server.answer = lambda _: structured({"passes": True, "reasons": ["“ja”"]})
    for reply in (model.answer(judged), await model.aanswer(judged)):
        assert json.loads(reply.text) == {"passes": True, "reasons": ["“ja”"]}
        assert (reply.stop_reason, reply.usage) == ("complete", Usage(10, 5))
    for body in server.bodies:
        assert body["output_config"]["format"]["schema"]["additionalProperties"] is False
        assert body["max_tokens"] == 200
        assert "tools" not in body


def test_what_misses_the_schema_comes_back_as_it_is(
    server: LoopbackServer, model: LangChainModel, judged: Ask
) -> None:
    server.answer = lambda _: message('{"passes": "perhaps')
    reply = model.answer(judged)
    assert (reply.text, reply.stop_reason) == ('{"passes": "perhaps', "complete")
    server.answer = lambda _: message('{"pass', stop_reason="max_tokens")
    assert model.answer(judged).stop_reason == "truncated"


def test_each_ask_has_its_own_room(
    server: LoopbackServer, model: LangChainModel, prose: Ask, judged: Ask
) -> None:
    server.answer = lambda body: structured({"passes": True})
    for ask in (prose, judged, prose):
        model.answer(ask)
    assert [body["max_tokens"] for body in server.bodies] == [300, 200, 300]


@pytest.mark.parametrize(
    ("body", "stop", "detail"),
    [
        (message(stop_reason="stop_sequence"), "complete", ""),
        (message(stop_reason="max_tokens"), "truncated", "max_tokens"),
        (message(stop_reason="refusal"), "refused", "refusal"),
        (message(stop_reason="pause_turn"), "other", "pause_turn"),
        (message(stop_reason="a_new_one"), "other", "a_new_one"),
        (message(content=[]), "other", "empty"),
        (message(content=[{"type": "thinking", "thinking": "Hm."}]), "other", "empty"),
        (
            message(
                content=[{"type": "tool_use", "id": "t", "name": "rm", "input": {}}],
                stop_reason="tool_use",
            ),
            "other",
            "an unexpected tool call",
        ),
    ],
)
def test_stop_reasons_of_anthropic(
    server: LoopbackServer,
    model: LangChainModel,
    prose: Ask,
    body: dict[str, Any],
    stop: str,
    detail: str,
) -> None:
    server.answer = lambda _: body
    reply = model.answer(prose)
    assert (reply.stop_reason, reply.detail) == (stop, detail)


@pytest.mark.parametrize(
    ("metadata", "stop", "detail"),
    [
        ({"finish_reason": "stop"}, "complete", ""),
        ({"finish_reason": "length"}, "truncated", "length"),
        ({"finish_reason": "content_filter"}, "refused", "content_filter"),
        ({"finish_reason": "tool_calls"}, "other", "tool_calls"),
        ({"done_reason": "stop"}, "complete", ""),
        ({"done_reason": "length"}, "truncated", "length"),
        ({"stopReason": "guardrail_intervened"}, "refused", "guardrail_intervened"),
        ({"finish_reason": "STOP"}, "complete", ""),
        ({"finish_reason": "MAX_TOKENS"}, "truncated", "MAX_TOKENS"),
        ({"finish_reason": "SAFETY"}, "refused", "SAFETY"),
        ({"finish_reason": "who knows"}, "other", "who knows"),
        ({"finish_reason": None}, "complete", ""),
        ({}, "complete", ""),
    ],
)
def test_stop_reasons_of_others(
    prose: Ask, metadata: dict[str, Any], stop: str, detail: str
) -> None:
    reply = own(AIMessage("Text.", response_metadata=metadata)).answer(prose)
    assert (reply.stop_reason, reply.detail) == (stop, detail)


def test_a_refusal_beside_the_content(prose: Ask) -> None:
    answer = AIMessage("", additional_kwargs={"refusal": "I will not."})
    reply = own(answer).answer(prose)
    assert (reply.stop_reason, reply.detail) == ("refused", "I will not.")


def test_no_usage_is_no_tokens(prose: Ask) -> None:
    assert own(AIMessage("Text.")).answer(prose).usage == Usage()


def test_structured_output_falls_back_on_a_tool_call(judged: Ask) -> None:
    calls = [{"name": "Verdict", "args": {"passes": True}, "id": "1", "type": "tool_call"}]
    answer = AIMessage("", tool_calls=calls, response_metadata={"finish_reason": "tool_calls"})
    reply = own(answer, ToolChat).answer(judged)
    assert json.loads(reply.text) == {"passes": True, "reasons": []}
    assert (reply.stop_reason, reply.detail) == ("complete", "")


def test_a_tool_call_that_misses_the_schema_comes_back_as_it_is(judged: Ask) -> None:
    calls = [{"name": "Verdict", "args": {"fails": 1}, "id": "1", "type": "tool_call"}]
    answer = AIMessage("", tool_calls=calls, response_metadata={"finish_reason": "tool_calls"})
    reply = own(answer, ToolChat).answer(judged)
    assert (json.loads(reply.text), reply.stop_reason) == ({"fails": 1}, "complete")


def test_another_tool_than_the_schema_is_not_an_answer(judged: Ask) -> None:
    calls = [{"name": "rm", "args": {}, "id": "1", "type": "tool_call"}]
    reply = own(AIMessage("", tool_calls=calls), ToolChat).answer(judged)
    assert (reply.stop_reason, reply.detail) == ("other", "an unexpected tool call")


def test_no_structured_output_at_all_is_declined(judged: Ask) -> None:
    with pytest.raises(UnsupportedModel, match="own:own-1 has no structured output"):
        own(AIMessage("x")).answer(judged)


def test_the_room_is_set_in_the_classs_own_field(prose: Ask) -> None:
    rooms: list[int | None] = []

    def answer(chat: OwnChat, _: list[BaseMessage], kwargs: dict[str, Any]) -> AIMessage:
        assert not kwargs
        rooms.append(chat.num_predict)
        return AIMessage("Text.")

    chat = OwnChat(answer=answer)
    LangChainModel(chat).answer(prose)
    assert rooms == [300]
    assert chat.num_predict is None, "the caller's model is left as it was"


async def test_a_fake_of_langchains(prose: Ask) -> None:
    model = LangChainModel(GenericFakeChatModel(messages=iter([AIMessage("a"), AIMessage("b")])))
    assert model.answer(prose).text == "a"
    assert (await model.aanswer(prose)).text == "b"


def test_callbacks_of_the_caller_are_called(prose: Ask) -> None:
    class Seen(BaseCallbackHandler):
        starts = 0

        def on_chat_model_start(self, *_: Any, **__: Any) -> None:
            self.starts += 1

    seen = Seen()
    model = own(AIMessage("Text."))
    chain = RunnableLambda(lambda ask: model.answer(ask), afunc=model.aanswer)
    config: RunnableConfig = {"callbacks": [seen]}
    chain.invoke(prose, config)
    asyncio.run(chain.ainvoke(prose, config))
    assert seen.starts == 2


def test_identity_holds_what_could_change_a_reply_and_nothing_else() -> None:
    plain = LangChainModel(OwnChat(temperature=0.5))
    assert plain.identity == 'OwnChat {"model": "own:own-1", "temperature": 0.5}'
    private = OwnChat(
        temperature=0.5,
        base_url="http://elsewhere",
        num_predict=7,
        own_api_key=SecretStr("sk-secret"),
        default_headers={"authorization": "sk-secret"},
        options={"api_key": "sk-secret", "nested": [{"token": "sk-secret"}]},
    )
    assert LangChainModel(private).identity == plain.identity
    for changed in (
        OwnChat(temperature=0.6),
        OwnChat(temperature=0.5, model_name="own-2"),
        OwnChat(temperature=0.5, options={"seed": 1}),
    ):
        assert LangChainModel(changed).identity != plain.identity


def test_identity_of_chat_anthropic(server: LoopbackServer) -> None:
    def identity(**options: Any) -> str:
        return LangChainModel(ChatAnthropic(model="claude-opus-5-5", **options)).identity

    plain = identity()
    assert plain == 'ChatAnthropic {"model": "claude-opus-5-5"}'
    assert identity(max_tokens=5, max_retries=9, timeout=3, api_key="sk-secret") == plain
    assert identity(thinking={"type": "disabled"}) != plain
    assert identity(thinking={"type": "enabled", "budget_tokens": 1024}) != identity(
        thinking={"type": "enabled", "budget_tokens": 2048}
    )


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (error(401), ModelAccessDenied),
        (error(402), ModelAccessDenied),
        (error(403), ModelAccessDenied),
        (error(404), ModelAccessDenied),
        (error(400, "Your credit balance is too low."), ModelAccessDenied),
        (error(429, code="enforced_spend_limit_reached"), ModelAccessDenied),
        (error(400), UnusableReply),
        (error(400, "prompt is too long: 300000 tokens > 200000 maximum"), UnusableReply),
        (error(413), UnusableReply),
        (error(408), ModelUnavailable),
        (error(429), ModelUnavailable),
        (error(500), ModelUnavailable),
        (error(529), ModelUnavailable),
        (html(502), ModelUnavailable),
        (html(200), ModelUnavailable),
        (Response(200, b"{"), ModelUnavailable),
        (Response(200, None), ModelUnavailable),
        (Response(200, []), ModelUnavailable),
        (Response(200, {"type": "message"}), ModelUnavailable),
        (reset(), ModelUnavailable),
    ],
)
async def test_faults(
    server: LoopbackServer,
    model: LangChainModel,
    prose: Ask,
    fault: Response,
    kind: type[ModelError],
) -> None:
    server.fail(fault, fault)
    with pytest.raises(ModelError) as caught:
        model.answer(prose)
    assert type(caught.value) is kind
    with pytest.raises(ModelError) as caught:
        await model.aanswer(prose)
    assert type(caught.value) is kind
    assert caught.value.__cause__ is not None
    assert len(server.requests) == 2


def test_retry_after(server: LoopbackServer, model: LangChainModel, prose: Ask) -> None:
    server.fail(error(429, headers={"retry-after": "4"}))
    with pytest.raises(ModelUnavailable) as caught:
        model.answer(prose)
    assert caught.value.retry_after == 4


async def test_no_answer_in_time(server: LoopbackServer, prose: Ask) -> None:
    chat = ChatAnthropic(model="claude-opus-5-5", max_retries=0)
    server.fail(Response(drip=0.05))
    with pytest.raises(ModelUnavailable, match="no answer in time"):
        await LangChainModel(chat, timeout=0.3).aanswer(prose)
    await chat._async_client.close()


def test_no_server_there(server: LoopbackServer, model: LangChainModel, prose: Ask) -> None:
    server.stop()
    with pytest.raises(ModelUnavailable):
        model.answer(prose)


class Strange(Exception):
    """An integration's error, in one of the forms they come in."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__("Strange.")
        for name, value in attributes.items():
            setattr(self, name, value)


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (Strange(status_code=503), ModelUnavailable),
        (Strange(code=403), ModelAccessDenied),
        (Strange(response=httpx2.Response(404)), ModelAccessDenied),
        (Strange(response={"ResponseMetadata": {"HTTPStatusCode": 429}}), ModelUnavailable),
        (Strange(status_code=429, code="insufficient_quota"), ModelAccessDenied),
        (Strange(status_code=-1), UnusableReply),
        (Strange(), UnusableReply),
        (ConnectionRefusedError(), ModelUnavailable),
        (TimeoutError(), ModelUnavailable),
        (httpx2.ConnectError("no"), ModelUnavailable),
        (KeyError("choices"), ModelUnavailable),
    ],
)
def test_errors_of_other_integrations(
    prose: Ask, raised: Exception, kind: type[ModelError]
) -> None:
    def answer(*_: Any) -> AIMessage:
        raise raised

    with pytest.raises(ModelError) as caught:
        LangChainModel(OwnChat(answer=answer)).answer(prose)
    assert type(caught.value) is kind
    assert caught.value.__cause__ is raised


class LengthFinishReasonError(Exception):
    """As OpenAI's client raises it for structured output that was cut off."""

    completion = SimpleNamespace(usage=SimpleNamespace(prompt_tokens=7, completion_tokens=9))


class ContentFilterFinishReasonError(Exception):
    """As OpenAI's client raises it for structured output that was filtered."""


@pytest.mark.parametrize(
    ("raised", "stop", "usage"),
    [
        (LengthFinishReasonError("cut"), "truncated", Usage(7, 9)),
        (ContentFilterFinishReasonError("cut"), "refused", Usage()),
    ],
)
async def test_structured_output_cut_off_at_openai(
    prose: Ask, raised: Exception, stop: str, usage: Usage
) -> None:
    def answer(*_: Any) -> AIMessage:
        raise raised

    model = LangChainModel(OwnChat(answer=answer))
    for reply in (model.answer(prose), await model.aanswer(prose)):
        assert (reply.text, reply.stop_reason, reply.usage, reply.detail) == (
            "",
            stop,
            usage,
            "cut",
        )


def test_something_that_is_no_chat_model() -> None:
    with pytest.raises(ModelError, match="A dict is no chat model"):
        LangChainModel({})  # type: ignore[arg-type]  # As without types one may.


def test_keys_appear_nowhere(server: LoopbackServer, model: LangChainModel, prose: Ask) -> None:
    server.fail(error(401, f"invalid x-api-key: {KEY}"))
    with pytest.raises(ModelAccessDenied) as caught:
        model.answer(prose)
    shown = "".join(traceback.format_exception(caught.value))
    assert KEY not in shown + repr(caught.value) + repr(model) + model.identity


def test_options_belong_to_a_model_opened_by_name(server: LoopbackServer, prose: Ask) -> None:
    opened = LangChainModel("anthropic:claude-opus-5-5", effort="low", timeout=60)
    server.fail(error(529))
    with pytest.raises(ModelUnavailable):
        opened.answer(prose)
    assert opened.answer(prose).text == "Hello."
    assert len(server.requests) == 2, "the integration's own retries are off"
    assert server.bodies[0]["output_config"]["effort"] == "low"
    with pytest.raises(ModelError, match="on the chat model itself"):
        LangChainModel(OwnChat(), effort="low")
