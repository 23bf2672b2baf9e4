"""A row's conversation asked as itself."""

from typing import Any

import pytest

from whyset.datasets import Selection, ToolDefinition, row_from_record
from whyset.generators import Ask, AskFailed, Reply, Turn, run_steps
from whyset.generators._conversation import (
    UnsupportedConversation,
    build_conversation_ask,
    sample_response,
    to_tool,
    to_turns,
    validate_row,
)

USER = {"role": "user", "content": "Q"}
ANSWER = {"role": "assistant", "content": "A"}
CALL = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
}
RESULT = {"role": "tool", "tool_call_id": "1", "content": "R"}
IMAGE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}


def _row(*messages: dict[str, Any], **selection: Any) -> Any:
    return row_from_record({"messages": list(messages)}, selection=Selection(**selection))


def test_what_precedes_the_response_is_said_and_nothing_else() -> None:
    system = {"role": "system", "content": "S"}
    row = _row(system, USER, {**ANSWER, "reasoning_content": "why"}, USER, ANSWER, USER, turns=2)

    assert to_turns(row.conversation) == (
        Turn("user", "Q"),
        Turn("assistant", "A"),
        Turn("user", "Q"),
    )


def test_several_messages_of_one_side_are_one_turn() -> None:
    row = _row(USER, {"role": "user", "content": "and?"}, ANSWER)

    assert to_turns(row.conversation) == (Turn("user", "Q\n\nand?"),)


def test_it_is_asked_under_the_system_prompt_that_is_given_with_the_tools_at_hand() -> None:
    row = _row(USER, ANSWER, USER, ANSWER)
    tool = ToolDefinition("weigh", "Weighs.", {"type": "object", "properties": {"ß": {}}})

    ask = build_conversation_ask(
        "x/respond", row.conversation, system="S", tools=[tool], max_tokens=9, sample=2
    )

    assert ask == Ask(
        "writer",
        "x/respond",
        "S",
        "Q",
        9,
        sample=2,
        turns=(Turn("user", "Q"), Turn("assistant", "A")),
        tools=(to_tool(tool),),
    )
    assert ask.tools[0].parameters == '{"type": "object", "properties": {"ß": {}}}'
    assert to_tool(ToolDefinition("bare")).parameters == '{"type": "object", "properties": {}}'


@pytest.mark.parametrize(
    ("messages", "reason", "message"),
    [
        ((USER, CALL, RESULT, ANSWER), "unaskable", "tools were called before the response"),
        ((IMAGE, ANSWER), "unaskable", "a turn contains more than text: image_url"),
        ((ANSWER, USER, ANSWER), "unaskable", "begin and end with the user's turn"),
        ((USER, ANSWER, ANSWER), "unaskable", "begin and end with the user's turn"),
        ((ANSWER,), "unaskable", "begin and end with the user's turn"),
        ((USER, {"role": "system", "content": "S"}, ANSWER), "unaskable", "in the middle"),
        (({"role": "user", "content": " "}, ANSWER), "unaskable", "is empty"),
        ((USER, CALL), "tool_calls", "text cannot replace a tool call"),
    ],
)
def test_what_turns_cannot_hold_is_not_asked(
    messages: tuple[dict[str, Any], ...], reason: str, message: str
) -> None:
    with pytest.raises(UnsupportedConversation, match=message) as found:
        validate_row(_row(*messages))

    assert found.value.reason == reason


def test_of_several_responses_none_is_asked_for() -> None:
    with pytest.raises(UnsupportedConversation, match="select a single turn") as found:
        validate_row(_row(USER, ANSWER, USER, ANSWER, turns="all"))

    assert found.value.reason == "several_targets"


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (Reply("", "other", detail="it calls weigh"), "used_tool"),
        (Reply("", "other", detail="empty"), "unusable_reply"),
        (Reply("", "refused", detail="it calls weigh"), "refused"),
    ],
)
def test_a_reply_that_calls_a_tool_is_told_from_others(reply: Reply, reason: str) -> None:
    row = _row(USER, ANSWER)
    ask = build_conversation_ask(
        "x/respond", row.conversation, system="", tools=[ToolDefinition("weigh")], max_tokens=9
    )

    with pytest.raises(AskFailed) as found:
        run_steps(
            sample_response(ask), lambda _: reply, lambda _: pytest.fail("nothing is to be found")
        )

    assert found.value.reason == reason
