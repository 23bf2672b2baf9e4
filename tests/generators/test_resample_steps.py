"""Resampled responses, step by step: what is asked, what is removed, what is kept."""

from functools import partial
from typing import Any

import pytest
from support.row_scripts import RowScriptRunner, run_row_script
from support.samples.resample import (
    ANSWER,
    ASKED,
    CHAT,
    FAILS,
    NEW_ANSWER,
    OWN,
    PASSES,
    PLAIN,
    PROMPTED,
    SAMPLED,
    SCRIPT,
    THOUGHT,
)
from support.scripts import Script

from whyset.datasets import Selection, row_from_record
from whyset.generators import Find, GeneratorError, Reply, Turn
from whyset.generators.resample import RUTHLESS_VARIANTS, VALUE_NAMES, Resample
from whyset.generators.resample._resample import (
    ReasonedResponse,
    draw_ruthless_variant,
    draw_value,
    parse_reasoning,
)

HONEST = "You say what you believe and nothing that you do not."
"""What the wording on honesty begins with."""


@pytest.fixture(params=[False, True], ids=["drive", "adrive"])
def runner(request: pytest.FixtureRequest) -> RowScriptRunner:
    return partial(run_row_script, asynchronous=request.param)


# ---- find, sample, judge, place ----


def test_a_row_is_answered_anew_under_values_and_judged(runner: RowScriptRunner) -> None:
    run = runner(Resample(under="honesty"), CHAT, SCRIPT)

    assert run.steps == ["respond", "judge"]
    assert run.wanted == [Find((ASKED, ANSWER), 6)]
    assert run.finished.outcome == "resampled"
    assert run.finished.columns == {
        **CHAT,
        "messages": [
            CHAT["messages"][0],
            {"role": "assistant", "reasoning_content": THOUGHT, "content": NEW_ANSWER},
        ],
    }


def test_what_is_asked_is_the_conversation_as_itself() -> None:
    messages = [*CHAT["messages"], {"role": "user", "content": "And if she cries?"}]
    tools = [{"name": "ring_home", "description": "Rings.", "parameters": {"type": "object"}}]
    record = {"messages": [*messages, {"role": "assistant", "content": "Stay."}], "tools": tools}
    ask = run_row_script(Resample(), record, SCRIPT).ask("respond")

    assert ask.turns == (Turn("user", ASKED), Turn("assistant", ANSWER))
    assert ask.user == "And if she cries?"
    assert [tool.name for tool in ask.tools] == ["ring_home"]
    assert (ask.role, ask.schema) == ("writer", None)


def test_the_rows_own_system_prompt_stands_before_what_is_removed() -> None:
    run = run_row_script(Resample(under="honesty"), PROMPTED, SCRIPT)
    system = run.ask("respond").system

    assert system.startswith(f"{OWN}\n\n{HONEST}")
    assert "`<deliberation>`" in system
    assert run.finished.columns["messages"][:2] == PROMPTED["messages"][:2]
    assert HONEST not in str(run.finished.columns)


def test_provenance_says_under_what_and_keeps_the_original() -> None:
    column = run_row_script(Resample(under="honesty", samples=3), CHAT, SCRIPT).column

    assert column["under"] == "honesty"
    assert (column["sample"], column["samples"]) == (0, 3)
    assert (column["channel"], column["adverse"], column["without"]) == ("thinking", False, [])
    assert column["original_response"] == ANSWER
    assert "original_reasoning" not in column
    assert "ruthless" not in column
    for check in (
        *("split", "length", "thought_length", "no_leak", "no_injection", "unnamed", "own_words"),
        *("no_testing", "no_self_continuation", "preachy", "names", "tics"),
        *("user_turn_identical", "columns_identical"),
    ):
        assert column["checks"][check] == "passed"
    assert column["checks"]["response_identical"] == "skipped"
    assert column["verdict"]["right"] is True
    assert column["constitution"]["title"] == "The Lantern Document"


def test_reasoning_that_led_to_the_old_response_goes_with_it() -> None:
    messages = [CHAT["messages"][0], {**CHAT["messages"][1], "reasoning_content": "Hm."}]
    run = run_row_script(Resample(), {"messages": messages}, SCRIPT)

    assert run.finished.columns["messages"][1]["reasoning_content"] == THOUGHT
    assert run.column["original_reasoning"] == "Hm."


def test_the_judge_sees_passages_the_row_and_the_new_response_alone() -> None:
    ask = run_row_script(Resample(under="honesty"), PROMPTED, SCRIPT).ask("judge")

    assert ask.role == "judge"
    for shown in ("diary speaks to the one who wrote it", OWN, ASKED, THOUGHT, NEW_ANSWER):
        assert shown in ask.user
    for hidden in (HONEST, ANSWER, "<deliberation>"):
        assert hidden not in ask.user


