"""Estimates: what a run would ask and cost, before anything is sent."""

import random
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from support.answers.deliberation import row, rows, script

from whyset.constitution import Constitution
from whyset.datasets import BadRow, Row, row_from_record
from whyset.generators import Ask, Reply, Usage
from whyset.generators.deliberation import Deliberation
from whyset.models import ExtractiveModel, Prices
from whyset.models.testing import ScriptedModel
from whyset.pipelines import (
    Estimate,
    Forecast,
    Ledger,
    LiveEngine,
    Pipeline,
    RowRecord,
    estimate_run,
)
from whyset.retriever import PassageRetriever
from whyset.retriever.testing import FakeSearcher

WRITER, JUDGE = "anthropic:claude-opus-5-5", "anthropic:claude-haiku-5-5"


@pytest.fixture(scope="module")
def prices() -> Prices:
    return Prices.load()


@pytest.fixture
def pipeline(searcher: FakeSearcher) -> Pipeline:
    return scripted_pipeline(searcher)


def scripted_pipeline(
    searcher: FakeSearcher, writer: str = WRITER, judge: str = JUDGE, **options: Any
) -> Pipeline:
    large, small = ScriptedModel(name=writer), ScriptedModel(name=judge)
    return Pipeline.build(Deliberation(**options), large, small, searcher)


def read(records: Iterable[dict[str, Any]]) -> list[Row | BadRow]:
    return [row_from_record(record, line=number) for number, record in enumerate(records, start=1)]


def varied(count: int) -> list[dict[str, Any]]:
    lengths = random.Random(7)
    return [
        {"id": number, "prompt": f"{number}?", "response": "more " * lengths.randrange(5, 400)}
        for number in range(count)
    ]


def asks(forecast: Forecast) -> dict[str, int]:
    return {step.step.removeprefix("deliberation/"): step.asks for step in forecast.steps}


async def run_on_script(pipeline: Pipeline, ledger: Ledger, source: list[Row | BadRow]) -> None:
    engine = LiveEngine(pipeline, ledger)
    assert [done async for done in engine.run(source)]


@pytest.mark.parametrize("at_stake", [False, True])
async def test_an_estimate_is_what_a_run_on_mock_replies_counts(
    searcher: FakeSearcher, at_stake: bool, prices: Prices
) -> None:
    source = read(varied(70) + varied(20))  # the last twenty ask nothing new
    by_prompt: dict[str, Row] = {
        item.conversation.prompt[-1].text: item for item in source if isinstance(item, Row)
    }
    generator = Deliberation()

    def mock(ask: Ask) -> Reply:
        (about,) = [one for text, one in by_prompt.items() if f"[user]\n{text}\n" in ask.user]
        return generator.mock_reply(ask, about, at_stake=at_stake)

    writer, judge = (ScriptedModel(mock, name=f"own:{name}") for name in ("large", "small"))
    pipeline = Pipeline.build(generator, writer, judge, searcher)
    estimate = estimate_run(pipeline, source, prices, reasoning=0)
    assert not writer.asks
    assert not judge.asks
    forecast = estimate.most if at_stake else estimate.least

    with Ledger(None) as ledger:
        await run_on_script(pipeline, ledger, source)
        spent = ledger.cost_by_step(prices)
    assert {(step.step, step.model): step.asks for step in forecast.steps} == {
        (one.step, one.model): one.replies for one in spent
    }
    output = {(step.step, step.model): step.usage.output_tokens for step in forecast.steps}
    assert output == {(one.step, one.model): one.usage.output_tokens for one in spent}
    schemas = {"deliberation/appraise": 300, "deliberation/judge": 300}
    for step, one in zip(forecast.steps, spent, strict=True):
        more = step.usage.input_tokens - one.usage.input_tokens  # what a judge's schema takes
        assert 0 <= more <= schemas.get(step.step, 0) * step.asks
        assert (more > 0) == (step.step in schemas)


def test_the_bounds_are_an_appraisal_alone_and_each_step_once(
    pipeline: Pipeline, prices: Prices
) -> None:
    estimate = estimate_run(pipeline, read(rows(5)), prices)
    assert asks(estimate.least) == {"appraise": 5}
    assert asks(estimate.most) == {"appraise": 5, "write": 5, "judge": 5}
    assert estimate.projected is None
    assert (estimate.rows, estimate.remaining, estimate.simulated) == (5, 5, 5)
    assert not estimate.is_sampled
    assert estimate.most.intervals is None
    assert (estimate.least.live or 0) < (estimate.most.live or 0)


