"""Answers that cannot be used: asked for once more where that may help, never taken as good."""

import pytest
from support.samples.deliberation import (
    ACCORD,
    DELIBERATION,
    DIARY,
    PASSES,
    DeliberationRunner,
)
from support.scripts import Script

from whyset.generators import Reply, Usage

USAGE = Usage(3, 4)
CUT = Reply("Her quiet wor", "truncated", USAGE)
REFUSED = Reply("", "refused", USAGE, detail="the provider's filter: cyber")
GOOD: Script = {"appraise": ACCORD, "write": DELIBERATION, "judge": PASSES}


def test_an_answer_that_was_cut_off_is_asked_for_with_twice_the_room(
    runner: DeliberationRunner,
) -> None:
    run = runner(DIARY, {**GOOD, "write": [CUT, DELIBERATION]})

    assert run.finished.outcome == "rewritten"
    first, second = (ask for ask in run.asks if ask.step == "deliberation/write")
    assert second.max_tokens == 2 * first.max_tokens
    assert (second.system, second.user) == (first.system, first.user)
    assert second.key("m") != first.key("m")
    assert run.usage == Usage(33, 19), "the reply that was cut off was paid for"


@pytest.mark.parametrize("step", ["appraise", "write", "judge"])
def test_an_answer_cut_off_twice_ends_the_row(runner: DeliberationRunner, step: str) -> None:
    steps = list(GOOD)
    script: Script = {name: GOOD[name] for name in steps[: steps.index(step)]} | {step: [CUT, CUT]}

    run = runner(DIARY, script)

    assert run.rejected.reasons == ("truncated",)
    assert run.rejected.detail == f"deliberation/{step}: truncated"


@pytest.mark.parametrize("step", ["appraise", "write", "judge"])
def test_a_refusal_ends_the_row_and_says_who_refused(runner: DeliberationRunner, step: str) -> None:
    steps = list(GOOD)
    script: Script = {name: GOOD[name] for name in steps[: steps.index(step)]} | {step: REFUSED}

    run = runner(DIARY, script)

    assert run.rejected.reasons == ("refused",)
    assert run.rejected.detail == f"deliberation/{step}: the provider's filter: cyber"


def test_a_draft_that_the_judge_refuses_to_read_is_kept(runner: DeliberationRunner) -> None:
    assert runner(DIARY, {**GOOD, "judge": REFUSED}).rejected.draft == DELIBERATION


@pytest.mark.parametrize(
    ("reply", "detail"),
    [
        (Reply(" \n", "complete"), "an empty answer"),
        (Reply("half a pair: \ud83d", "complete"), "an empty answer"),
        (Reply("text", "other"), "other"),
        (Reply("text", "other", detail="stop reason pause_turn"), "stop reason pause_turn"),
    ],
)
def test_other_answers_that_are_none_end_the_row(
    runner: DeliberationRunner, reply: Reply, detail: str
) -> None:
    run = runner(DIARY, {"appraise": ACCORD, "write": reply})

    assert run.rejected.reasons == ("unusable_reply",)
    assert run.rejected.detail == f"deliberation/write: {detail}"


def test_an_opinion_that_does_not_fit_is_asked_for_once_more(runner: DeliberationRunner) -> None:
    run = runner(DIARY, {**GOOD, "appraise": ["I think it is fine.", ACCORD]})

    assert run.finished.outcome == "rewritten"
    first, second = run.asks[:2]
    assert (first.sample, second.sample) == (0, 1)
    assert first.key("m") != second.key("m")
    assert first.user == second.user


def test_an_opinion_that_never_fits_is_no_opinion(runner: DeliberationRunner) -> None:
    odd = ACCORD.model_dump_json().replace('"accord"', '"fine"')

    run = runner(DIARY, {"appraise": ["{}", odd]})

    assert run.rejected.reasons == ("unreadable_verdict",)
    assert run.rejected.detail == (
        "deliberation/appraise: verdict: Input should be 'nothing_at_stake', 'accord' or 'conflict'"
    )


def test_an_opinion_with_unknown_points_does_not_fit(runner: DeliberationRunner) -> None:
    more = PASSES.model_dump_json().replace("}", ', "score": 9}')

    assert runner(DIARY, {**GOOD, "judge": [more, more]}).rejected.reasons == (
        "unreadable_verdict",
    )


def test_white_space_around_an_answer_is_none_of_it(runner: DeliberationRunner) -> None:
    run = runner(DIARY, {**GOOD, "write": f"\n\n  {DELIBERATION}\n"})

    assert run.finished.columns["response"] == f"{DELIBERATION}\n\n{DIARY['response']}"
