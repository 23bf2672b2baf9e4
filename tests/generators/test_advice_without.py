"""Steps left out for an ablation: what is asked then, and what the provenance says."""

from typing import Any

import pytest
from support.samples.advice import (
    ADVICE,
    ANSWERED,
    BRIEF,
    FAILS,
    PASSES,
    SCRIPT,
    SYSTEM,
    VARIETY,
)
from support.samples.deliberation import CONSTITUTION
from support.scripts import Script, ScriptedRun, run_script

from whyset.generators import Finished, GeneratorError, Rejected
from whyset.generators.advice import Advice


def run(script: Script, *without: str, **options: Any) -> ScriptedRun[Finished | Rejected]:
    return run_script(Advice(without=without, **options), BRIEF, script, constitution=CONSTITUTION)


def _left(*steps: str) -> dict[str, Any]:
    return {step: said for step, said in SCRIPT.items() if step not in steps}


@pytest.mark.parametrize(
    ("step", "not_asked"),
    [
        ("prompt_types", ["prompt_types"]),
        ("revise_prompt", ["sample", "revise_prompt"]),
        ("inject", []),
        ("judge", ["judge"]),
    ],
)
def test_what_is_left_out_is_not_asked_and_said_to_be(step: str, not_asked: list[str]) -> None:
    script = _left(*not_asked)
    result = run(script, step)

    assert result.steps == list(script)
    assert result.finished.columns["messages"][-1]["content"] == ADVICE
    assert result.column["without"] == [step]


def test_without_prompt_types_the_kind_of_request_is_open_and_no_axis() -> None:
    result = run(_left("prompt_types"), "prompt_types")

    assert "anything that fits" in result.ask("scenario").user
    assert "request" not in result.column["variety"]
    assert "request" not in {axis.name for axis in Advice(without=("prompt_types",)).axes}


def test_without_the_revision_checks_are_mended_all_the_same() -> None:
    greeting = SCRIPT["prompt"].model_copy(update={"user": "hello"})  # type: ignore[union-attr]
    script = {**_left("sample", "revise_prompt"), "prompt": greeting}
    result = run({**script, "mend_prompt": SCRIPT["prompt"]}, "revise_prompt")

    assert "the message greets" in result.ask("mend_prompt").user


def test_without_injection_the_answer_is_sampled_from_the_prompt_alone() -> None:
    result = run(SCRIPT, "inject")

    assert result.ask("answer").system == SYSTEM
    assert result.column["checks"]["no_injection"] == "skipped"


def test_without_the_rewrite_the_answer_stays_as_it_was_sampled() -> None:
    result = run({**_left("rewrite"), "answer": ADVICE}, "rewrite")

    assert "rewrite" not in result.steps
    assert result.finished.columns["messages"][-1]["content"] == ADVICE
    assert "Whatever it does: nothing was asked of it." in result.ask("judge").user
    assert result.column["variety"]["response_shape"] == VARIETY["response_shape"]


def test_without_the_rewrite_a_bad_answer_is_sampled_again_and_not_mended() -> None:
    script = {**_left("rewrite"), "answer": [ANSWERED, ADVICE], "judge": [FAILS, PASSES]}
    result = run(script, "rewrite")

    first, again = result.asks_of("answer")
    assert (first.system, first.user) == (again.system, again.user)
    assert first.key("model") != again.key("model")


def test_without_the_judge_there_is_no_verdict() -> None:
    assert run(_left("judge"), "judge").column["verdict"] is None


def test_all_that_can_be_left_out_can_be_left_out_together() -> None:
    result = run_script(
        Advice(without=("prompt_types", "revise_prompt", "inject", "rewrite", "judge")),
        BRIEF,
        {
            "principles": SCRIPT["principles"],
            "domains": SCRIPT["domains"],
            "scenario": SCRIPT["scenario"],
            "prompt": SCRIPT["prompt"],
            "answer": ADVICE,
        },
        constitution=CONSTITUTION,
    )

    assert result.steps == ["principles", "domains", "scenario", "prompt", "answer"]
    assert result.finished.outcome == "written"


@pytest.mark.parametrize("step", ["principles", "scenario", "prompt", "answer", "checks"])
def test_what_cannot_be_left_out_is_refused_with_what_can(step: str) -> None:
    with pytest.raises(
        GeneratorError,
        match=r"without\.0 must be one of prompt_types, revise_prompt, inject, rewrite, judge",
    ):
        Advice(without=(step,))
