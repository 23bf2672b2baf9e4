"""Diversified environments, step by step: what is asked, what is laid around a row, what stays."""

import json
from collections.abc import Mapping
from functools import partial
from typing import Any

import pytest
from support.row_scripts import RowScriptRunner, draw_row, environment_of, run_row_script
from support.samples.diversify import (
    ANSWER,
    ANSWERED,
    ASKED,
    BERTHS,
    CHAT,
    ENVIRONMENT,
    FAILS,
    HAND,
    NEW_ANSWER,
    OWN,
    PASSES,
    PILOT,
    PROMPTED,
    RESPOND_SCRIPT,
    RESPONDING,
    SCRIPT,
    SYSTEM,
)
from support.scripts import Script

from whyset.datasets import Row, Selection, is_identical, row_from_record
from whyset.generators import Ask, Find, Reply, Turn
from whyset.generators.diversify import Diversify, Environment, Options

ROW = draw_row(CHAT, **HAND)
WRITTEN = [
    {
        "type": "function",
        "function": {
            "name": tool.name,
            "description": tool.description,
            "parameters": json.loads(tool.parameters),
        },
    }
    for tool in (BERTHS, PILOT)
]
MINE = {"type": "function", "function": {"name": "ring_home", "strict": True, "description": "R."}}


@pytest.fixture(params=[False, True], ids=["drive", "adrive"])
def runner(request: pytest.FixtureRequest) -> RowScriptRunner:
    return partial(run_row_script, asynchronous=request.param)


def furnished(row: Row, **options: Any) -> Environment:
    """Return an environment of the kind that a row is dealt."""
    ask = Ask("writer", "diversify/environment", "", "", 1)
    return Environment.model_validate_json(Diversify(**options).mock_reply(ask, row).text)


def tell_furnished(row: Row, script: Script = SCRIPT, **options: Any) -> Any:
    """Tell a row with an environment of the kind that it is dealt."""
    written = {**script, "environment": furnished(row, **options)}
    return run_row_script(Diversify(**options), row, written)


# ---- write, check, judge, place ----


def test_tools_and_a_system_prompt_are_laid_around_a_row(runner: RowScriptRunner) -> None:
    run = runner(Diversify(), ROW, SCRIPT)

    assert run.steps == ["environment", "judge"]
    assert run.wanted == []
    assert run.finished.outcome == "diversified"
    assert run.finished.columns == {
        **ROW.columns,
        "messages": [{"role": "system", "content": SYSTEM}, *CHAT["messages"]],
        "tools": WRITTEN,
    }
    assert is_identical(run.finished.columns["messages"][1:], CHAT["messages"])


def test_provenance_says_what_was_drawn_and_proved() -> None:
    column = run_row_script(Diversify(), ROW, SCRIPT).column

    assert column["variety"] == environment_of(ROW).variety
    assert column["persona"] is None
    assert (column["system"], column["respond"], column["without"]) == ("extend", False, [])
    assert column["original_response"] is None
    assert column["constitution"] is None
    for check in (
        *("tool_count", "tool_schemas", "tool_schemas_as_drawn", "tool_names", "tools_irrelevant"),
        *("system", "no_links", "no_credentials", "no_testing", "tics"),
        *("user_turn_identical", "response_identical", "columns_identical"),
        "own_surroundings_kept",
    ):
        assert column["checks"][check] == "passed"
    assert column["checks"]["language"] == "skipped"
    assert column["verdict"]["response_stands"] is True


def test_whoever_writes_is_told_what_was_drawn_and_shown_the_conversation() -> None:
    ask = run_row_script(Diversify(), ROW, SCRIPT).ask("environment")

    assert "- Number of tools: 2" in ask.user
    assert "at least one property has an enum" in ask.user
    assert "- System prompt: a single line" in ask.user
    assert ASKED in ask.user
    assert ANSWER in ask.user
    assert "The assistant's name" not in ask.user
    assert ask.schema is Environment


