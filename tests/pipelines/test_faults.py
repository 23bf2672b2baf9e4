"""Faults of a provider, on the wire: what is asked again, what ends a run, what it costs a row."""

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from support.answers.deliberation import DOWN, NOTHING, TURNED_DOWN, answer, name_of, row, rows
from support.loopback import LoopbackServer, Response, error, html, reset
from support.runs import count_replies

from whyset.datasets import row_from_record
from whyset.models import ModelAccessDenied, RetryPolicy
from whyset.pipelines import Ledger, LiveEngine, Pipeline, RowResult, RunConfig, RunStopped

from .conftest import QUICK, OpenCrew


async def run(
    crew: Pipeline,
    ledger: Ledger,
    records: Sequence[dict[str, Any]],
    retries: RetryPolicy = QUICK,
    **options: Any,
) -> tuple[list[RowResult], LiveEngine]:
    engine = LiveEngine(crew, ledger, RunConfig(retries=retries, **options))
    return await finish(crew, engine, records), engine


async def finish(
    crew: Pipeline, engine: LiveEngine, records: Sequence[dict[str, Any]]
) -> list[RowResult]:
    source = [row_from_record(record, line=line) for line, record in enumerate(records, start=1)]
    try:
        return [done async for done in engine.run(source)]
    finally:
        await crew.aclose()


@pytest.mark.parametrize(
    "fault",
    [error(429), error(529), error(500), html(502), reset()],
    ids=["429", "529", "500", "502 with a page", "reset midway"],
)
async def test_passing_faults_are_asked_again_and_leave_no_trace_in_the_row(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger, fault: Response
) -> None:
    with Ledger(None) as undisturbed:
        (expected,), _ = await run(open_crew(), undisturbed, rows(1))
    asked = len(server.requests)
    server.fail(fault, None, fault, fault)
    (done,), engine = await run(open_crew(), ledger, rows(1))
    assert done.record == expected.record
    assert len(server.requests) - asked == 3 + 3
    assert engine.stats.retried == 3
    assert engine.stats.answered == 3
    assert engine.stats.in_flight == 0


