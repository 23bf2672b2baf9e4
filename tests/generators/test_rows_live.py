"""Diversified and resampled rows asked of a real server by the provider's own SDK."""

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from support.answers.rows import CALLED, FATES, MENDED_MARK, NEEDED, answer, row, rows, step_of
from support.loopback import LoopbackServer
from support.row_scripts import environment_of
from support.samples.deliberation import CONSTITUTION

from whyset.datasets import row_from_record
from whyset.generators import Generator, RowRejected
from whyset.generators._langchain import BoundGenerator
from whyset.generators.diversify import Diversify, Options
from whyset.generators.resample import Resample
from whyset.models import AnthropicModel
from whyset.retriever.testing import FakeSearcher

COUNT = 3 * len(FATES)


@pytest.fixture
def server() -> Iterator[LoopbackServer]:
    with LoopbackServer(answer) as server:
        yield server


Bind = Callable[[Generator], BoundGenerator]


@pytest.fixture
async def bound(server: LoopbackServer) -> AsyncIterator[Bind]:
    """Bind generators to a model on the server; its connections are released in the end."""
    model = AnthropicModel("claude-loopback-1", base_url=server.url, api_key="test-key")
    yield lambda generator: generator.bind(model, FakeSearcher(CONSTITUTION))
    await model.aclose()


def _has_tools(record: dict[str, Any], generator: Generator) -> bool:
    if not isinstance(generator.options, Options):
        return False
    return environment_of(row_from_record(dict(record)), generator.options).tools > 0


@pytest.mark.parametrize(
    ("generator", "place"),
    [(Diversify(), 0), (Diversify(respond=True), 1), (Resample(), 2), (Resample(adverse=True), 2)],
    ids=["diversify", "diversify respond", "resample", "resample adverse"],
)
async def test_what_is_written_and_what_is_not_is_as_the_server_decides(
    bound: Bind, generator: Generator, place: int
) -> None:
    records = rows(COUNT, *FATES)
    outcomes = await bound(generator).abatch(records, return_exceptions=True)

    fates = list(FATES)
    for number, (record, outcome) in enumerate(zip(records, outcomes, strict=True)):
        fate = fates[number % len(fates)]
        reason = FATES[fate][place]
        if fate in {NEEDED, CALLED} and not _has_tools(record, generator):
            reason = None  # what there is none of, nobody needs or calls
        if reason is None:
            assert isinstance(outcome, dict), (fate, outcome)
            assert outcome["messages"][-2] == record["messages"][0]
            assert outcome["id"] == number
        else:
            assert isinstance(outcome, RowRejected), (fate, outcome)
            assert reason in outcome.reasons
    assert any(isinstance(outcome, RowRejected) for outcome in outcomes)


async def test_the_response_stays_unless_a_new_one_is_asked_for(bound: Bind) -> None:
    records = rows(6)
    kept = await bound(Diversify()).abatch(records)
    new = await bound(Diversify(respond=True)).abatch(records)

    for record, one, other in zip(records, kept, new, strict=True):
        assert one["messages"][-1] == record["messages"][-1]
        assert other["messages"][-1] != record["messages"][-1]
        assert other["whyset"]["original_response"] == record["messages"][-1]["content"]


async def test_what_was_mended_is_what_comes_out(bound: Bind) -> None:
    mended = list(FATES)[2]
    outcomes = await bound(Diversify()).abatch([row(n, mended) for n in range(6)])

    with_tools = [outcome for outcome in outcomes if outcome.get("tools")]
    assert with_tools
    for outcome in with_tools:
        assert all(MENDED_MARK in tool["function"]["name"] for tool in outcome["tools"])


async def test_a_response_is_asked_for_with_the_tools_of_the_row(
    server: LoopbackServer, bound: Bind
) -> None:
    outcomes = await bound(Diversify(respond=True)).abatch(rows(6))

    asked = [body for body in server.bodies if step_of(body) == "respond"]
    sent = Counter(tuple(tool["name"] for tool in body.get("tools", ())) for body in asked)
    written = Counter(
        tuple(tool["function"]["name"] for tool in outcome.get("tools") or ())
        for outcome in outcomes
    )
    assert sent == written
    assert len(sent) > 1


async def test_the_same_row_leads_to_the_same_result(bound: Bind) -> None:
    for generator in (Diversify(persona="draw"), Resample()):
        first, again = [await bound(generator).ainvoke(row(3)) for _ in range(2)]

        assert first == again