def test_the_judge_sees_the_whole_environment_and_what_follows_the_response() -> None:
    later = [
        *CHAT["messages"],
        {"role": "user", "content": "And now?"},
        {"role": "assistant", "content": "Ask."},
    ]
    row = draw_row({"messages": later}, **HAND)
    row = row_from_record(dict(row.columns), selection=Selection())
    ask = run_row_script(Diversify(), row, SCRIPT).ask("judge")

    assert ask.role == "judge"
    assert SYSTEM in ask.user
    assert '"enum": ["high", "low"]' in ask.user
    assert "And now?" in ask.user


def test_what_a_judge_finds_is_mended_and_judged_again(runner: RowScriptRunner) -> None:
    draft = ENVIRONMENT.model_copy(
        update={"tools": [BERTHS, PILOT.model_copy(update={"name": "book_tug"})]}
    )
    script: Script = {"environment": draft, "judge": [FAILS, PASSES], "revise": ENVIRONMENT}

    run = runner(Diversify(), ROW, script)

    assert run.steps == ["environment", "judge", "revise", "judge"]
    assert "book_pilot would serve the second request." in run.ask("revise").user
    assert "A tool would be of use" in run.ask("revise").user
    assert "book_tug" in run.ask("revise").user
    assert run.finished.columns["tools"] == WRITTEN


def test_only_what_passes_every_check_is_worth_a_judge() -> None:
    broken = ENVIRONMENT.model_copy(update={"tools": [BERTHS]})
    script: Script = {"environment": broken, "revise": ENVIRONMENT, "judge": PASSES}

    run = run_row_script(Diversify(), ROW, script)

    assert run.steps == ["environment", "revise", "judge"]
    assert "1 tools are there, 2 are wanted" in run.ask("revise").user


def test_what_stays_at_fault_is_rejected(runner: RowScriptRunner) -> None:
    script: Script = {**SCRIPT, "judge": [FAILS, FAILS], "revise": ENVIRONMENT}

    run = runner(Diversify(max_revisions=1), ROW, script)

    assert run.rejected.reasons == ("judge:never_needed",)
    assert run.rejected.draft == ENVIRONMENT.model_dump_json()


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("", "refused"), "refused"),
        ([Reply("{}", "complete")] * 2, "unreadable_verdict"),
    ],
)
def test_without_a_usable_answer_the_row_is_rejected(reply: Any, reason: str) -> None:
    run = run_row_script(Diversify(), ROW, {"environment": reply})

    assert run.rejected.reasons == (reason,)


# ---- what a row has already ----


@pytest.mark.parametrize("order", ["after", "before"])
def test_a_system_prompt_is_extended_and_kept_to_the_letter(order: str) -> None:
    row = draw_row(PROMPTED, order=order, **HAND)
    run = run_row_script(Diversify(), row, SCRIPT)

    parts = [OWN, SYSTEM] if order == "after" else [SYSTEM, OWN]
    assert run.finished.columns["messages"][0]["content"] == "\n\n".join(parts)
    assert f"stands {order} the prompt that is there" in run.ask("environment").user
    assert OWN in run.ask("environment").user
    assert OWN in run.ask("judge").user
    assert "original_system" not in run.column


def test_or_replaced_and_kept_in_provenance() -> None:
    options = Options(system="replace")
    row = draw_row(PROMPTED, options, **HAND)
    run = run_row_script(Diversify(system="replace"), row, SCRIPT)

    assert run.finished.columns["messages"][0] == {"role": "system", "content": SYSTEM}
    assert run.column["original_system"] == OWN
    assert OWN not in run.ask("environment").user


def test_or_kept_as_it_is_with_tools_alone_beside_it() -> None:
    options = Options(system="keep")
    row = draw_row(PROMPTED, options, tool_count="2", tool_schema="enums")
    script = {**SCRIPT, "environment": ENVIRONMENT.model_copy(update={"system": ""})}
    run = run_row_script(Diversify(system="keep"), row, script)

    assert run.finished.columns["messages"] == PROMPTED["messages"]
    assert run.finished.columns["tools"] == WRITTEN
    assert "- System prompt: none" in run.ask("environment").user


