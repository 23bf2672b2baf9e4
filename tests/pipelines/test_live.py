"""The live engine, over Anthropic's SDK and a server that counts."""

import asyncio
import itertools
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from support.answers.deliberation import (
    NOTHING,
    PREACHY,
    answer,
    asked_twice,
    name_of,
    row,
    rows,
    script,
    step_of,
)
from support.loopback import LoopbackServer, Response, message
from support.runs import count_replies

from whyset.constitution import Constitution
from whyset.datasets import BadRow, Row, row_from_record
from whyset.generators import Ask, Reply
from whyset.generators.deliberation import Deliberation
from whyset.models import ExtractiveModel
from whyset.models.testing import ScriptedModel, ScriptedReply
from whyset.pipelines import (
    Ledger,
    LiveEngine,
    Pipeline,
    RowResult,
    RunConfig,
    RunError,
    RunStopped,
)
from whyset.retriever import Grounding, RetrieverError
from whyset.retriever.testing import FakeSearcher

from .conftest import QUICK, OpenCrew


def read(records: list[dict[str, Any]]) -> list[Row | BadRow]:
    return [row_from_record(record, line=number) for number, record in enumerate(records, start=1)]


async def run(
    crew: Pipeline, ledger: Ledger, records: list[dict[str, Any]], **options: Any
) -> list[RowResult]:
    engine = LiveEngine(crew, ledger, RunConfig(retries=QUICK, **options))
    try:
        return [done async for done in engine.run(read(records))]
    finally:
        await crew.aclose()


def outcomes(results: Sequence[RowResult]) -> list[str]:
    return [done.record.outcome for done in results]


