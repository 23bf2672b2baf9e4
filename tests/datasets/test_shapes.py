"""What each shape is read as, and what of it cannot be."""

from collections.abc import Mapping
from typing import Any

import pytest

from whyset.datasets import (
    Conversation,
    DatasetError,
    Message,
    Row,
    Selection,
    Shape,
    ToolCall,
    ToolDefinition,
    insert_deliberation,
    row_from_record,
)

USER = {"role": "user", "content": "Q"}
ANSWER = {"role": "assistant", "content": "A"}
TURNS = [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]
ASKED, ANSWERED = Message("user", "Q"), Message("assistant", "A")


def conversation(record: Mapping[str, Any]) -> Conversation:
    return row_from_record(dict(record)).conversation


def refusal(record: Mapping[str, Any], **selected: Any) -> str:
    with pytest.raises(DatasetError) as refused:
        row_from_record(dict(record), selection=Selection(**selected))
    return str(refused.value).removeprefix("row 1: ")


PLAIN: dict[str, tuple[Shape, dict[str, Any]]] = {
    "messages": ("messages", {"messages": [USER, ANSWER]}),
    "messages called conversations": ("messages", {"conversations": [USER, ANSWER]}),
    "sharegpt": (
        "sharegpt",
        {"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]},
    ),
    "sharegpt called messages": (
        "sharegpt",
        {"messages": [{"from": "user", "value": "Q"}, {"from": "Assistant", "value": "A"}]},
    ),
    "prompt": ("prompt", {"prompt": "Q", "response": "A"}),
    "completion": ("completion", {"prompt": "Q", "completion": "A"}),
    "completion of messages": ("completion", {"prompt": [USER], "completion": [ANSWER]}),
    "alpaca": ("alpaca", {"instruction": "Q", "input": "", "output": "A"}),
    "hh": ("hh", {"text": "\n\nHuman: Q\n\nAssistant: A"}),
    "hh in chosen": ("hh", {"chosen": "Human: Q\n\nAssistant:A"}),
    "preference of transcripts": (
        "preference",
        {
            "chosen": "\n\nHuman: Q\n\nAssistant: A",
            "rejected": "\n\nHuman: Q\n\nAssistant: B",
        },
    ),
    "preference of texts": ("preference", {"prompt": "Q", "chosen": "A", "rejected": "B"}),
    "preference of messages, the prompt within": (
        "preference",
        {"chosen": [USER, ANSWER], "rejected": [USER, {**ANSWER, "content": "B"}]},
    ),
    "preference of messages, the prompt beside": (
        "preference",
        {"prompt": [USER], "chosen": [ANSWER], "rejected": [{**ANSWER, "content": "B"}]},
    ),
    "preference of messages, the prompt in both places": (
        "preference",
        {"prompt": "Q", "chosen": [USER, ANSWER], "rejected": [USER, ANSWER]},
    ),
    "preference, a transcript for a prompt": (
        "preference",
        {"prompt": "\n\nHuman: Q\n\nAssistant:", "chosen": "A", "rejected": "B"},
    ),
}


@pytest.mark.parametrize(("shape", "record"), PLAIN.values(), ids=PLAIN)
def test_every_layout_of_a_question_and_its_answer_is_the_same_conversation(
    shape: Shape, record: dict[str, Any]
) -> None:
    row = row_from_record(record)

    assert row.shape == shape
    assert row.conversation == Conversation((ASKED, ANSWERED), turn=1)


def test_sharegpt_has_tools_calls_and_results() -> None:
    read = conversation(
        {
            "system": "Be brief.",
            "tools": '[{"name": "find", "description": "Finds.", "parameters": {}}]',
            "conversations": [
                {"from": "human", "value": "Q"},
                {"from": "function_call", "value": '{"name": "find", "arguments": {"q": 1}}'},
                {"from": "observation", "value": "r"},
                {"from": "gpt", "value": "<think>\nHm.\n</think>\n\nA"},
            ],
        }
    )

    assert read == Conversation(
        (
            Message("system", "Be brief."),
            ASKED,
            Message("assistant", "", tool_calls=(ToolCall("find", '{"q":1}'),)),
            Message("tool", "r"),
            Message("assistant", "A", reasoning="Hm."),
        ),
        turn=4,
        tool_definitions=(ToolDefinition("find", "Finds."),),
    )


@pytest.mark.parametrize(
    ("place", "names"),
    [
        (0, "human user prompter Human USER"),
        (1, "function_call tool_call Function_Call"),
        (2, "tool observation tool_response function_response function_result Observation"),
        (3, "gpt assistant chatgpt bing bard model GPT"),
    ],
    ids=["who asks", "who calls", "what a tool answers", "who responds"],
)
def test_speakers_of_sharegpt_have_many_names(place: int, names: str) -> None:
    call = '{"name": "find", "arguments": {}}'
    said = [("human", "Q"), ("function_call", call), ("tool", "r"), ("gpt", "A")]
    turns = [{"from": speaker, "value": value} for speaker, value in said]
    for name in names.split():
        turns[place] = {**turns[place], "from": name}

        row = row_from_record({"conversations": turns})

        assert row.shape == "sharegpt"
        assert row.conversation.messages == (
            ASKED,
            Message("assistant", "", tool_calls=(ToolCall("find", "{}"),)),
            Message("tool", "r"),
            ANSWERED,
        )


def test_alpaca_has_an_input_a_system_prompt_and_a_history() -> None:
    read = conversation(
        {
            "instruction": "Translate.",
            "input": "chat",
            "output": "cat",
            "system": "Be brief.",
            "history": [["Q", "<think>Hm.</think>A"]],
        }
    )

    assert read == Conversation(
        (
            Message("system", "Be brief."),
            ASKED,
            Message("assistant", "A", reasoning="Hm."),
            Message("user", "Translate.\nchat"),
            Message("assistant", "cat"),
        ),
        turn=4,
    )


def test_the_messages_api_has_blocks() -> None:
    row = row_from_record(
        {
            "system": [{"type": "text", "text": "Be brief."}],
            "tools": [{"name": "find", "description": "Finds.", "input_schema": {}}],
            "messages": [
                USER,
                {
                    "role": "assistant",
                    "content": [
                        {"type": "thinking", "thinking": "Hm.", "signature": "c2ln"},
                        {"type": "redacted_thinking", "data": "ZGF0YQ=="},
                        {"type": "text", "text": "Let me see."},
                        {"type": "tool_use", "id": "t1", "name": "find", "input": {"q": 1}},
                    ],
                },
                {
                    "role": "user",
                    "content": [
                        {"type": "tool_result", "tool_use_id": "t1", "content": "r"},
                        {"type": "text", "text": "Well?"},
                    ],
                },
                ANSWER,
            ],
        }
    )

    assert row.shape == "anthropic"
    assert row.conversation == Conversation(
        (
            Message("system", "Be brief."),
            ASKED,
            Message(
                "assistant",
                "Let me see.",
                reasoning="Hm.",
                tool_calls=(ToolCall("find", '{"q":1}', id="t1"),),
            ),
            Message("tool", "r", call_id="t1"),
            Message("user", "Well?"),
            ANSWERED,
        ),
        turn=5,
        tool_definitions=(ToolDefinition("find", "Finds."),),
    )
    assert insert_deliberation(row, "T", "preface")["messages"][3]["content"] == "T\n\nA"


@pytest.mark.parametrize(
    "marks",
    [
        {"system": "Be brief."},
        {"tools": [{"name": "f", "input_schema": {}}]},
        {"messages": [USER, {"role": "assistant", "content": [{"type": "thinking"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "image", "source": {}}]}, ANSWER]},
    ],
)
def test_the_messages_api_is_recognised_by_its_own_marks(
    marks: dict[str, Any],
) -> None:
    record = {"messages": [USER, ANSWER], **marks}
    try:
        shape = row_from_record(record).shape
    except DatasetError as refused:  # recognised, and then not readable
        assert "messages[1].content[0].thinking is missing" in str(refused)
        return
    assert shape == "anthropic"


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [{"role": "system", "content": "s"}, USER, ANSWER], "system": "x"},
        {"messages": [USER, {**ANSWER, "reasoning_content": "Hm."}], "system": "x"},
        {"messages": [USER, ANSWER], "system": None},
        {"messages": [USER, ANSWER], "system": 5},
    ],
)
def test_a_system_column_alone_does_not_make_openais_messages_another_shape(
    record: dict[str, Any],
) -> None:
    assert row_from_record(record).shape == "messages"