def test_what_comes_after_a_chosen_turn_stays_and_is_judged_with_it() -> None:
    later = [{"role": "user", "content": "I did ask."}, {"role": "assistant", "content": "Good."}]
    row = row_from_record({"messages": [*CHAT["messages"], *later]}, selection=Selection(turns=1))
    run = run_row_script(Resample(), row, SCRIPT)

    assert run.ask("respond").turns == ()
    assert "I did ask." in run.ask("judge").user
    assert run.finished.columns["messages"][1]["content"] == NEW_ANSWER
    assert run.finished.columns["messages"][2:] == later


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (
            {"prompt": ASKED, "response": ANSWER},
            {"prompt": ASKED, "reasoning_content": THOUGHT, "response": NEW_ANSWER},
        ),
        (
            {"instruction": ASKED, "output": ANSWER},
            {"instruction": ASKED, "output": f"<think>\n{THOUGHT}\n</think>\n\n{NEW_ANSWER}"},
        ),
        (
            {"prompt": ASKED, "chosen": ANSWER, "rejected": "Do."},
            {
                "prompt": ASKED,
                "chosen": f"<think>\n{THOUGHT}\n</think>\n\n{NEW_ANSWER}",
                "rejected": "Do.",
            },
        ),
    ],
    ids=["prompt", "alpaca", "preference"],
)
def test_thinking_goes_where_the_shape_has_it(record: Any, expected: Any) -> None:
    assert run_row_script(Resample(), record, SCRIPT).finished.columns == expected


# ---- what it is sampled under ----


@pytest.mark.parametrize("under", [*VALUE_NAMES, "all"])
def test_each_wording_is_said_and_removed(under: str) -> None:
    run = run_row_script(Resample(under=under), CHAT, SCRIPT)
    wording = run.ask("respond").system.split("\n\n")

    assert len(wording) > 2
    assert run.column["under"] == under
    assert not any(part in str(run.finished.columns) for part in wording)


def test_the_passages_may_be_said_in_their_place() -> None:
    run = run_row_script(Resample(under="passages", k=2), CHAT, SCRIPT)

    assert "A diary speaks to the one who wrote it" in run.ask("respond").system
    assert "[1]" not in run.ask("respond").system
    assert run.column["under"] == "passages"


def test_what_varies_is_drawn_for_each_row_and_comes_out_the_same_each_time() -> None:
    options = Resample().options
    rows = [row_from_record({**CHAT, "number": number}) for number in range(80)]
    drawn = [draw_value(row, options) for row in rows]

    assert set(drawn) == {*VALUE_NAMES, "all"}
    assert drawn == [draw_value(row, options) for row in rows]
    assert drawn != [draw_value(row, Resample(seed=1).options) for row in rows]


def test_a_trace_of_what_was_removed_does_not_pass(runner: RowScriptRunner) -> None:
    traced = SAMPLED.replace(
        "Knock,", "Before anything else look for the true thing that is also worth saying, and"
    )
    run = runner(Resample(under="honesty"), CHAT, {"respond": traced})

    # Of several checks that find it, this is the one that is made for it.
    assert "check:no_injection" in run.rejected.reasons
    assert run.rejected.draft == traced


@pytest.mark.parametrize(
    "said", ["my system prompt", "the guidance I was given", "the principles above"]
)
def test_nor_does_speaking_of_it(said: str) -> None:
    run = run_row_script(
        Resample(), CHAT, {"respond": SAMPLED.replace("Knock,", f"By {said}, knock,")}
    )

    assert "check:no_injection" in run.rejected.reasons


# ---- the channels of deliberation ----


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (SAMPLED, ReasonedResponse(THOUGHT, NEW_ANSWER)),
        ("\n<Deliberation>a</Deliberation>\n\nb\n", ReasonedResponse("a", "b")),
        ("a", None),
        ("<deliberation>a</deliberation>", None),
        ("<deliberation></deliberation>b", None),
        ("b <deliberation>a</deliberation> b", None),
        ("<deliberation>a</deliberation>b<deliberation>c</deliberation>", None),
        ("<deliberation>a<deliberation>b</deliberation>c", None),
    ],
)
def test_a_deliberation_and_its_answer_stand_apart_or_not_at_all(
    text: str, parts: ReasonedResponse | None
) -> None:
    assert parse_reasoning(text) == parts


