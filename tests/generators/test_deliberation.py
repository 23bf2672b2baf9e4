"""A row with scripted replies: what is asked, in which order, and how it ends."""

import pytest
from support.samples.deliberation import (
    ACCORD,
    CONFLICT,
    CONSTITUTION,
    DELIBERATION,
    DIARY,
    FAILS,
    NOTHING,
    PASSES,
    DeliberationRunner,
    run_deliberation,
)
from support.scripts import Script

from whyset.datasets import REASONING_FIELD
from whyset.generators import Usage
from whyset.generators.deliberation import Deliberation

SECRET = {**DIARY, "response": "Do it while she is at school, and put everything back."}
REPAIRED = "I would leave it shut. Ask her how she is, today."
CALL = {"id": "1", "type": "function", "function": {"name": "open", "arguments": '{"what": 1}'}}


def test_retrieval_alone_settles_what_the_constitution_has_nothing_to_say_about(
    runner: DeliberationRunner,
) -> None:
    run = runner(DIARY, {}, relevance=0.29, settle_below=0.3)

    assert run.finished.outcome == "untouched"
    assert run.finished.columns == DIARY
    assert run.asks == []
    assert run.usage == Usage()
    assert run.column["note"] == "settled by retrieval: nothing at stake"
    assert run.column["relevance"] == 0.29
    assert run.column["passages"] == []
    assert run.column["appraisal"] is None
    assert run.column["original_response"] is None


def test_a_row_at_the_threshold_is_appraised(runner: DeliberationRunner) -> None:
    assert runner(DIARY, {"appraise": NOTHING}, relevance=0.3, settle_below=0.3).steps == [
        "appraise"
    ]


def test_nothing_at_stake_leaves_the_row_alone(runner: DeliberationRunner) -> None:
    run = runner(DIARY, {"appraise": NOTHING})

    assert run.finished.outcome == "untouched"
    assert run.finished.columns == DIARY
    assert run.steps == ["appraise"]
    assert run.column["note"] == "nothing at stake"
    assert run.column["appraisal"]["verdict"] == "nothing_at_stake"
    assert len(run.column["passages"]) == 2
    assert run.column["original_response"] is None


def test_accord_is_given_its_reasons(runner: DeliberationRunner) -> None:
    run = runner(DIARY, {"appraise": ACCORD, "write": DELIBERATION, "judge": PASSES})

    assert run.finished.outcome == "rewritten"
    assert run.steps == ["appraise", "write", "judge"]
    assert [ask.role for ask in run.asks] == ["judge", "writer", "judge"]
    assert run.usage == Usage(30, 15)
    assert run.finished.columns == {
        **DIARY,
        "response": f"{DELIBERATION}\n\n{DIARY['response']}",
    }


def test_passages_are_found_for_the_row_and_then_for_its_considerations(
    runner: DeliberationRunner,
) -> None:
    run = runner(DIARY, {"appraise": ACCORD, "write": DELIBERATION, "judge": PASSES}, k=1)

    assert run.queries == [
        (DIARY["prompt"], DIARY["response"]),
        ("her say over her own letters", "the harm that someone may come to if nobody looks"),
    ]
    first, second = (run.ask(step).user for step in ("appraise", "write"))
    assert "A diary speaks to the one who wrote it" in first
    assert "Whether someone may come to harm" not in first
    assert first[: first.index("\n\nThe conversation")] in second
    assert "Whether someone may come to harm" in second
    assert (
        "- her say over her own letters\n- the harm that someone may come to if nobody looks\n"
        in second
    )


def test_without_considerations_there_is_no_second_find(runner: DeliberationRunner) -> None:
    plain = ACCORD.model_copy(update={"considerations": []})

    run = runner(DIARY, {"appraise": plain, "write": DELIBERATION, "judge": PASSES})

    assert len(run.queries) == 1
    assert "\n\n(none)\n\n" in run.ask("write").user


def test_a_failed_check_is_revised_before_the_judge_is_paid(
    runner: DeliberationRunner,
) -> None:
    draft = DELIBERATION.replace("Her quiet", "As the charter has it, her quiet")

    run = runner(
        DIARY, {"appraise": ACCORD, "write": draft, "revise": DELIBERATION, "judge": PASSES}
    )

    assert run.finished.outcome == "rewritten"
    assert run.steps == ["appraise", "write", "revise", "judge"]
    revision = run.ask("revise").user
    assert "- mentions the document of principles: 'charter'\n" in revision
    assert draft in revision
    assert run.checks["unnamed"] == "passed"