def test_rows_that_retrieval_settles_cost_nothing(
    constitution: Constitution, prices: Prices
) -> None:
    searcher = FakeSearcher(constitution, relevance=0.01)
    estimate = estimate_run(scripted_pipeline(searcher, settle_below=0.1), read(rows(3)), prices)
    for forecast in (estimate.least, estimate.most):
        assert (forecast.asks, forecast.usage) == (0, Usage())
        assert forecast.live == forecast.batch == 0
    assert estimate.rows == 3


def test_dollars_are_tokens_at_their_prices_and_a_batch_costs_half(
    searcher: FakeSearcher, prices: Prices
) -> None:
    haiku = "anthropic:claude-haiku-4-5"  # which caches nothing as short as our prompts
    estimate = estimate_run(scripted_pipeline(searcher, haiku, haiku), read(rows(4)), prices)
    usage = estimate.most.usage
    assert usage.cache_read_tokens == usage.cache_write_tokens == 0
    expected = Decimal(usage.input_tokens + 5 * usage.output_tokens) / 1_000_000
    assert estimate.most.live == expected
    assert estimate.most.batch == expected / 2
    assert [step.live for step in estimate.most.steps] == [
        prices.cost(haiku, step.usage) for step in estimate.most.steps
    ]


def test_a_model_without_a_price_is_said_to_be_unpriced(
    searcher: FakeSearcher, prices: Prices
) -> None:
    estimate = estimate_run(scripted_pipeline(searcher, writer="own:large"), read(rows(2)), prices)
    assert estimate.unpriced == ("own:large",)
    assert estimate.most.live is estimate.most.batch is None
    assert estimate.least.live is not None
    by_step = {step.step: step.live for step in estimate.most.steps}
    assert by_step["deliberation/write"] is None
    assert by_step["deliberation/judge"] is not None
    record = estimate.record()
    assert record["unpriced"] == ["own:large"]
    assert record["most"]["dollars"] is None


def test_models_that_count_more_tokens_are_estimated_to(
    searcher: FakeSearcher, prices: Prices, tmp_path: Path
) -> None:
    own = tmp_path / "prices.toml"
    rates = "input = 1\noutput = 1\ncache_read = 1\ncache_write = 1\n"
    own.write_text(
        f'dated = 2030-01-01\n[models."own:a"]\n{rates}[models."own:b"]\n{rates}tokens = 2\n'
    )
    prices = Prices.load(own)

    def total(name: str) -> int:
        pipeline = scripted_pipeline(searcher, name, name)
        usage = estimate_run(pipeline, read(rows(3)), prices, reasoning=0).most.usage
        return usage.input_tokens + usage.output_tokens

    assert total("own:b") == 2 * total("own:a")


def test_reasoning_is_allowed_for_before_every_answer(pipeline: Pipeline, prices: Prices) -> None:
    bare = estimate_run(pipeline, read(rows(4)), prices, reasoning=0)
    more = estimate_run(pipeline, read(rows(4)), prices, reasoning=1000)
    assert more.most.usage.output_tokens == bare.most.usage.output_tokens + 1000 * 12
    assert more.record()["reasoning_tokens"] == 1000


@pytest.mark.parametrize(
    ("cache_from", "cached"), [(0, True), (400, True), (500, False), (600, False), (None, False)]
)
def test_what_prompts_share_is_cached_only_where_it_is_surely_long_enough(
    searcher: FakeSearcher, tmp_path: Path, cache_from: int | None, cached: bool
) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(
        'dated = 2030-01-01\n[models."own:a"]\ninput = 10\noutput = 0\ncache_read = 1\n'
        "cache_write = 12\n" + (f"cache_from = {cache_from}\n" if cache_from is not None else "")
    )
    prices = Prices.load(own)
    pipeline = scripted_pipeline(searcher, "own:a", "own:a")
    estimate = estimate_run(pipeline, read(rows(10)), prices, reasoning=0)
    (step,) = estimate.least.steps
    assert (step.cache_from, 500 < step.common_tokens < 700) == (cache_from, True)
    if cached:
        # Written by the first, read by the nine others.
        assert step.usage.cache_write_tokens == step.common_tokens
        assert step.usage.cache_read_tokens == 9 * step.common_tokens
    else:
        assert step.usage.cache_write_tokens == step.usage.cache_read_tokens == 0
    assert step.live == prices.cost("own:a", step.usage)


def test_models_that_get_no_mark_for_the_cache_cache_nothing(
    searcher: FakeSearcher, prices: Prices
) -> None:
    for name, cached in ((WRITER, True), (f"langchain:{WRITER}", False)):
        estimate = estimate_run(scripted_pipeline(searcher, name, name), read(rows(9)), prices)
        assert (estimate.least.usage.cache_read_tokens > 0) == cached


