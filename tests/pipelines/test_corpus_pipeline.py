"""From a plan or a name to a pipeline of documents, and engines that go through several passes."""

from pathlib import Path

import pytest
from support.loopback import KEY, MODEL, LoopbackServer
from support.notes import Notes, answer

from whyset.constitution import Constitution
from whyset.generators import Brief, GeneratorError, IdeaStage, UnsupportedModel
from whyset.models import AnthropicModel
from whyset.pipelines import (
    Ledger,
    LiveEngine,
    Pipeline,
    RunConfig,
    make_plan,
    open_pipeline,
)
from whyset.retriever.testing import FakeSearcher

from .conftest import TEXT

CONSTITUTION = Constitution.parse(TEXT)


def test_a_generator_that_is_open_is_taken_as_it_is() -> None:
    notes = Notes(length=12)
    pipeline = open_pipeline(
        notes,
        CONSTITUTION,
        model="anthropic:claude-opus-5-5",
        judge="anthropic:claude-haiku-5-5",
        embedder="lexical",
        ephemeral=True,
        effort="low",
    )
    assert pipeline.generator is notes
    assert pipeline.model_names["judge"] == "anthropic:claude-haiku-5-5"
    assert (pipeline.settings["length"], pipeline.settings["effort"]) == (12, "low")


def test_without_a_language_model_it_is_declined_where_quoting_makes_nothing() -> None:
    with pytest.raises(UnsupportedModel, match="notes needs a language model"):
        open_pipeline(Notes(), CONSTITUTION, embedder="lexical", ephemeral=True)


def test_a_name_or_a_plan_of_what_is_not_installed_is_an_error() -> None:
    with pytest.raises(GeneratorError, match="no generator 'nodes'; installed: "):
        open_pipeline("nodes", CONSTITUTION)
    with pytest.raises(GeneratorError, match="no generator 'notes'; installed: "):
        open_pipeline(make_plan(Notes(), CONSTITUTION, documents=4), CONSTITUTION)


def test_a_name_stands_for_the_generator_that_is_installed() -> None:
    pipeline = open_pipeline("deliberation", CONSTITUTION, embedder="lexical", ephemeral=True)
    assert pipeline.settings["k"] == 8


async def test_what_one_pass_has_learned_of_the_provider_holds_for_the_next(
    tmp_path: Path,
) -> None:
    passage = CONSTITUTION.passages[0].id
    briefs = [
        Brief(n, passages=(passage,), variety={"tone": "dry", "subject": "#0"}, seed=n)
        for n in range(1, 80)
    ]
    with LoopbackServer(answer) as server, Ledger(tmp_path / "ledger.sqlite") as ledger:
        model = AnthropicModel(MODEL, base_url=server.url, api_key=KEY, timeout=20)
        notes = Notes()
        pipeline = Pipeline.build(notes, model, model, FakeSearcher(CONSTITUTION))
        engine = LiveEngine(pipeline, ledger, RunConfig(concurrency=64))
        stage = IdeaStage(notes, count=1)
        ideas = [done async for done in engine.run(briefs, generator=stage)]
        learned, asked = engine.stats.limit, engine.stats.answered
        documents = [done async for done in engine.run(briefs)]
        await pipeline.aclose()
    assert [done.row.line for done in ideas] == [done.row.line for done in documents]
    assert {done.record.outcome for done in ideas} == {"ideas"}
    assert learned > 16  # what a limit begins with
    assert engine.stats.limit >= learned
    assert engine.stats.answered > asked