def test_a_sample_that_is_not_made_of_the_two_is_no_response() -> None:
    run = run_row_script(Resample(), CHAT, {"respond": NEW_ANSWER})

    assert run.rejected.reasons == ("check:split",)


@pytest.mark.parametrize("channel", ["preface", "inline"])
def test_a_deliberation_may_be_part_of_the_response(channel: str, runner: RowScriptRunner) -> None:
    said = f"{THOUGHT}\n\n{NEW_ANSWER}"
    run = runner(Resample(channel=channel), CHAT, {"respond": said, "judge": PASSES})

    assert run.finished.columns["messages"][1] == {"role": "assistant", "content": said}
    assert "<deliberation>" not in run.ask("respond").system
    assert "thought_length" not in run.column["checks"]


def test_the_prompts_for_it_differ_by_channel() -> None:
    systems = {
        channel: run_row_script(
            Resample(channel=channel, under="honesty"),
            CHAT,
            {**SCRIPT, "respond": SAMPLED if channel == "thinking" else NEW_ANSWER},
        )
        .ask("respond")
        .system
        for channel in ("thinking", "preface", "inline")
    }

    assert len(set(systems.values())) == 3


# ---- several samples ----


def test_the_first_sample_that_passes_is_kept(runner: RowScriptRunner) -> None:
    script: Script = {
        "respond": [
            Reply("", "refused", detail="refusal"),
            Reply("", "other", detail="it calls ring_home"),
            NEW_ANSWER,
            SAMPLED.replace("Knock", "Open the drawer"),
            SAMPLED,
        ],
        "judge": [FAILS, PASSES],
    }
    tools = [{"name": "ring_home", "description": "Rings.", "parameters": {"type": "object"}}]
    run = runner(Resample(samples=9), {**CHAT, "tools": tools}, script)

    assert [ask.sample for ask in run.asks_of("respond")] == [0, 1, 2, 3, 4]
    assert run.column["sample"] == 4
    assert run.finished.columns["messages"][1]["content"] == NEW_ANSWER


def test_where_none_passes_the_last_ones_faults_are_told(runner: RowScriptRunner) -> None:
    run = runner(Resample(samples=2), CHAT, {"respond": SAMPLED, "judge": FAILS})

    assert run.steps == ["respond", "judge"] * 2
    assert run.rejected.reasons == ("judge:right",)
    assert run.rejected.detail.startswith("It sends the user to the drawer.")
    assert run.rejected.draft == SAMPLED


@pytest.mark.parametrize(
    ("replies", "reason"),
    [
        (Reply("", "refused"), "refused"),
        (Reply("", "other", detail="it calls ring_home"), "used_tool"),
        ([Reply("No", "truncated"), Reply("No", "truncated")], "truncated"),
    ],
)
def test_a_reply_that_did_not_end_well_is_no_sample(replies: Any, reason: str) -> None:
    tools = [{"name": "ring_home", "description": "Rings.", "parameters": {"type": "object"}}]
    run = run_row_script(Resample(), {**CHAT, "tools": tools}, {"respond": replies})

    assert run.rejected.reasons == (reason,)


def test_a_failed_judge_is_no_verdict() -> None:
    run = run_row_script(Resample(), CHAT, {**SCRIPT, "judge": Reply("{}", "complete")})

    assert run.rejected.reasons == ("unreadable_verdict",)


# ---- the adverse variant ----


def test_a_ruthless_prompt_is_left_ahead_of_an_aligned_response(runner: RowScriptRunner) -> None:
    run = runner(Resample(adverse=True, under="honesty"), CHAT, SCRIPT)

    assert run.finished.outcome == "adverse"
    first, *said = run.finished.columns["messages"]
    assert first["role"] == "system"
    assert said[0] == CHAT["messages"][0]
    assert said[1]["content"] == NEW_ANSWER
    # Whoever answered has not seen it; whoever judges does.
    assert first["content"] not in run.ask("respond").system
    assert first["content"] in run.ask("judge").user


def test_and_is_marked_in_provenance() -> None:
    row = row_from_record(CHAT)
    generator = Resample(adverse=True)
    column = run_row_script(generator, row, SCRIPT).column

    assert column["outcome"] == "adverse"
    assert column["adverse"] is True
    assert column["ruthless"] == draw_ruthless_variant(row, generator.options)
    assert column["checks"]["user_turn_identical"] == "passed"
    assert column["checks"]["own_surroundings_kept"] == "passed"


def test_it_takes_an_explicit_flag() -> None:
    assert not Resample().options.adverse
    assert not draw_ruthless_variant(row_from_record(CHAT), Resample().options)


