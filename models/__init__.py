"""Who answers: language models through LangChain or Anthropic's SDK, and the extractive writer.

Importing this package imports no vendor's code: each adapter is loaded when it is first named.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from whyset.errors import (
    RETRYABLE_ERRORS,
    BatchNotFound,
    BatchTooLarge,
    ModelAccessDenied,
    ModelError,
    ModelUnavailable,
    UnusableReply,
)

from ._batching import (
    BatchingModel,
    BatchResult,
    BatchStatus,
    MessageBatches,
)
from ._open import RetryingModel, RetryPolicy, coerce_model, default_model_name, open_model

if TYPE_CHECKING:
    from ._anthropic import AnthropicModel
    from ._completion import CompletionModel
    from ._extractive import ExtractiveModel
    from ._langchain import LangChainModel
    from ._prices import Price, Prices

_LAZY = {
    "AnthropicModel": "._anthropic",
    "CompletionModel": "._completion",
    "ExtractiveModel": "._extractive",
    "LangChainModel": "._langchain",
    "Price": "._prices",
    "Prices": "._prices",
}

__all__ = [
    "RETRYABLE_ERRORS",
    "AnthropicModel",
    "BatchNotFound",
    "BatchResult",
    "BatchStatus",
    "BatchTooLarge",
    "BatchingModel",
    "CompletionModel",
    "ExtractiveModel",
    "LangChainModel",
    "MessageBatches",
    "ModelAccessDenied",
    "ModelError",
    "ModelUnavailable",
    "Price",
    "Prices",
    "RetryPolicy",
    "RetryingModel",
    "UnusableReply",
    "coerce_model",
    "default_model_name",
    "open_model",
]


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    loaded = getattr(import_module(_LAZY[name], __name__), name)
    globals()[name] = loaded
    return loaded


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(_LAZY))
