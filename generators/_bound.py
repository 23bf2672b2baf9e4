"""A generator bound to a model and a retriever: a LangChain `Runnable`."""

from collections.abc import Mapping
from importlib.metadata import entry_points
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForChainRun, CallbackManagerForChainRun
from langchain_core.runnables import Runnable, RunnableConfig

from whyset.errors import Declined, RowRejected
from whyset.retriever import Grounding, Searcher, fetch

from ._driving import Driven, adrive, drive
from ._generator import Generator
from ._result import Finished, Rejected, with_provenance
from ._steps import Ask, Fetch, Find, Model, Reply
from ._tracing import aanswered, afound, answered, found

_ADOPT = "whyset.adopt"


class BoundGenerator(Runnable[dict[str, Any], dict[str, Any]]):
    """Takes a row's columns or a brief's values, returns a row with the `whyset` column.

    `invoke`, `batch`, `ainvoke` and `abatch` are LangChain's own; every ask is a child run, named
    after its step, with the model's own run and its tokens in it, and every find a retriever's
    run, so that callbacks and tracers see each one. A row that does not pass raises
    `RowRejected`: use `batch(..., return_exceptions=True)` to get the others all the same.
    """

    def __init__(
        self, generator: Generator, writer: Model, judge: Model, retriever: Searcher
    ) -> None:
        self.name = generator.name
        self.generator = generator
        self.models: Mapping[str, Model] = {"writer": writer, "judge": judge}
        self.retriever = retriever

    @classmethod
    def of(
        cls, generator: Generator, writer: Model, judge: Model, retriever: Searcher
    ) -> "BoundGenerator":
        """Bind a generator, or its extractive variant where the writer can do no more.

        Raises:
            Declined: The judge cannot judge, or there is no extractive variant.
        """
        if writer.extractive:
            generator = generator.extractive()
        elif judge.extractive:
            raise Declined("the extractive model cannot judge; name a language model as judge")
        return cls(generator, writer, judge, retriever)

    def invoke(
        self, input: dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Finish one row.

        Raises:
            DatasetError: The columns hold no usable conversation.
            RowRejected: The row did not pass.
            ModelError: A model could not be asked.
        """
        return self._call_with_config(self._invoke, input, config)

    async def ainvoke(
        self, input: dict[str, Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """Finish one row, asynchronously; as `invoke`."""
        return await self._acall_with_config(self._ainvoke, input, config)

    def _invoke(
        self,
        columns: dict[str, Any],
        run_manager: CallbackManagerForChainRun,
        config: RunnableConfig,
    ) -> dict[str, Any]:
        def answer(ask: Ask) -> Reply:
            return answered(ask, self.models[ask.role], config, run_manager)

        def find(wanted: Find | Fetch) -> Grounding:
            return found(wanted, self._find, run_manager)

        driven = drive(self.generator.steps(self.generator.item(columns)), answer, find)
        return self._columns(driven)

    async def _ainvoke(
        self,
        columns: dict[str, Any],
        run_manager: AsyncCallbackManagerForChainRun,
        config: RunnableConfig,
    ) -> dict[str, Any]:
        async def answer(ask: Ask) -> Reply:
            return await aanswered(ask, self.models[ask.role], config, run_manager)

        async def find(wanted: Find | Fetch) -> Grounding:
            return await afound(wanted, self._find, run_manager)

        driven = await adrive(self.generator.steps(self.generator.item(columns)), answer, find)
        return self._columns(driven)

    def _find(self, wanted: Find | Fetch) -> Grounding:
        if isinstance(wanted, Fetch):
            return fetch(self.retriever.constitution, wanted.ids, scope=wanted.scope)
        return self.retriever.ground([wanted.texts], k=wanted.k)[0]

    def _columns(self, driven: Driven[Finished | Rejected]) -> dict[str, Any]:
        result = driven.result
        if isinstance(result, Rejected):
            raise RowRejected(result.reasons, result.detail)
        names = {role: model.name for role, model in self.models.items()}
        return with_provenance(result, usage=driven.usage, models=names)


def as_model(model: Any) -> Model:
    """Return who answers, from a `Model`, a `provider:model` string or a LangChain chat model.

    The room of models stands above this one; it is reached through the door by which models of
    third parties come in, too.
    """
    if isinstance(model, Model):
        return model
    (door,) = entry_points(group=_ADOPT, name="model")
    opened: Model = door.load()(model)
    return opened
