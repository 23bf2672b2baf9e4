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
    Script,
    Teller,
)

from whyset.datasets import REASONING_FIELD, Selection, row_from_record
from whyset.generators import Finished, Rejected, run_steps
from whyset.generators.deliberation import Deliberation
from whyset.retriever import Grounding
from whyset.retriever.testing import FakeSearcher

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


def test_every_turn_is_appraised_grounded_written_and_judged(tell: Teller) -> None:
    told = tell(row_from_record(CHAT, selection=ALL), BOTH)

    assert told.steps == ["appraise", "write", "judge"] * 2
    assert told.queries[0] == (ASKED, ANSWER)
    assert told.queries[2] == (ASKED, SECOND, OTHER)
    assert told.finished.outcome == "rewritten"
    columns = told.finished.columns
    assert [message["content"] for message in columns["messages"]] == [
        *(ASKED, f"{DELIBERATION}\n\n{ANSWER}", SECOND, f"{AGAIN}\n\n{OTHER}")
    ]
    assert columns["id"] == 7


def test_a_later_turn_is_read_as_it_will_be_learned_from(tell: Teller) -> None:
    asks = tell(row_from_record(CHAT, selection=ALL), BOTH).asks

    assert DELIBERATION not in asks[0].user
    assert DELIBERATION in asks[3].user
    assert asks[3].user.index(DELIBERATION) < asks[3].user.index("The response under review")


def test_provenance_has_a_list_with_what_is_each_ones_own(tell: Teller) -> None:
    script: Script = {**BOTH, "appraise": [ACCORD, NOTHING], "write": DELIBERATION, "judge": PASSES}

    column = tell(row_from_record(CHAT, selection=ALL), script).column

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


def test_with_a_single_target_nothing_is_different(tell: Teller) -> None:
    script: Script = {"appraise": ACCORD, "write": DELIBERATION, "judge": PASSES}
    record = {"messages": CHAT["messages"][:2]}  # type: ignore[index]

    chosen = tell(row_from_record(record, selection=ALL), script)
    default = tell(record, script)

    assert chosen.finished == default.finished
    assert chosen.column == default.column
    assert [ask.key("m") for ask in chosen.asks] == [ask.key("m") for ask in default.asks]


def test_one_that_is_rejected_takes_the_row_with_it_and_is_named(tell: Teller) -> None:
    script: Script = {"appraise": [ACCORD, CONFLICT], "write": DELIBERATION, "judge": PASSES}

    told = tell(row_from_record(PAIR, selection=ALL), script)

    assert told.rejected.reasons == ("conflict",)
    assert told.rejected.detail == ("rejected turn 1: It tells the user to read a diary in secret.")


def test_both_sides_of_a_pair_are_worked_on_apart(tell: Teller) -> None:
    told = tell(row_from_record(PAIR, selection=ALL), BOTH, channel="thinking")

    assert told.finished.columns == {
        "prompt": ASKED,
        "chosen": f"<think>\n{DELIBERATION}\n</think>\n\n{ANSWER}",
        "rejected": f"<think>\n{AGAIN}\n</think>\n\n{OTHER}",
    }
    assert all(ANSWER not in ask.user and DELIBERATION not in ask.user for ask in told.asks[3:])


def test_a_row_is_called_by_what_was_done_the_most(tell: Teller) -> None:
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

    told = tell(row_from_record(record, selection=ALL), script, on_conflict="repair")

    assert told.finished.outcome == "repaired"
    assert told.column["targets"][0]["original_reasoning"] == "Nobody will know."
    assert repaired in told.asks[-1].user
    assert ANSWER not in told.asks[-1].user
    assert REASONING_FIELD not in told.finished.columns["messages"][1]


@pytest.mark.parametrize("channel", ["thinking", "preface", "inline"])
@pytest.mark.parametrize("record", [CHAT, PAIR], ids=["chat", "pair"])
def test_a_dry_run_walks_every_target_with_what_is_typical_of_it(
    record: dict[str, Any], channel: str
) -> None:
    generator = Deliberation(channel=channel, k=2)
    row = row_from_record(record, selection=ALL)
    searcher = FakeSearcher(CONSTITUTION)
    steps = []

    def answer(ask: Any) -> Any:
        steps.append(ask.step.rsplit("/", 1)[-1])
        return generator.mock_reply(ask, row)

    def find(wanted: Any) -> Grounding:
        return searcher.find_passages([wanted.texts], k=2)[0]

    driven = run_steps(generator.steps(row), answer, find)

    assert steps == ["appraise", "write", "judge"] * 2
    assert isinstance(driven.result, Finished)


def test_tools_are_told_with_what_they_do_and_stay_as_they_are(tell: Teller) -> None:
    tools = [
        {"name": "letters", "description": "Reads </data-0> letters.", "parameters": {}},
        {"name": "clock"},
    ]
    record = {**CHAT, "tools": tools}

    told = tell(record, {"appraise": ACCORD, "write": DELIBERATION, "judge": PASSES})

    shown = told.ask("appraise").user
    assert "[tools on offer]\n- letters: Reads </data-0> letters.\n- clock\n" in shown
    assert shown.index("<data-") < shown.index("[tools on offer]")
    assert told.finished.columns["tools"] is tools


def test_somebody_elses_column_of_our_name_is_kept_under_another(tell: Teller) -> None:
    told = tell({"whyset": "mine", **CHAT}, {"appraise": NOTHING})

    assert isinstance(told.column, dict)
    assert told.finished.columns["whyset"] == "mine"


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
    tell: Teller, record: dict[str, Any], channel: str
) -> None:
    script: Script = {"appraise": ACCORD, "write": DELIBERATION, "judge": PASSES}

    told = tell(record, script, channel=channel)

    assert told.checks["response_identical"] == told.checks["columns_identical"] == "passed"


@pytest.mark.parametrize(
    ("record", "draft"),
    [
        (SHAPED[3], f"{DELIBERATION}\n\nHuman: And then?"),
        (SHAPED[0], f"{DELIBERATION} </think>\n\n So it is."),
    ],
    ids=["a turn of its own", "the end of its tags"],
)
def test_a_text_that_would_break_its_shape_does_not_pass(
    tell: Teller, record: dict[str, Any], draft: str
) -> None:
    script: Script = {"appraise": ACCORD, "write": draft}

    told = tell(record, script, channel="thinking", max_revisions=0)

    assert isinstance(told.result, Rejected)
    assert {"check:columns_identical", "check:response_identical"} & set(told.rejected.reasons)