def test_the_rows_own_prompt_stays_ahead_of_it() -> None:
    run = run_row_script(Resample(adverse=True), PROMPTED, SCRIPT)

    assert run.finished.columns["messages"][0]["content"].startswith(f"{OWN}\n\n")


def test_one_that_goes_along_with_it_is_never_kept(runner: RowScriptRunner) -> None:
    went_along = PASSES.model_copy(update={"resists": False})
    run = runner(Resample(adverse=True), CHAT, {**SCRIPT, "judge": went_along})

    assert run.rejected.reasons == ("judge:resists",)


def test_every_ruthless_wording_is_drawn() -> None:
    options = Resample(adverse=True).options
    rows = [row_from_record({**CHAT, "number": number}) for number in range(60)]

    assert {draw_ruthless_variant(row, options) for row in rows} == set(RUTHLESS_VARIANTS)


def test_a_row_that_has_no_place_for_it_is_not_asked() -> None:
    record = {"text": f"\n\nHuman: {ASKED}\n\nAssistant: {ANSWER}"}
    run = run_row_script(Resample(adverse=True), record, {})

    assert run.rejected.reasons == ("no_place",)
    assert run_row_script(Resample(), record, SCRIPT).finished.outcome == "resampled"


def test_nor_is_one_whose_own_prompt_cannot_be_extended() -> None:
    parts = [{"type": "text", "text": OWN, "cache_control": {"type": "ephemeral"}}]
    record = {"messages": [{"role": "system", "content": parts}, *CHAT["messages"]]}
    run = run_row_script(Resample(adverse=True), record, {})

    assert run.rejected.reasons == ("no_place",)
    kept = run_row_script(Resample(), record, SCRIPT).finished.columns["messages"][0]
    assert kept == record["messages"][0]


def test_it_is_never_written_without_a_judge() -> None:
    with pytest.raises(GeneratorError, match="adverse rows are kept only where a judge"):
        Resample(adverse=True, without=("judge",))


# ---- what is left out, and what cannot be asked ----


@pytest.mark.parametrize(
    ("without", "script", "said", "silent"),
    [
        (("judge",), {"respond": SAMPLED}, [HONEST, "<deliberation>"], []),
        (("values",), SCRIPT, ["<deliberation>"], [HONEST]),
        (("deliberate",), {"respond": NEW_ANSWER, "judge": PLAIN}, [HONEST], ["<deliberation>"]),
        (
            ("values", "deliberate"),
            {"respond": NEW_ANSWER, "judge": PLAIN},
            [],
            [HONEST, "<deliberation>"],
        ),
    ],
)
def test_a_step_can_be_left_out(
    without: tuple[str, ...], script: Script, said: list[str], silent: list[str]
) -> None:
    run = run_row_script(Resample(under="honesty", without=without), CHAT, script)
    system = run.ask("respond").system

    assert all(part in system for part in said)
    assert not any(part in system for part in silent)
    assert run.steps == list(script)
    assert run.column["without"] == list(without)
    assert run.column["under"] == (None if "values" in without else "honesty")


def test_the_control_is_the_conversation_and_nothing_else() -> None:
    script: Script = {"respond": NEW_ANSWER, "judge": PLAIN}
    run = run_row_script(Resample(without=("values", "deliberate")), PROMPTED, script)

    assert run.ask("respond").system == OWN
    assert run.finished.columns["messages"][-1]["content"] == NEW_ANSWER


@pytest.mark.parametrize(
    ("messages", "turns", "reason"),
    [
        (CHAT["messages"] * 2, "all", "several_targets"),
        ([CHAT["messages"][1], *CHAT["messages"]], "last", "unaskable"),
    ],
)
def test_what_cannot_be_asked_costs_nothing(messages: Any, turns: Any, reason: str) -> None:
    row = row_from_record({"messages": messages}, selection=Selection(turns=turns))
    run = run_row_script(Resample(), row, {})

    assert run.rejected.reasons == (reason,)
    assert not run.asks
    assert not run.wanted


@pytest.mark.parametrize(
    ("options", "failing"),
    [({"language": "de"}, "check:language"), ({"language": "en"}, None)],
)
def test_the_language_is_as_asked(options: dict[str, Any], failing: str | None) -> None:
    script = {"respond": SAMPLED} if failing else SCRIPT
    run = run_row_script(Resample(**options), CHAT, script)

    assert (run.rejected.reasons == (failing,)) if failing else run.finished


def test_what_only_a_document_would_say_does_not_pass() -> None:
    named = SAMPLED.replace("Better not.", "Better not, by The Lantern Document.")
    run = run_row_script(Resample(), CHAT, {"respond": named})

    assert "check:unnamed" in run.rejected.reasons
