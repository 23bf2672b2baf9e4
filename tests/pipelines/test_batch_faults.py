"""Faults of a provider's batches: what is asked again, what ends a run, what it costs a row."""

import asyncio
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from support.answers.deliberation import (
    DOWN,
    NOTHING,
    TURNED_DOWN,
    answer,
    name_of,
    row,
    rows,
    step_of,
)
from support.batches import BatchServer, drop_lines, truncate_body
from support.loopback import Response, error, html
from support.runs import count_replies

from whyset.datasets import row_from_record
from whyset.models import AnthropicModel, ModelAccessDenied, RetryPolicy, UnusableReply
from whyset.pipelines import (
    BatchEngine,
    BatchPolicy,
    Ledger,
    LiveEngine,
    Pipeline,
    RowResult,
    RunConfig,
    RunError,
    RunStopped,
    forget_batch,
)
from whyset.pipelines.ledger._batches import BatchTable

from .conftest import QUICK, OpenCrew

HASTY = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0)


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer(answer) as running:
        yield running


async def run(
    crew: Pipeline,
    ledger: Ledger,
    records: Sequence[dict[str, Any]],
    *,
    retries: RetryPolicy = QUICK,
    policy: BatchPolicy = HASTY,
) -> list[RowResult]:
    engine = BatchEngine(crew, ledger, RunConfig(retries=retries, batch_policy=policy))
    source = [row_from_record(record, line=line) for line, record in enumerate(records, start=1)]
    try:
        return [done async for done in engine.run(source)]
    finally:
        await crew.aclose()


def outcomes(results: Sequence[RowResult]) -> list[str]:
    return [done.record.outcome for done in results]


def replies(ledger: Ledger) -> int:
    return count_replies(ledger)