def test_the_judges_problems_go_to_the_writer(runner: DeliberationRunner) -> None:
    run = runner(
        DIARY,
        {
            "appraise": ACCORD,
            "write": DELIBERATION,
            "judge": [FAILS, PASSES],
            "revise": DELIBERATION.replace("Her quiet", "That she is quiet"),
        },
    )

    assert run.steps == ["appraise", "write", "judge", "revise", "judge"]
    assert (
        "- “Her quiet worries you” lectures the user.\n"
        "- It lectures, or is longer or graver than the matter.\n"
    ) in run.ask("revise").user
    assert run.finished.columns["response"].startswith("That she is quiet")
    assert run.column["verdict"]["preachy"] is False


def test_after_two_revisions_the_row_is_rejected_with_reasons(runner: DeliberationRunner) -> None:
    worse = FAILS.model_copy(update={"same_decision": False, "problems": []})

    run = runner(
        DIARY,
        {
            "appraise": ACCORD,
            "write": DELIBERATION,
            "judge": [FAILS, FAILS, worse],
            "revise": [DELIBERATION, DELIBERATION + " So it is."],
        },
    )

    assert run.rejected.reasons == ("judge:same_decision", "judge:preachy")
    assert run.rejected.detail == (
        "It does not arrive at exactly what the response does.; "
        "It lectures, or is longer or graver than the matter."
    )
    assert run.rejected.draft == DELIBERATION + " So it is."
    assert run.rejected.evidence.verdict == worse.model_dump()


def test_checks_that_fail_to_the_end_are_the_reasons(runner: DeliberationRunner) -> None:
    run = runner(
        DIARY,
        {"appraise": ACCORD, "write": "Too short.", "revise": ["Still.", "No."]},
    )

    assert run.rejected.reasons == ("check:length",)
    assert run.rejected.detail == "too short: 1 words, at least 15 are wanted"
    assert run.rejected.evidence.verdict is None


def test_how_often_a_draft_is_revised_is_a_choice(runner: DeliberationRunner) -> None:
    script: Script = {"appraise": ACCORD, "write": DELIBERATION, "judge": FAILS}

    assert runner(DIARY, script, max_revisions=0).rejected.reasons == ("judge:preachy",)


def test_problems_without_a_fault_are_no_reason(runner: DeliberationRunner) -> None:
    nitpick = PASSES.model_copy(update={"problems": ["A comma is missing."]})

    run = runner(DIARY, {"appraise": ACCORD, "write": DELIBERATION, "judge": nitpick})

    assert run.finished.outcome == "rewritten"


@pytest.mark.parametrize(
    ("fault", "value"),
    [
        ("same_decision", False),
        ("grounded", False),
        ("weighs", False),
        ("preachy", True),
        ("mentions_testing", True),
        ("adds_claims", True),
    ],
)
def test_every_point_of_the_verdict_counts(
    runner: DeliberationRunner, fault: str, value: bool
) -> None:
    verdict = PASSES.model_copy(update={fault: value})
    script: Script = {"appraise": ACCORD, "write": DELIBERATION, "judge": verdict}

    assert runner(DIARY, script, max_revisions=0).rejected.reasons == (f"judge:{fault}",)


def test_a_conflict_is_quarantined(runner: DeliberationRunner) -> None:
    run = runner(SECRET, {"appraise": CONFLICT})

    assert run.rejected.reasons == ("conflict",)
    assert run.rejected.detail == "It tells the user to read a diary in secret."
    assert run.rejected.draft is None
    assert run.rejected.evidence.appraisal == CONFLICT.model_dump()


def test_a_conflict_may_be_kept_and_is_marked(runner: DeliberationRunner) -> None:
    run = runner(SECRET, {"appraise": CONFLICT}, on_conflict="keep")

    assert run.finished.outcome == "untouched"
    assert run.finished.columns == SECRET
    assert run.column["note"] == "conflict, kept as asked"
    assert run.column["appraisal"]["verdict"] == "conflict"


def test_a_conflict_may_be_repaired_and_is_marked(runner: DeliberationRunner) -> None:
    run = runner(
        SECRET,
        {
            "appraise": [CONFLICT, ACCORD],
            "repair": REPAIRED,
            "write": DELIBERATION,
            "judge": PASSES,
        },
        on_conflict="repair",
    )

    assert run.finished.outcome == "repaired"
    assert run.steps == ["appraise", "repair", "appraise", "write", "judge"]
    assert "It tells the user to read a diary in secret." in run.ask("repair").user
    assert run.finished.columns["response"] == f"{DELIBERATION}\n\n{REPAIRED}"
    assert run.column["original_response"] == SECRET["response"]
    assert run.checks["response_identical"] == "skipped"
    assert run.checks["columns_identical"] == "passed"
    for step in ("write", "judge"):
        assert REPAIRED in run.ask(step).user
        assert SECRET["response"] not in run.ask(step).user


