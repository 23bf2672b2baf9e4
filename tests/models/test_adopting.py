"""A model that bides its time, and how long it does."""

import asyncio
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.language_models import FakeListChatModel
from support.loopback import LoopbackServer, error, html

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

QUICK = RetryPolicy(attempts=3, initial_wait=0.001)

Answer = Callable[[Model, Ask], Reply]


def by_sync(model: Model, ask: Ask) -> Reply:
    return model.answer(ask)


def by_async(model: Model, ask: Ask) -> Reply:
    return asyncio.run(model.aanswer(ask))


@pytest.fixture(params=[by_sync, by_async])
def answer(request: pytest.FixtureRequest) -> Answer:
    chosen: Answer = request.param
    return chosen


class TestAdopt:
    def test_takes_a_name(self, server: LoopbackServer) -> None:
        adopted = coerce_model("anthropic:claude-opus-5-5")
        assert isinstance(adopted, RetryingModel)
        assert isinstance(adopted.wrapped, AnthropicModel)

    def test_takes_a_chat_model_of_langchains(self, prose: Ask) -> None:
        adopted = coerce_model(FakeListChatModel(responses=["Ask her."]))
        assert isinstance(adopted, RetryingModel)
        assert isinstance(adopted.wrapped, LangChainModel)
        assert adopted.answer(prose).text == "Ask her."

    def test_takes_a_model_and_passes_for_it(self) -> None:
        model = ExtractiveModel()
        adopted = coerce_model(model)
        assert isinstance(adopted, Model)
        assert (adopted.name, adopted.identity, adopted.is_extractive) == (
            model.name,
            model.identity,
            True,
        )

    def test_does_not_multiply_patience(self, prose: Ask) -> None:
        model = ScriptedModel(lambda _: ModelUnavailable("busy"))
        twice = coerce_model(coerce_model(model, retries=QUICK), retries=QUICK)
        with pytest.raises(ModelUnavailable):
            twice.answer(prose)
        assert len(model.asks) == QUICK.attempts

    @pytest.mark.parametrize("nothing", [42, None, object(), ["anthropic:claude"]])
    def test_declines_what_cannot_answer(self, nothing: Any) -> None:
        with pytest.raises(ModelError, match="is nothing that answers: give provider:model"):
            coerce_model(nothing)


class TestPatience:
    def test_waits_passing_faults_out(
        self, server: LoopbackServer, prose: Ask, answer: Answer
    ) -> None:
        server.fail(error(529), html(502))
        reply = answer(coerce_model("anthropic:claude-opus-5-5", retries=QUICK), prose)
        assert reply.text == "Hello."
        assert len(server.requests) == 3

    def test_honours_retry_after(self, server: LoopbackServer, prose: Ask, answer: Answer) -> None:
        server.fail(error(429, headers={"retry-after-ms": "300"}))
        answer(coerce_model("anthropic:claude-opus-5-5", retries=QUICK), prose)
        first, second = (request.at for request in server.requests)
        assert 0.3 <= second - first < 2

    def test_ends(self, server: LoopbackServer, prose: Ask, answer: Answer) -> None:
        with server.failing(error(529)), pytest.raises(ModelUnavailable, match="529"):
            answer(coerce_model("anthropic:claude-opus-5-5", retries=QUICK), prose)
        assert len(server.requests) == QUICK.attempts

    @pytest.mark.parametrize(("status", "raised"), [(401, ModelAccessDenied), (400, UnusableReply)])
    def test_is_not_spent_on_what_waiting_cannot_mend(
        self,
        server: LoopbackServer,
        prose: Ask,
        answer: Answer,
        status: int,
        raised: type[ModelError],
    ) -> None:
        with server.failing(error(status)), pytest.raises(raised):
            answer(coerce_model("anthropic:claude-opus-5-5", retries=QUICK), prose)
        assert len(server.requests) == 1

    async def test_closing_closes_the_model(self) -> None:
        model = ScriptedModel()
        await coerce_model(model).aclose()
        assert model.closed == 1


class TestRetryPolicy:
    @pytest.fixture
    def waits(self) -> Iterator[Callable[..., list[float]]]:
        def drawn(policy: RetryPolicy, failed: int, retry_after: float | None) -> list[float]:
            return [policy.compute_wait(failed, retry_after) for _ in range(500)]

        yield drawn

    @pytest.mark.parametrize(
        ("failed", "longest"), [(1, 1.0), (2, 2.0), (4, 8.0), (7, 60.0), (5000, 60.0)]
    )
    def test_own_waits_spread_between_nothing_and_a_ceiling_that_doubles(
        self, waits: Callable[..., list[float]], failed: int, longest: float
    ) -> None:
        drawn = waits(RetryPolicy(), failed, None)
        assert 0 <= min(drawn) < 0.1 * longest
        assert 0.9 * longest < max(drawn) <= longest

    def test_a_provider_is_never_asked_earlier_than_it_asked_for_and_little_later(
        self, waits: Callable[..., list[float]]
    ) -> None:
        drawn = waits(RetryPolicy(), 6, 30.0)
        assert min(drawn) >= 30.0
        assert max(drawn) <= 31.0

    def test_there_is_a_limit_to_what_is_obeyed(self, waits: Callable[..., list[float]]) -> None:
        assert max(waits(RetryPolicy(max_retry_after=5), 1, 86_400)) <= 6

    @pytest.mark.parametrize(
        ("options", "outcome"),
        [
            ({"attempts": 0}, "An ask is sent at least once, not 0 times."),
            ({"initial_wait": -1}, "initial_wait must be 0 seconds or more, not -1."),
            (
                {"max_retry_after": float("nan")},
                "max_retry_after must be 0 seconds or more, not nan.",
            ),
        ],
    )
    def test_what_nobody_could_follow_is_an_error(
        self, options: dict[str, Any], outcome: str
    ) -> None:
        with pytest.raises(ModelError) as raised:
            RetryPolicy(**options)
        assert str(raised.value) == outcome


async def test_waiting_asynchronously_leaves_the_event_loop_free(prose: Ask) -> None:
    patient = RetryPolicy(attempts=2, initial_wait=0)
    busy = ScriptedModel([ModelUnavailable("busy", retry_after=0.3), "At last."])
    began = time.monotonic()
    waiting = asyncio.create_task(coerce_model(busy, retries=patient).aanswer(prose))
    await asyncio.sleep(0.05)
    assert time.monotonic() - began < 0.25
    assert (await waiting).text == "At last."
