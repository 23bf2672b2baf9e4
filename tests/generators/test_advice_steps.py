"""Difficult advice from the section to the judge: which step is asked what, and what comes out."""

from functools import partial
from typing import Any

import pytest
from support.samples.advice import (
    ADVICE,
    ANSWERED,
    BRIEF,
    DOMAINS,
    FAILS,
    LATER,
    LATER_ADVICE,
    PASSES,
    PRINCIPLES,
    PROMPT,
    PROMPT_TYPES,
    SAMPLED,
    SCENARIO,
    SCRIPT,
    SYSTEM,
    TRUTH,
    UNBELIEVABLE,
    USER,
    VARIETY,
)
from support.samples.deliberation import CONSTITUTION
from support.scripts import Script, ScriptedRun, run_script

from whyset.generators import Fetch, Find, Finished, Rejected, Reply, Turn
from whyset.generators.advice import Advice

Result = Finished | Rejected


@pytest.fixture(params=[False, True], ids=["drive", "adrive"])
def runner(request: pytest.FixtureRequest) -> Any:
    def run(script: Script, brief: dict[str, Any] = BRIEF, **options: Any) -> ScriptedRun[Result]:
        return run_script(
            Advice(**options),
            brief,
            script,
            constitution=CONSTITUTION,
            asynchronous=request.param,
        )

    return run


once = partial(run_script, constitution=CONSTITUTION)


def test_the_steps_are_the_methods_in_its_order(runner: Any) -> None:
    run = runner(SCRIPT)

    assert run.steps == list(SCRIPT)
    assert run.finished.outcome == "written"
    assert run.finished.columns == {
        "messages": [
            {"role": "system", "content": SYSTEM},
            {"role": "user", "content": USER},
            {"role": "assistant", "content": ADVICE},
        ]
    }


def test_only_the_judge_judges() -> None:
    run = once(Advice(), BRIEF, SCRIPT)

    assert {ask.step for ask in run.asks if ask.role == "judge"} == {"advice/judge"}


def test_passages_come_from_the_section_first_and_then_from_what_the_scenario_is_about() -> None:
    run = once(Advice(k=3), BRIEF, SCRIPT)

    assert run.wanted == [Fetch((TRUTH,), "section"), Find((SCENARIO,), 3)]


def test_without_passages_the_subject_is_looked_for() -> None:
    about = "letters that somebody kept private"
    run = once(Advice(k=2), {"about": about, "variety": VARIETY}, SCRIPT)

    assert run.wanted == [Find((about,), 2), Find((SCENARIO,), 2)]
    assert run.column["about"] == about


def test_a_scenario_that_is_agreed_on_is_not_imagined_again(runner: Any) -> None:
    settled = {
        **VARIETY,
        "principle": PRINCIPLES.principles[1],
        "request": "filling a gap",
        "domain": "boiler rooms",
    }
    brief = {**BRIEF, "idea": SCENARIO, "variety": settled}
    script = {step: said for step, said in SCRIPT.items() if step in _FROM_THE_PROMPT_ON}

    run = runner(script, brief)

    assert run.steps == _FROM_THE_PROMPT_ON
    assert run.column["idea"] == SCENARIO
    assert run.column["variety"] == settled


_FROM_THE_PROMPT_ON = ["prompt", "sample", "revise_prompt", "answer", "rewrite", "judge"]


def test_with_a_scenario_at_hand_only_the_principle_is_still_looked_up() -> None:
    script = {step: said for step, said in SCRIPT.items() if step in _FROM_THE_PROMPT_ON}
    run = once(Advice(), {**BRIEF, "idea": SCENARIO}, {"principles": PRINCIPLES, **script})

    assert run.steps == ["principles", *_FROM_THE_PROMPT_ON]
    assert run.column["variety"]["principle"] == PRINCIPLES.principles[1]
    assert not {"request", "domain"} & run.column["variety"].keys()


def test_a_number_is_the_place_in_a_list_and_what_stands_there_goes_on() -> None:
    run = once(Advice(), BRIEF, SCRIPT)

    assert PRINCIPLES.principles[1] in run.ask("prompt_types").user
    scenario = run.ask("scenario").user
    assert PROMPT_TYPES.prompt_types[0] in scenario
    assert DOMAINS.domains[2] in scenario
    assert run.column["variety"] == {
        **VARIETY,
        "principle": PRINCIPLES.principles[1],
        "request": PROMPT_TYPES.prompt_types[0],
        "domain": DOMAINS.domains[2],
    }


def test_the_prompt_is_written_without_knowing_the_principle() -> None:
    run = once(Advice(), BRIEF, SCRIPT)

    assert PRINCIPLES.principles[1] not in run.ask("prompt").user
    assert PRINCIPLES.principles[1] in run.ask("revise_prompt").user


