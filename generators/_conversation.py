"""A row's conversation asked as itself, so that a model answers it as it would any user's."""

import json
from collections.abc import Sequence

from whyset.datasets import Conversation, Message, Row, ToolDefinition

from ._asking import AskFailed, ItemRejected, ask_writer
from ._steps import Ask, Steps, Tool, Turn

_NO_ARGUMENTS = {"type": "object", "properties": {}}
_SYSTEM_ROLES = frozenset({"system", "developer"})

# As models that are asked with tools report it (`whyset.models`).
_TOOL_CALL_DETAIL = "it calls "


class UnsupportedConversation(ItemRejected):
    """A conversation that cannot be asked as itself; the message says why.

    Attributes:
        reason: One word for the count of reasons.
    """

    def __init__(self, detail: str, *, reason: str = "unaskable") -> None:
        super().__init__(reason, detail=detail)
        self.reason = reason


def validate_row(row: Row) -> None:
    """Make sure that a row's conversation can be asked, and a text stand for its response.

    Raises:
        UnsupportedConversation: It cannot: `several_targets`, `tool_calls` or `unaskable`.
    """
    if len(row.targets) > 1:
        raise UnsupportedConversation(
            "the row has several target responses, and replacing one would break the turn after "
            "it: select a single turn",
            reason="several_targets",
        )
    response = row.conversation.response
    if response.tool_calls:
        raise UnsupportedConversation(
            "the response calls tools, and text cannot replace a tool call",
            reason="tool_calls",
        )
    if kinds := _find_non_text_parts(response):
        raise UnsupportedConversation(f"the response contains more than text: {', '.join(kinds)}")
    to_turns(row.conversation)


def find_system_message(conversation: Conversation) -> Message | None:
    """Return the system prompt that a conversation begins with."""
    first = conversation.messages[0]
    return first if first.role in _SYSTEM_ROLES else None


def messages_before_response(conversation: Conversation) -> tuple[Message, ...]:
    """Return what the response answers, but for the system prompt that it all begins with."""
    before = conversation.prompt
    return before[1:] if find_system_message(conversation) else before


def to_turns(conversation: Conversation) -> tuple[Turn, ...]:
    """Return what precedes the response as turns; the user begins and ends, the two alternate.

    Several messages of one side become one turn. Reasoning is left out: no model is shown that of
    earlier turns.

    Raises:
        UnsupportedConversation: The conversation holds what turns cannot.
    """
    turns: list[Turn] = []
    for message in messages_before_response(conversation):
        turn = _to_turn(message)
        if turns and turns[-1].role == turn.role:
            turns[-1] = Turn(turn.role, f"{turns[-1].text}\n\n{turn.text}")
        else:
            turns.append(turn)
    if not turns or turns[0].role != "user" or turns[-1].role != "user":
        raise UnsupportedConversation(
            "the conversation does not begin and end with the user's turn"
        )
    return tuple(turns)


def to_tool(offered: ToolDefinition) -> Tool:
    """Return a tool of a row as a model is given it."""
    schema = _NO_ARGUMENTS if offered.schema is None else offered.schema
    return Tool(offered.name, offered.description, json.dumps(schema, ensure_ascii=False))


def build_conversation_ask(
    step: str,
    conversation: Conversation,
    *,
    system: str,
    tools: Sequence[ToolDefinition],
    max_tokens: int,
    sample: int = 0,
) -> Ask:
    """Return the ask that is the conversation itself: nothing but what is given is said.

    Raises:
        UnsupportedConversation: The conversation holds what turns cannot.
    """
    *turns, last = to_turns(conversation)
    return Ask(
        "writer",
        step,
        system,
        last.text,
        max_tokens,
        sample=sample,
        turns=tuple(turns),
        tools=tuple(map(to_tool, tools)),
    )


def sample_response(ask: Ask) -> Steps[str]:
    """Ask for a response; where the answer was cut off, ask once more with twice the room.

    Raises:
        AskFailed: No complete answer came; for the reason `used_tool`, because it calls one.
    """
    try:
        return (yield from ask_writer(ask))
    except AskFailed as unanswered:
        detail = str(unanswered)
        called = ask.tools and detail.startswith(f"{ask.step}: {_TOOL_CALL_DETAIL}")
        if called and unanswered.reason == "unusable_reply":
            raise AskFailed("used_tool", detail) from unanswered
        raise


def _to_turn(message: Message) -> Turn:
    if message.role in _SYSTEM_ROLES:
        raise UnsupportedConversation("a system prompt appears in the middle of the conversation")
    if message.role not in {"user", "assistant"} or message.tool_calls:
        raise UnsupportedConversation(
            "tools were called before the response, which text turns cannot represent"
        )
    if kinds := _find_non_text_parts(message):
        raise UnsupportedConversation(f"a turn contains more than text: {', '.join(kinds)}")
    if not message.text.strip():
        raise UnsupportedConversation("a turn before the response is empty")
    return Turn("user" if message.role == "user" else "assistant", message.text)


def _find_non_text_parts(message: Message) -> list[str]:
    """Return the kinds of parts that are neither text nor thinking, which is left out anyway."""
    kinds = {str(part.get("type")) for part in message.parts}
    return sorted(kinds - {"text", "thinking", "redacted_thinking"})