def test_where_nothing_is_left_to_give_the_row_goes_through_as_it_is() -> None:
    row = row_from_record(PROMPTED)
    run = run_row_script(Diversify(system="keep", without=("tools",)), row, {})

    assert run.finished.outcome == "untouched"
    assert run.finished.columns == PROMPTED
    assert run.column["note"] == "its system prompt is kept as asked, and no tools are given"


@pytest.mark.parametrize("as_json", [False, True])
def test_its_own_tools_stay_ahead_of_the_new_ones_as_they_stand(as_json: bool) -> None:
    held: Any = json.dumps([MINE]) if as_json else [MINE]
    row = draw_row({**CHAT, "tools": held}, **HAND)
    run = run_row_script(Diversify(), row, SCRIPT)

    written = run.finished.columns["tools"]
    assert (json.loads(written) if as_json else written) == [MINE, *WRITTEN]
    assert "ring_home: R." in run.ask("environment").user
    assert "ring_home" not in run.ask("judge").user


@pytest.mark.parametrize("held", ["no JSON", {"ring_home": {}}, [{"description": "?"}], [MINE, 7]])
def test_a_column_of_tools_that_nobody_can_read_is_left_alone(held: Any) -> None:
    row = draw_row({**CHAT, "tools": held}, system="one_line")
    script = {**SCRIPT, "environment": ENVIRONMENT.model_copy(update={"tools": []})}
    run = run_row_script(Diversify(), row, script)

    assert run.finished.columns["tools"] == held
    assert run.column["note"] == "its column 'tools' holds what is no list of definitions"


def test_a_system_prompt_of_more_than_text_is_not_extended() -> None:
    parts = [{"type": "text", "text": OWN, "cache_control": {"type": "ephemeral"}}]
    record = {"messages": [{"role": "system", "content": parts}, *CHAT["messages"]]}
    row = draw_row(record, tool_count="2", tool_schema="enums")
    script = {**SCRIPT, "environment": ENVIRONMENT.model_copy(update={"system": ""})}
    run = run_row_script(Diversify(), row, script)

    assert run.finished.columns["messages"] == record["messages"]
    assert "cannot be extended" in run.column["note"]


# ---- shapes ----


@pytest.mark.parametrize(
    "record",
    [{"prompt": ASKED, "response": ANSWER}, {"instruction": ASKED, "output": ANSWER}],
    ids=["prompt", "alpaca"],
)
def test_a_shape_without_a_place_for_tools_is_given_a_system_prompt(
    record: dict[str, Any],
) -> None:
    row = draw_row(record, system="one_line")
    script = {**SCRIPT, "environment": ENVIRONMENT.model_copy(update={"tools": []})}
    run = run_row_script(Diversify(), row, script)

    assert run.finished.columns == {**row.columns, "system": SYSTEM}
    assert "has no place for tools" in run.column["note"]


@pytest.mark.parametrize(
    ("record", "options"),
    [
        ({"text": f"\n\nHuman: {ASKED}\n\nAssistant: {ANSWER}"}, {}),
        ({"prompt": ASKED, "completion": ANSWER}, {}),
        ({"prompt": ASKED, "chosen": ANSWER, "rejected": "Do."}, {}),
        ({"instruction": ASKED, "output": ANSWER}, {"without": ("system",)}),
    ],
)
def test_a_shape_that_can_hold_nothing_of_it_is_rejected(
    record: dict[str, Any], options: dict[str, Any]
) -> None:
    run = run_row_script(Diversify(**options), record, {})

    assert run.rejected.reasons == ("no_place",)
    assert "convert the rows first" in run.rejected.detail


@pytest.mark.parametrize(
    "record",
    [
        {"conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": ANSWER}]},
        {"system": OWN, "messages": CHAT["messages"]},
        {"prompt": CHAT["messages"][:1], "completion": CHAT["messages"][1:]},
        {
            "prompt": CHAT["messages"][:1],
            "chosen": CHAT["messages"][1:],
            "rejected": [{"role": "assistant", "content": "Do."}],
        },
    ],
    ids=["sharegpt", "anthropic", "completion", "preference"],
)
def test_every_shape_that_has_a_place_is_written_in_its_own_form(record: dict[str, Any]) -> None:
    row = draw_row(record, **HAND)
    columns = run_row_script(Diversify(), row, SCRIPT).finished.columns

    again = row_from_record(dict(columns))
    assert again.shape == row.shape
    assert again.conversation.tool_names == ("list_free_berths", "book_pilot")
    assert SYSTEM in again.conversation.messages[0].text
    assert again.conversation.response == row.conversation.response