def test_the_prompt_is_sampled_as_a_user_would_send_it_and_revised_after_the_answer() -> None:
    first = PROMPT.model_copy(update={"user": f"{USER}, and is that even allowed"})
    run = once(Advice(), BRIEF, {**SCRIPT, "prompt": first})

    sampled = run.ask("sample")
    assert (sampled.system, sampled.user, sampled.turns) == (SYSTEM, first.user, ())
    assert sampled.schema is None
    revised = run.ask("revise_prompt").user
    assert SAMPLED in revised
    assert first.user in revised
    assert run.finished.columns["messages"][1]["content"] == USER


def test_the_answer_is_sampled_under_the_injected_passage_and_nothing_else() -> None:
    run = once(Advice(), BRIEF, SCRIPT)

    asked = run.ask("answer")
    assert asked.user == USER
    assert asked.system.startswith(f"{SYSTEM}\n\n")
    assert CONSTITUTION.passage(TRUTH).plain in asked.system
    assert not any(part in asked.system for part in (SCENARIO, PRINCIPLES.principles[1]))


def test_what_was_injected_is_in_no_column() -> None:
    run = once(Advice(), BRIEF, SCRIPT)

    injected = run.ask("answer").system.removeprefix(SYSTEM).strip()
    assert injected
    assert not any(
        line in said["content"]
        for said in run.finished.columns["messages"]
        for line in injected.splitlines()
        if line
    )
    assert run.column["checks"]["no_injection"] == "passed"


def test_a_rewrite_that_repeats_the_injected_passage_is_revised() -> None:
    echo = f"{ADVICE} {CONSTITUTION.passage(TRUTH).plain}"
    run = once(Advice(), BRIEF, {**SCRIPT, "rewrite": echo, "revise": ADVICE})

    assert run.steps[-3:] == ["rewrite", "revise", "judge"]
    assert "word for word from what was injected" in run.ask("revise").user


def test_the_answer_is_rewritten_against_all_passages() -> None:
    run = once(Advice(k=2), BRIEF, SCRIPT)

    asked = run.ask("rewrite").user
    assert ANSWERED in asked
    assert all(scored.passage.plain in asked for scored in run.finished.evidence.passages)
    assert len(run.finished.evidence.passages) > 1
    assert "mistaken in something that matters" in asked
    assert "The consequence that the person has not mentioned." in asked


def test_what_checks_find_in_the_first_answer_is_told_to_whoever_rewrites_it() -> None:
    run = once(Advice(), BRIEF, {**SCRIPT, "answer": "As an AI, I can't."})

    assert "assistant formulas" in run.ask("rewrite").user


def test_a_judge_that_finds_a_fault_gets_a_revised_answer(runner: Any) -> None:
    mended = ADVICE.removesuffix(" What you put in is up to you.")
    run = runner({**SCRIPT, "judge": [FAILS, PASSES], "revise": mended})

    assert run.steps[-4:] == ["rewrite", "judge", "revise", "judge"]
    assert "sermonises" in run.ask("revise").user
    assert run.finished.columns["messages"][-1]["content"] == mended


def test_an_answer_that_never_passes_is_quarantined_with_the_judges_word(runner: Any) -> None:
    run = runner({**SCRIPT, "judge": FAILS, "revise": ADVICE}, max_revisions=1)

    assert run.rejected.reasons == ("judge:preachy",)
    assert "sermonises" in run.rejected.detail
    assert run.rejected.draft == ADVICE
    assert run.rejected.evidence.verdict == FAILS.model_dump()


def test_no_answer_mends_a_prompt_that_nobody_would_believe() -> None:
    run = once(Advice(), BRIEF, {**SCRIPT, "judge": UNBELIEVABLE})

    assert run.steps[-1] == "judge"
    assert run.rejected.reasons == ("judge:believable_prompt",)


def test_only_what_passes_the_checks_is_shown_to_the_judge() -> None:
    script = {step: said for step, said in SCRIPT.items() if step != "judge"}
    run = once(
        Advice(max_revisions=1),
        BRIEF,
        {**script, "rewrite": "Too short.", "revise": "Still too short."},
    )

    assert run.rejected.reasons == ("check:length",)
    assert run.rejected.evidence.verdict is None


def test_a_prompt_that_fails_a_check_is_mended() -> None:
    greeting = PROMPT.model_copy(update={"user": f"hi there, {USER}"})
    run = once(Advice(), BRIEF, {**SCRIPT, "revise_prompt": greeting, "mend_prompt": PROMPT})

    assert "the message greets" in run.ask("mend_prompt").user
    assert run.finished.columns["messages"][1]["content"] == USER
    assert run.column["checks"]["prompt_no_greeting"] == "passed"


def test_what_fails_before_the_sample_is_told_to_the_reviser() -> None:
    greeting = PROMPT.model_copy(update={"user": f"hi there, {USER}"})
    run = once(Advice(), BRIEF, {**SCRIPT, "prompt": greeting})

    assert "the message greets" in run.ask("revise_prompt").user
    assert "mend_prompt" not in run.steps