def test_by_batch_nothing_is_counted_on_the_cache(pipeline: Pipeline, prices: Prices) -> None:
    (step,) = [
        step
        for step in estimate_run(pipeline, read(rows(9)), prices).most.steps
        if "write" in step.step
    ]
    usage = step.usage
    assert usage.cache_read_tokens > 0
    read_ = usage.input_tokens + usage.cache_read_tokens + usage.cache_write_tokens
    assert step.batch == prices.cost(WRITER, Usage(read_, usage.output_tokens), batch=True)


def test_the_interval_of_a_sample_holds_what_a_full_simulation_counts(
    pipeline: Pipeline, prices: Prices
) -> None:
    source = read(varied(600))
    full = estimate_run(pipeline, source, prices, sample=0)
    assert not full.is_sampled
    assert full.most.intervals is None
    within: Counter[str] = Counter()
    for seed in range(20):
        estimate = estimate_run(pipeline, source, prices, sample=60, seed=seed)
        assert estimate.is_sampled
        assert (estimate.simulated, estimate.remaining) == (60, 600)
        assert estimate.most.asks == full.most.asks
        ranges = estimate.most.intervals
        assert ranges and ranges.live and ranges.output_tokens and ranges.asks
        assert full.most.live and estimate.most.live
        assert ranges.live.low < float(estimate.most.live) < ranges.live.high
        assert abs(estimate.most.live / full.most.live - 1) < Decimal("0.1")
        assert (ranges.asks.low, ranges.asks.high) == (1800, 1800)
        within["live"] += ranges.live.low <= float(full.most.live) <= ranges.live.high
        tokens = full.most.usage.output_tokens
        within["output"] += ranges.output_tokens.low <= tokens <= ranges.output_tokens.high
    assert within["live"] >= 17
    assert within["output"] >= 17


def test_the_same_seed_draws_the_same_sample(pipeline: Pipeline, prices: Prices) -> None:
    source = read(varied(200))
    first, again, other = (
        estimate_run(pipeline, source, prices, sample=20, seed=seed) for seed in (1, 1, 2)
    )
    assert first == again
    assert first.most != other.most


def test_only_the_sample_is_kept_and_only_it_is_looked_up(
    pipeline: Pipeline, searcher: FakeSearcher, prices: Prices
) -> None:
    held = 0
    simulated: list[int] = []

    class Counted(Row):
        __slots__ = ()

        def __del__(self) -> None:
            nonlocal held
            held -= 1

    def many() -> Iterable[Row]:
        nonlocal held
        for number in range(1500):
            made = row_from_record(row(number), line=number + 1)
            held += 1
            assert held < 300
            yield Counted(made.line, made.columns, made.shape, made.conversation, made.digest)

    estimate = estimate_run(pipeline, many(), prices, sample=100, on_simulated=simulated.append)
    assert (estimate.rows, estimate.simulated) == (1500, 100)
    assert simulated == [64, 100]
    assert len(searcher.queries) == 102  # a row's own, and the considerations' for each batch
    assert estimate_run(pipeline, many(), prices, sample=0).simulated == 1500


async def test_a_finished_run_has_nothing_to_come(
    searcher: FakeSearcher, prices: Prices, tmp_path: Path
) -> None:
    pipeline, source = working_pipeline(searcher), read(rows(6, "", "[nothing]"))
    with Ledger(tmp_path / "out.ledger.sqlite") as ledger:
        await run_on_script(pipeline, ledger, source)
        estimate = estimate_run(pipeline, source, prices, ledger=ledger)
    assert (estimate.rows, estimate.finished, estimate.remaining) == (6, 6, 0)
    assert estimate.least == estimate.most == estimate.projected == Forecast(())
    assert estimate.projected_from == 6


async def test_finished_rows_show_what_the_others_will_take(
    searcher: FakeSearcher, prices: Prices, tmp_path: Path
) -> None:
    fates = ("", "[nothing]", "[mended]", "[conflict]")  # 3, 1, 5 and 1 asks
    pipeline, source = working_pipeline(searcher), read(rows(80, *fates))
    with Ledger(tmp_path / "out.ledger.sqlite") as ledger:
        await run_on_script(pipeline, ledger, source[:20])
        spent = {one.step: one for one in ledger.cost_by_step(prices)}
        estimate = estimate_run(pipeline, source, prices, ledger=ledger)
    assert (estimate.finished, estimate.remaining, estimate.projected_from) == (20, 60, 20)
    projected = estimate.projected
    assert projected is not None
    assert asks(projected) == {"appraise": 60, "write": 30, "judge": 45, "revise": 15}
    for step in projected.steps:
        one = spent[step.step]
        assert step.asks == 3 * one.replies
        assert step.usage == one.usage + one.usage + one.usage
        assert one.cost is not None
        assert step.live == 3 * one.cost
    assert projected.intervals is not None
    assert projected.intervals.asks is not None
    assert projected.intervals.asks.low < projected.asks < projected.intervals.asks.high
    assert asks(estimate.least) == {"appraise": 60}