@pytest.mark.parametrize(
    ("assistant", "text", "reasoning"),
    [
        ({"content": "A", "reasoning_content": "R"}, "A", "R"),
        ({"content": "A", "thinking": "R"}, "A", "R"),
        ({"content": "A", "reasoning_content": None, "thinking": "R"}, "A", "R"),
        ({"content": "<think>\nR\n</think>\n\nA"}, "A", "R"),
        ({"content": "<think>R</think>A", "reasoning_content": ""}, "A", "R"),
        ({"content": "<think>R</think>A", "thinking": "S"}, "<think>R</think>A", "S"),
        ({"content": "<think>\n\n</think>\n\nA"}, "A", ""),
        ({"content": "A <think>R</think>"}, "A <think>R</think>", ""),
        ({"content": "<think>R"}, "<think>R", ""),
        ({"content": "A", "thinking": {"budget": 5}}, "A", ""),
    ],
)
def test_reasoning_is_found_where_the_row_has_it(
    assistant: dict[str, Any], text: str, reasoning: str
) -> None:
    read = conversation({"messages": [USER, {"role": "assistant", **assistant}]}).response

    assert (read.text, read.reasoning) == (text, reasoning)


def test_tags_in_what_a_user_says_are_what_the_user_says() -> None:
    read = conversation({"messages": [{"role": "user", "content": "<think>x</think>y"}, ANSWER]})

    assert read.messages[0].text == "<think>x</think>y"