async def test_retry_after_keeps_all_asks_back_and_not_only_the_one_it_was_told_to(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    crew = open_crew()
    engine = LiveEngine(crew, ledger, RunConfig(concurrency=2))
    # Nothing is answered before the complaint is heard: only one ask was sent beside it.
    server.answer = lambda body: Response(200, answer(body), until=lambda: engine.stats.retried > 0)
    server.fail(error(429, headers={"retry-after": "1"}))
    await finish(crew, engine, rows(12, NOTHING))
    first, _, *later = [request.at for request in server.requests]
    assert len(later) == 11
    assert min(later) - first >= 1.0


async def test_a_provider_that_complains_is_asked_less_at_once_and_loses_no_row(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.latency = 0.01

    def crowded(body: dict[str, Any]) -> Any:
        return error(529) if server.in_flight > 6 else answer(body)

    server.answer = crowded
    patient = RetryPolicy(attempts=30, initial_wait=0.01, max_wait=0.05)
    results, engine = await run(
        open_crew(), ledger, rows(150, NOTHING), retries=patient, concurrency=64
    )
    assert [done.record.outcome for done in results] == ["untouched"] * 150
    assert 1 <= engine.stats.limit < 16


async def test_a_provider_that_fails_more_often_than_it_answers_ends_the_run(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    def mostly_broken(body: dict[str, Any]) -> Any:
        return answer(body) if len(server.requests) % 4 == 0 else error(500)

    server.answer = mostly_broken
    stubborn = RetryPolicy(attempts=100, initial_wait=0.001, max_wait=0.01)
    with pytest.raises(RunStopped, match=r"Too many failed requests: .*HTTP 500"):
        await run(open_crew(), ledger, rows(500, NOTHING), retries=stubborn, concurrency=8)
    assert 150 < len(server.requests) < 350


@pytest.mark.parametrize(("status", "outcome"), [(429, "untouched"), (500, "quarantined")])
async def test_an_ask_that_only_came_at_a_bad_moment_has_more_attempts(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger, status: int, outcome: str
) -> None:
    crew = open_crew()
    engine = LiveEngine(crew, ledger, RunConfig(retries=QUICK, concurrency=4))
    refused = itertools.count()

    def unlucky(body: dict[str, Any]) -> Any:
        if name_of(body) == "row-0" and next(refused) < 2 * QUICK.attempts:
            return replace(error(status), until=lambda: engine.stats.answered > 0)
        return answer(body)

    server.answer = unlucky
    results = await finish(crew, engine, rows(40, NOTHING))
    assert results[0].record.outcome == outcome
    assert {done.record.outcome for done in results[1:]} == {"untouched"}


async def test_what_the_provider_says_is_left_is_kept_to(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    def counted(body: dict[str, Any]) -> Response:
        left = (10 - len(server.requests)) % 100
        # While some are left nothing is held back: it would be for ten minutes.
        resets = datetime.now(UTC) + timedelta(seconds=3600 if left else 1)
        headers = {
            "anthropic-ratelimit-requests-remaining": str(left),
            "anthropic-ratelimit-requests-reset": resets.isoformat(),
        }
        return Response(200, answer(body), headers)

    server.answer = counted
    async with asyncio.timeout(300):
        await run(open_crew(), ledger, rows(14, NOTHING), concurrency=1)
    times = [request.at for request in server.requests]
    assert times[10] - times[9] > 0.9


async def test_an_outage_is_waited_out_and_costs_no_row(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    healthy, rounds, in_flight = 30, 4, 8

    def flaky(body: dict[str, Any]) -> Any:
        number = len(server.requests) - 1 - healthy
        if not 0 <= number < rounds * in_flight:
            return answer(body)
        # All that are in flight fail together: none has used its attempts up before.
        all_arrived = healthy + (number // in_flight + 1) * in_flight
        return replace(error(500), until=lambda: len(server.requests) >= all_arrived)

    server.answer = flaky
    waiting = RetryPolicy(attempts=2, initial_wait=0.02, max_wait=0.05)
    results, engine = await run(
        open_crew(), ledger, rows(60, NOTHING), retries=waiting, concurrency=in_flight
    )
    assert [done.record.outcome for done in results] == ["untouched"] * 60
    assert engine.stats.retried == rounds * in_flight


async def test_retry_after_is_honoured(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.fail(error(429, headers={"retry-after": "1"}))
    await run(open_crew(), ledger, rows(1))
    first, second = server.requests[0].at, server.requests[1].at
    assert second - first >= 1.0


async def test_a_row_whose_asks_fail_to_the_last_is_quarantined_and_tried_by_the_next_run(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    records = [row(0), row(1, DOWN), row(2)]
    results, _ = await run(open_crew(), ledger, records)
    assert [done.record.outcome for done in results] == ["rewritten", "quarantined", "rewritten"]
    assert results[1].record.reasons == ("unavailable",)
    assert results[1].record.detail == (
        "anthropic:claude-loopback-1: temporarily unavailable (HTTP 500): Said the provider."
    )
    assert sum(name_of(body) == "row-1" for body in server.bodies) == QUICK.attempts

    server.answer = lambda body: answer(
        {**body, "messages": [{"content": str(body["messages"][0]["content"]).replace(DOWN, "")}]}
    )
    results, _ = await run(open_crew(), ledger, records)
    assert [done.record.outcome for done in results] == ["rewritten"] * 3
    assert [done.is_reused for done in results] == [True, False, True]


async def test_a_provider_that_answers_nobody_ends_the_run(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    with server.failing(error(529)), pytest.raises(RunStopped, match=r"does not answer: .*529"):
        await run(open_crew(), ledger, rows(40), concurrency=4)
    assert len(server.requests) <= 3 * (4 + 4)


async def test_so_does_one_that_is_not_there(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    crew = open_crew()
    server.stop()
    with pytest.raises(RunStopped, match=r"The provider does not answer: .*connection failed"):
        await run(crew, ledger, rows(40), concurrency=4)


async def test_and_where_there_are_too_few_rows_to_tell_an_outage_from_bad_luck(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    with server.failing(html(503)), pytest.raises(RunStopped, match="does not answer"):
        await run(open_crew(), ledger, rows(1))


async def test_an_outage_midway_ends_the_run_and_the_next_one_goes_on(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.answer = lambda body: answer(body) if server.answered < 10 else error(503)
    with pytest.raises(RunStopped):
        await run(open_crew(), ledger, rows(30), concurrency=4)
    kept = count_replies(ledger)
    assert kept == 10
    server.answer = answer
    results, engine = await run(open_crew(), ledger, rows(30), concurrency=4)
    assert [done.record.outcome for done in results] == ["rewritten"] * 30
    assert engine.stats.answered == 90 - kept


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_refused_key_permission_or_model_ends_the_run_at_once(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger, status: int
) -> None:
    with server.failing(error(status)), pytest.raises(ModelAccessDenied, match=f"HTTP {status}"):
        await run(open_crew(), ledger, rows(40), concurrency=4)
    assert len(server.requests) <= 4
    assert count_replies(ledger) == 0


async def test_a_refusal_is_not_held_up_by_a_row_that_waits_at_the_front(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    def mixed(body: dict[str, Any]) -> Response:
        if name_of(body) == "row-0":
            return error(429, headers={"retry-after": "60"})
        return error(401)

    server.answer = mixed
    with pytest.raises(ModelAccessDenied):
        await run(open_crew(), ledger, rows(4), concurrency=2)


async def test_an_ask_that_is_turned_down_costs_only_its_own_row(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    results, engine = await run(open_crew(), ledger, rows(6, "", TURNED_DOWN, NOTHING))
    assert [done.record.outcome for done in results] == [
        "rewritten",
        "quarantined",
        "untouched",
    ] * 2
    assert results[1].record.reasons == ("turned_down",)
    assert "This prompt is not allowed." in results[1].record.detail
    assert engine.stats.retried == 0


async def test_an_identical_ask_in_flight_shares_its_failure(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.latency = 0.02
    results, _ = await run(open_crew(), ledger, [row(0, TURNED_DOWN), row(0, TURNED_DOWN), row(1)])
    assert [done.record.reasons for done in results] == [("turned_down",)] * 2 + [()]
    assert sum(name_of(body) == "row-0" for body in server.bodies) == 1


async def test_waiting_to_ask_again_ends_when_the_run_does(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.fail(*[error(529, headers={"retry-after": "600"})] * 2)
    crew = open_crew()
    engine = LiveEngine(crew, ledger, RunConfig(concurrency=2))

    async def stop() -> None:
        while engine.stats.retried < 2:
            await asyncio.sleep(0.01)
        engine.stop()

    stopping = asyncio.create_task(stop())
    async with asyncio.timeout(300):
        with pytest.raises(RunStopped):
            await finish(crew, engine, rows(9, NOTHING))
    await stopping
    assert len(server.requests) == 2
