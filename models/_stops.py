"""Why an answer ended, by what providers call it; the names they all use are in one table."""

from collections.abc import Mapping
from typing import Any

from whyset.generators import Stop

_STOPS: dict[str, Stop] = {
    # Anthropic and Bedrock
    "end_turn": "complete",
    "stop_sequence": "complete",
    "max_tokens": "truncated",
    "model_context_window_exceeded": "truncated",
    "refusal": "refused",
    "guardrail_intervened": "refused",
    "content_filtered": "refused",
    # OpenAI and those who speak like it, Ollama
    "stop": "complete",
    "length": "truncated",
    "content_filter": "refused",
    # Google
    "safety": "refused",
    "recitation": "refused",
    "blocklist": "refused",
    "prohibited_content": "refused",
    "spii": "refused",
    # Hugging Face's server of base models
    "eos_token": "complete",
    # Cohere
    "complete": "complete",
    "error_toxic": "refused",
}
_TOOL_STOPS = frozenset({"tool_use", "tool_calls", "function_call", "tool_call"})
_REASONS = ("stop_reason", "stopReason", "finish_reason", "done_reason")


def stop_of(metadata: Mapping[str, Any], *, called_as_asked: bool = False) -> tuple[Stop, str]:
    """Return why an answer ended, and what the provider called it where that is no clean end.

    A provider that gives no reason at all is taken at its word: the answer counts as complete.
    """
    reason = next((metadata[name] for name in _REASONS if metadata.get(name)), None)
    if reason is None:
        return "complete", ""
    said = str(getattr(reason, "name", reason))
    if said.lower() in _TOOL_STOPS and called_as_asked:
        return "complete", ""
    stop = _STOPS.get(said.lower(), "other")
    return stop, "" if stop == "complete" else said