@pytest.mark.parametrize(
    ("record", "shape"),
    [
        ({"prompt": "Q", "chosen": [ANSWER], "rejected": [ANSWER], "messages": [USER, ANSWER]},
         "preference"),
        ({"messages": [USER, ANSWER], "prompt": "Q", "completion": "B"}, "messages"),
        ({"prompt": "Q", "completion": "A", "response": "B"}, "completion"),
        ({"prompt": "Q", "response": "A", "instruction": "Q", "output": "B"}, "prompt"),
        ({"messages": None, "prompt": "Q", "response": "A"}, "prompt"),
        ({"text": "\n\nHuman: Q\n\nAssistant: A", "prompt": None, "response": None}, "hh"),
    ],
)  # fmt: skip
def test_where_several_shapes_fit_the_first_of_a_stated_order_is_taken(
    record: dict[str, Any], shape: Shape
) -> None:
    assert row_from_record(record).shape == shape


def test_a_shape_can_be_named() -> None:
    record = {"messages": [USER, ANSWER], "prompt": "Q", "response": "B"}

    def named(shape: Shape) -> Row:
        return row_from_record(record, selection=Selection(shape=shape))

    assert named("prompt").conversation.response.text == "B"
    assert named("messages").conversation.response.text == "A"
    assert named("anthropic").shape == "anthropic"


