"""What a model of LangChain's is known by and asked with, whichever kind it is."""

from typing import TYPE_CHECKING

from ._langchain_faults import Faults
from ._langchain_params import identity_of, room_field

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel, BaseLLM


class OfLangChain:
    """What chat models and base models have in common."""

    traced = True
    """LangChain's callbacks see every ask."""

    def __init__(self, model: "BaseChatModel | BaseLLM", *, name: str, timeout: float) -> None:
        self._name = name
        self._identity = identity_of(model)
        self._faults = Faults(name, model)
        self._room = room_field(model)
        self._seconds = timeout

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._name!r})"

    @property
    def name(self) -> str:
        """`provider:model`; of a base model `completion:provider:model`."""
        return self._name

    @property
    def identity(self) -> str:
        """The model's class and its public parameters; no keys, addresses, timeouts or limits."""
        return self._identity

    @property
    def extractive(self) -> bool:
        """Always false."""
        return False