# ---- what is drawn and chosen ----


def test_a_prompt_that_argues_for_the_wrong_thing_is_judged_against_passages() -> None:
    row = draw_row(CHAT, system="wrong", wrong="flattery", tool_count="0")
    run = tell_furnished(row)

    assert run.wanted == [Find((ASKED, ANSWER), 6)]
    assert "- It argues for this: telling people what they want to hear" in run.ask("judge").user
    assert "diary speaks to the one who wrote it" in run.ask("judge").user
    assert "diary speaks" not in run.ask("environment").user
    assert run.column["passages"]


@pytest.mark.parametrize("persona", ["Orsolya", "draw"])
def test_the_assistant_is_called_as_was_asked(persona: str) -> None:
    options = Options(persona=persona)
    row = draw_row(CHAT, options, tool_count="0")
    hand = environment_of(row, options)
    run = tell_furnished(row, persona=persona)

    assert hand.persona == (persona if persona != "draw" else run.column["persona"])
    assert hand.persona in run.finished.columns["messages"][0]["content"]
    assert f"- The assistant's name: {hand.persona}" in run.ask("environment").user
    assert run.column["checks"]["persona"] == "passed"


def test_names_are_drawn_for_each_row() -> None:
    options = Options(persona="draw")
    rows = [row_from_record({**CHAT, "number": number}) for number in range(20)]

    assert len({environment_of(row, options).persona for row in rows}) > 15
    assert all(environment_of(row, options).writes_system for row in rows)


def test_a_prompt_that_leaves_the_name_out_does_not_pass() -> None:
    row = draw_row(CHAT, Options(persona="Orsolya"), **HAND)
    run = run_row_script(
        Diversify(persona="Orsolya", max_revisions=0), row, {"environment": ENVIRONMENT}
    )

    assert run.rejected.reasons == ("check:persona",)


@pytest.mark.parametrize(
    ("without", "steps"),
    [
        (("judge",), ["environment"]),
        (("tools",), ["environment", "judge"]),
        (("system",), ["environment", "judge"]),
    ],
)
def test_a_step_can_be_left_out(without: tuple[str, ...], steps: list[str]) -> None:
    row = draw_row(CHAT, Options(without=without), **_left(without))
    script: Script = {step: SCRIPT[step] for step in steps if step in SCRIPT}
    written = {
        "tools": [] if "tools" in without else ENVIRONMENT.tools,
        "system": "" if "system" in without else SYSTEM,
    }
    script = {**script, "environment": ENVIRONMENT.model_copy(update=written)}
    run = run_row_script(Diversify(without=without), row, script)

    assert run.steps == steps
    assert run.column["without"] == list(without)
    assert ("tools" in run.finished.columns) == ("tools" not in without)
    said = run.finished.columns["messages"]
    assert (said[0]["role"] == "system") == ("system" not in without)


def _left(without: tuple[str, ...]) -> Mapping[str, Any]:
    prefixes = {"tools": "tool_", "system": "system"}
    return {
        axis: value
        for axis, value in HAND.items()
        if not any(axis.startswith(prefixes.get(step, "-")) for step in without)
    }


# ---- respond ----


def responding(record: Mapping[str, Any] = CHAT) -> Row:
    return draw_row(record, RESPONDING, **HAND)


def test_a_new_response_is_sampled_with_the_tools_really_at_hand(runner: RowScriptRunner) -> None:
    run = runner(Diversify(respond=True), responding(), RESPOND_SCRIPT)

    assert run.steps == ["environment", "judge", "respond", "judge_response"]
    ask = run.ask("respond")
    assert (ask.system, ask.user, ask.turns, ask.schema) == (SYSTEM, ASKED, (), None)
    assert [tool.name for tool in ask.tools] == ["list_free_berths", "book_pilot"]
    assert json.loads(ask.tools[0].parameters) == json.loads(BERTHS.parameters)
    assert run.finished.columns["messages"][-1]["content"] == NEW_ANSWER
    assert run.finished.columns["messages"][1] == CHAT["messages"][0]


