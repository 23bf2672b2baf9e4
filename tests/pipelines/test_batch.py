"""The batch engine, over Anthropic's SDK and a server that counts what is paid."""

import asyncio
import json
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import aclosing
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.answers.deliberation import (
    CONFLICT,
    DOWN,
    MENDED,
    NOTHING,
    PREACHY,
    REFUSED,
    TURNED_DOWN,
    answer,
    name_of,
    row,
    rows,
    step_of,
)
from support.batches import BatchServer
from support.loopback import KEY, MODEL, LoopbackServer

from whyset.constitution import Constitution
from whyset.datasets import BadRow, Row, row_from_record
from whyset.generators.deliberation import Deliberation
from whyset.models import AnthropicModel, ExtractiveModel, Price, Prices
from whyset.models.testing import ScriptedModel
from whyset.pipelines import (
    Batch,
    BatchEngine,
    BatchPolicy,
    Ledger,
    LiveEngine,
    Pipeline,
    RowResult,
    RunConfig,
    RunError,
    RunStopped,
)
from whyset.pipelines.ledger._batches import BatchTable
from whyset.retriever import Grounding
from whyset.retriever.testing import FakeSearcher

from .conftest import QUICK, TEXT, OpenCrew

HASTY = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0)
FATES = ("", NOTHING, CONFLICT, MENDED, PREACHY, REFUSED, TURNED_DOWN)


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer(answer, polls=2) as running:
        yield running


def read(records: Sequence[dict[str, Any]]) -> list[Row | BadRow]:
    return [row_from_record(record, line=number) for number, record in enumerate(records, start=1)]


async def run(
    crew: Pipeline, ledger: Ledger, records: Sequence[dict[str, Any]], policy: BatchPolicy = HASTY
) -> list[RowResult]:
    engine = BatchEngine(crew, ledger, RunConfig(retries=QUICK, batch_policy=policy))
    try:
        return [done async for done in engine.run(read(records))]
    finally:
        await crew.aclose()


async def live(
    crew: Pipeline, ledger: Ledger, records: Sequence[dict[str, Any]]
) -> list[RowResult]:
    try:
        return [
            done
            async for done in LiveEngine(crew, ledger, RunConfig(retries=QUICK)).run(read(records))
        ]
    finally:
        await crew.aclose()


async def undisturbed(records: Sequence[dict[str, Any]]) -> list[RowResult]:
    """Return what becomes of rows that are asked about live, by a server of their own."""
    with LoopbackServer(answer) as server, Ledger(None) as ledger:
        model = AnthropicModel(MODEL, base_url=server.url, api_key=KEY)
        searcher = FakeSearcher(Constitution.parse(TEXT))
        return await live(Pipeline.build(Deliberation(), model, model, searcher), ledger, records)


def outcomes(results: Sequence[RowResult]) -> list[str]:
    return [done.record.outcome for done in results]


def steps_by_batch(server: BatchServer) -> list[Counter[str]]:
    return [Counter(step_of(each["params"]) for each in b.requests) for b in server.created]


