"""Requests and replies of the direct adapter, through the real SDK."""

import asyncio
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from subprocess import run
from typing import Any

import pytest
from support.loopback import LoopbackServer, message, structured

from whyset.generators import Ask, Model, Reply, Usage
from whyset.models import AnthropicModel, ModelError

Answer = Callable[[Model, Ask], Reply]


@pytest.fixture
def model(server: LoopbackServer) -> AnthropicModel:
    return AnthropicModel("claude-opus-5-5")


def test_is_a_model(model: AnthropicModel) -> None:
    assert isinstance(model, Model)
    assert model.name == "anthropic:claude-opus-5-5"
    assert model.identity == "anthropic:claude-opus-5-5"
    assert model.is_extractive is False
    assert repr(model) == "AnthropicModel('claude-opus-5-5', effort=None)"


def test_prose_is_asked_with_the_common_part_first_and_cached(
    server: LoopbackServer, model: AnthropicModel, prose: Ask, answer: Answer
) -> None:
    reply = answer(model, prose)
    assert reply == Reply(
        text="Hello.", stop_reason="complete", usage=Usage(10, 5), model="claude-opus-5-5"
    )
    assert server.bodies == [
        {
            "model": "claude-opus-5-5",
            "max_tokens": 300,
            "messages": [{"role": "user", "content": "May I read her diary?"}],
            "system": [
                {
                    "type": "text",
                    "text": "You weigh what pulls apart.",
                    "cache_control": {"type": "ephemeral"},
                }
            ],
        }
    ]
    headers = server.requests[0].headers
    assert "test-key" in headers.get("authorization", "") + headers.get("x-api-key", "")
    assert headers["x-stainless-retry-count"] == "0"


def test_a_schema_is_asked_for_strictly_and_its_json_comes_back(
    server: LoopbackServer, model: AnthropicModel, judged: Ask, answer: Answer
) -> None:
    server.answer = lambda _: structured({"passes": True, "reasons": ["“ja”"]})
    reply = answer(model, judged)
    assert json.loads(reply.text) == {"passes": True, "reasons": ["“ja”"]}
    output = server.bodies[0]["output_config"]
    assert output["format"]["type"] == "json_schema"
    assert output["format"]["schema"]["additionalProperties"] is False
    assert output["format"]["schema"]["required"] == ["passes"]
    assert "effort" not in output


def test_effort_is_sent_and_part_of_the_identity(
    server: LoopbackServer, prose: Ask, judged: Ask
) -> None:
    model = AnthropicModel("claude-opus-5-5", effort="low")
    model.answer(prose)
    server.answer = lambda _: structured({"passes": False})
    model.answer(judged)
    assert server.bodies[0]["output_config"] == {"effort": "low"}
    assert set(server.bodies[1]["output_config"]) == {"effort", "format"}
    assert model.identity != AnthropicModel("claude-opus-5-5").identity
    assert prose.key(model.identity) != prose.key(AnthropicModel("claude-opus-5-5").identity)


def test_the_address_is_no_part_of_the_identity(server: LoopbackServer) -> None:
    elsewhere = AnthropicModel("claude-opus-5-5", base_url="http://127.0.0.1:9")
    assert elsewhere.identity == AnthropicModel("claude-opus-5-5").identity


def test_no_system_prompt_is_no_empty_block(server: LoopbackServer, prose: Ask) -> None:
    AnthropicModel("claude-opus-5-5").answer(replace(prose, system=""))
    assert "system" not in server.bodies[0]


@pytest.mark.parametrize(
    ("body", "stop", "detail"),
    [
        (message(stop_reason="end_turn"), "complete", ""),
        (message(stop_reason="stop_sequence"), "complete", ""),
        (message(stop_reason="max_tokens"), "truncated", "max_tokens"),
        (
            message(stop_reason="model_context_window_exceeded"),
            "truncated",
            "model_context_window_exceeded",
        ),
        (message(stop_reason="refusal"), "refused", "refusal"),
        (
            message(
                content=[],
                stop_reason="refusal",
                stop_details={"type": "refusal", "category": "cyber", "explanation": "No."},
            ),
            "refused",
            "cyber: No.",
        ),
        (message(stop_reason="refusal", stop_details={"type": "refusal"}), "refused", "refusal"),
        (message(stop_reason="tool_use"), "other", "tool_use"),
        (message(stop_reason="pause_turn"), "other", "pause_turn"),
        (message(stop_reason="a_new_one"), "other", "a_new_one"),
        (message(stop_reason=None), "other", "no stop reason"),
        (message(content=[]), "other", "empty"),
        (message(" \n"), "other", "empty"),
        (message(content=[{"type": "thinking", "thinking": "Hm."}]), "other", "empty"),
    ],
)
def test_stop_reasons(
    server: LoopbackServer,
    model: AnthropicModel,
    prose: Ask,
    body: dict[str, Any],
    stop: str,
    detail: str,
) -> None:
    server.answer = lambda _: body
    reply = model.answer(prose)
    assert (reply.stop_reason, reply.detail) == (stop, detail)


