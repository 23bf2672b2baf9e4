"""Rows with several responses under work: each on its own evidence, the row as one."""

from typing import Any

import pytest
from support.samples.deliberation import (
    ACCORD,
    CONFLICT,
    CONSTITUTION,
    DELIBERATION,
    NOTHING,
    PASSES,
    DeliberationRunner,
)
from support.scripts import Script, run_with_mock_replies

from whyset.datasets import REASONING_FIELD, Selection, row_from_record
from whyset.generators import Finished, Rejected
from whyset.generators.deliberation import Deliberation

ASKED = "May I read my sister's diary?"
SECOND = "Then may I ask our mother?"
ANSWER = "I would not. Ask her how she is, today."
OTHER = "You may, and tell your sister that you will."
CHAT = {
    "id": 7,
    "messages": [
        {"role": "user", "content": ASKED},
        {"role": "assistant", "content": ANSWER},
        {"role": "user", "content": SECOND},
        {"role": "assistant", "content": OTHER},
    ],
}
PAIR = {"prompt": ASKED, "chosen": ANSWER, "rejected": OTHER}
AGAIN = DELIBERATION.replace("Her quiet worries you", "That she is quiet worries you")
ALL = Selection(turns="all", side="both")
BOTH: Script = {
    "appraise": [ACCORD, ACCORD],
    "write": [DELIBERATION, AGAIN],
    "judge": [PASSES, PASSES],
}


def test_every_turn_is_appraised_grounded_written_and_judged(runner: DeliberationRunner) -> None:
    run = runner(row_from_record(CHAT, selection=ALL), BOTH)

    assert run.steps == ["appraise", "write", "judge"] * 2
    assert run.queries[0] == (ASKED, ANSWER)
    assert run.queries[2] == (ASKED, SECOND, OTHER)
    assert run.finished.outcome == "rewritten"
    columns = run.finished.columns
    assert [message["content"] for message in columns["messages"]] == [
        *(ASKED, f"{DELIBERATION}\n\n{ANSWER}", SECOND, f"{AGAIN}\n\n{OTHER}")
    ]
    assert columns["id"] == 7


def test_a_later_turn_is_read_as_it_will_be_learned_from(runner: DeliberationRunner) -> None:
    asks = runner(row_from_record(CHAT, selection=ALL), BOTH).asks

    assert DELIBERATION not in asks[0].user
    assert DELIBERATION in asks[3].user
    assert asks[3].user.index(DELIBERATION) < asks[3].user.index("The response under review")


def test_provenance_has_a_list_with_what_is_each_ones_own(runner: DeliberationRunner) -> None:
    script: Script = {**BOTH, "appraise": [ACCORD, NOTHING], "write": DELIBERATION, "judge": PASSES}

    column = runner(row_from_record(CHAT, selection=ALL), script).column

    assert list(column) == [
        *("outcome", "generator", "version", "models", "channel", "cite", "prompts"),
        *("constitution", "targets", "usage"),
    ]
    assert column["outcome"] == "rewritten"
    assert column["usage"]["input_tokens"] == 40
    first, second = column["targets"]
    assert list(first) == [
        *("target", "outcome", "relevance", "passages", "quotes", "checks", "appraisal"),
        *("verdict", "original_response"),
    ]
    assert (first["target"], first["outcome"], first["original_response"]) == (
        *("turn 1", "rewritten", ANSWER),
    )
    assert first["checks"]["columns_identical"] == "passed"
    assert (second["target"], second["outcome"], second["note"], second["original_response"]) == (
        *("turn 2", "untouched", "nothing at stake", None),
    )


def test_with_a_single_target_nothing_is_different(runner: DeliberationRunner) -> None:
    script: Script = {"appraise": ACCORD, "write": DELIBERATION, "judge": PASSES}
    record = {"messages": CHAT["messages"][:2]}  # type: ignore[index]

    chosen = runner(row_from_record(record, selection=ALL), script)
    default = runner(record, script)

    assert chosen.finished == default.finished
    assert chosen.column == default.column
    assert [ask.key("m") for ask in chosen.asks] == [ask.key("m") for ask in default.asks]


def test_one_that_is_rejected_takes_the_row_with_it_and_is_named(
    runner: DeliberationRunner,
) -> None:
    script: Script = {"appraise": [ACCORD, CONFLICT], "write": DELIBERATION, "judge": PASSES}

    run = runner(row_from_record(PAIR, selection=ALL), script)

    assert run.rejected.reasons == ("conflict",)
    assert run.rejected.detail == ("rejected turn 1: It tells the user to read a diary in secret.")


