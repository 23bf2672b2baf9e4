"""How many tokens an ask takes: estimated for an announcement, at most for a budget."""

import json
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from whyset.constitution import estimate_tokens
from whyset.generators import Ask

if TYPE_CHECKING:
    from pydantic import BaseModel

# What providers put around a prompt: roles, what they say of reasoning, how to keep to a schema.
_FRAME = 1000


@dataclass(frozen=True, slots=True)
class PromptTokens:
    """An estimate of a prompt's tokens.

    Attributes:
        common: What all asks of the step share, and a provider can cache.
        own: The row's own part, and the schema, wherever the provider puts it.
    """

    common: int
    own: int


def prompt_tokens(ask: Ask) -> PromptTokens:
    """Estimate the tokens of an ask's prompt, as `estimate_tokens` counts."""
    schema = _schema_tokens(ask.schema) if ask.schema else 0
    return PromptTokens(_estimated(ask.system), estimate_tokens(ask.user) + schema)


def most_prompt_tokens(ask: Ask) -> int:
    """Return more tokens than any provider counts for an ask's prompt.

    A token stands for at least one byte of UTF-8 in every tokenizer that works on bytes, as those
    of today's language models do; what providers put around a prompt is allowed for.
    """
    schema = len(_schema(ask.schema)) if ask.schema else 0
    return _bytes(ask.system) + _bytes(ask.user) + schema + _FRAME


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


@lru_cache(maxsize=64)
def _estimated(system: str) -> int:
    return estimate_tokens(system)


@lru_cache(maxsize=64)
def _schema(schema: "type[BaseModel]") -> str:
    return json.dumps(schema.model_json_schema())


def _schema_tokens(schema: "type[BaseModel]") -> int:
    return estimate_tokens(_schema(schema))
