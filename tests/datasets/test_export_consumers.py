"""Rows as each consumer reads them; what one cannot hold is refused with the reason."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.exports import ANSWER, THOUGHT, USER, Record
from support.strategies import SHAPES, records_for

from whyset.datasets import Shape, dumps, loads
from whyset.datasets.export import (
    TRAINERS,
    ExportKind,
    ExportStyle,
    UnsupportedRow,
    get_trainer,
    read_example,
)

CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": '{"q":1}'}}
TOOL = {
    "type": "function",
    "function": {"name": "find", "description": "Finds.", "parameters": {"type": "object"}},
}
CALLING = {"role": "assistant", "content": None, "tool_calls": [CALL]}
RESULT = {"role": "tool", "content": "there", "tool_call_id": "c1"}
SYSTEM = {"role": "system", "content": "Be kind."}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
TAGGED = "<think>\nIt is hers.\n</think>\n\nAsk her."

PLAIN: Record = {"messages": [USER, ANSWER]}
REASONED: Record = {"messages": [SYSTEM, USER, THOUGHT]}
WORKING: Record = {"messages": [USER, CALLING, RESULT, ANSWER], "tools": [TOOL]}
PAIR: Record = {"prompt": [USER], "chosen": [THOUGHT], "rejected": [{**ANSWER, "content": "Sure."}]}
TEXT: Record = {"text": "Minutes of a meeting."}


def row(
    consumer: str,
    record: Record,
    kind: ExportKind = "messages",
    *,
    tags: bool = False,
    mixed: bool = False,
) -> Record:
    return get_trainer(consumer).format_row(read_example(record), kind, ExportStyle(tags, mixed))


def refusal(consumer: str, record: Record, kind: ExportKind = "messages") -> tuple[str, str]:
    with pytest.raises(UnsupportedRow) as refused:
        row(consumer, record, kind)
    return refused.value.reason, str(refused.value)


@pytest.mark.parametrize(
    ("consumer", "expected"),
    [
        ("trl", {"messages": [SYSTEM, USER, THOUGHT]}),
        ("axolotl", {"messages": [SYSTEM, USER, THOUGHT]}),
        (
            "llama-factory",
            {
                "conversations": [
                    {"from": "human", "value": USER["content"]},
                    {"from": "gpt", "value": TAGGED},
                ],
                "system": "Be kind.",
            },
        ),
        ("openai", {"messages": [SYSTEM, USER, {"role": "assistant", "content": TAGGED}]}),
        (
            "anthropic",
            {"system": "Be kind.", "messages": [USER, {"role": "assistant", "content": TAGGED}]},
        ),
    ],
)
def test_reasoning_stands_where_the_consumer_reads_it(consumer: str, expected: Record) -> None:
    assert row(consumer, REASONED, tags=True) == expected


@pytest.mark.parametrize("consumer", ["openai", "anthropic"])
def test_without_leave_reasoning_is_refused_where_there_is_no_field(consumer: str) -> None:
    reason, detail = refusal(consumer, REASONED)

    assert reason == "reasoning"
    assert "no field for reasoning; export with --think-tags" in detail


@pytest.mark.parametrize(
    ("consumer", "tools", "called"),
    [
        ("trl", json.dumps([TOOL], separators=(",", ":")), ""),
        ("axolotl", json.dumps([TOOL], separators=(",", ":")), ""),
        ("openai", [TOOL], None),
    ],
)
def test_tools_and_calls_in_messages(consumer: str, tools: Any, called: str | None) -> None:
    assert row(consumer, WORKING) == {
        "messages": [USER, {**CALLING, "content": called}, RESULT, ANSWER],
        "tools": tools,
    }


def test_tools_and_calls_for_llama_factory() -> None:
    written = row("llama-factory", WORKING)

    assert [turn["from"] for turn in written["conversations"]] == [
        *("human", "function_call", "observation", "gpt")
    ]
    assert loads(written["conversations"][1]["value"].encode()) == {
        "name": "find",
        "arguments": {"q": 1},
    }
    assert loads(written["tools"].encode()) == [TOOL["function"]]


def test_of_a_completion_the_last_response_stands_apart() -> None:
    record = {"messages": [SYSTEM, USER, ANSWER, USER, THOUGHT]}

    assert row("trl", record, "completion") == {
        "prompt": [SYSTEM, USER, ANSWER, USER],
        "completion": [THOUGHT],
    }


@pytest.mark.parametrize(("record", "thinks"), [(REASONED, True), (PLAIN, False)])
def test_beside_rows_that_reason_a_completion_says_whether_it_does(
    record: Record, thinks: bool
) -> None:
    written = row("trl", record, "completion", mixed=True)

    assert written["chat_template_kwargs"] == {"enable_thinking": thinks}


@pytest.mark.parametrize(
    ("consumer", "expected"),
    [
        ("trl", PAIR),
        (
            "axolotl",
            {
                "prompt": [USER],
                "chosen": {"role": "assistant", "content": TAGGED},
                "rejected": {"role": "assistant", "content": "Sure."},
            },
        ),
        (
            "llama-factory",
            {
                "conversations": [{"from": "human", "value": USER["content"]}],
                "chosen": {"from": "gpt", "value": TAGGED},
                "rejected": {"from": "gpt", "value": "Sure."},
            },
        ),
        (
            "openai",
            {
                "input": {"messages": [USER]},
                "preferred_output": [{"role": "assistant", "content": TAGGED}],
                "non_preferred_output": [{"role": "assistant", "content": "Sure."}],
            },
        ),
    ],
)
def test_pairs(consumer: str, expected: Record) -> None:
    assert row(consumer, PAIR, "preference", tags=True) == expected


def test_a_pair_whose_prompt_is_in_both_sides_is_parted() -> None:
    record = {"chosen": [SYSTEM, USER, ANSWER], "rejected": [SYSTEM, USER, THOUGHT]}

    assert row("trl", record, "preference") == {
        "prompt": [SYSTEM, USER],
        "chosen": [ANSWER],
        "rejected": [THOUGHT],
    }


@pytest.mark.parametrize("consumer", ["trl", "axolotl", "llama-factory"])
def test_texts(consumer: str) -> None:
    assert row(consumer, TEXT, "text") == TEXT


def test_a_document_that_quotes_a_transcript_is_a_text() -> None:
    run = {"outcome": "written", "generator": "story", "version": "1"}
    quoting = "He wrote down:\n\nHuman: may I?\n\nAssistant: ask her."

    assert read_example({"text": quoting, "whyset": run}).family == "text"
    assert (
        read_example({"text": "\n\nHuman: may I?\n\nAssistant: ask her."}).family == "conversation"
    )


@pytest.mark.parametrize("consumer", ["trl", "axolotl", "openai"])
def test_roles_that_no_template_knows_become_ones_that_it_does(consumer: str) -> None:
    calling = {
        "role": "assistant",
        "content": "",
        "function_call": {"name": "find", "arguments": "{}"},
    }
    answered = {"role": "function", "name": "find", "content": "there"}
    record = {"messages": [{**SYSTEM, "role": "developer"}, USER, calling, answered, ANSWER]}

    written = row(consumer, record)["messages"]

    assert [message["role"] for message in written] == [
        *("system", "user", "assistant", "tool", "assistant")
    ]
    assert written[2]["tool_calls"][0]["function"] == {"name": "find", "arguments": "{}"}


def test_several_texts_are_one_as_templates_join_them() -> None:
    parts = [
        {"type": "text", "text": "T\n\n"},
        {"type": "text", "text": None},
        {"type": "text", "text": "Ask her."},
    ]
    record = {"messages": [USER, {"role": "assistant", "content": parts}]}

    assert row("trl", record)["messages"][1]["content"] == "T\n\nAsk her."


def test_images_go_to_openai_alone_and_in_questions_alone() -> None:
    shown = {"role": "user", "content": [{"type": "text", "text": "Look."}, IMAGE]}
    record = {"messages": [shown, ANSWER]}

    assert row("openai", record) == record
    for consumer in ("trl", "axolotl", "llama-factory", "anthropic"):
        assert refusal(consumer, record)[0] == "parts"
    assert refusal("openai", {"messages": [USER, {"role": "assistant", "content": [IMAGE]}]})


@pytest.mark.parametrize(
    ("consumer", "record", "reason", "detail"),
    [
        ("anthropic", WORKING, "tools", "cannot hold tools on offer"),
        ("anthropic", {"messages": [USER, CALLING, RESULT, ANSWER]}, "tools", "tools at work"),
        ("anthropic", {"messages": [USER, USER, ANSWER]}, "turns", "message 2 is the user's"),
        ("anthropic", {"messages": [USER, ANSWER, USER]}, "turns", "a response as the last"),
        ("anthropic", {"messages": [{**USER, "name": "Ann"}, ANSWER]}, "unheld", "name"),
        ("anthropic", {"messages": [{**USER, "content": " "}, ANSWER]}, "turns", "empty message"),
        ("openai", {"messages": [USER, ANSWER, USER]}, "turns", "a response as the last"),
        ("openai", {"messages": [USER, {**ANSWER, "weight": 2}]}, "unheld", "weight"),
        ("openai", {"messages": [USER, {**ANSWER, "mood": "calm"}]}, "unheld", "'mood'"),
        ("openai", {"messages": [USER, RESULT, ANSWER]}, "tools", "without its call"),
        (
            "openai",
            {**PLAIN, "tools": [{"name": "a b", "input_schema": {}}]},
            "tools",
            "no tool called 'a b'",
        ),
        ("llama-factory", {"messages": [USER, USER, ANSWER]}, "turns", "turn 2 is 'human'"),
        ("llama-factory", {"messages": [USER, ANSWER, USER]}, "turns", "wants a response"),
        (
            "llama-factory",
            {"messages": [USER, {**CALLING, "content": "I look."}, RESULT, ANSWER]},
            "unheld",
            "with both text and a tool call",
        ),
        ("llama-factory", {"messages": [{**USER, "name": "Ann"}, ANSWER]}, "unheld", "'Ann'"),
        ("trl", {**PLAIN, "tools": [{"type": "function"}]}, "tools", "not tool definitions"),
        ("trl", {"messages": [USER]}, "unusable", "no assistant turn"),
        ("trl", {"messages": [USER, {**ANSWER, "content": " "}]}, "unusable", "empty response"),
        ("trl", {"id": 1}, "unusable", "no conversation"),
        ("trl", {"text": " "}, "unusable", "text is empty"),
    ],
)
def test_what_a_consumer_cannot_hold_is_refused(
    consumer: str, record: Record, reason: str, detail: str
) -> None:
    run = refusal(consumer, record)

    assert run[0] == reason
    assert detail in run[1]


def test_reasoning_with_tags_of_its_own_is_refused_where_it_would_stand_in_tags() -> None:
    record = {"messages": [USER, {**THOUGHT, "reasoning_content": "a</think>b"}]}

    assert refusal("llama-factory", record)[0] == "tags"
    assert row("trl", record)["messages"][1]["reasoning_content"] == "a</think>b"


def test_pairs_of_several_turns_go_to_trl_alone() -> None:
    longer = [ANSWER, USER, ANSWER]
    record = {"prompt": [USER], "chosen": longer, "rejected": [THOUGHT, USER, ANSWER]}

    assert row("trl", record, "preference")["chosen"] == longer
    for consumer in ("axolotl", "llama-factory", "openai"):
        assert refusal(consumer, record, "preference")[0] == "turns"


SCHEMAS = {
    (consumer, kind): json.loads(
        (Path(__file__).parent / "finetuning" / f"{name}.json").read_text(encoding="utf-8")
    )
    for consumer, kind, name in (
        ("openai", "messages", "openai_chat"),
        ("openai", "preference", "openai_preference"),
        ("anthropic", "messages", "anthropic_bedrock"),
    )
}


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=12, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_whatever_a_row_holds_what_is_written_fits_the_published_schema(
    shape: Shape, data: st.DataObject
) -> None:
    record = data.draw(records_for(shape))
    kind: ExportKind = "preference" if shape == "preference" else "messages"
    for consumer in ("openai", "anthropic"):
        if (consumer, kind) not in SCHEMAS:
            continue
        try:
            written = row(consumer, record, kind, tags=True)
        except UnsupportedRow:
            continue
        jsonschema.Draft202012Validator(SCHEMAS[consumer, kind]).validate(loads(dumps(written)))
        if consumer == "anthropic":
            roles = [message["role"] for message in written["messages"]]
            assert roles == ["user", "assistant"] * (len(roles) // 2)


def test_the_schemas_refuse_what_must_not_be_sent() -> None:
    # A schema that takes anything would prove nothing.
    for consumer, wrong in (
        ("openai", {"messages": [USER, THOUGHT]}),
        ("openai", {"messages": [{**SYSTEM, "role": "developer"}, USER, ANSWER]}),
        ("openai", {"messages": [USER, {**ANSWER, "weight": 2}]}),
        ("anthropic", {"messages": [USER, ANSWER], "tools": []}),
        ("anthropic", {"messages": [ANSWER, USER]}),
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.Draft202012Validator(SCHEMAS[consumer, "messages"]).validate(wrong)


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=10, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_no_text_is_lost(shape: Shape, data: st.DataObject) -> None:
    record = data.draw(records_for(shape))
    kind: ExportKind = "preference" if shape == "preference" else "messages"
    for consumer in TRAINERS.values():
        if kind not in consumer.kinds:
            continue
        try:
            taken = read_example(record)
            written = dumps(consumer.format_row(taken, kind, ExportStyle(think_tags=True))).decode()
        except UnsupportedRow:
            continue
        for message in (*taken.messages, *taken.rejected):
            texts = [str(part.get("text", "")) for part in message.parts] or [message.text]
            for said in (*texts, message.reasoning, *(call.name for call in message.tool_calls)):
                assert dumps(said).decode()[1:-1] in written