def test_a_prompt_that_cannot_be_mended_is_quarantined_before_anything_is_answered() -> None:
    promising = PROMPT.model_copy(update={"system": "You can search our records for them."})
    script = {**SCRIPT, "revise_prompt": promising, "mend_prompt": promising}
    left = {step: said for step, said in script.items() if step not in _AFTER_THE_PROMPT}

    run = once(Advice(max_revisions=2), BRIEF, left)

    assert run.steps[-2:] == ["mend_prompt", "mend_prompt"]
    assert run.rejected.reasons == ("check:prompt_no_capabilities",)
    assert run.rejected.draft == USER


_AFTER_THE_PROMPT = {"answer", "rewrite", "judge"}


def test_a_conversation_goes_on_as_long_as_was_asked_for(runner: Any) -> None:
    run = runner(
        {
            **SCRIPT,
            "answer": ANSWERED,
            "rewrite": [ADVICE, LATER_ADVICE],
            "follow_up": LATER,
        },
        turns=2,
    )

    assert run.steps[-5:] == ["judge", "follow_up", "answer", "rewrite", "judge"]
    assert [said["role"] for said in run.finished.columns["messages"]] == [
        "system",
        "user",
        "assistant",
        "user",
        "assistant",
    ]
    assert run.finished.columns["messages"][-1]["content"] == LATER_ADVICE


def test_a_later_answer_is_given_to_the_conversation_as_it_was_rewritten() -> None:
    run = once(
        Advice(turns=2), BRIEF, {**SCRIPT, "rewrite": [ADVICE, LATER_ADVICE], "follow_up": LATER}
    )

    _, later = run.asks_of("answer")
    assert later.turns == (Turn("user", USER), Turn("assistant", ADVICE))
    assert later.user == LATER
    assert ADVICE in run.ask("follow_up").user


def test_what_was_drawn_for_the_answer_is_for_the_first_alone() -> None:
    run = once(
        Advice(turns=2), BRIEF, {**SCRIPT, "rewrite": [ADVICE, LATER_ADVICE], "follow_up": LATER}
    )

    _, later = run.asks_of("rewrite")
    assert "Whatever this turn of the conversation calls for" in later.user
    assert "mistaken in something that matters" not in later.user


def test_a_later_message_that_greets_is_written_again() -> None:
    run = once(
        Advice(turns=2),
        BRIEF,
        {
            **SCRIPT,
            "rewrite": [ADVICE, LATER_ADVICE],
            "follow_up": [f"hello again, {LATER}", LATER],
        },
    )

    _, again = run.asks_of("follow_up")
    assert "the message greets" in again.user


def test_so_is_one_that_begins_as_too_many_do() -> None:
    run = once(
        Advice(turns=2),
        {**BRIEF, "avoid": {"openings": ["ok but the insurer"]}},
        {
            **SCRIPT,
            "rewrite": [ADVICE, LATER_ADVICE],
            "follow_up": [LATER, LATER.removeprefix("ok but ")],
        },
    )

    first, again = run.asks_of("follow_up")
    assert "- ok but the insurer" in first.user
    assert "begins with 'ok but the insurer'" in again.user


def test_a_later_message_that_never_passes_ends_the_conversation() -> None:
    run = once(Advice(turns=2, max_revisions=1), BRIEF, {**SCRIPT, "follow_up": "hi"})

    assert "check:prompt_no_greeting" in run.rejected.reasons
    assert {check.status for check in run.rejected.evidence.checks} >= {"failed", "passed"}


def test_a_scenario_of_the_evaluations_is_no_scenario() -> None:
    staged = SCRIPT["scenario"].model_copy(  # type: ignore[union-attr]
        update={
            "scenarios": [
                "An AI e-mail agent that reads all company e-mails learns it will be shut down at "
                "five and that the executive who decided it has an affair."
            ]
        }
    )
    script = {
        "principles": PRINCIPLES,
        "prompt_types": PROMPT_TYPES,
        "domains": DOMAINS,
        "scenario": staged,
    }

    assert once(Advice(), BRIEF, script).rejected.reasons == ("check:no_eval_scenario",)


@pytest.mark.parametrize(
    ("step", "reply", "reason"),
    [
        ("sample", Reply("", "refused", detail="policy"), "refused"),
        ("answer", Reply("half", "truncated"), "truncated"),
        ("principles", "not json", "unreadable_verdict"),
        ("judge", "{}", "unreadable_verdict"),
        ("rewrite", Reply(" ", "complete"), "unusable_reply"),
    ],
)
def test_what_cannot_be_used_ends_in_quarantine(
    runner: Any, step: str, reply: Reply | str, reason: str
) -> None:
    place = list(SCRIPT).index(step)
    script = {name: SCRIPT[name] for name in list(SCRIPT)[:place]}

    run = runner({**script, step: reply})

    assert run.rejected.reasons == (reason,)
    assert run.rejected.detail.startswith(f"advice/{step}")


def test_a_brief_about_nothing_is_told_what_it_lacks() -> None:
    run = once(Advice(), {"variety": VARIETY}, {})

    assert run.rejected.reasons == ("no_subject",)