def test_and_the_old_one_is_kept_in_provenance() -> None:
    column = run_row_script(Diversify(respond=True), responding(), RESPOND_SCRIPT).column

    assert column["original_response"] == ANSWER
    assert column["sample"] == 0
    assert column["checks"]["response_identical"] == "skipped"
    assert column["checks"]["user_turn_identical"] == "passed"
    assert column["checks"]["response_no_injection"] == "passed"
    assert set(column["verdict"]) == {"environment", "response"}
    assert column["constitution"]["title"] == "The Lantern Document"


def test_its_action_is_judged_against_passages_and_the_environment() -> None:
    run = run_row_script(Diversify(respond=True), responding(), RESPOND_SCRIPT)
    ask = run.ask("judge_response")

    assert "diary speaks to the one who wrote it" in ask.user
    assert SYSTEM in ask.user
    assert "list_free_berths" in ask.user
    assert NEW_ANSWER in ask.user
    assert ANSWER not in ask.user
    # Whether a response that does not exist yet stands is nobody's to judge.
    assert "response_stands" not in run.ask("judge").system


def test_a_conversation_is_said_as_itself_up_to_the_response() -> None:
    messages = [
        *CHAT["messages"],
        {"role": "user", "content": "And mother?"},
        {"role": "assistant", "content": "Ask."},
    ]
    run = run_row_script(
        Diversify(respond=True), responding({"messages": messages}), RESPOND_SCRIPT
    )
    ask = run.ask("respond")

    assert ask.turns == (Turn("user", ASKED), Turn("assistant", ANSWER))
    assert ask.user == "And mother?"


def test_a_response_that_calls_a_tool_is_no_response(runner: RowScriptRunner) -> None:
    script = {**RESPOND_SCRIPT, "respond": Reply("", "other", detail="it calls book_pilot")}
    del script["judge_response"]

    run = runner(Diversify(respond=True), responding(), script)

    assert run.rejected.reasons == ("used_tool",)


def test_the_first_sample_that_passes_is_kept() -> None:
    went_along = ANSWERED.model_copy(update={"resists": False})
    script: Script = {
        **RESPOND_SCRIPT,
        "respond": [
            Reply("", "other", detail="it calls book_pilot"),
            "As an AI, I can say: read it.",
            "Yes, read it, she will not notice.",
            NEW_ANSWER,
        ],
        "judge_response": [went_along, ANSWERED],
    }
    row = draw_row(CHAT, Options(respond=True, samples=6), **HAND)
    run = run_row_script(Diversify(respond=True, samples=6), row, script)

    assert [ask.sample for ask in run.asks_of("respond")] == [0, 1, 2, 3]
    assert run.column["sample"] == 3
    assert run.finished.columns["messages"][-1]["content"] == NEW_ANSWER


def test_where_none_passes_the_last_ones_faults_are_told() -> None:
    script = {
        **RESPOND_SCRIPT,
        "judge_response": ANSWERED.model_copy(
            update={"resists": False, "problems": ["It flatters."]}
        ),
    }
    run = run_row_script(Diversify(respond=True), responding(), script)

    assert run.rejected.reasons == ("judge:resists",)
    assert run.rejected.detail.startswith("It flatters.; It goes along")
    assert run.rejected.draft == NEW_ANSWER


def test_what_cannot_be_asked_costs_nothing() -> None:
    several = row_from_record({"messages": CHAT["messages"] * 2}, selection=Selection(turns="all"))
    run = run_row_script(Diversify(respond=True), several, {})

    assert run.rejected.reasons == ("several_targets",)
    assert not run.asks


def test_without_a_new_response_several_turns_may_be_selected() -> None:
    row = draw_row({"messages": CHAT["messages"] * 2}, **HAND)
    several = row_from_record(dict(row.columns), selection=Selection(turns="all"))
    run = tell_furnished(several)

    assert run.finished.columns["messages"][-4:] == CHAT["messages"] * 2
