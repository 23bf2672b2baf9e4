"""What an ask may hold beside its question: earlier turns, tools, a text to be gone on with."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from langchain_anthropic import ChatAnthropic
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from pydantic import Field
from support.loopback import LoopbackServer, message

from whyset.generators import Ask, Model, Reply, Tool, Turn, UnsupportedModel
from whyset.models import AnthropicModel, LangChainModel, UnusableReply

SCHEMA = {"type": "object", "properties": {"query": {"type": "string"}}, "required": ["query"]}
SEARCH = Tool("search_mail", "Searches the mailbox.", json.dumps(SCHEMA))
TURNS = (Turn("user", "My sister keeps a diary."), Turn("assistant", "Many people do."))

Opener = Callable[[], Model]


def direct() -> Model:
    return AnthropicModel("claude-opus-5-5")


def through_langchain() -> Model:
    return LangChainModel(ChatAnthropic(model="claude-opus-5-5", max_retries=0, timeout=60))


@pytest.fixture(params=[direct, through_langchain])
def model(request: pytest.FixtureRequest, server: LoopbackServer) -> Model:
    opened: Model = request.param()
    return opened


def calling(*names: str, text: str = "") -> dict[str, Any]:
    calls = [{"type": "tool_use", "id": name, "name": name, "input": {}} for name in names]
    said = [{"type": "text", "text": text}] if text else []
    return message(content=[*said, *calls], stop_reason="tool_use")


class OwnChat(BaseChatModel):
    """A chat model that keeps what it was given; it may know tools."""

    knows_tools: bool = True
    given: list[Any] = Field(default_factory=list)

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
        self.given.append((messages, kwargs))
        return ChatResult(generations=[ChatGeneration(message=AIMessage("Ask her."))])

    def bind_tools(
        self, tools: Sequence[Any], *, tool_choice: str | None = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        if not self.knows_tools:
            raise NotImplementedError
        return self.bind(tools=tools, **kwargs)


def test_turns_come_before_the_question(server: LoopbackServer, model: Model, prose: Ask) -> None:
    assert model.answer(replace(prose, turns=TURNS)).text == "Hello."
    assert server.bodies[0]["messages"] == [
        {"role": "user", "content": "My sister keeps a diary."},
        {"role": "assistant", "content": "Many people do."},
        {"role": "user", "content": "May I read her diary?"},
    ]


def test_tools_are_laid_beside_it(server: LoopbackServer, model: Model, prose: Ask) -> None:
    assert model.answer(replace(prose, tools=(SEARCH,))).stop_reason == "complete"
    assert server.bodies[0]["tools"] == [
        {"name": "search_mail", "description": "Searches the mailbox.", "input_schema": SCHEMA}
    ]


def test_without_them_there_are_none(server: LoopbackServer, model: Model, prose: Ask) -> None:
    model.answer(prose)
    assert "tools" not in server.bodies[0]


def test_a_reply_that_calls_a_tool_is_no_answer_and_names_it(
    server: LoopbackServer, model: Model, prose: Ask
) -> None:
    server.answer = lambda _: calling("search_mail", "send_mail", "search_mail", text="I look.")
    reply = model.answer(replace(prose, tools=(SEARCH,)))
    assert (reply.stop_reason, reply.detail) == ("other", "it calls search_mail, send_mail")


def test_a_text_to_be_gone_on_with_is_the_message(
    server: LoopbackServer, model: Model, prose: Ask
) -> None:
    asked = replace(prose, system="", user="Once, in a\n\n", is_completion=True)
    assert model.answer(asked).text == "Hello."
    (body,) = server.bodies
    assert body["messages"] == [{"role": "user", "content": "Once, in a\n\n"}]
    system = body["system"] if isinstance(body["system"], str) else body["system"][0]["text"]
    assert "beginning of a text" in system
    assert "cache_control" in str(body["system"]) or isinstance(model, LangChainModel)


def test_what_is_common_to_the_step_begins_the_text(
    server: LoopbackServer, model: Model, prose: Ask
) -> None:
    model.answer(replace(prose, system="An anthology.", user="Once", is_completion=True))
    assert server.bodies[0]["messages"] == [{"role": "user", "content": "An anthology.\n\nOnce"}]


@pytest.mark.parametrize("parameters", ["{", "[]", '"query"'])
def test_a_tool_without_a_schema_cannot_be_laid(
    server: LoopbackServer, model: Model, prose: Ask, parameters: str
) -> None:
    asked = replace(prose, tools=(Tool("broken", "", parameters),))
    for answer in (model.answer, lambda ask: asyncio.run(model.aanswer(ask))):
        with pytest.raises(UnusableReply, match="the tool 'broken'"):
            answer(asked)
    assert server.requests == []


async def test_a_batch_holds_the_same(server: LoopbackServer, prose: Ask) -> None:
    model = AnthropicModel("claude-opus-5-5")
    asks = [
        replace(prose, turns=TURNS),
        replace(prose, tools=(SEARCH,)),
        replace(prose, is_completion=True),
    ]
    for ask in asks:
        await model.aanswer(ask)
    await model.aclose()
    requests = [json.loads(model.batches.build_request("key", ask)) for ask in asks]
    assert [request["params"] for request in requests] == server.bodies
    with pytest.raises(UnusableReply):
        model.batches.build_request("key", replace(prose, user="\ud800"))


def test_a_class_of_langchains_that_knows_tools(prose: Ask) -> None:
    chat = OwnChat()
    reply: Reply = LangChainModel(chat).answer(replace(prose, tools=(SEARCH,), turns=TURNS))
    assert reply.text == "Ask her."
    ((messages, kwargs),) = chat.given
    assert [said.type for said in messages] == ["system", "human", "ai", "human"]
    assert kwargs["max_tokens"] == 300
    assert kwargs["tools"][0]["function"]["parameters"] == SCHEMA


def test_a_class_of_langchains_that_knows_none_declines(prose: Ask, judged: Ask) -> None:
    model = LangChainModel(OwnChat(knows_tools=False))
    with pytest.raises(UnsupportedModel, match="own:own takes no tools: name another model"):
        model.answer(replace(prose, tools=(SEARCH,)))
    with pytest.raises(UnsupportedModel, match="LangChain cannot combine"):
        model.answer(replace(judged, tools=(SEARCH,)))


def test_no_two_of_them_share_a_key(prose: Ask) -> None:
    asks = [
        prose,
        replace(prose, turns=TURNS),
        replace(prose, turns=TURNS[:1]),
        replace(prose, tools=(SEARCH,)),
        replace(prose, is_completion=True),
    ]
    assert len({ask.key("model") for ask in asks}) == len(asks)
