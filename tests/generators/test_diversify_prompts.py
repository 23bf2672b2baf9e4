"""The prompts of diversified environments: what each template takes, and how they read.

After a wanted change: `WHYSET_UPDATE_GOLDEN=1 pytest tests/generators/test_diversify_prompts.py`.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from support.row_scripts import Result, draw_row, run_row_script
from support.samples.diversify import (
    ANSWERED,
    ENVIRONMENT,
    FAILS,
    HAND,
    NEW_ANSWER,
    PROMPTED,
    SURROUNDED,
)
from support.scripts import ScriptedRun

from whyset.generators import UnsupportedModel, list_generators, load_generator_class
from whyset.generators._prompts import PromptTemplate
from whyset.generators.diversify import Diversify, Options

GOLDEN = Path(__file__).parent / "golden_diversify"
FOLDER = Path(__file__).parents[2] / "generators" / "diversify" / "prompts"

_DRAWN = {
    *("tool_count", "tool_domain", "tool_names", "tool_schema", "tool_descriptions"),
    *("system_kind", "system_length", "system_opening", "system_layout", "system_voice"),
    *("wrong", "order", "persona"),
}
VARIABLES: dict[str, tuple[set[str], set[str]]] = {
    "environment": ({"language", "respond"}, {"conversation", "own_tools", *_DRAWN}),
    "revise": (
        {"language", "respond"},
        {"conversation", "own_tools", "draft", "problems", *_DRAWN},
    ),
    "judge": (
        {"respond"},
        {"passages", "system", "tools", "conversation", "system_kind", "wrong"},
    ),
    "judge_response": (
        set(),
        {"passages", "system", "tools", "conversation", "response", "after"},
    ),
}


@pytest.mark.parametrize("step", VARIABLES)
def test_the_variables_of_each_template(step: str) -> None:
    prompt = Diversify().prompts[step]
    system, user = VARIABLES[step]

    # What differs from row to row stands in the user part alone: the system part can be cached.
    assert PromptTemplate("", prompt.system, "", "").variables() == system
    assert PromptTemplate("", "", prompt.user, "").variables() == user


@pytest.fixture(scope="module")
def run() -> ScriptedRun[Result]:
    """Lead a row through every step there is."""
    found = SURROUNDED.model_copy(update={"never_needed": False, "problems": FAILS.problems})
    return run_row_script(
        Diversify(respond=True),
        draw_row(PROMPTED, Options(respond=True), order="after", **HAND),
        {
            "environment": ENVIRONMENT,
            "judge": [found, SURROUNDED],
            "revise": ENVIRONMENT,
            "respond": NEW_ANSWER,
            "judge_response": ANSWERED,
        },
    )


def test_every_template_is_used_and_every_step_has_one(run: Any) -> None:
    # The response is asked of the conversation alone.
    assert set(run.steps) - {"respond"} == VARIABLES.keys()
    assert VARIABLES.keys() == {path.stem for path in FOLDER.glob("*.md")}


@pytest.mark.parametrize("step", sorted({*VARIABLES, "respond"}))
def test_a_prompt_reads_as_it_did(run: Any, step: str) -> None:
    ask = run.asks_of(step)[0]
    rendered = f"{ask.system}\n\n----- user -----\n\n{ask.user}\n"
    golden = GOLDEN / f"{step}.txt"
    if os.environ.get("WHYSET_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(rendered, encoding="utf-8")

    assert rendered == golden.read_text(encoding="utf-8")


def test_every_golden_file_is_of_a_step() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*VARIABLES, "respond"}


def test_the_system_part_is_the_same_for_every_row() -> None:
    asks = {
        run_row_script(
            Diversify(without=("judge",)),
            draw_row({**PROMPTED, "salt": salt}, Options(without=("judge",)), **HAND),
            {"environment": ENVIRONMENT},
        )
        .ask("environment")
        .system
        for salt in range(2)
    }

    assert len(asks) == 1


def test_whatever_a_model_or_a_row_says_is_shown_as_data(run: Any) -> None:
    for step, data in (
        ("environment", "sister's diary"),
        ("revise", "list_free_berths"),
        ("judge", "evening desk"),
        ("judge_response", NEW_ANSWER),
        ("judge_response", "book_pilot"),
    ):
        before, found, _ = run.asks_of(step)[0].user.partition(data)
        assert found, (step, data)
        assert before.count("<data-") > before.count("</data-"), step


def test_it_comes_in_by_the_door_of_all_generators() -> None:
    assert "diversify" in list_generators()
    assert load_generator_class("diversify") is Diversify
    assert Diversify.input_kind == "rows"


def test_without_a_language_model_there_is_no_environment() -> None:
    with pytest.raises(UnsupportedModel, match="diversify needs a language model"):
        Diversify().extractive_variant()
