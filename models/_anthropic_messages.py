"""What goes into a message of Anthropic's API and what comes out of one, as JSON.

The same for a message by itself and for one of a batch.
"""

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import anthropic
from anthropic.types.message_create_params import MessageCreateParamsNonStreaming
from anthropic.types.message_param import MessageParam
from anthropic.types.output_config_param import OutputConfigParam

from whyset.generators import Ask, Reply, StopReason, Turn, Usage

from ._prompt import describe_tool_calls, parse_tool_parameters, render_messages

if TYPE_CHECKING:
    from pydantic import BaseModel

Effort = Literal["low", "medium", "high", "xhigh", "max"]
"""How much a model should put into an answer."""

_STOPS: dict[str, StopReason] = {
    "end_turn": "complete",
    "stop_sequence": "complete",
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "refusal": "refused",
}


def build_request(
    ask: Ask, *, model: str, effort: Effort | None
) -> MessageCreateParamsNonStreaming:
    """Return the body of a request."""
    system, user = render_messages(ask)
    turns = (*ask.turns, Turn("user", user))
    request: MessageCreateParamsNonStreaming = {
        "model": model,
        "max_tokens": ask.max_tokens,
        "messages": [_render_turn(turn) for turn in turns],
    }
    if system:
        # Common to every ask of the step: the provider reads it from its cache.
        request["system"] = [
            {"type": "text", "text": system, "cache_control": {"type": "ephemeral"}}
        ]
    if ask.tools:
        request["tools"] = [
            {
                "name": tool.name,
                "description": tool.description,
                "input_schema": parse_tool_parameters(tool),
            }
            for tool in ask.tools
        ]
    output: OutputConfigParam = {}
    if ask.schema is not None:
        output["format"] = {"type": "json_schema", "schema": _strict_schema(ask.schema)}
    if effort is not None:
        output["effort"] = effort
    if output:
        request["output_config"] = output
    return request


def parse_message(body: Any) -> Reply:
    """Return the reply in a message's JSON.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: It is no message.
    """
    if body["type"] != "message":
        raise ValueError(body["type"])
    usage, blocks, reason = body["usage"], body["content"], body["stop_reason"]
    text = "".join([block["text"] for block in blocks if block["type"] == "text"])
    stop: StopReason = _STOPS.get(reason, "other")
    detail = "" if stop == "complete" else str(reason or "no stop reason")
    if stop == "refused" and (more := body.get("stop_details")):
        said = [str(more[part]) for part in ("category", "explanation") if more.get(part)]
        detail = ": ".join(said) or detail
    if reason == "tool_use":
        detail = (
            describe_tool_calls(part["name"] for part in blocks if part["type"] == "tool_use")
            or detail
        )
    if stop == "complete" and not text.strip():
        stop, detail = "other", "empty"
    return Reply(
        text=text,
        stop_reason=stop,
        usage=Usage(
            input_tokens=_parse_token_count(usage["input_tokens"]),
            output_tokens=_parse_token_count(usage["output_tokens"]),
            cache_read_tokens=_parse_token_count(usage.get("cache_read_input_tokens")),
            cache_write_tokens=_parse_token_count(usage.get("cache_creation_input_tokens")),
        ),
        model=str(body["model"]),
        detail=detail,
    )


def _render_turn(turn: Turn) -> MessageParam:
    if turn.role == "user":
        return {"role": "user", "content": turn.text}
    return {"role": "assistant", "content": turn.text}


def _parse_token_count(tokens: Any) -> int:
    if tokens is None:
        return 0
    if not isinstance(tokens, int):
        raise TypeError(f"not a number of tokens: {tokens!r}")
    return tokens


@lru_cache(maxsize=256)
def _strict_schema(schema: "type[BaseModel]") -> dict[str, Any]:
    return anthropic.transform_schema(schema)
