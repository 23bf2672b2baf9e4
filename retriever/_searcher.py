"""What can be searched for passages, as far as the rest of whyset needs to know."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from whyset.constitution import Constitution

from ._grounding import Grounding


@runtime_checkable
class Searcher(Protocol):
    """Anything that finds passages: a `PassageRetriever`, or a fake in a test."""

    @property
    def constitution(self) -> Constitution:
        """The constitution the passages come from."""

    @property
    def identity(self) -> str:
        """Everything that decides what is found: constitution, embedder and ranking, as text."""

    def ground(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
        """Find the passages that bear on each query.

        Args:
            queries: Each one or several texts (the turns of a conversation), which are matched
                one by one and their results fused. Empty texts find nothing.
            k: How many passages to return for each, at most.

        Returns:
            One grounding a query, in their order.
        """
