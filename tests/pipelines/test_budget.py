"""The budget: never a dollar too many, nobody waits for ever."""

import asyncio
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from whyset.generators import Ask, Usage
from whyset.models import Prices
from whyset.pipelines import Budget, RunError, RunStopped

MODEL = "anthropic:claude-opus-5-5"
HAIKU = "anthropic:claude-haiku-5-5"
NONE = Decimal(0)
FRAME = 1000
"""What a budget allows for around every prompt, in tokens."""


@pytest.fixture(scope="module")
def prices() -> Prices:
    return Prices.load()


def ask(*, prompt: int = 0, room: int = 1000, **more: Any) -> Ask:
    return Ask("writer", "deliberation/write", "", "x" * prompt, max_tokens=room, **more)


def dollars(amount: str) -> Decimal:
    return Decimal(amount)


def test_the_worst_is_every_byte_a_token_written_to_the_cache_and_all_the_room_used(
    prices: Prices,
) -> None:
    budget = Budget(dollars("1"), prices, [MODEL])
    assert budget.worst_case_cost(MODEL, ask()) == dollars("0.025")  # 1,000 at $5 and 1,000 at $20
    assert budget.worst_case_cost(MODEL, ask(prompt=1000)) == dollars("0.030")
    accented = Ask("writer", "s", "é" * 500, "", max_tokens=0)
    assert budget.worst_case_cost(MODEL, accented) == dollars("0.010")
    halved = Ask("writer", "s", "\ud800" * 1000, "", max_tokens=0)  # half a pair: three bytes
    assert budget.worst_case_cost(MODEL, halved) == dollars("0.020")


def test_a_schema_is_part_of_the_prompt(prices: Prices) -> None:
    class Opinion(BaseModel):
        sound: bool

    budget = Budget(dollars("1"), prices, [MODEL])
    assert budget.worst_case_cost(MODEL, ask(schema=Opinion)) > budget.worst_case_cost(MODEL, ask())


def test_a_long_prompt_is_reserved_at_its_own_price(prices: Prices, tmp_path: Path) -> None:
    budget = Budget(dollars("1"), prices, [HAIKU])
    assert budget.worst_case_cost(HAIKU, ask(prompt=99_000, room=0)) == dollars("0.0125")
    assert budget.worst_case_cost(HAIKU, ask(prompt=99_001, room=0)) == dollars("0.062500625")
    odd = tmp_path / "prices.toml"
    rates = "input = {0}\noutput = 0\ncache_read = {0}\ncache_write = {0}\n"
    odd.write_text(
        'dated = 2030-01-01\n[models."own:odd"]\n'
        + rates.format(10)
        + '[models."own:odd".long]\nabove = 2000\n'
        + rates.format(1)
    )
    cheaper = Budget(dollars("1"), Prices.load(odd), ["own:odd"])
    assert cheaper.worst_case_cost("own:odd", ask(prompt=2000)) == dollars(
        "0.02"
    )  # as if just below


def test_a_model_without_a_price_is_refused_at_the_start(prices: Prices) -> None:
    with pytest.raises(RunError, match="no price is known for own:a, own:b, so no budget"):
        Budget(dollars("1"), prices, [MODEL, "own:b", "own:a"])
    Budget(dollars("1"), prices, ["extractive"])
    with pytest.raises(RunError, match="no price by batch is known for extractive"):
        Budget(dollars("1"), prices, ["extractive"], batch=True)
    with pytest.raises(RunError, match="no price is known for own:a"):
        Budget(dollars("1"), prices, [MODEL]).cost("own:a", Usage())


@pytest.mark.parametrize("limit", ["0", "-1", "NaN", "Infinity"])
def test_a_budget_is_an_amount(prices: Prices, limit: str) -> None:
    with pytest.raises(RunError, match="amount of dollars above 0"):
        Budget(Decimal(limit), prices, [MODEL])


async def test_what_a_reply_took_is_booked_and_the_rest_given_back(prices: Prices) -> None:
    budget = Budget(dollars("1"), prices, [MODEL], spent=dollars("0.5"))
    async with budget.reserve(MODEL, ask()) as reservation:
        assert (budget.reserved, budget.in_flight) == (dollars("0.025"), 1)
        assert budget.remaining == dollars("0.475")
        assert reservation.settle(Usage(100, 10)) == dollars("0.0006")
        with pytest.raises(RuntimeError):
            reservation.settle(Usage())
    assert (budget.spent, budget.reserved, budget.in_flight) == (dollars("0.5006"), NONE, 0)