async def test_rows_come_out_in_the_order_of_the_input_whatever_the_latency(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    def slow_first(body: dict[str, Any]) -> Response:
        number = int(name_of(body).removeprefix("row-"))
        return Response(body=answer(body), delay=0.02 * (12 - number) if number % 3 == 0 else 0)

    server.answer = slow_first
    results = await run(open_crew(), ledger, rows(12, "", NOTHING))
    assert [done.row.line for done in results] == list(range(1, 13))
    assert outcomes(results) == ["rewritten", "untouched"] * 6
    ids = [json.loads(done.record.line or b"{}")["id"] for done in results]
    assert ids == list(range(12))


async def test_a_line_that_is_no_row_keeps_its_place(open_crew: OpenCrew, ledger: Ledger) -> None:
    source = [*read(rows(1)), BadRow(2, "not JSON", b"{"), *read(rows(1))]
    engine = LiveEngine(open_crew(), ledger)
    results = [done async for done in engine.run(source)]
    assert outcomes(results) == ["rewritten", "quarantined", "rewritten"]
    assert results[1].record.reasons == ("unreadable",)
    assert results[1].record.detail == "not JSON"


async def test_no_more_asks_are_in_flight_than_allowed_and_no_fewer_where_there_is_work(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.answer = lambda body: Response(200, answer(body), until=lambda: server.peak >= 5)
    await run(open_crew(), ledger, rows(20), concurrency=5)
    assert server.peak == 5


async def test_memory_is_bounded_only_so_many_rows_are_read_ahead(
    open_crew: OpenCrew, ledger: Ledger
) -> None:
    taken = 0

    def endless() -> Iterator[Row]:
        nonlocal taken
        for number in itertools.count():
            taken += 1
            yield row_from_record(row(number, NOTHING), line=number + 1)

    engine = LiveEngine(open_crew(), ledger, RunConfig(concurrency=4))
    async with aclosing(engine.run(endless())) as results:
        async for done in results:
            await asyncio.sleep(0.01)
            if done.row.line == 20:
                break
    assert taken <= 20 + 64 + 256 + 2


async def test_a_row_that_is_done_does_not_wait_for_the_next_to_be_read(
    open_crew: OpenCrew, ledger: Ledger
) -> None:
    more = threading.Event()

    def slow_pipe() -> Iterator[Row]:
        yield row_from_record(row(0, NOTHING), line=1)
        assert more.wait(300), "the first row is not out"
        yield row_from_record(row(1, NOTHING), line=2)

    results = []
    async for done in LiveEngine(open_crew(), ledger).run(slow_pipe()):
        results.append(done)
        more.set()
    assert len(results) == 2


async def test_identical_asks_in_flight_are_sent_once(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.latency = 0.02
    results = await run(open_crew(), ledger, [row(7)] * 6)
    assert outcomes(results) == ["rewritten"] * 6
    assert len({done.record.line for done in results}) == 1
    assert [step_of(body) for body in server.bodies] == ["appraise", "write", "judge"]


async def test_rows_that_are_in_the_ledger_ask_and_find_nothing(
    server: LoopbackServer, open_crew: OpenCrew, searcher: FakeSearcher, ledger: Ledger
) -> None:
    records = rows(8, "", NOTHING, PREACHY)
    first = await run(open_crew(), ledger, records)
    asked, found = len(server.requests), len(searcher.queries)
    second = await run(open_crew(), ledger, records)
    assert [done.record for done in second] == [done.record for done in first]
    assert [done.is_reused for done in (*first, *second)] == [False] * 8 + [True] * 8
    assert (len(server.requests), len(searcher.queries)) == (asked, found)


async def test_rows_are_known_by_content_so_moved_and_inserted_ones_cost_only_themselves(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    await run(open_crew(), ledger, rows(4))
    asked = len(server.requests)
    results = await run(open_crew(), ledger, [row(3), row(9), row(0)])
    assert [done.is_reused for done in results] == [True, False, True]
    assert {name_of(body) for body in server.bodies[asked:]} == {"row-9"}


@pytest.mark.parametrize(
    ("changed", "asked_again"),
    [
        ({"judge": "claude-other-1"}, ["appraise", "judge"]),
        ({"writer": "claude-other-1"}, ["write"]),
        ({"channel": "thinking"}, ["write", "judge"]),
        ({"max_revisions": 1}, []),
    ],
    ids=lambda value: str(value),
)
async def test_changed_models_and_options_ask_only_what_changed(
    server: LoopbackServer,
    open_crew: OpenCrew,
    ledger: Ledger,
    changed: dict[str, Any],
    asked_again: list[str],
) -> None:
    await run(open_crew(), ledger, rows(1))
    del server.requests[:]
    results = await run(open_crew(**changed), ledger, rows(1))
    assert outcomes(results) == ["rewritten"]
    assert not results[0].is_reused
    assert [step_of(body) for body in server.bodies] == asked_again


async def test_a_changed_constitution_makes_every_row_new(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    crew = open_crew()
    await run(crew, ledger, rows(1))
    other = FakeSearcher(Constitution.parse("# Other manners\n\nAsk before you act.\n"))
    changed = Pipeline(crew.generator, crew.models, other)
    results = await run(changed, ledger, rows(1))
    assert not results[0].is_reused
    assert len(server.requests) == 6


async def test_finds_are_answered_together(
    open_crew: OpenCrew, ledger: Ledger, constitution: Constitution
) -> None:
    all_read = threading.Event()

    class Counting(FakeSearcher):
        batches: tuple[int, ...] = ()

        def find_passages(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
            assert all_read.wait(300)
            self.batches += (len(queries),)
            return super().find_passages(queries, k=k)

    def source() -> Iterator[Row | BadRow]:
        yield from read(rows(60, NOTHING))
        all_read.set()

    searcher = Counting(constitution)
    crew = open_crew()
    engine = LiveEngine(Pipeline(crew.generator, crew.models, searcher), ledger)
    async for _ in engine.run(source()):
        pass
    await crew.aclose()
    assert sum(searcher.batches) == 60
    assert len(searcher.batches) <= 6


async def test_a_failing_retriever_ends_the_run(open_crew: OpenCrew, ledger: Ledger) -> None:
    class Broken(FakeSearcher):
        def find_passages(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
            raise RetrieverError("the index is gone")

    crew = open_crew()
    broken = Broken(Constitution.parse("# M\n\nAsk first.\n"))
    with pytest.raises(RetrieverError, match="the index is gone"):
        await run(Pipeline(crew.generator, crew.models, broken), ledger, rows(3))


async def test_an_input_that_fails_midway_ends_the_run(open_crew: OpenCrew, ledger: Ledger) -> None:
    def breaking() -> Iterator[Row]:
        yield row_from_record(row(0, NOTHING))
        raise RunError("the disk was pulled out")

    with pytest.raises(RunError, match="pulled out"):
        async for _ in LiveEngine(open_crew(), ledger).run(breaking()):
            pass


async def test_extracts_are_free_so_no_reply_is_recorded_but_rows_are(
    searcher: FakeSearcher, ledger: Ledger
) -> None:
    writer = ExtractiveModel()
    crew = Pipeline.build(Deliberation(), writer, writer, searcher)
    first = await run(crew, ledger, rows(3))
    assert outcomes(first) == ["annotated"] * 3
    assert count_replies(ledger) == 0
    second = await run(crew, ledger, rows(3))
    assert [done.is_reused for done in second] == [True] * 3


async def test_half_a_surrogate_pair_in_a_reply_is_replaced_before_it_is_recorded(
    searcher: FakeSearcher, ledger: Ledger
) -> None:
    def emoji(ask: Ask) -> ScriptedReply:
        if ask.schema is None:
            return Reply("Cut in half \ud83d and whole \ud83d\ude00.", "complete")
        return script(ask)

    model = ScriptedModel(emoji)
    crew = Pipeline.build(Deliberation(max_revisions=0), model, model, searcher)
    (done,) = await run(crew, ledger, rows(1))
    draft = (done.record.quarantine_fields or {})["draft"]
    assert draft == "Cut in half \ufffd and whole \N{GRINNING FACE}."


async def test_stop_lets_asks_in_flight_finish_and_records_their_replies(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    crew = open_crew()
    engine = LiveEngine(crew, ledger, RunConfig(concurrency=4))
    stopped = threading.Event()
    server.answer = lambda body: Response(200, answer(body), until=stopped.is_set)

    async def stop() -> None:
        while server.in_flight < 4:
            await asyncio.sleep(0.01)
        engine.stop()
        stopped.set()

    stopping = asyncio.create_task(stop())
    with pytest.raises(RunStopped):
        async for _ in engine.run(read(rows(20))):
            pass
    await stopping
    await crew.aclose()
    assert len(server.requests) == count_replies(ledger) == 4
    await run(open_crew(), ledger, rows(20))
    assert asked_twice(server) == []


async def test_cancellation_does_not_wait_for_asks_in_flight(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.answer = lambda body: Response(hang=True)
    crew = open_crew()
    engine = LiveEngine(crew, ledger, RunConfig(concurrency=4))

    async def consume() -> None:
        async with aclosing(engine.run(read(rows(8)))) as results:
            async for _ in results:
                pass

    task = asyncio.create_task(consume())
    while server.in_flight < 4:
        await asyncio.sleep(0.01)
    engine.stop()
    await asyncio.sleep(0.05)
    assert not task.done()
    task.cancel()
    async with asyncio.timeout(300):
        with pytest.raises(asyncio.CancelledError):
            await task
    await crew.aclose()
    assert {task for task in asyncio.all_tasks() if task is not asyncio.current_task()} == set()


async def test_leaving_early_ends_the_run_and_keeps_what_was_answered(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    server.latency = 0.02
    crew = open_crew()
    async with aclosing(
        LiveEngine(crew, ledger, RunConfig(concurrency=2)).run(read(rows(20)))
    ) as results:
        async for _ in results:
            break
    await crew.aclose()
    assert count_replies(ledger) == len(server.requests)
    assert len(server.requests) < 3 * 20


async def test_truncated_replies_are_paid_for_and_recorded_too(
    server: LoopbackServer, open_crew: OpenCrew, ledger: Ledger
) -> None:
    def cut_short(body: dict[str, Any]) -> dict[str, Any] | Response:
        return (
            message("Two things", stop_reason="max_tokens")
            if step_of(body) == "write"
            else (answer(body))
        )

    server.answer = cut_short
    (done,) = await run(open_crew(), ledger, rows(1))
    assert done.record.reasons == ("truncated",)
    assert [step_of(body) for body in server.bodies] == ["appraise", "write", "write"]
    assert count_replies(ledger) == 3


def test_an_engine_works_in_any_event_loop(
    open_crew: Callable[..., Pipeline], tmp_path: Path
) -> None:
    for number in range(2):
        with Ledger(tmp_path / f"{number}.ledger.sqlite") as ledger:
            assert outcomes(asyncio.run(run(open_crew(), ledger, rows(1)))) == ["rewritten"]
