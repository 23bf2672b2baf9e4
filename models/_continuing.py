"""A text to be gone on with, put to a model that only answers messages.

Assistant turns that are only begun would be the natural form of it; Anthropic's models refuse them
since 4.6 ("prefill not supported", HTTP 400), and other chat models begin a new turn after them. So
the beginning is the message, and what to do with it the system prompt, `prompts/continue.md`.
"""

from functools import cache
from importlib.resources import files

from whyset.generators import Ask


def beginning(ask: Ask) -> str:
    """Return the text that an ask begins: what is common to the step, then the row's own."""
    return "\n\n".join(part for part in (ask.system, ask.user) if part)


def as_messages(ask: Ask) -> tuple[str, str]:
    """Return an ask's system prompt and last message, for a model that only answers messages."""
    return (_instruction(), beginning(ask)) if ask.prefix else (ask.system, ask.user)


@cache
def _instruction() -> str:
    source = files("whyset.models").joinpath("prompts", "continue.md")
    return source.read_text(encoding="utf-8").strip()
