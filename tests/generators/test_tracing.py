"""What LangChain's callbacks, LangSmith and OpenTelemetry see of a generator's asks and finds."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.callbacks import UsageMetadataCallbackHandler
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage
from langchain_core.tracers import LangChainTracer, Run
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from langsmith import Client
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from requests import Response, Session
from support.answers.story import script as script_story
from support.samples.deliberation import ACCORD, CONSTITUTION, DELIBERATION, DIARY, PASSES
from support.samples.story import DIARY as DIARY_PASSAGE

from whyset.generators import Ask, Usage
from whyset.generators._langchain import BoundGenerator
from whyset.generators.deliberation import Deliberation
from whyset.generators.story import Story
from whyset.models import ModelAccessDenied
from whyset.models.testing import ScriptedModel, ScriptedReply
from whyset.retriever.testing import FakeSearcher

NAME = "anthropic:claude-loopback-1"
TAKEN = Usage(10, 5, 3, 2)
STEPS = ["deliberation/appraise", "deliberation/write", "deliberation/judge"]


def say(ask: Ask) -> ScriptedReply:
    if ask.step == "deliberation/appraise":
        return ACCORD
    return DELIBERATION if ask.role == "writer" else PASSES


def bound(script: Callable[[Ask], ScriptedReply] = say) -> BoundGenerator:
    model = ScriptedModel(script, name=NAME, usage=TAKEN)
    return Deliberation(k=2).bind(model, FakeSearcher(CONSTITUTION))


def story() -> BoundGenerator:
    return Story().bind(ScriptedModel(script_story, name=NAME), FakeSearcher(CONSTITUTION))


BRIEF: dict[str, Any] = {"passages": [DIARY_PASSAGE], "variety": {"length": "short"}, "seed": 3}


@pytest.fixture(params=[False, True], ids=["invoke", "ainvoke"])
def traced(request: pytest.FixtureRequest) -> Callable[[BoundGenerator, dict[str, Any]], Run]:
    """Return the root of the runs that a call makes."""

    def trace(generator: BoundGenerator, columns: dict[str, Any]) -> Run:
        collector = RunCollectorCallbackHandler()
        config: Any = {"callbacks": [collector]}
        if request.param:
            asyncio.run(generator.ainvoke(columns, config))
        else:
            generator.invoke(columns, config)
        (root,) = collector.traced_runs
        return root

    return trace


Traced = Callable[[BoundGenerator, dict[str, Any]], Run]


def below(run: Run, kind: str) -> Iterator[Run]:
    for child in run.child_runs:
        if child.run_type == kind:
            yield child
        yield from below(child, kind)


def test_each_ask_is_a_run_with_the_models_own_run_in_it(traced: Traced) -> None:
    root = traced(bound(), DIARY)

    assert (root.name, root.inputs) == ("deliberation", DIARY)
    assert [run.name for run in root.child_runs if run.run_type == "chain"] == STEPS
    for run in below(root, "chain"):
        (model,) = run.child_runs
        assert (model.run_type, model.name) == ("llm", NAME)


def test_an_ask_is_read_as_messages_and_a_reply_as_text(traced: Traced) -> None:
    write = next(run for run in below(traced(bound(), DIARY), "chain") if "write" in run.name)

    system, user = write.inputs["messages"]
    assert isinstance(system, SystemMessage)
    assert isinstance(user, HumanMessage)
    assert DIARY["prompt"] in user.text
    assert (write.inputs["role"], write.inputs["max_tokens"]) == ("writer", 6034)
    assert write.outputs == {
        "text": DELIBERATION,
        "stop": "complete",
        "model": NAME,
        "usage": {
            "input_tokens": 10,
            "output_tokens": 5,
            "cache_read_tokens": 3,
            "cache_write_tokens": 2,
        },
    }


def test_a_models_run_says_which_model_and_what_it_took(traced: Traced) -> None:
    judge = list(below(traced(bound(), DIARY), "llm"))[-1]

    assert judge.extra["metadata"] == {
        "ls_provider": "anthropic",
        "ls_model_name": "claude-loopback-1",
        "ls_model_type": "chat",
        "ls_max_tokens": 4034,
    }
    assert judge.extra["invocation_params"]["response_format"] == "Verdict"
    assert judge.outputs is not None
    outcome = judge.outputs["generations"][0][0]["message"]["kwargs"]
    assert outcome["content"] == PASSES.model_dump_json()
    assert outcome["usage_metadata"] == {
        "input_tokens": 15,
        "output_tokens": 5,
        "total_tokens": 20,
        "input_token_details": {"cache_read": 3, "cache_creation": 2},
    }


def test_each_find_is_a_retrievers_run_with_its_passages(traced: Traced) -> None:
    first, second = below(traced(bound(), DIARY), "retriever")

    assert (first.name, second.name) == ("find", "find")
    assert first.inputs == {"query": f"{DIARY['prompt']}\n\n{DIARY['response']}"}
    assert second.outputs is not None
    document = second.outputs["documents"][0]
    assert document.id in {passage.id for passage in CONSTITUTION.passages}
    assert document.metadata["path"][0] == "The Lantern Document"


def test_a_document_written_from_a_brief_is_seen_just_so(traced: Traced) -> None:
    root = traced(story(), BRIEF)

    names = [run.name for run in root.child_runs]
    assert names[0] == "fetch"
    assert {"story/premise", "story/draft", "story/judge"} <= set(names)
    assert len(list(below(root, "llm"))) == len(list(below(root, "chain")))
    assert json.loads(json.dumps(root.outputs)) == root.outputs


def test_a_chat_model_of_langchains_makes_its_own_run_and_no_second(traced: Traced) -> None:
    chat = GenericFakeChatModel(messages=iter([AIMessage(DELIBERATION)]))
    judge = ScriptedModel(say, name=NAME)
    generator = Deliberation(k=2).bind(chat, FakeSearcher(CONSTITUTION), judge=judge)

    root = traced(generator, DIARY)

    runs = {run.name: [child.name for child in run.child_runs] for run in below(root, "chain")}
    assert runs["deliberation/write"] == ["GenericFakeChatModel"]
    assert runs["deliberation/judge"] == [NAME]


def test_what_only_quotes_is_no_models_run(traced: Traced) -> None:
    root = traced(Deliberation().bind("extractive", FakeSearcher(CONSTITUTION)), DIARY)

    assert [run.name for run in below(root, "chain")] == ["deliberation/extract"]
    assert list(below(root, "llm")) == []


def test_a_failure_is_seen_where_it_happened() -> None:
    def refuse(ask: Ask) -> ScriptedReply:
        return ModelAccessDenied("key turned down") if ask.role == "writer" else say(ask)

    for call in ("invoke", "ainvoke"):
        collector = RunCollectorCallbackHandler()
        with pytest.raises(ModelAccessDenied):
            _call(bound(refuse), call, collector)
        failed = [run for run in below(collector.traced_runs[0], "chain") if run.error]
        assert [run.name for run in failed] == ["deliberation/write"]
        assert failed[0].child_runs[0].error is not None


def _call(generator: BoundGenerator, how: str, collector: Any) -> None:
    called: Any = getattr(generator, how)(DIARY, {"callbacks": [collector]})
    if how == "ainvoke":
        asyncio.run(called)


def test_tokens_add_up_in_langchains_own_counter() -> None:
    counter = UsageMetadataCallbackHandler()

    bound().batch([DIARY, DIARY], {"callbacks": [counter]})

    assert counter.usage_metadata[NAME]["input_tokens"] == 2 * 3 * 15
    assert counter.usage_metadata[NAME]["output_tokens"] == 2 * 3 * 5


@pytest.mark.parametrize(
    ("generator", "columns", "first"),
    [(bound, DIARY, "deliberation/appraise"), (story, BRIEF, "story/dilemmas")],
    ids=["a row", "a brief"],
)
async def test_events_show_every_ask_with_prompt_model_and_tokens(
    generator: Callable[[], BoundGenerator], columns: dict[str, Any], first: str
) -> None:
    config: Any = {"tags": ["nightly"], "metadata": {"run": "7"}}
    events: list[Any] = [
        event async for event in generator().astream_events(columns, config, version="v2")
    ]

    steps = [event["name"] for event in events if event["event"] == "on_chain_start"]
    assert steps[1] == first
    started = [event for event in events if event["event"] == "on_chat_model_start"]
    ended = [event for event in events if event["event"] == "on_chat_model_end"]
    assert len(started) == len(ended) == len(steps) - 1
    for start, end in zip(started, ended, strict=True):
        assert isinstance(start["data"]["input"]["messages"][0][-1], HumanMessage)
        assert start["metadata"]["ls_model_name"] == "claude-loopback-1"
        assert start["metadata"]["run"] == "7"
        assert start["tags"] == ["nightly"]
        assert end["data"]["output"].usage_metadata["output_tokens"] > 0
    assert "whyset" in events[-1]["data"]["output"]


class Posted(Session):
    """A session that sends nothing and keeps what would be sent."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[dict[str, Any]] = []

    def request(self, method: Any, url: Any, *args: Any, data: Any = None, **more: Any) -> Response:
        if data:
            self.bodies.append(json.loads(data))
        response = Response()
        response.status_code, response._content = 200, b"{}"
        return response


