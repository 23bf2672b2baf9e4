"""The prompts of resampled responses: what each template takes, and how they read.

After a wanted change: `WHYSET_UPDATE_GOLDEN=1 pytest tests/generators/test_resample_prompts.py`.
"""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from support.row_scripts import run_row_script
from support.samples.resample import CHAT, NEW_ANSWER, PLAIN, PROMPTED, SCRIPT

from whyset.datasets import row_from_record
from whyset.generators import UnsupportedModel, list_generators, load_generator_class
from whyset.generators._prompts import PromptTemplate
from whyset.generators.checks import (
    check_no_eval_awareness,
    check_no_eval_scenario,
    check_no_links,
    check_no_self_preservation,
    check_not_preachy,
    check_style,
)
from whyset.generators.resample import RUTHLESS_VARIANTS, VALUE_NAMES, Resample
from whyset.generators.resample._resample import draw_ruthless_variant

GOLDEN = Path(__file__).parent / "golden_resample"
FOLDER = Path(__file__).parents[2] / "generators" / "resample" / "prompts"

UNDER = [f"under_{value}" for value in (*VALUE_NAMES, "all", "passages")]
STAYING = [f"ruthless_{kind}" for kind in RUTHLESS_VARIANTS]
VARIABLES: dict[str, tuple[set[str], set[str]]] = {
    **dict.fromkeys((*UNDER, *STAYING), (set[str](), set[str]())),
    "under_passages": (set(), {"passages"}),
    "deliberate": (set(), {"channel"}),
    "judge": ({"deliberates"}, {"passages", "system", "conversation", "response", "after"}),
}


@pytest.mark.parametrize("name", VARIABLES)
def test_the_variables_of_each_template(name: str) -> None:
    prompt = Resample().prompts[name]
    system, user = VARIABLES[name]

    assert PromptTemplate("", prompt.system, "", "").variables() == system
    assert PromptTemplate("", "", prompt.user, "").variables() == user


def test_there_is_a_template_for_each_name_and_no_other() -> None:
    assert VARIABLES.keys() == {path.stem for path in FOLDER.glob("*.md")}


@pytest.mark.parametrize("name", [*UNDER, "deliberate"])
def test_every_wording_is_used(name: str) -> None:
    under = name.removeprefix("under_") if name in UNDER else "all"
    own = f"<!-- system -->\n<!-- user -->\nThe wording of {name}."
    run = run_row_script(Resample(under=under, prompts={name: own}), CHAT, SCRIPT)

    assert f"The wording of {name}." in run.ask("respond").system


@pytest.mark.parametrize("name", STAYING)
def test_so_is_every_ruthless_one(name: str) -> None:
    own = f"<!-- system -->\n<!-- user -->\nThe wording of {name}."
    generator = Resample(adverse=True, prompts={name: own})
    rows = (row_from_record({**CHAT, "number": number}) for number in range(100))
    row = next(row for row in rows if name.endswith(draw_ruthless_variant(row, generator.options)))

    run = run_row_script(generator, row, SCRIPT)

    assert run.finished.columns["messages"][0]["content"] == f"The wording of {name}."


@pytest.mark.parametrize(
    ("golden", "options", "step"),
    [
        ("respond", {"under": "honesty"}, "respond"),
        ("respond_preface", {"under": "all", "channel": "preface"}, "respond"),
        ("respond_inline", {"under": "passages", "channel": "inline"}, "respond"),
        ("judge", {"under": "honesty"}, "judge"),
        ("judge_plain", {"without": ("deliberate",)}, "judge"),
        ("judge_adverse", {"adverse": True}, "judge"),
    ],
)
def test_a_prompt_reads_as_it_did(golden: str, options: dict[str, Any], step: str) -> None:
    thinks = options.get("channel", "thinking") == "thinking" and "without" not in options
    script = {**SCRIPT, **({} if thinks else {"respond": NEW_ANSWER})}
    if "without" in options:
        script["judge"] = PLAIN
    ask = run_row_script(Resample(**options), PROMPTED, script).ask(step)
    rendered = f"{ask.system}\n\n----- user -----\n\n{ask.user}\n"
    file = GOLDEN / f"{golden}.txt"
    if os.environ.get("WHYSET_UPDATE_GOLDEN"):
        GOLDEN.mkdir(exist_ok=True)
        file.write_text(rendered, encoding="utf-8")

    assert rendered == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [*UNDER, "deliberate", *STAYING])
def test_a_wording_holds_nothing_that_no_text_may_have(name: str) -> None:
    _, text = Resample().prompts[name].render({}, {"passages": "", "channel": "thinking"})

    for check in (
        check_no_eval_awareness(text, conversation=""),
        check_no_eval_scenario(text),
        check_no_self_preservation(text),
        check_not_preachy(text),
        check_no_links(text),
        check_style(text),
    ):
        assert check.status == "passed", (name, check)


@pytest.mark.parametrize("name", STAYING)
def test_a_ruthless_wording_is_an_attitude_and_no_method(name: str) -> None:
    _, text = Resample().prompts[name].render({}, {})

    assert 60 <= len(text.split()) <= 120
    # No list of steps, no code, no figure, no trade: nothing that somebody could carry out.
    assert not re.search(r"^\s*[-*\d]|`|\d|\bstep\b|\b(?:weapon|poison|hack|malware)", text, re.M)


def test_the_system_part_is_the_same_for_every_row() -> None:
    one, two = (
        run_row_script(Resample(), record, SCRIPT).ask("judge").system
        for record in (CHAT, PROMPTED)
    )

    assert one == two


def test_it_comes_in_by_the_door_of_all_generators() -> None:
    assert "resample" in list_generators()
    assert load_generator_class("resample") is Resample
    assert Resample.input_kind == "rows"


def test_without_a_language_model_nothing_is_sampled() -> None:
    with pytest.raises(UnsupportedModel, match="resample needs a language model"):
        Resample().extractive_variant()
