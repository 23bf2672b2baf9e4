"""The prompts of an explanation: what each takes, and how each reads.

After a wanted change:
`WHYSET_UPDATE_GOLDEN=1 pytest tests/generators/test_explanation_prompts.py`.
"""

import os
from pathlib import Path

import pytest
from support.samples.explanation import (
    BRIEF,
    CONSTITUTION,
    DOCUMENT,
    FOUND,
    IDEAS,
    PASSES,
    SUBTYPES,
    VARIETY,
)
from support.scripts import ScriptedRun, run_script

from whyset.generators import Finished, GeneratorError, Rejected
from whyset.generators._prompts import PromptTemplate
from whyset.generators.explanation import Explanation

GOLDEN = Path(__file__).parent / "fixtures" / "explanation" / "golden"
PROMPTS = Path(__file__).parents[2] / "generators" / "explanation" / "prompts"
STEPS = ("subtypes", "ideas", "draft", "review", "rewrite", "score")

WHO = {"model_name", "constitution_name", "document"}


@pytest.mark.parametrize(
    ("step", "system", "user"),
    [
        ("subtypes", {"count"}, {"form"}),
        (
            "ideas",
            {*WHO, "language"},
            {"about", "assignment", "avoid", "context", "count", "length", "passages"},
        ),
        (
            "draft",
            {*WHO, "language", "names"},
            {"about", "assignment", "avoid", "context", "idea", "length", "passages", "people"},
        ),
        ("review", WHO, {"context", "draft", "form", "passages"}),
        (
            "rewrite",
            {*WHO, "language", "names"},
            {"assignment", "context", "draft", "length", "passages", "people", "problems"},
        ),
        ("score", WHO, {"context", "draft", "form", "passages"}),
    ],
)
def test_the_variables_of_each_template(step: str, system: set[str], user: set[str]) -> None:
    prompt = Explanation().prompts[step]

    assert PromptTemplate("", prompt.system, "", "").variables() == system
    assert PromptTemplate("", "", prompt.user, "").variables() == user


def test_every_template_is_used_and_every_step_has_one() -> None:
    assert {path.stem for path in PROMPTS.iterdir()} == set(STEPS)
    assert set(Explanation().prompts.digests()) == {f"explanation/{step}" for step in STEPS}


@pytest.fixture(scope="module")
def run() -> ScriptedRun[Finished | Rejected]:
    """Lead a document through every step."""
    columns = {
        **BRIEF,
        "about": "a diary that was found",
        "variety": {**VARIETY, "subtype": "#4"},
        "avoid": {"openings": ["there is a drawer"], "names": ["Elowen"]},
    }
    return run_script(
        Explanation(names=2),
        columns,
        {
            "subtypes": [SUBTYPES],
            "ideas": [IDEAS],
            "draft": [DOCUMENT],
            "review": [FOUND],
            "rewrite": [DOCUMENT],
            "score": [PASSES],
        },
        constitution=CONSTITUTION,
    )


@pytest.mark.parametrize("step", STEPS)
def test_a_prompt_reads_as_it_did(run: ScriptedRun[Finished | Rejected], step: str) -> None:
    ask = run.ask(step)
    rendered = f"{ask.system}\n\n----- user -----\n\n{ask.user}\n"
    golden = GOLDEN / f"{step}.txt"
    if os.environ.get("WHYSET_UPDATE_GOLDEN"):
        golden.write_text(rendered, encoding="utf-8")

    assert rendered == golden.read_text(encoding="utf-8")


def test_every_golden_file_is_of_a_step() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{step}.txt" for step in STEPS}


def test_what_models_and_people_wrote_is_fenced_wherever_a_model_reads_it(
    run: ScriptedRun[Finished | Rejected],
) -> None:
    for step, texts in {
        "subtypes": ["opinion column. A columnist"],
        "ideas": ["a diary that was found", "Document type: opinion", "openings: there is"],
        "draft": ["a diary that was found", "Document type: opinion", "Why a lost diary"],
        "review": [DOCUMENT[:40], "opinion column. A columnist"],
        "rewrite": [DOCUMENT[:40], "Document type: opinion"],
        "score": [DOCUMENT[:40], "opinion column. A columnist"],
    }.items():
        lines = run.ask(step).user.splitlines()
        for text in texts:
            (place,) = [n for n, line in enumerate(lines) if line.startswith(text)]
            assert lines[place - 1].startswith("<data-"), (step, text)


def test_no_prompt_shows_a_passage_id(run: ScriptedRun[Finished | Rejected]) -> None:
    ids = [passage.id for passage in CONSTITUTION.passages]

    assert not [ask.step for ask in run.asks if any(name in ask.user for name in ids)]


def test_a_user_may_have_other_prompts() -> None:
    own = "<!-- system -->\nIn {{ language }}.\n<!-- user -->\n{{ passages }} {{ idea }}\n"
    generator = Explanation(prompts={"draft": own})

    assert generator.identity != Explanation().identity
    with pytest.raises(GeneratorError, match="idea may be used in the user part only"):
        Explanation(prompts={"draft": own.replace("{{ language }}", "{{ idea }}")})
