"""Every generator, bound to a model and a retriever, is a Runnable: however it is called."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from langchain_core.runnables import Runnable
from langchain_core.tracers.run_collector import RunCollectorCallbackHandler
from support.generator_cases import GENERATOR_CASES, GeneratorCase
from support.loopback import KEY, MODEL, LoopbackServer
from support.samples.deliberation import CONSTITUTION

from whyset.generators import DocumentGenerator, RowRejected
from whyset.models import AnthropicModel
from whyset.retriever import PassageRetriever

PASSAGES = [passage.id for passage in CONSTITUTION.passages]
RETRIEVER = PassageRetriever.open(CONSTITUTION, embedder="lexical", ephemeral=True)


@pytest.fixture(params=GENERATOR_CASES)
def case(request: pytest.FixtureRequest) -> GeneratorCase:
    return GENERATOR_CASES[request.param]


@pytest.fixture
def server(case: GeneratorCase) -> Iterator[LoopbackServer]:
    with LoopbackServer(case.answer) as running:
        yield running


@pytest.fixture
def bound(case: GeneratorCase, server: LoopbackServer) -> Runnable[dict[str, Any], dict[str, Any]]:
    model = AnthropicModel(MODEL, base_url=server.url, api_key=KEY, timeout=60)
    return case.made().bind(model, RETRIEVER)


def items(case: GeneratorCase) -> list[dict[str, Any]]:
    """Return what the generator takes: rows, or briefs of which some come to nothing."""
    if not isinstance(case.made(), DocumentGenerator):
        return [dict(row) for row in case.rows[:4]]
    variety = {"variety": {"length": case.length}} if case.length else {}
    return [
        {"passages": [PASSAGES[number % len(PASSAGES)]], "seed": number, **variety}
        for number in range(4)
    ]


def plain(results: list[Any]) -> list[Any]:
    """Return results as they can be compared: a rejection by its reasons."""
    assert all(isinstance(one, dict | RowRejected) for one in results), results
    return [one.reasons if isinstance(one, RowRejected) else one for one in results]


def test_invoked_or_in_batches_at_once_or_later_it_gives_the_same(
    case: GeneratorCase, bound: Runnable[dict[str, Any], dict[str, Any]]
) -> None:
    given = items(case)

    async def later() -> tuple[list[Any], list[Any]]:
        together: list[Any] = await bound.abatch(given, return_exceptions=True)
        singly = [await asyncio.gather(bound.ainvoke(one), return_exceptions=True) for one in given]
        return plain(together), plain([one for (one,) in singly])

    at_once: list[Any] = bound.batch(given, return_exceptions=True)
    expected = plain(at_once)
    assert any(isinstance(one, dict) for one in expected)
    assert asyncio.run(later()) == (expected, expected)
    number = next(n for n, one in enumerate(expected) if isinstance(one, dict))
    assert bound.invoke(given[number]) == expected[number]
    assert list(bound.stream(given[number])) == [expected[number]]
    assert expected[number]["whyset"]["generator"] == case.generator


def test_callbacks_and_streamed_events_see_every_ask(
    case: GeneratorCase, bound: Runnable[dict[str, Any], dict[str, Any]], server: LoopbackServer
) -> None:
    given = items(case)
    tried: list[Any] = bound.batch(given, return_exceptions=True)
    # One that goes through most: what passes untouched asks the least.
    good = max(
        (n for n, one in enumerate(tried) if isinstance(one, dict)),
        key=lambda n: tried[n]["whyset"]["usage"]["output_tokens"],
    )
    server.requests.clear()
    collector = RunCollectorCallbackHandler()
    bound.invoke(given[good], {"callbacks": [collector]})
    asked = len(server.requests)
    (root,) = collector.traced_runs
    steps = [run for run in root.child_runs if run.run_type == "chain"]
    assert root.name == case.generator
    assert len(steps) == asked > 1
    assert all(run.name.startswith(f"{case.generator}/") for run in steps)
    assert all(
        [inner.run_type for inner in run.child_runs] == ["llm"] * len(run.child_runs)
        for run in steps
    )

    async def streamed() -> Counter[str]:
        events = bound.astream_events(given[good], version="v2")
        return Counter([event["event"] async for event in events])

    seen = asyncio.run(streamed())
    assert seen["on_chat_model_start"] == seen["on_chat_model_end"] == asked
    assert seen["on_chain_end"] == asked + 1
