"""Base models: LangChain's own OpenAI class against a loopback server, and classes of our own."""

import asyncio
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.language_models import LLM, BaseLLM, FakeListLLM
from langchain_core.outputs import Generation, LLMResult
from langchain_core.runnables import RunnableConfig, RunnableLambda
from pydantic import Field
from support.loopback import LoopbackServer, Response, continuation, error, html

from whyset.generators import Ask, Model, Reply, Tool, Turn, UnsupportedModel, Usage
from whyset.models import (
    CompletionModel,
    ModelAccessDenied,
    ModelError,
    ModelUnavailable,
    UnusableReply,
    coerce_model,
    open_model,
)

KEY = "sk-loopback-key"

Answer = Callable[[Model, Ask], Reply]


def answer_once(model: Model, ask: Ask) -> Reply:
    reply = model.answer(ask)
    asyncio.run(model.aclose())
    return reply


@pytest.fixture
def completing(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    with LoopbackServer(lambda _: continuation()) as loopback:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{loopback.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield loopback


@pytest.fixture
def beginning(prose: Ask) -> Ask:
    return replace(prose, system="", user="The lamp was still on,\n\n", is_completion=True)


class OwnLLM(BaseLLM):
    """A completion model as an integration writes one."""

    results: Callable[[], LLMResult] = Field(exclude=True)
    num_predict: int = 1
    seen: list[Any] = Field(default_factory=list, exclude=True)

    @property
    def _llm_type(self) -> str:
        return "own"

    def _generate(
        self,
        prompts: list[str],
        stop: list[str] | None = None,
        run_manager: Any = None,
        **kwargs: Any,
    ) -> LLMResult:
        self.seen.append((prompts, self.num_predict, kwargs))
        return self.results()


def own(text: str, output: dict[str, Any] | None = None, **said: Any) -> OwnLLM:
    result = LLMResult(
        generations=[[Generation(text=text, generation_info=said)]], llm_output=output
    )
    return OwnLLM(results=lambda: result)


def test_it_goes_on_with_the_text_as_it_stands(
    completing: LoopbackServer, beginning: Ask, answer: Answer
) -> None:
    model = open_model("completion:openai:base-70b", timeout=60)
    reply = answer(model, beginning)
    assert reply == Reply(" and so on.", "complete", Usage(10, 5), "base-70b")
    (request,) = completing.requests
    assert request.path == "/v1/completions"
    assert request.body["model"] == "base-70b"
    assert request.body["prompt"] == ["The lamp was still on,\n\n"]
    assert request.body["max_tokens"] == 300


def test_what_is_common_to_the_step_begins_the_text(
    completing: LoopbackServer, beginning: Ask
) -> None:
    answer_once(open_model("completion:openai:base"), replace(beginning, system="An anthology."))
    assert completing.bodies[0]["prompt"] == ["An anthology.\n\nThe lamp was still on,\n\n"]


def test_is_a_model(completing: LoopbackServer) -> None:
    model = open_model("completion:openai:base")
    assert isinstance(model, Model)
    assert isinstance(model, CompletionModel)
    assert (model.name, model.is_extractive) == ("completion:openai:base", False)
    assert repr(model) == "CompletionModel('completion:openai:base')"


def test_identity_is_the_class_and_how_it_samples(completing: LoopbackServer) -> None:
    from langchain_openai import OpenAI

    def identity(**options: Any) -> str:
        return CompletionModel(OpenAI(model="base", **options)).identity

    plain = identity()
    assert plain.startswith("OpenAI {")
    assert open_model("completion:openai:base", base_url="http://127.0.0.1:9").identity == plain
    assert identity(max_tokens=9, max_retries=1, timeout=1, api_key="sk-other-key") == plain
    assert identity(temperature=1.0) != plain
    assert KEY not in plain


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"is_completion": False},
            "only completes texts; deliberation/write needs a chat model",
        ),
        ({"turns": (Turn("user", "Hm."),)}, "only completes texts"),
        ({"tools": (Tool("a", "b", "{}"),)}, "only completes texts"),
    ],
)
def test_anything_else_is_declined(
    completing: LoopbackServer, beginning: Ask, answer: Answer, change: dict[str, Any], said: str
) -> None:
    with pytest.raises(UnsupportedModel, match=said):
        answer(open_model("completion:openai:base"), replace(beginning, **change))
    assert completing.requests == []


def test_a_judgement_is_declined(completing: LoopbackServer, judged: Ask) -> None:
    with pytest.raises(UnsupportedModel, match="--judge"):
        open_model("completion:openai:base").answer(replace(judged, is_completion=True))