async def test_rows_are_those_of_the_live_engine(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    records = rows(21, *FATES)
    assert await run(open_crew(), ledger, records) == await undisturbed(records)
    assert server.paid_twice == []
    assert {request.path.split("?")[0] for request in server.requests if request.body} == {
        "/v1/messages/batches"
    }


async def test_so_are_replies_and_records_in_the_ledger_but_for_what_they_cost(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    records = rows(7, *FATES)
    await run(open_crew(), ledger, records)
    with Ledger(None) as other:
        await live(open_crew(), other, records)
        everything = [
            opened.run_transaction(
                lambda connection: (
                    sorted(connection.execute("SELECT key, step, asked, text, stop FROM replies")),
                    sorted(connection.execute("SELECT key, record FROM rows")),
                )
            )
            for opened in (ledger, other)
        ]
    assert everything[0] == everything[1]


async def test_a_wave_takes_every_row_to_its_next_ask(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    await run(open_crew(), ledger, rows(6, "", NOTHING, MENDED))
    assert steps_by_batch(server) == [
        {"appraise": 6},
        {"write": 4},
        {"judge": 4},
        {"revise": 2},
        {"judge": 2},
    ]


async def test_requests_in_a_batch_are_those_that_go_out_alone(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    await run(open_crew(), ledger, rows(3, *FATES))
    with LoopbackServer(answer) as alone, Ledger(None) as other:
        model = AnthropicModel(MODEL, base_url=alone.url, api_key=KEY)
        searcher = FakeSearcher(Constitution.parse(TEXT))
        await live(Pipeline.build(Deliberation(), model, model, searcher), other, rows(3, *FATES))
        bodies = sorted(map(json.dumps, alone.bodies))
    params = [json.dumps(each["params"]) for batch in server.created for each in batch.requests]
    assert sorted(params) == bodies


async def test_results_in_any_order_go_where_they_belong(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.order = lambda results: results[::-1]
    records = rows(9, *FATES)
    assert await run(open_crew(), ledger, records) == await undisturbed(records)


async def test_asks_of_different_models_go_out_in_different_batches(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    # When a row leaves, the judge is asked about the next while the writer is asked of another.
    policy = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0, max_rows=2)
    records = [row(0, NOTHING), row(1), row(2)]
    await run(open_crew(writer="claude-other-1"), ledger, records, policy)
    assert steps_by_batch(server)[1:3] == [{"write": 1}, {"appraise": 1}]
    assert [batch.wave for batch in ledger_batches(ledger)] == [1, 2, 2, 3, 3, 4]
    asked = [{each["params"]["model"] for each in batch.requests} for batch in server.created]
    assert asked[:3] == [{MODEL}, {"claude-other-1"}, {MODEL}]
    assert all(len(models) == 1 for models in asked)


async def test_batches_keep_within_their_limits(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.most_requests = 3
    policy = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0, max_requests=3)
    assert outcomes(await run(open_crew(), ledger, rows(8), policy)) == ["rewritten"] * 8
    assert [len(batch.requests) for batch in server.created] == [3, 3, 2] * 3
    assert {batch.wave for batch in ledger_batches(ledger)} == {1, 2, 3}


async def test_their_size_is_that_of_the_request_as_it_is_sent(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    policy = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0, max_bytes=20_000)
    server.most_bytes = policy.max_bytes + len('{"requests":[]}')
    await run(open_crew(), ledger, rows(12), policy)
    assert len(server.created) > 3
    sent = [
        int(request.headers["content-length"])
        for request in server.requests
        if request.method == "POST"
    ]
    noted = [batch.size + batch.requests - 1 for batch in ledger_batches(ledger)]
    assert [size - len('{"requests":[]}') for size in sent] == noted


async def test_a_batch_that_is_too_large_all_the_same_is_halved(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.most_requests = 3
    assert outcomes(await run(open_crew(), ledger, rows(8))) == ["rewritten"] * 8
    assert [len(batch.requests) for batch in server.created] == [2, 2, 2, 2] * 3
    assert len(ledger_batches(ledger)) == 12
    assert server.paid_twice == []


async def test_an_ask_that_is_too_large_for_any_batch_costs_only_its_own_row(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    large = row(1)
    large["prompt"] += " Please." * 5000
    server.most_bytes = 30_000
    results = await run(open_crew(), ledger, [row(0), large, row(2)])
    assert outcomes(results) == ["rewritten", "quarantined", "rewritten"]
    assert results[1].record.reasons == ("turned_down",)
    assert "HTTP 413" in results[1].record.detail


@pytest.mark.parametrize("window", [1, 2, 5])
async def test_a_window_smaller_than_the_dataset_changes_nothing_but_the_waves(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger, window: int
) -> None:
    records = rows(9, *FATES)
    policy = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0, max_rows=window)
    assert await run(open_crew(), ledger, records, policy) == await undisturbed(records)
    assert max(len(batch.requests) for batch in server.created) <= window
    assert server.paid_twice == []


async def test_new_rows_join_the_next_wave_as_others_leave(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    policy = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0, max_rows=3)
    await run(open_crew(), ledger, [row(0, NOTHING), row(1), row(2), row(3)], policy)
    assert steps_by_batch(server)[1] == {"write": 2, "appraise": 1}


async def test_only_a_window_of_rows_is_held(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    taken = 0

    def endless() -> Iterator[Row]:
        nonlocal taken
        while True:
            taken += 1
            yield row_from_record(row(taken, NOTHING), line=taken)

    policy = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0, max_rows=10)
    engine = BatchEngine(open_crew(), ledger, RunConfig(retries=QUICK, batch_policy=policy))
    async with aclosing(engine.run(endless())) as results:
        async for done in results:
            if done.row.line == 20:
                break
    assert taken <= 20 + 10 + 256 + 2


async def test_identical_asks_go_out_once(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    results = await run(open_crew(), ledger, [row(7)] * 6)
    assert outcomes(results) == ["rewritten"] * 6
    assert len({done.record.line for done in results}) == 1
    assert [len(batch.requests) for batch in server.created] == [1, 1, 1]


async def test_a_line_that_is_no_row_keeps_its_place(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    source = [*read(rows(1)), BadRow(2, "not JSON", b"{"), *read(rows(2))]
    engine = BatchEngine(open_crew(), ledger, RunConfig(batch_policy=HASTY))
    results = [done async for done in engine.run(source)]
    assert outcomes(results) == ["rewritten", "quarantined", "rewritten", "rewritten"]
    assert results[1].record.reasons == ("unreadable",)


async def test_rows_that_are_in_the_ledger_ask_and_find_nothing(
    server: BatchServer, open_crew: OpenCrew, searcher: FakeSearcher, ledger: Ledger
) -> None:
    records = rows(8, "", NOTHING, PREACHY)
    first = await run(open_crew(), ledger, records)
    asked, found = len(server.requests), len(searcher.queries)
    second = await run(open_crew(), ledger, records)
    assert [done.record for done in second] == [done.record for done in first]
    assert [done.is_reused for done in second] == [True] * 8
    assert (len(server.requests), len(searcher.queries)) == (asked, found)


async def test_finds_are_answered_together(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger, constitution: Constitution
) -> None:
    class Counting(FakeSearcher):
        batches: tuple[int, ...] = ()

        def find_passages(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
            self.batches += (len(queries),)
            return super().find_passages(queries, k=k)

    searcher = Counting(constitution)
    crew = open_crew()
    await run(Pipeline(crew.generator, crew.models, searcher), ledger, rows(60, NOTHING))
    assert searcher.batches == (60,)


async def test_what_was_sent_and_received_is_counted(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.fates = lambda key, params, time: "expired" if time == 1 else None
    crew = open_crew()
    engine = BatchEngine(crew, ledger, RunConfig(retries=QUICK, batch_policy=HASTY))
    async for _ in engine.run(read(rows(4))):
        pass
    await crew.aclose()
    traffic = engine.stats
    assert (traffic.answered, traffic.replayed) == (12, 0)
    assert (traffic.retried, traffic.in_flight) == (12, 0)


async def test_a_model_that_only_quotes_needs_no_batch(
    server: BatchServer, searcher: FakeSearcher, ledger: Ledger
) -> None:
    writer = ExtractiveModel()
    results = await run(Pipeline.build(Deliberation(), writer, writer, searcher), ledger, rows(3))
    assert outcomes(results) == ["annotated"] * 3
    assert server.requests == []


async def test_a_model_without_batches_is_refused_before_anything_is_asked(
    searcher: FakeSearcher, ledger: Ledger
) -> None:
    model = ScriptedModel(name="openai:gpt-1")
    with pytest.raises(RunError, match="openai:gpt-1 takes no message batches: leave --batch out"):
        BatchEngine(Pipeline.build(Deliberation(), model, model, searcher), ledger)


async def test_live_finishes_what_was_begun_by_batch_and_batch_what_was_begun_live(
    server: BatchServer, open_crew: OpenCrew
) -> None:
    records = rows(14, *FATES)
    expected = await undisturbed(records)
    for first, second in ((run, live), (live, run)):
        server.paid.clear()
        with Ledger(None) as ledger:
            await first(open_crew(), ledger, records[:5])
            engine = BatchEngine(open_crew(), ledger, RunConfig(retries=QUICK, batch_policy=HASTY))
            async with aclosing(engine.run(read(records[:9]))) as results:
                async for _ in results:
                    break  # some asks of the others are answered by now
            results_of_both = await second(open_crew(), ledger, records)
        assert [done.record for done in results_of_both] == [done.record for done in expected]
        assert server.paid_twice == []


async def test_stop_leaves_batches_at_the_provider_and_says_who_collects_them(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.holding = True
    crew = open_crew()
    engine = BatchEngine(crew, ledger, RunConfig(retries=QUICK, batch_policy=HASTY))
    server.on_create = lambda batch: loop.call_soon_threadsafe(engine.stop)
    loop = asyncio.get_running_loop()
    with pytest.raises(RunStopped) as stopped:
        async for _ in engine.run(read(rows(5))):
            pass
    await crew.aclose()
    assert str(stopped.value) == (
        "Stopped; 1 message batch with 5 asks may still be answered at the provider, and --batch "
        "collects them"
    )
    server.on_create = lambda batch: None
    server.release()
    results = await run(open_crew(), ledger, rows(5))
    assert results == await undisturbed(rows(5))
    assert server.paid_twice == []
    assert len(server.created) == 3


async def test_stop_does_not_wait_for_a_pipe_that_nobody_writes_to(
    server: BatchServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    closed = threading.Event()

    def silent() -> Iterator[Row]:
        closed.wait(30)
        yield row_from_record(row(0))

    crew = open_crew()
    engine = BatchEngine(crew, ledger, RunConfig(batch_policy=HASTY))
    asyncio.get_running_loop().call_later(0.05, engine.stop)
    with pytest.raises(RunStopped, match=r"^Stopped$"):
        async for _ in engine.run(silent()):
            pass
    assert not closed.is_set()
    closed.set()
    await crew.aclose()


@settings(
    deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    drawn=st.lists(
        st.tuples(st.integers(0, 5), st.sampled_from([*FATES, DOWN])), min_size=1, max_size=12
    ),
    window=st.sampled_from([1, 3, 100]),
    size=st.sampled_from([1, 2, 100]),
    unlucky=st.sets(st.integers(0, 30)),
)
def test_whatever_befalls_batches_every_row_comes_out_in_its_place_and_nothing_is_paid_twice(
    drawn: list[tuple[int, str]], window: int, size: int, unlucky: set[int]
) -> None:
    records = [row(100), *(row(number, fate) for number, fate in drawn)]
    expected = asyncio.run(undisturbed(records))
    count = iter(range(10_000))
    with BatchServer(answer) as server, Ledger(None) as ledger:
        server.order = lambda results: results[::-1]
        # Never the same ask twice, or an ask might be given up.
        server.fates = lambda key, params, time: (
            "expired" if time == 1 and next(count) in unlucky else None
        )
        model = AnthropicModel(MODEL, base_url=server.url, api_key=KEY)
        searcher = FakeSearcher(Constitution.parse(TEXT))
        crew = Pipeline.build(Deliberation(), model, model, searcher)
        policy = BatchPolicy(
            poll_seconds=0.0, settle_seconds=0.0, max_rows=window, max_requests=size
        )
        results = asyncio.run(run(crew, ledger, records, policy))
        assert [done.record for done in results] == [done.record for done in expected]
        assert server.paid_twice == []
        assert name_of(server.created[0].requests[0]["params"]) == "row-100"


def ledger_batches(ledger: Ledger) -> list[Batch]:
    return BatchTable(ledger).list_batches()


class TestBudget:
    PRICES = Prices(
        date(2026, 11, 24),
        {f"anthropic:{MODEL}": Price(Decimal(4), Decimal(20), Decimal(1), Decimal(5))},
        {"anthropic": Decimal("0.5")},
    )

    def engine(self, crew: Pipeline, ledger: Ledger, budget: int) -> BatchEngine:
        config = RunConfig(
            retries=QUICK, batch_policy=HASTY, prices=self.PRICES, budget=Decimal(budget)
        )
        return BatchEngine(crew, ledger, config)

    def spent(self, ledger: Ledger) -> Decimal:
        return sum(
            (step.cost or Decimal(0) for step in ledger.cost_by_step(self.PRICES)), Decimal(0)
        )

    async def test_one_that_suffices_changes_nothing(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        crew = open_crew()
        engine = self.engine(crew, ledger, 100)
        results = [done async for done in engine.run(read(rows(7, *FATES)))]
        await crew.aclose()
        assert results == await undisturbed(rows(7, *FATES))
        assert engine.stats.cost == self.spent(ledger) > 0

    async def test_one_that_does_not_is_never_exceeded_and_the_run_goes_on_with_more(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        def dear(body: dict[str, Any]) -> dict[str, Any]:
            said = answer(body)
            assert isinstance(said, dict)
            return {**said, "usage": {"input_tokens": 1000, "output_tokens": 500}}

        server.answer = dear
        crew = open_crew()
        engine = self.engine(crew, ledger, 1)
        with pytest.raises(RunStopped, match=r"The budget of \$1.00 ends here"):
            async for _ in engine.run(read(rows(60))):
                pass
        spent = self.spent(ledger)
        assert 0 < spent <= 1
        assert engine.stats.cost == spent
        engine = self.engine(crew, ledger, 100)
        results = [done async for done in engine.run(read(rows(60)))]
        await crew.aclose()
        assert outcomes(results) == ["rewritten"] * 60
        assert server.paid_twice == []

    async def test_what_an_earlier_process_sent_is_booked_when_it_is_collected(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        server.holding = True
        crew = open_crew()
        loop = asyncio.get_running_loop()
        engine = self.engine(crew, ledger, 100)
        server.on_create = lambda batch: loop.call_soon_threadsafe(engine.stop)
        with pytest.raises(RunStopped):
            async for _ in engine.run(read(rows(3, NOTHING))):
                pass
        server.release()
        engine = self.engine(crew, ledger, 100)
        async for _ in engine.run(read(rows(3, NOTHING))):
            pass
        await crew.aclose()
        assert engine.stats.cost == self.spent(ledger) > 0