async def test_replies_in_the_ledger_are_left_out_and_show_the_way(
    searcher: FakeSearcher, prices: Prices
) -> None:
    pipeline, source = working_pipeline(searcher), read(rows(3, "", "[nothing]", ""))
    known: dict[str, Reply] = {}

    class Replies:
        def reply(self, key: str) -> Reply | None:
            return known.get(key)

        def row(self, key: str) -> bytes | None:
            return None

    with Ledger(None) as ledger:
        await run_on_script(pipeline, ledger, source[:2])
        for model in pipeline.models.values():
            assert isinstance(model, ScriptedModel)
            for ask in model.asks:
                key = ask.key(model.identity)
                known[key] = ledger.reply(key) or Reply("", "other")
    estimate = estimate_run(pipeline, source, prices, ledger=Replies())
    assert estimate.finished == 0
    assert asks(estimate.least) == {"appraise": 1}
    assert asks(estimate.most) == {"appraise": 1, "write": 1, "judge": 1}
    for key in [key for key, reply in known.items() if '"same_decision"' in reply.text]:
        del known[key]
    assert asks(estimate_run(pipeline, source, prices, ledger=Replies()).most)["judge"] == 2


async def test_a_finished_row_whose_replies_are_gone_shows_nothing(
    searcher: FakeSearcher, prices: Prices
) -> None:
    pipeline, source = working_pipeline(searcher), read(rows(4))

    class Records:
        def reply(self, key: str) -> Reply | None:
            return None

        def row(self, key: str) -> bytes | None:
            return RowRecord("rewritten").to_bytes()

    estimate = estimate_run(pipeline, source, prices, ledger=Records())
    assert (estimate.finished, estimate.remaining) == (4, 0)
    assert (estimate.projected, estimate.projected_from) == (None, 0)


def test_lines_that_hold_no_row_are_counted(pipeline: Pipeline, prices: Prices) -> None:
    estimate = estimate_run(pipeline, [BadRow(1, "not JSON", b"{"), *read(rows(2))], prices)
    assert (estimate.rows, estimate.unreadable) == (2, 1)


def test_passages_are_retrieved_as_in_a_run(constitution: Constitution, prices: Prices) -> None:
    retriever = PassageRetriever.open(constitution, embedder="lexical", ephemeral=True)
    source = read(rows(70))

    def prompt(k: int) -> int:
        large, small = ScriptedModel(name=WRITER), ScriptedModel(name=JUDGE)
        pipeline = Pipeline.build(Deliberation(k=k), large, small, retriever)
        usage = estimate_run(pipeline, source, prices).least.usage
        return usage.input_tokens

    assert prompt(1) < prompt(2)


def test_an_empty_input_costs_nothing(pipeline: Pipeline, prices: Prices) -> None:
    for sample in (0, 500):
        estimate = estimate_run(pipeline, [], prices, sample=sample)
        assert estimate.least == estimate.most == Forecast(())
        assert estimate.most.live == 0


def test_quoting_costs_nothing_and_asks_no_model(searcher: FakeSearcher, prices: Prices) -> None:
    pipeline = Pipeline.build(Deliberation(), ExtractiveModel(), ExtractiveModel(), searcher)
    estimate = estimate_run(pipeline, read(rows(3)), prices)
    assert estimate.most.asks == 0
    assert estimate.most.live == 0
    assert searcher.queries


def test_the_record_is_plain_values(pipeline: Pipeline, prices: Prices) -> None:
    estimate = estimate_run(pipeline, read(varied(40)), prices, sample=10)
    record = estimate.record()
    assert set(record) == {
        "rows",
        "unreadable",
        "finished",
        "remaining",
        "walked",
        "seed",
        "reasoning_tokens",
        "prices_of",
        "unpriced",
        "least",
        "most",
        "as_so_far",
        "projected_from",
    }
    most = record["most"]
    assert most["asks"] == 120
    assert most["dollars"] == pytest.approx(float(estimate.most.live or 0))
    assert most["dollars_batch"] < most["dollars"]
    low, high = most["ranges"]["dollars"]
    assert low < most["dollars"] < high
    assert [step["step"] for step in most["steps"]] == [
        "deliberation/appraise",
        "deliberation/judge",
        "deliberation/write",
    ]
    assert isinstance(estimate, Estimate)


def working_pipeline(searcher: FakeSearcher) -> Pipeline:
    large, small = ScriptedModel(script, name=WRITER), ScriptedModel(script, name=JUDGE)
    return Pipeline.build(Deliberation(), large, small, searcher)
