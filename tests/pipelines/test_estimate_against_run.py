"""What a dry run estimates of a generator is what a run counts whose replies are the mock ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from support.answers.deliberation import write_rows
from support.generator_cases import GENERATOR_CASES, GeneratorCase
from support.samples.deliberation import CONSTITUTION

from whyset.generators import Ask, DocumentGenerator, Generator, Reply
from whyset.models import Prices
from whyset.models.testing import ScriptedModel
from whyset.pipelines import (
    CorpusFiles,
    CorpusRun,
    DedupThresholds,
    Pipeline,
    Run,
    RunConfig,
    RunFiles,
    make_plan,
)
from whyset.pipelines.estimate._estimate import DEFAULT_REASONING_TOKENS, make_reply_unique
from whyset.retriever import PassageRetriever

RETRIEVER = PassageRetriever.open(CONSTITUTION, embedder="lexical", ephemeral=True)
LARGE, SMALL = "own:large", "own:small"
QUOTING = {"probe/fact", "probe/reference"}
"""Steps whose longest text is a quotation, which no word may be added to."""
OUTPUT_PRICES = {LARGE: 20, SMALL: 5}
PRICES = """
dated = 2026-11-24

[models."own:large"]
input = 4.0
output = 20.0
cache_read = 0.4
cache_write = 5.0

[models."own:small"]
input = 1.0
output = 5.0
cache_read = 0.1
cache_write = 1.25
"""


class MockModels:
    """Lets models answer with a generator's mock replies: each ask's item is noted on its way out.

    Replies for documents are made unique, as in an estimate: otherwise two of them might be
    the same ask to a judge.
    """

    def __init__(self, generator: Generator) -> None:
        self.generator = generator
        self._about: dict[str, Any] = {}
        for way in ("steps", "idea_steps"):
            if steps := getattr(generator, way, None):
                setattr(generator, way, partial(self._noting, steps))

    def answer(self, ask: Ask) -> Reply:
        """Answer an ask with its mock reply."""
        key = ask.key("any")
        reply = self.generator.mock_reply(ask, self._about[key], at_stake=True)
        if ask.step in QUOTING or not isinstance(self.generator, DocumentGenerator):
            return reply
        return make_reply_unique(reply, key, structured=ask.schema is not None)

    def _noting(self, steps: Any, item: Any, *more: Any, **named: Any) -> Any:
        going, sent = steps(item, *more, **named), None
        while True:
            try:
                wanted = next(going) if sent is None else going.send(sent)
            except StopIteration as end:
                return end.value
            if isinstance(wanted, Ask):
                self._about[wanted.key("any")] = item
            sent = yield wanted


@contextmanager
def run_of(case: GeneratorCase, folder: Path) -> Iterator[Run | CorpusRun]:
    """A run of a case, of which every reply is a mock."""
    (folder / "prices.toml").write_text(PRICES, encoding="utf-8")
    prices = Prices.load(folder / "prices.toml")
    generator = case.made()
    mocks = MockModels(generator)
    writer, judge = (ScriptedModel(mocks.answer, name=name) for name in (LARGE, SMALL))
    pipeline = Pipeline.build(generator, writer, judge, RETRIEVER)
    output = str(folder / "out.jsonl")
    if isinstance(generator, DocumentGenerator):
        plan = make_plan(
            generator,
            CONSTITUTION,
            documents=6,
            seed=3,
            variety={"length": {case.length: 1}} if case.length else {},
        )
        # Mock texts resemble each other.
        anything = DedupThresholds(shingle_share=2.0, short_cosine=2.0, long_cosine=2.0)
        yield CorpusRun(
            CorpusFiles.from_output(output),
            plan,
            pipeline,
            RunConfig(prices=prices),
            thresholds=anything,
        )
    else:
        source = write_rows(folder / "rows.jsonl", case.rows)
        yield Run(RunFiles.from_output(str(source), output), pipeline, RunConfig(prices=prices))


@pytest.mark.parametrize("name", GENERATOR_CASES)
def test_asks_tokens_and_dollars_are_those_estimated(name: str, tmp_path: Path) -> None:
    with run_of(GENERATOR_CASES[name], tmp_path) as run:
        outcome = run.estimate(sample=0).most
        summary = run.execute()

    assert not summary.counts.reasons, summary.counts.reasons
    spent = {(one.step, one.model): one for one in summary.costs}
    assert {(step.step, step.model): step.asks for step in outcome.steps} == {
        about: one.replies for about, one in spent.items()
    }
    assert {model for _, model in spent} == {LARGE, SMALL}
    reasoned = 0.0
    for step in outcome.steps:
        counted = spent[step.step, step.model]
        answers = step.usage.output_tokens - DEFAULT_REASONING_TOKENS * step.asks
        assert answers == pytest.approx(counted.usage.output_tokens, rel=0.02, abs=10)
        # A schema is part of what is read, and a text that is estimated apart is a word longer.
        more = step.usage.input_tokens - counted.usage.input_tokens
        assert -10 * step.asks <= more <= 900 * step.asks
        reasoned += DEFAULT_REASONING_TOKENS * step.asks * OUTPUT_PRICES[step.model] / 1e6
    paid = sum(float(one.cost or 0) for one in summary.costs)
    assert outcome.live is not None
    assert paid > 0
    assert 0.99 * paid <= float(outcome.live) - reasoned <= 1.25 * paid
