"""What `coerce_model` takes, and how long the model it returns waits before it asks again."""

import asyncio
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from support.loopback import LoopbackServer, Response, error, html

from whyset.generators import Ask, Model, Reply
from whyset.models import (
    AnthropicModel,
    ExtractiveModel,
    LangChainModel,
    ModelAccessDenied,
    ModelError,
    ModelUnavailable,
    RetryingModel,
    RetryPolicy,
    UnusableReply,
    coerce_model,
)
from whyset.models.testing import ScriptedModel

RETRIES = RetryPolicy(attempts=3, initial_wait=0.001)

Answer = Callable[[Model, Ask], Reply]


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Every wait, in seconds; none of them passes."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr("whyset.models._open.time", SimpleNamespace(sleep=waited.append))
    monkeypatch.setattr("whyset.models._open.asyncio", SimpleNamespace(sleep=sleep))
    return waited


def test_a_name_is_opened(server: LoopbackServer) -> None:
    model = coerce_model("anthropic:claude-opus-5-5")
    assert isinstance(model, RetryingModel)
    assert isinstance(model.wrapped, AnthropicModel)


def test_a_chat_model_of_langchains_is_wrapped(prose: Ask) -> None:
    model = coerce_model(FakeListChatModel(responses=["Ask her."]))
    assert isinstance(model, RetryingModel)
    assert isinstance(model.wrapped, LangChainModel)
    assert model.answer(prose).text == "Ask her."


def test_a_model_passes_for_itself() -> None:
    own = ExtractiveModel()
    model = coerce_model(own)
    assert isinstance(model, Model)
    assert (model.name, model.identity, model.is_extractive) == (own.name, own.identity, True)
    assert repr(model) == f"RetryingModel(ExtractiveModel(), {RetryPolicy()!r})"


@pytest.mark.parametrize("nothing", [42, None, object(), ["anthropic:claude"]])
def test_what_cannot_answer_is_refused(nothing: Any) -> None:
    with pytest.raises(ModelError, match="is not a model: give provider:model"):
        coerce_model(nothing)


def test_retries_do_not_multiply(prose: Ask, waits: list[float]) -> None:
    model = ScriptedModel(lambda _: ModelUnavailable("busy"))
    with pytest.raises(ModelUnavailable):
        coerce_model(coerce_model(model, retries=RETRIES), retries=RETRIES).answer(prose)
    assert len(model.asks) == RETRIES.attempts


async def test_closing_closes_the_model() -> None:
    model = ScriptedModel()
    await coerce_model(model).aclose()
    assert model.closed == 1


def test_temporary_faults_are_waited_out(
    server: LoopbackServer, prose: Ask, answer: Answer, waits: list[float]
) -> None:
    server.fail(error(529), html(502), error(429, headers={"retry-after-ms": "300"}))
    retries = RetryPolicy(attempts=4, initial_wait=0.001)
    reply = answer(coerce_model("anthropic:claude-opus-5-5", retries=retries), prose)
    assert reply.text == "Hello."
    assert len(server.requests) == 4
    first, second, asked_for = waits
    assert first <= 0.001 >= second / 2
    assert 0.3 <= asked_for <= 0.3 + 0.004


@pytest.mark.parametrize(
    ("fault", "raised", "attempts"),
    [
        (error(529), ModelUnavailable, RETRIES.attempts),
        (error(401), ModelAccessDenied, 1),
        (error(400), UnusableReply, 1),
    ],
)
def test_retries_end_and_other_faults_have_none(
    server: LoopbackServer,
    prose: Ask,
    answer: Answer,
    waits: list[float],
    fault: Response,
    raised: type[ModelError],
    attempts: int,
) -> None:
    with server.failing(fault), pytest.raises(raised, match=str(fault.status)):
        answer(coerce_model("anthropic:claude-opus-5-5", retries=RETRIES), prose)
    assert len(server.requests) == attempts
    assert len(waits) == attempts - 1


async def test_waiting_asynchronously_leaves_the_event_loop_free(
    prose: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting, over = asyncio.Event(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        waiting.set()
        await over.wait()

    monkeypatch.setattr("whyset.models._open.asyncio", SimpleNamespace(sleep=sleep))
    busy = ScriptedModel([ModelUnavailable("busy"), "At last."])
    answering = asyncio.create_task(coerce_model(busy).aanswer(prose))
    await waiting.wait()
    assert not answering.done()
    over.set()
    assert (await answering).text == "At last."


def draw(policy: RetryPolicy, failed: int, retry_after: float | None = None) -> list[float]:
    return [policy.compute_wait(failed, retry_after) for _ in range(500)]


@pytest.mark.parametrize(
    ("failed", "longest"), [(1, 1.0), (2, 2.0), (4, 8.0), (7, 60.0), (5000, 60.0)]
)
def test_waits_spread_between_nothing_and_a_ceiling_that_doubles(
    failed: int, longest: float
) -> None:
    drawn = draw(RetryPolicy(), failed)
    assert 0 <= min(drawn) < 0.1 * longest
    assert 0.9 * longest < max(drawn) <= longest


def test_a_provider_is_never_asked_earlier_than_it_asked_for_and_little_later() -> None:
    drawn = draw(RetryPolicy(), 6, 30.0)
    assert min(drawn) >= 30.0
    assert max(drawn) <= 31.0
    assert max(draw(RetryPolicy(max_retry_after=5), 1, 86_400)) <= 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attempts": 0}, "An ask is sent at least once, not 0 times."),
        ({"initial_wait": -1}, "initial_wait must be 0 seconds or more, not -1."),
        ({"max_retry_after": float("nan")}, "max_retry_after must be 0 seconds or more, not nan."),
    ],
)
def test_an_impossible_policy_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ModelError) as raised:
        RetryPolicy(**options)
    assert str(raised.value) == message