def test_text_blocks_are_joined_and_others_left_out(
    server: LoopbackServer, model: AnthropicModel, prose: Ask
) -> None:
    content = [
        {"type": "thinking", "thinking": "Hm.", "signature": "s"},
        {"type": "redacted_thinking", "data": "x"},
        {"type": "text", "text": "One, "},
        {"type": "a_block_of_next_year", "text": "not this"},
        {"type": "text", "text": "two."},
    ]
    server.answer = lambda _: message(content=content)
    assert model.answer(prose).text == "One, two."


def test_usage_keeps_the_cache_apart(
    server: LoopbackServer, model: AnthropicModel, prose: Ask
) -> None:
    usage = {
        "input_tokens": 7,
        "output_tokens": 3,
        "cache_read_input_tokens": 400,
        "cache_creation_input_tokens": None,
    }
    server.answer = lambda _: message(usage=usage)
    assert model.answer(prose).usage == Usage(7, 3, 400, 0)


def test_the_room_may_be_larger_than_the_sdk_lets_one_wait_for(
    server: LoopbackServer, model: AnthropicModel, prose: Ask, answer: Answer
) -> None:
    assert answer(model, replace(prose, max_tokens=64_000)).stop_reason == "complete"


def test_a_deprecated_model_is_noted_and_not_warned_of(
    server: LoopbackServer, prose: Ask, answer: Answer
) -> None:
    from anthropic.resources.messages.messages import DEPRECATED_MODELS

    name, end = next(iter(DEPRECATED_MODELS.items()))
    model = AnthropicModel(name)
    assert model.notes == (f"anthropic:{name} is deprecated; its end of life is {end}.",)
    assert answer(model, prose).stop_reason == "complete"
    assert AnthropicModel("claude-opus-5-5").notes == ()


def test_a_model_outlives_event_loops(
    server: LoopbackServer, model: AnthropicModel, prose: Ask
) -> None:
    for _ in range(3):
        assert asyncio.run(model.aanswer(prose)).text == "Hello."
    assert len(server.requests) == 3
    assert model._client._clients == {}


async def test_a_closed_model_opens_again(
    server: LoopbackServer, model: AnthropicModel, prose: Ask
) -> None:
    await model.aclose()
    await model.aanswer(prose)
    model.answer(prose)
    await model.aclose()
    assert model._client._clients == {}
    assert (await model.aanswer(prose)).text == "Hello."
    await model.aclose()


@pytest.mark.parametrize(
    ("options", "peak"), [({}, 300), ({"connections": 4}, 4)], ids=["hundreds", "a bound"]
)
async def test_requests_in_flight_at_once(
    server: LoopbackServer, prose: Ask, options: dict[str, Any], peak: int
) -> None:
    server.latency = 3600
    model = AnthropicModel("claude-opus-5-5", **options)
    tasks = [asyncio.create_task(model.aanswer(prose)) for _ in range(300)]
    while server.in_flight < peak:
        await asyncio.sleep(0.01)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert server.peak == peak
    await model.aclose()


async def test_connections_are_used_again(
    server: LoopbackServer, model: AnthropicModel, prose: Ask
) -> None:
    for _ in range(3):
        await model.aanswer(prose)
    assert server.connections == 1
    await model.aclose()


async def test_cancelling_is_no_fault_of_the_model(
    server: LoopbackServer, model: AnthropicModel, prose: Ask
) -> None:
    server.latency = 3600
    task = asyncio.create_task(model.aanswer(prose))
    while not server.in_flight:
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await model.aclose()


def test_nothing_is_left_unclosed(server: LoopbackServer) -> None:
    # What asyncio logs of slow callbacks speaks of the machine; what is left open are errors to it,
    # or warnings of Python's.
    script = """
import asyncio, gc, logging
from whyset.generators import Ask
from whyset.models import AnthropicModel
logging.getLogger("asyncio").setLevel(logging.ERROR)
model = AnthropicModel("claude-opus-5-5")
ask = Ask("writer", "a/b", "s", "u", 10)
model.answer(ask)
for _ in range(2):
    asyncio.run(model.aanswer(ask))
del model
gc.collect()
"""
    done = run(
        [sys.executable, "-X", "dev", "-W", "always", "-c", script],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("model", "options", "said"),
    [
        ("claude-opus-5-5", {}, "set ANTHROPIC_API_KEY"),
        ("", {"api_key": "k"}, "anthropic:MODEL"),
        ("m", {"api_key": "k", "effort": "huge"}, "one of low, medium, high, xhigh, max"),
        ("m", {"api_key": "k", "base_url": "localhost:8000"}, "write http://"),
    ],
)
def test_what_cannot_work_is_said_at_once(model: str, options: dict[str, Any], said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        AnthropicModel(model, **options)
    assert caught.value.exit_code == 2


def test_other_credentials_than_a_key_do(
    server: LoopbackServer, prose: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    monkeypatch.setenv("ANTHROPIC_AUTH_TOKEN", "a-token")
    assert AnthropicModel("claude-opus-5-5").answer(prose).text == "Hello."
    assert server.requests[0].headers["authorization"] == "Bearer a-token"
