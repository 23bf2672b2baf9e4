"""Whatever a caller has that can answer → a `Model` that also bides its time."""

import asyncio
import time
from typing import Any

from whyset.errors import RETRYABLE, ModelError
from whyset.generators import Ask, Model, Reply

from ._open import open_model
from ._retrying import RetryPolicy


def adopt(model: Any, *, retries: RetryPolicy = RetryPolicy()) -> Model:
    """Return a `Model` that asks again after passing faults.

    Args:
        model: A `provider:model` string, a LangChain chat model, a LangChain completion model
            (`BaseLLM`) or a `Model`.
        retries: When and how often to ask again; takes the place of an earlier adoption's.

    Raises:
        ModelError: It cannot be opened, or is nothing that answers.
    """
    if isinstance(model, PatientModel):
        return PatientModel(model.patient_for, retries)
    if isinstance(model, str):
        return PatientModel(open_model(model), retries)
    if isinstance(model, Model):
        return PatientModel(model, retries)
    if not callable(getattr(model, "with_structured_output", None)):
        raise ModelError(
            f"A {type(model).__name__} is nothing that answers: give provider:model, a LangChain "
            "chat or completion model, or a whyset.generators.Model."
        )
    from ._completion import CompletionModel, completes
    from ._langchain import LangChainModel

    if completes(model):
        return PatientModel(CompletionModel(model), retries)
    return PatientModel(LangChainModel(model), retries)


class PatientModel:
    """A model whose passing faults are waited out; otherwise the model itself.

    Args:
        model: Who answers.
        retries: When and how often it is asked again.

    Attributes:
        patient_for: The model itself.
    """

    def __init__(self, model: Model, retries: RetryPolicy) -> None:
        self.patient_for = model
        self._retries = retries

    def __repr__(self) -> str:
        return f"PatientModel({self.patient_for!r}, {self._retries!r})"

    @property
    def name(self) -> str:
        """The model's own."""
        return self.patient_for.name

    @property
    def identity(self) -> str:
        """The model's own: patience changes no reply."""
        return self.patient_for.identity

    @property
    def extractive(self) -> bool:
        """The model's own."""
        return self.patient_for.extractive

    @property
    def traced(self) -> bool:
        """Whether LangChain's callbacks see the model's asks without anybody's help."""
        return bool(getattr(self.patient_for, "traced", False))

    def answer(self, ask: Ask) -> Reply:
        """Answer one ask, in as many attempts as the policy allows.

        Raises:
            ModelError: The last attempt's error, or the first one that waiting cannot mend.
        """
        for failed in range(1, self._retries.attempts):
            try:
                return self.patient_for.answer(ask)
            except RETRYABLE as error:
                time.sleep(self._retries.wait(failed, error.retry_after))
        return self.patient_for.answer(ask)

    async def aanswer(self, ask: Ask) -> Reply:
        """Answer one ask, asynchronously; as `answer`."""
        for failed in range(1, self._retries.attempts):
            try:
                return await self.patient_for.aanswer(ask)
            except RETRYABLE as error:
                await asyncio.sleep(self._retries.wait(failed, error.retry_after))
        return await self.patient_for.aanswer(ask)

    async def aclose(self) -> None:
        """Release the model's connections."""
        await self.patient_for.aclose()
