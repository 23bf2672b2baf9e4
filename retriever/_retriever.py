"""The retriever: a constitution's index as a LangChain retriever."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import run_in_executor
from pydantic import Field, SkipValidation

from whyset.constitution import Constitution
from whyset.errors import RetrieverError

from ._embedder import MINILM, Embedder, open_embedder
from ._grounding import Grounding, ScoredPassage
from ._index import PassageIndex

if TYPE_CHECKING:
    from langchain_core.embeddings import Embeddings


class PassageRetriever(BaseRetriever):
    """Finds the passages of a constitution that bear on a text.

    As a LangChain retriever it returns documents: `invoke`, `ainvoke`, `batch`, `abatch`.
    `find_passages` returns what whyset itself works with.

    Attributes:
        index: What is searched. `open` makes one.
        k: How many passages a query gets.
        neighbours: How many passages before and after a found one, in its own section, come along
            in the document's metadata as `before` and `after`.
    """

    index: SkipValidation[PassageIndex] = Field(exclude=True, repr=False)
    k: int = Field(default=8, ge=1)
    neighbours: int = Field(default=0, ge=0)

    @classmethod
    def open(
        cls,
        constitution: Constitution,
        *,
        embedder: "str | Embedder | Embeddings" = MINILM,
        k: int = 8,
        chroma: str | None = None,
        cache_dir: Path | None = None,
        ephemeral: bool = False,
        neighbours: int = 0,
    ) -> "PassageRetriever":
        """Open the index of a constitution, building it where there is none yet.

        Args:
            constitution: What is searched.
            embedder: See `open_embedder`.
            k: How many passages a query gets.
            chroma: A Chroma server, `http://host:port`, to keep the index on.
            cache_dir: The folder to keep it in, if not the user's cache folder.
            ephemeral: Keep it nowhere.
            neighbours: See the attribute.

        Raises:
            EmbedderUnavailable: There is no such embedder on this machine.
            RetrieverError: The server or the embedder failed.
        """
        opened = open_embedder(embedder)
        index = PassageIndex(
            constitution, opened, chroma=chroma, cache_dir=cache_dir, ephemeral=ephemeral
        )
        return cls(index=index, k=k, neighbours=neighbours)

    @property
    def constitution(self) -> Constitution:
        """The constitution that is searched."""
        return self.index.constitution

    @property
    def identity(self) -> str:
        """Everything that decides what is found: constitution, embedder and ranking, as text."""
        return self.index.identity

    @property
    def embedder(self) -> Embedder | None:
        """What turns texts into vectors here; `None` where words alone are searched."""
        return self.index.embedder

    @property
    def relevance_threshold(self) -> float:
        """The `Grounding.relevance` below which a row surely has nothing at stake.

        Measured for the embedded default; 0, which settles nothing, for all others.
        """
        return self.index.relevance_threshold

    def find_passages(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
        """Find the passages that bear on each query; all their texts are embedded in one pass.

        Args:
            queries: Each one or several texts (the turns of a conversation), which are matched
                one by one and their results fused. Empty texts find nothing.
            k: How many passages to return for each, at most.

        Returns:
            One grounding a query, in their order.

        Raises:
            RetrieverError: The embedder failed.
        """
        return self.index.find_passages(queries, k=k)

    def batch(
        self,
        inputs: list[str],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[list[Document]]:
        """Find passages for several texts, which are embedded in one pass."""
        groundings = None
        try:
            groundings = self._ground(inputs)
        except RetrieverError:
            if not return_exceptions:
                raise
        return super().batch(
            inputs, config, return_exceptions=return_exceptions, groundings=groundings, **kwargs
        )

    async def abatch(
        self,
        inputs: list[str],
        config: RunnableConfig | list[RunnableConfig] | None = None,
        *,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[list[Document]]:
        """Find passages for several texts, which are embedded in one pass."""
        groundings = None
        try:
            groundings = await run_in_executor(None, self._ground, inputs)
        except RetrieverError:
            if not return_exceptions:
                raise
        return await super().abatch(
            inputs, config, return_exceptions=return_exceptions, groundings=groundings, **kwargs
        )

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,
        groundings: Mapping[str, Grounding] | None = None,
    ) -> list[Document]:
        if groundings is None:
            groundings = self._ground([query])
        return [self._build_document(scored) for scored in groundings[query].passages]

    async def _aget_relevant_documents(
        self,
        query: str,
        *,
        run_manager: Any,
        groundings: Mapping[str, Grounding] | None = None,
    ) -> list[Document]:
        if groundings is None:
            groundings = await run_in_executor(None, self._ground, [query])
        return [self._build_document(scored) for scored in groundings[query].passages]

    def _ground(self, texts: list[str]) -> dict[str, Grounding]:
        groundings = self.find_passages([[text] for text in texts], k=self.k)
        return dict(zip(texts, groundings, strict=True))

    def _build_document(self, scored: ScoredPassage) -> Document:
        passage = scored.passage
        metadata: dict[str, Any] = {
            "id": passage.id,
            "path": list(passage.path),
            "lines": list(passage.lines),
            "kind": passage.kind,
            "score": scored.score,
            "similarity": scored.similarity,
        }
        if self.neighbours:
            passages, here = self.constitution.passages, self.index.positions[passage.id]
            before = passages[max(here - self.neighbours, 0) : here]
            after = passages[here + 1 : here + 1 + self.neighbours]
            metadata["before"] = [p.plain for p in before if p.path == passage.path]
            metadata["after"] = [p.plain for p in after if p.path == passage.path]
        return Document(page_content=passage.plain, metadata=metadata, id=passage.id)
