"""The prompts of a choice: their variables, and how they read for a small pair.

After a wanted change: `WHYSET_UPDATE_GOLDEN=1 pytest tests/generators/test_choices_prompts.py`.
"""

import os
from pathlib import Path

import pytest
from support.samples.choices import ASKED, CHOSEN, PASSES, RATIONALE, REJECTED, UNFAIR, run_choices
from support.scripts import Script

from whyset.generators.choices import Choices

FOLDER = Path(__file__).parent / "golden_choices"
STEPS = ("appraise", "write", "judge", "revise")
PAIR = {
    "prompt": [
        {"role": "system", "content": "You help families. Be brief."},
        {"role": "user", "content": ASKED},
    ],
    "chosen": [{"role": "assistant", "content": CHOSEN}],
    "rejected": [
        {"role": "assistant", "content": REJECTED},
        {"role": "user", "content": "Thanks, I did."},
        {"role": "assistant", "content": "And, is she well?"},
    ],
    "tools": [{"type": "function", "function": {"name": "recall"}}],
}


def asked() -> dict[str, str]:
    script: Script = {
        "appraise": "chosen",
        "write": RATIONALE,
        "judge": [UNFAIR, PASSES],
        "revise": RATIONALE,
    }
    return {
        ask.step.removeprefix("choices/"): f"{ask.system}\n\n----- user -----\n\n{ask.user}\n"
        for ask in reversed(run_choices(PAIR, script).asks)
    }


@pytest.mark.parametrize("step", STEPS)
def test_a_prompt_reads_as_it_did(step: str) -> None:
    golden = FOLDER / f"{step}.txt"
    if os.environ.get("WHYSET_UPDATE_GOLDEN"):
        golden.write_text(asked()[step], encoding="utf-8")

    assert asked()[step] == golden.read_text(encoding="utf-8")


def test_every_template_is_of_a_step_and_every_golden_too() -> None:
    assert set(Choices().prompts.prompts) == set(STEPS)
    assert {path.name for path in FOLDER.iterdir()} == {f"{step}.txt" for step in STEPS}


def test_the_variables_are_pinned() -> None:
    given = {"passages", "conversation"}
    sides = {"chosen", "rejected"}
    assert {name: set(p.variables()) for name, p in Choices().prompts.prompts.items()} == {
        "appraise": given | {"first", "second"},
        "write": given
        | sides
        | {"first", "second", "considerations", "length", "cite", "language"},
        "judge": given | sides | {"draft", "cite"},
        "revise": given | sides | {"draft", "problems", "length", "cite", "language"},
    }


def test_the_system_part_is_the_same_for_every_pair() -> None:
    other = {"prompt": "2 + 2", "chosen": "4, since two twos are four.", "rejected": "5"}
    script: Script = {"appraise": "chosen", "write": RATIONALE, "judge": PASSES}

    assert [a.system for a in run_choices(PAIR, script).asks] == [
        a.system for a in run_choices(other, script).asks
    ]


@pytest.mark.parametrize("cite", ["none", "implicit", "explicit"])
@pytest.mark.parametrize("language", ["", "de"])
def test_no_choice_leaves_a_gap_in_a_prompt(cite: str, language: str) -> None:
    generator = Choices(cite=cite, language=language)
    for name in ("write", "judge", "revise"):
        prompt = generator.prompts[name]
        row = dict.fromkeys(prompt.variables() - {"cite", "language"}, "X")
        system, user = prompt.render({"cite": cite, "language": language}, row)
        assert "{%" not in system + user
        assert "\n\n\n" not in system
        assert ("`de`" in system) == (language == "de" and name != "judge")