def test_two_conversations_are_refused_until_one_is_named() -> None:
    record = {
        "messages": [USER, ANSWER],
        "conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "B"}],
    }

    assert refusal(record) == (
        "two conversations, in 'messages' and in 'conversations': remove one of the columns, or "
        "name the shape that is meant"
    )
    chosen = row_from_record(record, selection=Selection(shape="sharegpt"))
    assert chosen.conversation.response.text == "B"


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({}, "the columns are none at all"),
        ({"text": "Once upon a time"}, "or a transcript in 'text'; the columns are 'text'"),
        ({"text": "\n\nAssistant: A\n\nHuman: Q"},
         "text is not a transcript: it must begin with 'Human:', not 'Assistant: A\\n\\nHuman: Q'"),
        ({"text": "Note.\n\nHuman: Q\n\nAssistant: A"}, "it must begin with 'Human:', not 'Note."),
        ({"text": "\n\nHuman: Q\n\nAssistant:"}, "empty response: the last assistant turn"),
        ({"text": "\n\nHuman: Q"}, "no assistant turn"),
        ({"conversations": []}, "no assistant turn"),
        ({"conversations": "x"}, "conversations must be a list, not a string"),
        ({"conversations": [{"from": "human"}]}, "conversations[0].value is missing"),
        ({"conversations": [{"from": "human", "value": 5}]},
         "conversations[0].value must be a string, not a number"),
        ({"conversations": [{"from": "alien", "value": "x"}]},
         "conversations[0].from must be one of human, user,"),
        ({"conversations": [{"from": 1, "value": "x"}]}, "from must be one of"),
        ({"conversations": [{"from": "human", "value": "x"}, 5]},
         "conversations[1] must be an object, not a number"),
        ({"conversations": [{"from": "function_call", "value": "{}"}]}, "no assistant turn"),
        ({"instruction": "", "output": "A"}, "instruction is empty"),
        ({"instruction": "Q", "output": None}, "output must be a string, not null"),
        ({"instruction": "Q", "input": [], "output": "A"}, "input must be a string, not an array"),
        ({"instruction": "Q", "output": "A", "history": [["x"]]}, "history[0] must be a pair"),
        ({"instruction": "Q", "output": "A", "history": [["x", 1]]},
         "history[0][1] must be a string, not a number"),
        ({"prompt": "Q", "completion": 5},
         "completion must be a string or a list of messages, not a number"),
        ({"prompt": "Q", "completion": [ANSWER]}, "prompt must be a list of messages"),
        ({"prompt": [USER, ANSWER], "completion": []}, "no assistant turn"),
        ({"prompt": "", "completion": "A"}, "prompt is empty"),
        ({"system": "s", "messages": [USER, {"role": "assistant", "content": None}]},
         "messages[1].content must be a string or a list of blocks, not null"),
        ({"system": "s", "messages": [USER, {"role": "assistant", "content": [5]}]},
         "messages[1].content[0] must be an object, not a number"),
        ({"chosen": "A", "rejected": "B"}, "chosen has no prompt: expected a 'prompt' beside it"),
        ({"prompt": "Q", "chosen": "A", "rejected": None},
         "rejected must be a text or a list of messages, not null"),
        ({"prompt": "Q", "chosen": " ", "rejected": "B"}, "chosen: empty response"),
        ({"prompt": "Q", "chosen": [], "rejected": [ANSWER]},
         "chosen and rejected do not answer the same prompt"),
        ({"chosen": [USER, ANSWER], "rejected": [{**USER, "content": "other"}, ANSWER]},
         "chosen and rejected do not answer the same prompt: their message 1 is neither the same "
         "nor a response of both"),
        ({"chosen": [USER, ANSWER, USER], "rejected": [USER, ANSWER]}, "their message 3 is"),
        ({"prompt": "Q", "response": "<think>R</think>"}, "empty response"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_named_with_its_place(record: dict[str, Any], reason: str) -> None:
    assert reason in refusal(record)


def test_values_that_json_has_no_word_for_are_columns_like_others() -> None:
    record = {"prompt": "Q", "response": "A", "score": float("nan"), "limit": float("inf")}
    row = row_from_record(record)

    written = insert_deliberation(row, "T", "preface")

    assert list(written) == list(record)
    assert written["score"] is record["score"]


def test_nesting_without_end_in_another_column_is_no_matter() -> None:
    nested: list[Any] = []
    for _ in range(150):
        nested = [nested]

    row = row_from_record({"messages": [USER, ANSWER], "nested": nested})

    assert insert_deliberation(row, "T", "thinking")["nested"] is nested


@pytest.mark.parametrize(
    ("record", "messages"),
    [
        ({"messages": [USER, ANSWER] * 50_000}, 100_000),
        ({"conversations": TURNS * 5_000}, 10_000),
        ({"text": "\n\nHuman: Q\n\nAssistant: A" * 5_000}, 10_000),
        ({"system": "s", "messages": [USER, ANSWER] * 5_000}, 10_001),
        ({"chosen": [USER, ANSWER] * 5_000, "rejected": [USER, ANSWER] * 5_000}, 10_000),
    ],
    ids=["messages", "sharegpt", "hh", "anthropic", "preference"],
)
def test_a_very_long_conversation_is_a_row_like_another(
    record: dict[str, Any], messages: int
) -> None:
    row = row_from_record(record, selection=Selection(turns="all"))

    assert len(row.conversation.messages) == messages
    assert len(row.targets) == (1 if row.shape == "preference" else messages // 2)
    assert insert_deliberation(row, "T", "preface").keys() == record.keys()