def test_langsmith_is_sent_messages_and_tokens_and_no_objects() -> None:
    session = Posted()
    client = Client(
        api_url="http://127.0.0.1:9", api_key="none", session=session, auto_batch_tracing=False
    )

    bound().invoke(DIARY, {"callbacks": [LangChainTracer(client=client)]})

    ended = [body for body in session.bodies if body.get("run_type") == "llm" and body["outputs"]]
    assert [body["extra"]["metadata"]["usage_metadata"]["total_tokens"] for body in ended] == [
        20
    ] * 3
    sent = json.dumps(session.bodies)
    assert "Grounding(" not in sent
    assert "Ask(" not in sent
    assert "You read rows of a training data set" in sent


def test_opentelemetry_has_a_span_for_every_ask_with_model_and_tokens() -> None:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    client = Client(
        api_url="http://127.0.0.1:9",
        api_key="none",
        tracing_mode="otel",
        otel_tracer_provider=provider,
    )

    bound().invoke(DIARY, {"callbacks": [LangChainTracer(client=client)]})
    client.flush()

    spans = [span for span in exporter.get_finished_spans() if span.name == NAME]
    assert len(spans) == 3
    for span in spans:
        assert span.attributes is not None
        assert span.attributes["gen_ai.request.model"] == "claude-loopback-1"
        assert span.attributes["gen_ai.usage.input_tokens"] == 15
    client.cleanup()