async def test_an_attempt_that_failed_gives_everything_back(prices: Prices) -> None:
    budget = Budget(dollars("1"), prices, [MODEL])
    with pytest.raises(ValueError, match="down"):
        async with budget.reserve(MODEL, ask()):
            raise ValueError("down")
    assert (budget.spent, budget.reserved, budget.in_flight) == (NONE, NONE, 0)


async def test_an_ask_that_does_not_fit_waits_for_those_in_flight(prices: Prices) -> None:
    budget = Budget(dollars("0.04"), prices, [MODEL])
    order: list[str] = []

    async def run(name: str) -> None:
        async with budget.reserve(MODEL, ask()) as reservation:
            order.append(f"{name} sent")
            await asyncio.sleep(0)
            order.append(f"{name} answered")
            reservation.settle(Usage(0, 100))  # $0.002

    await asyncio.gather(*map(run, "abc"))
    assert order == [f"{name} {done}" for name in "abc" for done in ("sent", "answered")]
    assert budget.spent == dollars("0.006")


async def test_the_run_stops_where_nothing_in_flight_could_make_room(prices: Prices) -> None:
    budget = Budget(dollars("2.51"), prices, [MODEL], spent=dollars("2.49"))
    with pytest.raises(RunStopped) as stopped:
        async with budget.reserve(MODEL, ask()):
            raise AssertionError("sent")
    assert stopped.value.exit_code == 3
    assert str(stopped.value) == (
        "The budget of $2.51 ends here: $2.49 is spent, and the next ask (deliberation/write to "
        f"{MODEL}) could cost $0.0250 at worst. Raise --budget to go on"
    )
    assert str(stopped.value) == str(budget.exhausted_error(MODEL, ask()))
    with pytest.raises(RunStopped):  # a smaller one would fit, but the run is over
        async with budget.reserve(MODEL, ask(room=0)):
            raise AssertionError("sent")


async def test_everyone_in_line_is_told_that_the_run_is_over(prices: Prices) -> None:
    budget = Budget(dollars("0.04"), prices, [MODEL])
    gate = asyncio.Event()

    async def run() -> None:
        async with budget.reserve(MODEL, ask()) as reservation:
            await gate.wait()
            reservation.settle(Usage(0, 1000))  # $0.02: the next does not fit any more

    tasks = [asyncio.create_task(run()) for _ in range(4)]
    await asyncio.sleep(0)
    assert budget.in_flight == 1
    gate.set()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert results[0] is None
    assert all(isinstance(result, RunStopped) for result in results[1:])
    assert (budget.spent, budget.reserved) == (dollars("0.02"), NONE)


async def test_a_small_ask_does_not_overtake_a_large_one(prices: Prices) -> None:
    budget = Budget(dollars("0.04"), prices, [MODEL])
    order: list[int] = []

    async def run(room: int) -> None:
        async with budget.reserve(MODEL, ask(room=room)) as reservation:
            order.append(room)
            await asyncio.sleep(0)
            reservation.settle(Usage())

    await asyncio.gather(*(run(room) for room in (1000, 1500, 1, 2)))
    assert order == [1000, 1500, 1, 2]


async def test_who_is_cancelled_in_line_lets_the_next_in(prices: Prices) -> None:
    budget = Budget(dollars("0.04"), prices, [MODEL])
    first = budget.try_reserve(MODEL, ask())
    assert first is not None
    sent = asyncio.Event()

    async def run(room: int) -> None:
        async with budget.reserve(MODEL, ask(room=room)):
            sent.set()

    large = asyncio.create_task(run(1000))
    small = asyncio.create_task(run(0))
    await asyncio.sleep(0)
    assert not sent.is_set()
    large.cancel()
    await asyncio.gather(large, return_exceptions=True)
    await small
    first.release()
    first.release()
    assert (budget.reserved, budget.in_flight) == (NONE, 0)


async def test_who_is_cancelled_in_the_moment_of_being_let_in_gives_it_back(
    prices: Prices,
) -> None:
    budget = Budget(dollars("0.04"), prices, [MODEL])
    first = budget.try_reserve(MODEL, ask())
    assert first is not None

    async def run() -> None:
        async with budget.reserve(MODEL, ask()):
            raise AssertionError("sent")

    waiting = asyncio.create_task(run())
    await asyncio.sleep(0)
    first.release()  # grants
    assert budget.in_flight == 1
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert (budget.reserved, budget.in_flight) == (NONE, 0)


