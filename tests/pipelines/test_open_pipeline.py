"""From names to a crew: what is declined before anything is opened."""

from typing import Any

import pytest

from whyset.constitution import Constitution
from whyset.generators import UnsupportedModel
from whyset.generators.deliberation import Deliberation
from whyset.models import ModelError
from whyset.pipelines import Pipeline, open_pipeline
from whyset.retriever import RELEVANCE_THRESHOLD

OWN = {"model", "judge", "effort"}


def opened(constitution: Constitution, embedder: str = "lexical", **options: Any) -> Pipeline:
    """Open a pipeline of a deliberation with options."""
    chosen = {name: options.pop(name) for name in OWN & options.keys()}
    generator = Deliberation(**{"settle_below": None, **options})
    return open_pipeline(generator, constitution, embedder=embedder, ephemeral=True, **chosen)


def test_without_a_model_the_extractive_one_writes_and_nobody_judges(
    constitution: Constitution,
) -> None:
    crew = opened(constitution, effort="high")
    assert crew.model_names == {"writer": "extractive", "judge": "extractive"}
    assert crew.generator.identity == crew.generator.extractive_variant().identity
    assert "prompts" not in crew.settings


def test_the_writer_judges_where_no_judge_is_named(constitution: Constitution) -> None:
    crew = opened(constitution, model="anthropic:claude-opus-5-5")
    assert crew.models["writer"] is crew.models["judge"]


def test_a_judge_may_be_another_model(constitution: Constitution) -> None:
    crew = opened(
        constitution, model="anthropic:claude-opus-5-5", judge="anthropic:claude-haiku-5-5"
    )
    assert crew.model_names == {
        "writer": "anthropic:claude-opus-5-5",
        "judge": "anthropic:claude-haiku-5-5",
    }


def test_an_extractive_judge_is_declined(constitution: Constitution) -> None:
    with pytest.raises(UnsupportedModel) as declined:
        opened(constitution, model="anthropic:claude-opus-5-5", judge="extractive", effort="low")
    assert str(declined.value) == (
        "extractive weighs nothing, so it cannot judge: name a language model"
    )


@pytest.mark.parametrize("model", [None, "extractive"])
def test_so_is_a_judge_beside_an_extractive_writer(
    constitution: Constitution, model: str | None
) -> None:
    with pytest.raises(UnsupportedModel) as declined:
        opened(constitution, model=model, judge="anthropic:claude-opus-5-5")
    assert str(declined.value) == (
        "extractive writes nothing that anthropic:claude-opus-5-5 could judge: name a language "
        "model with --model as well, or leave --judge out"
    )


def test_what_takes_a_language_model_is_declined_without_one(constitution: Constitution) -> None:
    with pytest.raises(UnsupportedModel, match="'inline' rewrites the response"):
        opened(constitution, channel="inline")


def test_an_unknown_model_is_an_error_before_an_index_is_built(constitution: Constitution) -> None:
    with pytest.raises(ModelError, match="names no provider: write anthropic:claude-opus-5-5"):
        opened(constitution, model="claude-opus-5-5", embedder="no such embedder")


def test_settings_tell_how_the_crew_was_chosen_and_which_prompts_it_uses(
    constitution: Constitution,
) -> None:
    crew = opened(constitution, model="anthropic:claude-opus-5-5", channel="thinking", k=3)
    prompts = crew.settings["prompts"]
    assert {name: value for name, value in crew.settings.items() if name != "prompts"} == {
        "channel": "thinking",
        "cite": "implicit",
        "on_conflict": "quarantine",
        "k": 3,
        "settle_below": 0.0,
        "max_revisions": 2,
        "embedder": "lexical",
        "effort": None,
    }
    assert set(prompts) >= {"deliberation/appraise", "deliberation/judge", "deliberation/write"}


def test_where_no_threshold_is_named_the_one_measured_for_the_embedder_holds(
    constitution: Constitution,
) -> None:
    measured = opened(constitution, embedder="minilm")
    assert measured.settings["settle_below"] == RELEVANCE_THRESHOLD > 0
    named = opened(constitution, embedder="minilm", settle_below=0)
    assert named.settings["settle_below"] == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"channel": "thinking"},
        {"settle_below": 0.5},
        {"model": "anthropic:claude-haiku-5-5"},
        {"judge": "anthropic:claude-haiku-5-5"},
        {"effort": "low"},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_whatever_could_change_a_row_changes_the_crews_identity(
    constitution: Constitution, changed: dict[str, Any]
) -> None:
    usual = {"model": "anthropic:claude-opus-5-5"}
    before = opened(constitution, **usual).identity
    assert opened(constitution, **usual).identity == before
    assert opened(constitution, **{**usual, **changed}).identity != before