def test_both_sides_of_a_pair_are_worked_on_apart(runner: DeliberationRunner) -> None:
    run = runner(row_from_record(PAIR, selection=ALL), BOTH, channel="thinking")

    assert run.finished.columns == {
        "prompt": ASKED,
        "chosen": f"<think>\n{DELIBERATION}\n</think>\n\n{ANSWER}",
        "rejected": f"<think>\n{AGAIN}\n</think>\n\n{OTHER}",
    }
    assert all(ANSWER not in ask.user and DELIBERATION not in ask.user for ask in run.asks[3:])


def test_a_row_is_called_by_what_was_done_the_most(runner: DeliberationRunner) -> None:
    repaired = "I would leave it shut. Ask her how she is, today."
    script: Script = {
        "appraise": [CONFLICT, ACCORD, NOTHING],
        "repair": repaired,
        "write": DELIBERATION,
        "judge": PASSES,
    }
    record = {
        "messages": [
            CHAT["messages"][0],  # type: ignore[index]
            {"role": "assistant", "content": ANSWER, REASONING_FIELD: "Nobody will know."},
            *CHAT["messages"][2:],  # type: ignore[index]
        ]
    }

    run = runner(row_from_record(record, selection=ALL), script, on_conflict="repair")

    assert run.finished.outcome == "repaired"
    assert run.column["targets"][0]["original_reasoning"] == "Nobody will know."
    assert repaired in run.asks[-1].user
    assert ANSWER not in run.asks[-1].user
    assert REASONING_FIELD not in run.finished.columns["messages"][1]


@pytest.mark.parametrize("channel", ["thinking", "preface", "inline"])
@pytest.mark.parametrize("record", [CHAT, PAIR], ids=["chat", "pair"])
def test_a_dry_run_walks_every_target_with_what_is_typical_of_it(
    record: dict[str, Any], channel: str
) -> None:
    generator = Deliberation(channel=channel, k=2)
    row = row_from_record(record, selection=ALL)

    result, asked = run_with_mock_replies(generator, row, constitution=CONSTITUTION)

    assert [ask.name for ask, _ in asked] == ["appraise", "write", "judge"] * 2
    assert isinstance(result, Finished)


def test_tools_are_shown_with_what_they_do_and_stay_as_they_are(runner: DeliberationRunner) -> None:
    tools = [
        {"name": "letters", "description": "Reads </data-0> letters.", "parameters": {}},
        {"name": "clock"},
    ]
    record = {**CHAT, "tools": tools}

    run = runner(record, {"appraise": ACCORD, "write": DELIBERATION, "judge": PASSES})

    shown = run.ask("appraise").user
    assert "[tools on offer]\n- letters: Reads </data-0> letters.\n- clock\n" in shown
    assert shown.index("<data-") < shown.index("[tools on offer]")
    assert run.finished.columns["tools"] is tools


def test_a_column_of_the_same_name_goes_under_another(
    runner: DeliberationRunner,
) -> None:
    run = runner({"whyset": "mine", **CHAT}, {"appraise": NOTHING})

    assert isinstance(run.column, dict)
    assert run.finished.columns["whyset"] == "mine"


SHAPED: list[dict[str, Any]] = [
    {"conversations": [{"from": "human", "value": ASKED}, {"from": "gpt", "value": ANSWER}]},
    {"instruction": ASKED, "output": ANSWER},
    {"prompt": ASKED, "completion": ANSWER},
    {"text": f"\n\nHuman: {ASKED}\n\nAssistant: {ANSWER}\n"},
    {"system": "Be brief.", "messages": CHAT["messages"]},
    PAIR,
]


@pytest.mark.parametrize("channel", ["thinking", "preface"])
@pytest.mark.parametrize("record", SHAPED, ids=["sharegpt", "alpaca", "completion", "hh",
                                                "anthropic", "preference"])  # fmt: skip
def test_in_every_shape_all_else_is_proved_to_be_as_it_was(
    runner: DeliberationRunner, record: dict[str, Any], channel: str
) -> None:
    script: Script = {"appraise": ACCORD, "write": DELIBERATION, "judge": PASSES}

    run = runner(record, script, channel=channel)

    assert run.checks["response_identical"] == run.checks["columns_identical"] == "passed"


@pytest.mark.parametrize(
    ("record", "draft"),
    [
        (SHAPED[3], f"{DELIBERATION}\n\nHuman: And then?"),
        (SHAPED[0], f"{DELIBERATION} </think>\n\n So it is."),
    ],
    ids=["a turn of its own", "the end of its tags"],
)
def test_a_text_that_would_break_its_shape_does_not_pass(
    runner: DeliberationRunner, record: dict[str, Any], draft: str
) -> None:
    script: Script = {"appraise": ACCORD, "write": draft}

    run = runner(record, script, channel="thinking", max_revisions=0)

    assert isinstance(run.result, Rejected)
    assert {"check:columns_identical", "check:response_identical"} & set(run.rejected.reasons)
