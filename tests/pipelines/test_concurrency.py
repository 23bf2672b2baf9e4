"""The adaptive limit: how it rises and falls, and how long it keeps asks back."""

import asyncio
from collections.abc import Awaitable
from contextlib import AsyncExitStack

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.clock import run_in_jumping_time

from whyset.generators import Ask, RateLimit, RateLimits, Reply, Usage
from whyset.pipelines import RunStopped
from whyset.pipelines.engine._concurrency import AdaptiveConcurrency
from whyset.pipelines.engine._stop import StopSignal

ASK = Ask("writer", "deliberation/write", "s" * 400, "u" * 400, 100)
ANSWER = Reply("Hello.", "complete", Usage(10, 50))


def limit(ceiling: int = 64, stop_signal: StopSignal | None = None) -> AdaptiveConcurrency:
    return AdaptiveConcurrency(ceiling, stop_signal or StopSignal(), max_pause=5.0)


def granting(left: int, resets_in: float = 0.2, *, kind: str = "requests") -> Reply:
    """An answer that comes with word of what is left."""
    limits = RateLimits(**{kind: RateLimit(left, resets_in)})
    return Reply("Hello.", "complete", Usage(10, 50), rate_limits=limits)


async def full(found: AdaptiveConcurrency, stack: AsyncExitStack) -> None:
    """Take every slot there is."""
    while found.in_use < found.value:
        await stack.enter_async_context(found.slot())


async def took(wait: Awaitable[object]) -> float:
    loop = asyncio.get_running_loop()
    began = loop.time()
    await wait
    return loop.time() - began


async def test_it_doubles_with_every_round_until_the_ceiling() -> None:
    found, seen = limit(100), []
    async with AsyncExitStack() as stack:
        for _ in range(5):
            seen.append(found.value)
            await full(found, stack)
            for _ in range(found.value):
                found.record_reply(ANSWER)
    assert seen == [16, 32, 64, 100, 100]


async def test_a_ceiling_below_the_first_limit_holds_from_the_start() -> None:
    assert limit(3).value == 3


async def test_a_complaint_halves_it_and_from_then_on_it_grows_by_one_a_round() -> None:
    found = limit()
    async with AsyncExitStack() as stack:
        await full(found, stack)
        found.record_throttle(found.round)
        assert found.value == 8
        for _ in range(9):
            found.record_reply(ANSWER)
        assert found.value == 9


async def test_complaints_about_one_and_the_same_crowd_count_once() -> None:
    found = limit()
    sent_in = await found.wait_for_capacity(ASK)
    for _ in range(16):
        found.record_throttle(sent_in)
    assert found.value == 8
    found.record_throttle(await found.wait_for_capacity(ASK))
    assert found.value == 4


async def test_it_never_falls_below_one() -> None:
    found = limit()
    for _ in range(20):
        found.record_throttle(found.round)
    assert found.value == 1


async def test_it_does_not_grow_while_it_is_not_reached() -> None:
    found = limit()
    async with found.slot():
        for _ in range(100):
            found.record_reply(ANSWER)
    assert found.value == 16


async def test_slots_are_given_in_the_order_of_coming_and_never_more_than_there_are() -> None:
    found, order, most = limit(4), list[int](), 0

    async def work(number: int) -> None:
        nonlocal most
        async with found.slot():
            order.append(number)
            most = max(most, found.in_use)
            await asyncio.sleep(0)

    await asyncio.gather(*(work(number) for number in range(50)))
    assert order == list(range(50))
    assert most == 4
    assert found.in_use == 0


async def test_a_slot_whose_taker_was_cancelled_goes_to_the_next() -> None:
    found = limit(1)
    holding = asyncio.Event()

    async def hold() -> None:
        async with found.slot():
            await holding.wait()

    async def take() -> str:
        async with found.slot():
            return "taken"

    first, second, third = (
        asyncio.create_task(coroutine) for coroutine in (hold(), take(), take())
    )
    await asyncio.sleep(0)
    holding.set()
    await first
    second.cancel()  # granted by now, and not begun
    assert await third == "taken"
    assert found.in_use == 0


@given(st.lists(st.sampled_from(["answered", "throttled"]), max_size=300), st.integers(1, 300))
def test_it_stays_between_one_and_its_ceiling(said: list[str], ceiling: int) -> None:
    found = limit(ceiling)
    found.in_use = ceiling
    for word in said:
        found.record_reply(ANSWER) if word == "answered" else found.record_throttle(found.round)
        assert 1 <= found.value <= ceiling


class TestWaiting:
    """By a clock that jumps: what is waited for takes exactly as long as it should."""

    def test_a_pause_keeps_every_ask_back_but_no_longer_than_allowed(self) -> None:
        async def pause(seconds: float) -> float:
            found = limit()
            found.pause(seconds)
            return await took(found.wait_for_capacity(ASK))

        assert run_in_jumping_time(pause(0.2)) == pytest.approx(0.2)
        assert run_in_jumping_time(pause(1e9)) == pytest.approx(5.0)

    @pytest.mark.parametrize("kind", ["requests", "input_tokens", "output_tokens"])
    def test_nothing_is_sent_that_does_not_fit_into_what_is_left(self, kind: str) -> None:
        async def wait() -> float:
            found = limit()
            found.record_reply(granting(0, kind=kind))
            return await took(found.wait_for_capacity(ASK))

        assert run_in_jumping_time(wait()) == pytest.approx(0.2)

    def test_what_is_sent_counts_against_what_is_left(self) -> None:
        async def wait() -> list[float]:
            found = limit()
            found.record_reply(granting(2))
            return [await took(found.wait_for_capacity(ASK)) for _ in range(3)]

        assert run_in_jumping_time(wait()) == pytest.approx([0, 0, 0.2])

    def test_an_ask_too_large_for_any_window_is_sent_when_it_resets(self) -> None:
        async def wait() -> float:
            found = limit()
            found.record_reply(granting(150, kind="input_tokens"))  # the ask takes about 200
            return await took(found.wait_for_capacity(ASK))

        assert run_in_jumping_time(wait()) == pytest.approx(0.2)

    def test_waiting_ends_with_the_run(self) -> None:
        async def wait() -> float:
            stop_signal = StopSignal()
            found = limit(stop_signal=stop_signal)
            found.pause(4)
            loop = asyncio.get_running_loop()
            loop.call_later(0.05, stop_signal.trigger, RunStopped("Stopped"))
            with pytest.raises(RunStopped):
                await found.wait_for_capacity(ASK)
            return loop.time()

        assert run_in_jumping_time(wait()) == pytest.approx(1000.05)
