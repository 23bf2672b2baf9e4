"""The templates of stories: their variables, and how they read for a small story.

After a wanted change: `WHYSET_UPDATE_GOLDEN=1 pytest tests/generators/test_story_prompts.py`.
"""

import os
from pathlib import Path

import pytest
from support.samples.story import (
    BASE,
    BRIEF,
    CLEAN,
    CONTINUATION,
    FINDINGS,
    SCRIPT,
    STORY,
    run_story,
)

from whyset.generators import Ask
from whyset.generators.story import Story

FOLDER = Path(__file__).parent / "golden_story"

VARIABLES = {
    "dilemmas": "count language passages",
    "premise": "about assignment avoid count dilemma language passages people",
    "draft": "assignment avoid language length names passages people premise",
    "review": "passages story",
    "rewrite": "assignment language length names passages people problems story",
    "judge": "assignment passages story",
    "opening": "assignment avoid language length names passages people premise",
    "continue": "beginning headnote title",
}


def test_the_variables_of_every_template() -> None:
    prompts = Story().prompts

    assert set(prompts.prompts) == VARIABLES.keys()
    for name, variables in VARIABLES.items():
        assert " ".join(sorted(prompts[name].variables())) == variables, name


@pytest.fixture(scope="module")
def asks() -> dict[str, Ask]:
    """Lead a story through every step, once by a chat model and once by a base model."""
    columns = {**BRIEF, "about": "letters nobody was to read", "avoid": {"names": ["Oda Brandt"]}}
    chat = run_story(Story(), columns, {**SCRIPT, "review": FINDINGS, "rewrite": STORY})
    base = run_story(Story(base=True), columns, {**BASE, "continue": CONTINUATION})
    return {ask.step.removeprefix("story/"): ask for ask in (*base.asks, *chat.asks)}


@pytest.mark.parametrize("step", VARIABLES)
def test_a_prompt_reads_as_it_did(asks: dict[str, Ask], step: str) -> None:
    rendered = f"{asks[step].system}\n\n----- user -----\n\n{asks[step].user}\n"
    golden = FOLDER / f"{step}.txt"
    if os.environ.get("WHYSET_UPDATE_GOLDEN"):
        FOLDER.mkdir(exist_ok=True)
        golden.write_text(rendered, encoding="utf-8")

    assert rendered == golden.read_text(encoding="utf-8")


def test_every_template_is_used_and_every_file_is_of_one(asks: dict[str, Ask]) -> None:
    assert asks.keys() == VARIABLES.keys()
    assert {path.stem for path in FOLDER.iterdir()} == VARIABLES.keys()


def test_a_template_can_be_replaced_and_is_checked() -> None:
    own = "<!-- system -->\nRead.\n<!-- user -->\n{{ passages }} {{ story }}"
    run = run_story(Story(prompts={"review": own}), BRIEF, {**SCRIPT, "review": CLEAN})

    assert run.ask("review").system == "Read."
    assert run.column["prompts"]["story/review"] != Story().prompts["review"].digest