@pytest.mark.parametrize(
    ("body", "stop", "detail"),
    [
        (continuation(finish_reason="stop"), "complete", ""),
        (continuation(finish_reason="length"), "truncated", "length"),
        (continuation(finish_reason="content_filter"), "refused", "content_filter"),
        (continuation(finish_reason="abort"), "other", "abort"),
        (continuation(" \n"), "other", "empty"),
    ],
)
def test_stop_reasons(
    completing: LoopbackServer, beginning: Ask, body: dict[str, Any], stop: str, detail: str
) -> None:
    completing.answer = lambda _: body
    reply = answer_once(open_model("completion:openai:base"), beginning)
    assert (reply.stop_reason, reply.detail) == (stop, detail)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (error(401, f"no such key: {KEY}"), ModelAccessDenied),
        (error(404), ModelAccessDenied),
        (error(400), UnusableReply),
        (error(429), ModelUnavailable),
        (error(503), ModelUnavailable),
        (html(200), ModelUnavailable),
        (Response(200, {"choices": []}), ModelUnavailable),
    ],
)
def test_faults(
    completing: LoopbackServer,
    beginning: Ask,
    answer: Answer,
    fault: Response,
    kind: type[ModelError],
) -> None:
    completing.fail(fault)
    with pytest.raises(ModelError) as caught:
        answer(open_model("completion:openai:base"), beginning)
    assert type(caught.value) is kind
    assert KEY not in "".join(traceback.format_exception(caught.value))
    assert len(completing.requests) == 1, "the integration's own retries are off"


async def test_no_answer_in_time(completing: LoopbackServer, beginning: Ask) -> None:
    completing.fail(Response(hang=True))
    model = open_model("completion:openai:base", timeout=0.2)
    with pytest.raises(ModelUnavailable, match="no answer in time"):
        await model.aanswer(beginning)
    await model.aclose()


async def test_a_closed_model_opens_again(completing: LoopbackServer, beginning: Ask) -> None:
    model = open_model("completion:openai:base")
    for _ in range(2):
        assert model.answer(beginning) == await model.aanswer(beginning)
        await model.aclose()
    assert completing.connections == 4


def test_a_base_url(completing: LoopbackServer, beginning: Ask) -> None:
    with LoopbackServer(lambda _: continuation(" there.")) as other:
        model = open_model("completion:openai:base", base_url=f"{other.url}/v1")
        assert answer_once(model, beginning).text == " there."
    assert completing.requests == []


def test_any_completion_model_of_langchains_is_adopted(beginning: Ask, answer: Answer) -> None:
    llm = own(" went out.", done_reason="stop", prompt_eval_count=4, eval_count=3)
    adopted = coerce_model(llm)
    assert answer(adopted, beginning) == Reply(" went out.", "complete", Usage(4, 3))
    assert llm.seen == [(["The lamp was still on,\n\n"], 300, {})], "its own field has the room"
    assert llm.num_predict == 1, "the caller's model is left as it was"
    assert adopted.name == "completion:own:own"


def test_no_usage_counts_as_no_tokens(beginning: Ask) -> None:
    assert coerce_model(FakeListLLM(responses=[" went out."])).answer(beginning).usage == Usage()


@pytest.mark.parametrize(("written", "stop"), [(299, "complete"), (300, "truncated")])
def test_without_a_reason_a_full_room_is_a_cut(beginning: Ask, written: int, stop: str) -> None:
    llm = own(" went out.", {"token_usage": {"prompt_tokens": 1, "completion_tokens": written}})
    assert coerce_model(llm).answer(beginning).stop_reason == stop


def test_a_class_without_a_field_for_it_gets_max_tokens_all_the_same(beginning: Ask) -> None:
    class OwnCall(LLM):
        @property
        def _llm_type(self) -> str:
            return "own"

        def _call(
            self, prompt: str, stop: list[str] | None = None, run_manager: Any = None, **more: Any
        ) -> str:
            return f" {more['max_tokens']}"

    assert coerce_model(OwnCall()).answer(beginning).text == " 300"


def test_nothing_at_all_is_a_passing_fault(beginning: Ask) -> None:
    with pytest.raises(ModelUnavailable, match="has no text"):
        CompletionModel(OwnLLM(results=lambda: LLMResult(generations=[[]]))).answer(beginning)


def test_callbacks_of_the_caller_are_called(beginning: Ask) -> None:
    class Seen(BaseCallbackHandler):
        starts = 0

        def on_llm_start(self, *_: Any, **__: Any) -> None:
            self.starts += 1

    seen = Seen()
    model = CompletionModel(own(" went out."))
    chain = RunnableLambda(lambda ask: model.answer(ask), afunc=model.aanswer)
    config: RunnableConfig = {"callbacks": [seen]}
    chain.invoke(beginning, config)
    asyncio.run(chain.ainvoke(beginning, config))
    assert seen.starts == 2


def test_what_is_none_is_said(completing: LoopbackServer) -> None:
    with pytest.raises(ModelError, match="A dict is no completion model"):
        CompletionModel({})  # type: ignore[arg-type]  # As without types one may.
    with pytest.raises(ModelError, match="on the completion model itself"):
        CompletionModel(own("x"), base_url="http://127.0.0.1:9")


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "langchain_openai", None)
    with pytest.raises(ModelError, match="pip install langchain-openai"):
        open_model("completion:openai:base")
