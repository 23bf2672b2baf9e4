"""What keeps a model of LangChain's from being opened, said so that a person knows what to type."""

import re
from typing import TYPE_CHECKING

from pydantic import SecretStr

from whyset.errors import ModelError

from ._faults import excerpt

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel, BaseLLM

_VARIABLE = re.compile(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*_(?:API_KEY|KEY|TOKEN)\b")


def cannot_open(spec: str, said: str) -> str:
    """Return what to say where a class cannot be made: which key is missing, where it is that."""
    if (variable := _VARIABLE.search(said)) is not None:
        return f"{spec} needs a key: set {variable[0]}."
    return f"{spec} cannot be opened: {excerpt(said)}"


def require_key(spec: str, model: "BaseChatModel | BaseLLM") -> None:
    """Raise where the class has a field for a key and nothing in it."""
    for field, variable in model.lc_secrets.items():
        value = getattr(model, field, None)
        if isinstance(value, SecretStr) and not value.get_secret_value():
            if "authorization" in str(getattr(model, "default_headers", None)).lower():
                continue
            raise ModelError(f"{spec} needs a key: set {variable}.")
