"""Who answers: language models through LangChain or Anthropic's SDK, and the extractive writer.

Importing this package imports no vendor's code: each adapter is loaded when it is first named.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from whyset.errors import RETRYABLE, ModelError, ModelRefused, ModelUnavailable, UnusableReply

from ._batching import (
    BatchingModel,
    BatchResult,
    BatchStatus,
    BatchTooLarge,
    BatchUnknown,
    MessageBatches,
)
from ._open import PatientModel, RetryPolicy, adopt, default_model_name, open_model

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
    "RETRYABLE",
    "AnthropicModel",
    "BatchResult",
    "BatchStatus",
    "BatchTooLarge",
    "BatchUnknown",
    "BatchingModel",
    "CompletionModel",
    "ExtractiveModel",
    "LangChainModel",
    "MessageBatches",
    "ModelError",
    "ModelRefused",
    "ModelUnavailable",
    "PatientModel",
    "Price",
    "Prices",
    "RetryPolicy",
    "UnusableReply",
    "adopt",
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
