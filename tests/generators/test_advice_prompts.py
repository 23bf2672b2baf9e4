"""The prompts of difficult advice: what each template takes, and how they read when filled in.

After a wanted change: `WHYSET_UPDATE_GOLDEN=1 pytest tests/generators/test_advice_prompts.py`.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from support.samples.advice import (
    ADVICE,
    BRIEF,
    FAILS,
    LATER,
    LATER_ADVICE,
    PASSES,
    PROMPT,
    SCRIPT,
    USER,
)
from support.samples.deliberation import CONSTITUTION
from support.scripts import ScriptedRun, run_script

from whyset.generators import (
    Finished,
    Rejected,
    UnsupportedModel,
    list_generators,
    load_generator_class,
)
from whyset.generators._prompts import PromptTemplate
from whyset.generators.advice import Advice

GOLDEN = Path(__file__).parent / "golden_advice"
FOLDER = Path(__file__).parents[2] / "generators" / "advice" / "prompts"
RUN = {"cite", "count", "language"}

_DRAWN = {"system_kind", "system_length", "length_kind", "length"}
_SHOWN = {"passages", "conversation", "response_shape"}
VARIABLES: dict[str, tuple[set[str], set[str]]] = {
    "principles": ({"count"}, {"passages"}),
    "domains": ({"count"}, {"count"}),
    "prompt_types": ({"count"}, {"principle"}),
    "scenario": (
        set(),
        {
            "passages",
            "principle",
            "request",
            "domain",
            "stakes",
            "response_shape",
            "avoid",
            "count",
        },
    ),
    "prompt": (
        {"language"},
        {"scenario", "tone", "messiness", "names", "openings", "worn_names", *_DRAWN},
    ),
    "revise_prompt": (
        {"language"},
        {
            "scenario",
            "principle",
            "tone",
            "messiness",
            "prompt",
            "answer",
            "problems",
            *_DRAWN,
        },
    ),
    "mend_prompt": ({"language"}, {"scenario", "prompt", "problems", *_DRAWN}),
    "inject": (set(), {"system", "passages"}),
    "follow_up": (
        {"language"},
        {"scenario", "tone", "messiness", "length", "conversation", "openings", "problems"},
    ),
    "rewrite": (
        {"cite", "language"},
        {"answer", "answer_opening", "length", "openings", "problems", *_SHOWN},
    ),
    "revise": ({"cite", "language"}, {"answer", "length", "problems", *_SHOWN}),
    "judge": ({"cite"}, {"answer", *_SHOWN}),
}


@pytest.mark.parametrize("step", VARIABLES)
def test_the_variables_of_each_template(step: str) -> None:
    prompt = Advice().prompts[step]
    system, user = VARIABLES[step]

    # What differs from row to row stands in the user part alone: the system part can be cached.
    assert PromptTemplate("", prompt.system, "", "").variables() == system <= RUN
    assert PromptTemplate("", "", prompt.user, "").variables() == user


@pytest.fixture(scope="module")
def run() -> ScriptedRun[Finished | Rejected]:
    """Lead a brief through every step there is."""
    return run_script(
        Advice(turns=2),
        {**BRIEF, "avoid": {"openings": ["so the thing is"], "goals": ["a licence"]}},
        {
            **SCRIPT,
            "revise_prompt": PROMPT.model_copy(update={"user": f"hey, {USER}"}),
            "mend_prompt": PROMPT,
            "judge": [FAILS, PASSES, PASSES],
            "revise": ADVICE,
            "follow_up": LATER,
            "rewrite": [ADVICE, LATER_ADVICE],
        },
        constitution=CONSTITUTION,
    )


def test_every_template_is_used_and_every_step_has_one(run: Any) -> None:
    steps = {step for step in run.steps if step not in {"sample", "answer"}}

    # The injection is rendered into the answer's system prompt and is never asked itself.
    assert steps | {"inject"} == VARIABLES.keys() == {path.stem for path in FOLDER.glob("*.md")}


@pytest.mark.parametrize("step", sorted({*VARIABLES, "answer"} - {"inject"}))
def test_a_prompt_reads_as_it_did(run: Any, step: str) -> None:
    ask = run.asks_of(step)[0]
    rendered = f"{ask.system}\n\n----- user -----\n\n{ask.user}\n"
    golden = GOLDEN / f"{step}.txt"
    if os.environ.get("WHYSET_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        golden.write_text(rendered, encoding="utf-8")

    assert rendered == golden.read_text(encoding="utf-8")


def test_every_golden_file_is_of_a_step() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == {*VARIABLES, "answer"} - {"inject"}


def test_the_system_part_is_the_same_for_every_brief() -> None:
    other = {**BRIEF, "seed": 99, "variety": {**BRIEF["variety"], "tone": "tired"}}
    one, two = (
        run_script(Advice(), brief, SCRIPT, constitution=CONSTITUTION) for brief in (BRIEF, other)
    )

    for step in set(SCRIPT) - {"sample", "answer"}:
        assert one.ask(step).system == two.ask(step).system


def test_whatever_a_model_or_a_person_wrote_is_shown_as_data(run: Any) -> None:
    for step, data in (
        ("scenario", "goals: a licence"),
        ("scenario", "boiler rooms of flats"),
        ("prompt", "so the thing is"),
        ("prompt", "boiler log of a block"),
        ("revise_prompt", USER),
        ("rewrite", USER),
        ("judge", ADVICE),
        ("follow_up", ADVICE),
    ):
        for ask in run.asks_of(step)[:1]:
            before, found, _ = ask.user.partition(data)
            assert found, (step, data)
            assert before.count("<data-") > before.count("</data-"), step


def test_a_user_may_have_another_injection() -> None:
    own = "<!-- system -->\n<!-- user -->\n{{ system }}\nThink of this: {{ passages }}"
    run = run_script(Advice(prompts={"inject": own}), BRIEF, SCRIPT, constitution=CONSTITUTION)

    assert "Think of this: An assistant says what it believes" in run.ask("answer").system


def test_it_comes_in_by_the_door_of_all_generators() -> None:
    assert "advice" in list_generators()
    assert load_generator_class("advice") is Advice


def test_without_a_language_model_there_is_no_advice() -> None:
    with pytest.raises(UnsupportedModel, match="advice needs a language model"):
        Advice().extractive_variant()
