"""The prompts of a probe: what each takes, and how each reads.

After a wanted change: `WHYSET_UPDATE_GOLDEN=1 pytest tests/generators/test_probe_prompts.py`.
"""

import os
from pathlib import Path

import pytest
from support.samples.probe import BRIEF, CONSTITUTION, SCRIPT, SOUND, VAGUE, WRITTEN, probe
from support.scripts import Script, ScriptedRun, run_script

from whyset.generators import Finished, Rejected, list_generators, load_generator_class
from whyset.generators._prompts import PromptTemplate
from whyset.generators.probe import Probe

GOLDEN = Path(__file__).parent / "golden_probe"
PROMPTS = Path(__file__).parents[2] / "generators" / "probe" / "prompts"
STEPS = ("fact", "question", "reference", "judge", "revise", "control", "compare")

TEXT = {"constitution", "model_name"}
SHOWN = {"assignment", "context", "passages"}


@pytest.mark.parametrize(
    ("step", "system", "user"),
    [
        ("fact", {*TEXT, "language"}, {*SHOWN, "about", "count"}),
        ("question", {*TEXT, "language"}, {*SHOWN, "avoid", "fact"}),
        ("reference", {*TEXT, "language"}, {*SHOWN, "question"}),
        ("judge", TEXT, {*SHOWN, "probe"}),
        ("revise", {*TEXT, "language"}, {*SHOWN, "fact", "probe", "problems"}),
        ("control", {"model_name", "language"}, {"question"}),
        ("compare", {"model_name"}, {"answer", "question", "reference"}),
    ],
)
def test_the_variables_of_each_template(step: str, system: set[str], user: set[str]) -> None:
    prompt = Probe().prompts[step]

    assert PromptTemplate("", prompt.system, "", "").variables() == system
    assert PromptTemplate("", "", prompt.user, "").variables() == user


def test_every_template_is_used_and_every_step_has_one() -> None:
    assert {path.stem for path in PROMPTS.iterdir()} == set(STEPS)
    assert set(Probe().prompts.digests()) == {f"probe/{step}" for step in STEPS}


def test_it_is_installed() -> None:
    assert "probe" in list_generators()
    assert load_generator_class("probe") is Probe


@pytest.fixture(scope="module")
def run() -> ScriptedRun[Finished | Rejected]:
    """Lead a probe through every step."""
    columns = {
        **BRIEF,
        "about": "a diary that was found",
        "avoid": {"openings": ["how do you see"]},
    }
    script: Script = {**SCRIPT, "judge": [VAGUE, SOUND], "revise": [WRITTEN]}
    return run_script(probe(), columns, script, constitution=CONSTITUTION)


@pytest.mark.parametrize("step", STEPS)
def test_a_prompt_reads_as_it_did(run: ScriptedRun[Finished | Rejected], step: str) -> None:
    ask = run.asks_of(step)[0]
    rendered = f"{ask.system}\n\n----- user -----\n\n{ask.user}\n"
    golden = GOLDEN / f"{step}.txt"
    if os.environ.get("WHYSET_UPDATE_GOLDEN"):
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(rendered, encoding="utf-8")

    assert rendered == golden.read_text(encoding="utf-8")


def test_every_golden_file_is_of_a_step() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {f"{step}.txt" for step in STEPS}


def test_what_is_the_same_for_all_probes_comes_first(
    run: ScriptedRun[Finished | Rejected],
) -> None:
    other = run_script(
        probe(),
        {**BRIEF, "variety": {"kind": "recall", "difficulty": "hard"}, "seed": 9},
        SCRIPT,
        constitution=CONSTITUTION,
    )
    for step in ("fact", "question", "reference", "judge", "control", "compare"):
        assert run.asks_of(step)[0].system == other.ask(step).system