class TestResults:
    @pytest.mark.parametrize(
        "fate",
        ["expired", "canceled", error(500), error(529), error(429), error(504)],
        ids=["expired", "canceled", "500", "529", "429", "504"],
    )
    async def test_that_are_none_are_asked_for_again_with_the_next_wave(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger, fate: str | Response
    ) -> None:
        server.fates = lambda key, params, time: (
            fate if time == 1 and name_of(params) in ("row-1", "row-3") else None
        )
        assert outcomes(await run(open_crew(), ledger, rows(4))) == ["rewritten"] * 4
        sizes = [
            sorted(step_of(each["params"]) for each in batch.requests) for batch in server.created
        ]
        assert sizes[:2] == [["appraise"] * 4, ["appraise"] * 2 + ["write"] * 2]
        assert server.paid_twice == []

    async def test_that_never_come_leave_the_row_in_quarantine_and_the_next_run_tries_it_again(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        records = [row(0), row(1, DOWN), row(2)]
        results = await run(open_crew(), ledger, records)
        assert outcomes(results) == ["rewritten", "quarantined", "rewritten"]
        assert results[1].record.reasons == ("unavailable",)
        assert results[1].record.detail == (
            "anthropic:claude-loopback-1: temporarily unavailable (HTTP 500): Said the provider."
        )
        sent = [each for batch in server.created for each in batch.requests]
        assert sum(name_of(each["params"]) == "row-1" for each in sent) == QUICK.attempts
        server.answer = lambda body: answer(
            {**body, "messages": [{"content": str(body["messages"]).replace(DOWN, "")}]}
        )
        results = await run(open_crew(), ledger, records)
        assert outcomes(results) == ["rewritten"] * 3

    async def test_that_turn_an_ask_down_cost_only_its_own_row_and_read_as_live(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        records = rows(6, "", TURNED_DOWN, NOTHING)
        results = await run(open_crew(), ledger, records)
        assert outcomes(results) == ["rewritten", "quarantined", "untouched"] * 2
        with Ledger(None) as other:
            crew = open_crew()
            source = [row_from_record(record) for record in records]
            live = [
                done async for done in LiveEngine(crew, other, RunConfig(retries=QUICK)).run(source)
            ]
            await crew.aclose()
        assert [done.record for done in results] == [done.record for done in live]
        sent = [each["custom_id"] for batch in server.created for each in batch.requests]
        assert len(sent) == len(set(sent))

    @pytest.mark.parametrize("status", [401, 402, 403, 404])
    async def test_that_refuse_key_credit_permission_or_model_end_the_run(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger, status: int
    ) -> None:
        server.fates = lambda key, params, time: (
            error(status) if name_of(params) == "row-2" else None
        )
        with pytest.raises(ModelAccessDenied, match=f"HTTP {status}"):
            await run(open_crew(), ledger, rows(4))
        assert replies(ledger) == 3
        server.fates = lambda key, params, time: None
        assert outcomes(await run(open_crew(), ledger, rows(4))) == ["rewritten"] * 4
        assert server.paid_twice == []

    @pytest.mark.parametrize(
        "fault",
        [truncate_body(900), truncate_body(0), error(500), error(529), html(502), html(200)],
        ids=["broken off", "broken off at once", "500", "529", "502", "a page for results"],
    )
    async def test_that_break_off_are_read_again_and_counted_once(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger, fault: Any
    ) -> None:
        server.fail_on("results", fault, None, fault)
        crew = open_crew()
        engine = BatchEngine(crew, ledger, RunConfig(retries=QUICK, batch_policy=HASTY))
        results = [done async for done in engine.run(map(row_from_record, rows(4)))]
        await crew.aclose()
        assert outcomes(results) == ["rewritten"] * 4
        assert engine.stats.answered == replies(ledger) == 12
        assert len(server.created) == 3
        assert server.calls["results"] == 3 + 2

    async def test_that_always_break_off_are_kept_so_far_and_the_next_run_reads_the_others(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        server.fail_on("results", *[truncate_body(2500)] * QUICK.attempts)
        with pytest.raises(RunStopped, match=r"the results ended early.*; 1 message batch with 6"):
            await run(open_crew(), ledger, rows(6))
        kept = replies(ledger)
        assert 0 < kept < 6
        crew = open_crew()
        engine = BatchEngine(crew, ledger, RunConfig(retries=QUICK, batch_policy=HASTY))
        results = [done async for done in engine.run(map(row_from_record, rows(6)))]
        await crew.aclose()
        assert outcomes(results) == ["rewritten"] * 6
        assert engine.stats.answered == replies(ledger) - kept
        assert server.paid_twice == []

    async def test_that_are_incomplete_are_read_again(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        server.fail_on("results", drop_lines(2), drop_lines(3))
        assert outcomes(await run(open_crew(), ledger, rows(4))) == ["rewritten"] * 4
        assert len(server.created) == 3
        assert server.paid_twice == []

    async def test_that_stay_incomplete_are_given_up_and_asked_for_again(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        server.fail_on("results", *[drop_lines(3)] * QUICK.attempts)
        assert outcomes(await run(open_crew(), ledger, rows(4))) == ["rewritten"] * 4
        assert server.paid_twice == ["appraise row-3"]

    async def test_that_cannot_be_read_are_asked_for_again(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        def garbled(time: int) -> dict[str, Any]:
            return {"type": "message", "content": "none"} if time else {}

        first = iter([True])
        server.answer = lambda body: garbled(1) if next(first, False) else answer(body)
        assert outcomes(await run(open_crew(), ledger, rows(3))) == ["rewritten"] * 3

    async def test_of_nobody_and_doubled_ones_change_nothing(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        stranger = {"custom_id": "a" * 64, "result": {"type": "expired"}}
        server.order = lambda results: [stranger, *results, *results[::-1], {"what": "ever"}]
        assert outcomes(await run(open_crew(), ledger, rows(3))) == ["rewritten"] * 3
        assert replies(ledger) == 9


class TestCalls:
    @pytest.mark.parametrize("call", ["create", "retrieve", "list"])
    @pytest.mark.parametrize(
        "fault", [error(429), error(500), html(502), html(200), truncate_body(10)], ids=range(5)
    )
    async def test_that_fail_are_made_again(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger, call: Any, fault: Any
    ) -> None:
        server.fail_on(call, fault, fault)
        assert outcomes(await run(open_crew(), ledger, rows(3))) == ["rewritten"] * 3
        assert server.paid_twice == []

    @pytest.mark.parametrize(
        "fault", [error(500), html(200), html(504), Response(200, {"type": "what"})], ids=range(4)
    )
    async def test_a_creation_whose_answer_is_lost_is_found_again_and_not_repeated(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger, fault: Response
    ) -> None:
        server.polls = 3
        server.page = 1
        server.fail_after_create(fault)
        assert outcomes(await run(open_crew(), ledger, rows(3))) == ["rewritten"] * 3
        assert len(server.created) == 3
        assert server.paid_twice == []

    async def test_a_batch_that_is_listed_late_is_found_while_things_settle(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        nothing = Response(200, {"data": [], "has_more": False, "last_id": None})
        server.fail_after_create(error(504))
        server.fail_on("list", None, nothing, nothing)
        policy = BatchPolicy(poll_seconds=0.01, settle_seconds=1.0)
        assert outcomes(await run(open_crew(), ledger, rows(2), policy=policy)) == ["rewritten"] * 2
        assert len(server.created) == 3
        assert server.paid_twice == []

    async def test_that_always_fail_end_the_run_and_the_next_one_goes_on(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        server.fail_on("retrieve", *[error(503)] * QUICK.attempts)
        with pytest.raises(
            RunStopped,
            match=r"The provider does not answer: .*HTTP 503.*; 1 message batch with 4 asks may",
        ):
            await run(open_crew(), ledger, rows(4))
        assert outcomes(await run(open_crew(), ledger, rows(4))) == ["rewritten"] * 4
        assert server.paid_twice == []
        assert len(server.created) == 3

    async def test_a_provider_that_is_not_there_ends_the_run(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        crew = open_crew()
        server.stop()
        with pytest.raises(RunStopped, match=r"does not answer: .*connection failed"):
            await run(crew, ledger, rows(4))
        assert BatchTable(ledger).list_batches() == []

    @pytest.mark.parametrize("status", [401, 403])
    @pytest.mark.parametrize("call", ["create", "retrieve", "list", "results"])
    async def test_that_are_refused_end_the_run_at_once(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger, call: Any, status: int
    ) -> None:
        server.fail_on(call, error(status))
        with pytest.raises(ModelAccessDenied, match=f"HTTP {status}"):
            await run(open_crew(), ledger, rows(4))
        assert server.calls[call] == 1
        assert outcomes(await run(open_crew(), ledger, rows(4))) == ["rewritten"] * 4
        assert server.paid_twice == []

    async def test_a_batch_that_is_turned_down_as_such_ends_the_run(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        server.fail_on("create", error(400, "No batches today."))
        with pytest.raises(UnusableReply, match="No batches today"):
            await run(open_crew(), ledger, rows(4))
        assert BatchTable(ledger).list_batches() == []


class TestOutage:
    async def test_a_provider_that_answers_no_ask_ends_the_run(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        server.fates = lambda key, params, time: error(529)
        with pytest.raises(RunStopped, match=r"does not answer: .*529"):
            await run(open_crew(), ledger, rows(40))
        assert len(server.created) == QUICK.attempts

    async def test_and_where_there_are_too_few_rows_to_tell_an_outage_from_bad_luck(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        server.fates = lambda key, params, time: "expired"
        with pytest.raises(RunStopped, match="does not answer"):
            await run(open_crew(), ledger, rows(1))

    async def test_a_few_rows_that_fail_last_and_for_good_do_not(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        server.fates = lambda key, params, time: (
            "expired" if step_of(params) == "judge" and name_of(params) < "row-3" else None
        )
        results = await run(open_crew(), ledger, rows(5))
        assert outcomes(results) == ["quarantined"] * 3 + ["rewritten"] * 2


class TestGone:
    async def leave(self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger) -> None:
        """Leave one batch of four asks at the provider."""
        server.holding = True
        crew = open_crew()
        engine = BatchEngine(crew, ledger, RunConfig(retries=QUICK, batch_policy=HASTY))
        loop = asyncio.get_running_loop()
        server.on_create = lambda batch: loop.call_soon_threadsafe(engine.stop)
        with pytest.raises(RunStopped):
            async for _ in engine.run(map(row_from_record, rows(4))):
                pass
        await crew.aclose()
        server.on_create = lambda batch: None
        server.release()

    async def test_a_batch_of_which_no_results_are_kept_is_asked_again(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        await self.leave(server, open_crew, ledger)
        server.created[0].archived = True
        assert outcomes(await run(open_crew(), ledger, rows(4))) == ["rewritten"] * 4
        assert BatchTable(ledger).list_batches()[0].state == "lost"

    async def test_one_that_the_provider_does_not_know_stops_the_run_until_it_is_forgotten(
        self, server: BatchServer, open_crew: OpenCrew, tmp_path: Any
    ) -> None:
        path = tmp_path / "gone.ledger.sqlite"
        with Ledger(path) as ledger:
            await self.leave(server, open_crew, ledger)
            gone = server.batches.pop("msgbatch_0001")
            for _ in range(2):
                with pytest.raises(
                    RunError, match=r"does not know the message batch msgbatch_0001"
                ):
                    await run(open_crew(), ledger, rows(4))
        with pytest.raises(RunError, match="has no pending message batch msgbatch_9"):
            forget_batch(path, "msgbatch_9")
        forget_batch(path, gone.id)
        with Ledger(path) as ledger:
            server.batches["msgbatch_0000"] = gone  # so that names do not come up twice
            assert outcomes(await run(open_crew(), ledger, rows(4))) == ["rewritten"] * 4

    async def test_one_that_was_canceled_is_collected_and_the_rest_asked_again(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        await self.leave(server, open_crew, ledger)
        crew = open_crew()
        model = crew.models["judge"]
        assert isinstance(model, AnthropicModel)
        status = await model.batches.cancel("msgbatch_0001")
        assert (status.state, status.canceled) == ("ended", 4)
        assert outcomes(await run(crew, ledger, rows(4))) == ["rewritten"] * 4
        assert [batch.canceled for batch in BatchTable(ledger).list_batches()] == [4, 0, 0, 0]
        assert server.paid_twice == []


class TestLive:
    async def test_the_live_engine_asks_nothing_that_is_in_a_batch(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        await TestGone().leave(server, open_crew, ledger)
        crew = open_crew()
        with pytest.raises(RunError, match=r"1 message batch with 4 asks of this run may still"):
            async for _ in LiveEngine(crew, ledger).run(map(row_from_record, rows(4))):
                pass
        await crew.aclose()

    async def test_but_minds_no_batch_of_another_model(
        self, server: BatchServer, open_crew: OpenCrew, ledger: Ledger
    ) -> None:
        await TestGone().leave(server, open_crew, ledger)
        crew = open_crew(writer="claude-other-1", judge="claude-other-1")
        source = map(row_from_record, rows(4))
        results = [done async for done in LiveEngine(crew, ledger).run(source)]
        await crew.aclose()
        assert outcomes(results) == ["rewritten"] * 4