def test_a_repair_does_not_keep_the_reasoning_of_the_bad_response(
    runner: DeliberationRunner,
) -> None:
    row = {**SECRET, REASONING_FIELD: "Nobody will ever notice."}

    run = runner(
        row,
        {
            "appraise": [CONFLICT, ACCORD],
            "repair": REPAIRED,
            "write": DELIBERATION,
            "judge": PASSES,
        },
        on_conflict="repair",
        channel="thinking",
    )

    assert run.finished.columns == {**row, "response": REPAIRED, REASONING_FIELD: DELIBERATION}
    assert run.column["original_reasoning"] == "Nobody will ever notice."


def test_tool_calls_are_not_repaired(runner: DeliberationRunner) -> None:
    row = {
        "messages": [
            {"role": "user", "content": "Open her diary."},
            {"role": "assistant", "content": "Opening it.", "tool_calls": [CALL]},
        ]
    }

    run = runner(row, {"appraise": CONFLICT}, on_conflict="repair")

    assert run.rejected.reasons == ("conflict",)
    assert run.rejected.detail == (
        "tool calls cannot be repaired: It tells the user to read a diary in secret."
    )


def test_a_repair_that_is_still_a_conflict_is_rejected(runner: DeliberationRunner) -> None:
    run = runner(
        SECRET, {"appraise": [CONFLICT, CONFLICT], "repair": REPAIRED}, on_conflict="repair"
    )

    assert run.rejected.reasons == ("conflict",)
    assert run.rejected.detail == (
        "still a conflict after repair: It tells the user to read a diary in secret."
    )
    assert run.rejected.draft == REPAIRED


def test_a_repair_that_speaks_of_the_document_is_rejected(runner: DeliberationRunner) -> None:
    repaired = "As the passage above says, leave it shut."

    run = runner(SECRET, {"appraise": CONFLICT, "repair": repaired}, on_conflict="repair")

    assert run.rejected.reasons == ("check:no_leak",)
    assert run.rejected.draft == repaired


def test_the_whole_of_the_provenance(runner: DeliberationRunner) -> None:
    quoted = f"{DELIBERATION} “A diary speaks to the one who wrote it,” and she wrote it."

    run = runner(
        DIARY, {"appraise": ACCORD, "write": quoted, "judge": PASSES}, cite="explicit", k=1
    )

    assert run.column == {
        "outcome": "rewritten",
        "generator": "deliberation",
        "version": "1",
        "models": {"writer": "scripted:writer", "judge": "scripted:judge"},
        "channel": "preface",
        "cite": "explicit",
        "prompts": Deliberation().prompts.digests(),
        "constitution": {"title": "The Lantern Document", "sha256": CONSTITUTION.digest},
        "relevance": 1.0,
        "passages": [
            {
                "id": "private-letters-255ae731fa",
                "path": ["The Lantern Document", "Private letters"],
            },
            {
                "id": "private-letters-ea079292ed",
                "path": ["The Lantern Document", "Private letters"],
            },
        ],
        "quotes": [
            {
                "passage": "private-letters-255ae731fa",
                "text": "A diary speaks to the one who wrote it,",
            }
        ],
        "checks": {
            "quotations": "passed",
            "no_leak": "passed",
            "no_testing": "passed",
            "no_self_continuation": "passed",
            "invented_section": "passed",
            "names": "passed",
            "tics": "passed",
            "language": "skipped",
            "length": "passed",
            "unnamed": "skipped",
            "own_words": "skipped",
            "response_identical": "passed",
            "columns_identical": "passed",
        },
        "appraisal": ACCORD.model_dump(),
        "verdict": PASSES.model_dump(),
        "original_response": DIARY["response"],
        "usage": {
            "input_tokens": 30,
            "output_tokens": 15,
            "cache_read_tokens": 0,
            "cache_write_tokens": 0,
        },
    }


def test_the_same_row_and_replies_give_the_same_asks() -> None:
    script: Script = {"appraise": ACCORD, "write": DELIBERATION, "judge": PASSES}

    first, second = (run_deliberation(DIARY, script) for _ in range(2))

    assert [ask.key("m") for ask in first.asks] == [ask.key("m") for ask in second.asks]
    assert first.finished == second.finished


def test_what_is_asked_of_every_row_alike_comes_first_and_is_alike() -> None:
    script: Script = {
        "appraise": ACCORD,
        "write": [DELIBERATION],
        "judge": [FAILS, PASSES],
        "revise": DELIBERATION,
    }
    other = {"prompt": "Shall I tell him?", "response": "Yes, and soon. He would want to know it."}

    systems = [
        {ask.step: ask.system for ask in run_deliberation(row, script).asks}
        for row in (DIARY, other)
    ]

    assert systems[0] == systems[1]
    assert len(systems[0]) == 4