async def test_who_is_cancelled_while_being_told_that_it_is_over_is_cancelled(
    prices: Prices,
) -> None:
    budget = Budget(dollars("0.02"), prices, [MODEL])

    async def run() -> None:
        async with budget.reserve(MODEL, ask()):
            raise AssertionError("sent")

    first = budget.try_reserve(MODEL, ask(room=0))
    assert first is not None
    waiting = asyncio.create_task(run())
    await asyncio.sleep(0)
    first.release()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


def test_a_wave_is_checked_as_a_whole_at_half_the_price(prices: Prices) -> None:
    wave = [(MODEL, ask())] * 8  # $0.025 each, half by batch
    assert Budget(dollars("0.1"), prices, [MODEL], batch=True).fits(wave)
    assert not Budget(dollars("0.0999"), prices, [MODEL], batch=True).fits(wave)
    assert not Budget(dollars("0.1"), prices, [MODEL]).fits(wave)
    batch = Budget(dollars("0.03"), prices, [MODEL], batch=True)
    assert batch.cost(MODEL, Usage(0, 1000)) == dollars("0.01")


def test_a_wave_is_cut_to_what_fits(prices: Prices) -> None:
    budget = Budget(dollars("0.03"), prices, [MODEL], batch=True)
    held = [budget.try_reserve(MODEL, ask()) for _ in range(4)]
    assert [one is not None for one in held] == [True, True, False, False]
    assert held[0] is not None
    held[0].settle(Usage())
    assert budget.try_reserve(MODEL, ask()) is not None


def test_what_an_earlier_process_sent_is_bound_whether_it_fits_or_not(prices: Prices) -> None:
    budget = Budget(dollars("0.02"), prices, [MODEL])
    sent = budget.try_reserve(MODEL, ask(), sent=True)
    assert sent is not None
    assert budget.remaining == dollars("-0.005")
    sent.settle(Usage(0, 100))
    assert budget.remaining == dollars("0.018")


class Asked(BaseModel):
    """An ask and what its reply takes, as shares of the most that was reserved."""

    prompt: int
    room: int
    fresh: float
    read: float
    written: float
    output: float
    moments: int
    fails: bool

    def usage(self) -> Usage:
        most = self.prompt + FRAME
        whole = max(self.fresh + self.read + self.written, 1.0)
        parts = (int(most * share / whole) for share in (self.fresh, self.read, self.written))
        fresh, read, written = parts
        return Usage(fresh, int(self.room * self.output), read, written)


SHARES = st.floats(0, 1)
ASKED = st.builds(
    Asked,
    prompt=st.integers(0, 150_000),
    room=st.integers(0, 20_000),
    fresh=SHARES,
    read=SHARES,
    written=SHARES,
    output=SHARES,
    moments=st.integers(0, 3),
    fails=st.booleans(),
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(ASKED, max_size=30),
    st.decimals("0.001", "1", places=3),
    st.sampled_from([MODEL, HAIKU]),
    st.booleans(),
)
def test_what_is_spent_never_exceeds_the_limit_and_nobody_waits_for_ever(
    asked: list[Asked], limit: Decimal, model: str, batch: bool
) -> None:
    budget = Budget(limit, Prices.load(), [model], batch=batch)
    costs: list[Decimal] = []

    async def run(one: Asked) -> None:
        async with budget.reserve(model, ask(prompt=one.prompt, room=one.room)) as reservation:
            for _ in range(one.moments):
                await asyncio.sleep(0)
                assert budget.spent + budget.reserved <= limit
            if not one.fails:
                costs.append(reservation.settle(one.usage()))
                assert costs[-1] <= reservation.amount
            assert budget.spent <= limit

    async def all_of_them() -> list[BaseException | None]:
        async with asyncio.timeout(20):
            return await asyncio.gather(*map(run, asked), return_exceptions=True)

    for result in asyncio.run(all_of_them()):
        assert result is None or isinstance(result, RunStopped), result
    assert budget.spent == sum(costs, Decimal(0)) <= limit
    assert (budget.reserved, budget.in_flight) == (NONE, 0)
