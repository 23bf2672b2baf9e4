"""What LangChain's models are called, what tells them apart, and where they keep their limits."""

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel, BaseLLM

_ROOM = (
    "max_tokens",
    "max_output_tokens",
    "max_completion_tokens",
    "num_predict",
    "max_new_tokens",
    "max_tokens_to_sample",
)
"""What the classes call the room for an answer."""

_NO_PART = re.compile(
    r"key|secret|password|credential|authorization|auth|header|cert|proxy|url|endpoint|api_base"
    r"|^base$|host|port|region|timeout|retr|max_.*tokens|max_tokens|num_predict|stream|client"
    r"|callback|cache$|verbose|metadata|tags|rate_limiter|^name$|profile|version"
    r"|(^|_)token$|access_token|organization|project|user",
    re.IGNORECASE,
)
"""Parameters that are secret, or that change how an answer travels and not what it says."""


def room_field(model: "BaseChatModel | BaseLLM") -> str:
    """Return the field in which a class has the room for an answer; empty where it has none."""
    return next((field for field in _ROOM if field in type(model).model_fields), "")


def name_of(model: "BaseChatModel | BaseLLM") -> str:
    """Return `provider:model`."""
    params = model._get_ls_params()
    provider = params.get("ls_provider", "langchain")
    return f"{provider}:{params.get('ls_model_name', model._llm_type)}"


def identity_of(model: "BaseChatModel | BaseLLM") -> str:
    """Return the class, and the public parameters: those it names, and those somebody set."""
    fields = type(model).model_fields
    named = dict(model._identifying_params)
    for field in sorted(model.model_fields_set & set(fields)):
        named.setdefault(field, getattr(model, field))
    named.setdefault("model", name_of(model))
    public = _public(named)
    return f"{type(model).__name__} {json.dumps(public, sort_keys=True, ensure_ascii=False)}"


def _public(value: Any) -> Any:
    """Return the plain, public part of a parameter; `None` where there is none."""
    if isinstance(value, Mapping):
        kept = {
            str(key): plain
            for key, part in value.items()
            if not _NO_PART.search(str(key)) and (plain := _public(part)) is not None
        }
        return kept or None
    if isinstance(value, list | tuple):
        return [plain for part in value if (plain := _public(part)) is not None] or None
    return value if isinstance(value, str | int | float | bool) else None
