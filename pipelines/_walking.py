"""Rows walked side by side without a model, so that their finds are answered together."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from whyset.generators import Ask, Fetch, Find, Finished, Rejected, Reply, Steps
from whyset.retriever import Grounding, Searcher, fetch


class CutShort(Exception):
    """What answers an ask that ends a row's walk."""


@dataclass(slots=True)
class _Walker:
    steps: Steps[Finished | Rejected]
    answer: Callable[[Ask], Reply]

    def advance(self, sent: Grounding | None) -> Find | Fetch | None:
        """Go on to the next find or fetch; `None` where there is none any more."""
        try:
            question = next(self.steps) if sent is None else self.steps.send(sent)
            while isinstance(question, Ask):
                question = self.steps.send(self.answer(question))
        except (StopIteration, CutShort):
            self.steps.close()
            return None
        return question


class Walk:
    """Steps of many rows, led to their ends with real retrieval.

    Equal finds are answered once: the same row may be walked in several ways for the price of one.
    """

    def __init__(self, retriever: Searcher) -> None:
        self._retriever = retriever
        self._walkers: list[_Walker] = []

    def add(self, steps: Steps[Finished | Rejected], answer: Callable[[Ask], Reply]) -> None:
        """Add a row's steps, and who answers their asks: a reply, or `CutShort`."""
        self._walkers.append(_Walker(steps, answer))

    def run(self) -> None:
        """Lead all that were added to their ends.

        Raises:
            RetrieverError: The embedder or the index failed.
            GeneratorError: The generator cannot be walked.
        """
        known: dict[Find | Fetch, Grounding] = {}
        wanted = [(walker, walker.advance(None)) for walker in self._walkers]
        while asked := [(walker, find) for walker, find in wanted if find is not None]:
            new = dict.fromkeys(find for _, find in asked if find not in known)
            known.update(zip(new, self._found(new), strict=True))
            wanted = [(walker, walker.advance(known[find])) for walker, find in asked]
        self._walkers.clear()

    def _found(self, finds: Iterable[Find | Fetch]) -> Sequence[Grounding]:
        ordered = list(finds)
        by_k: dict[int, list[tuple[int, Find]]] = defaultdict(list)
        found: dict[int, Grounding] = {}
        for place, find in enumerate(ordered):
            if isinstance(find, Fetch):
                found[place] = fetch(self._retriever.constitution, find.ids, scope=find.scope)
            else:
                by_k[find.k].append((place, find))
        for k, wanted in by_k.items():
            groundings = self._retriever.ground([find.texts for _, find in wanted], k=k)
            found.update(zip((place for place, _ in wanted), groundings, strict=True))
        return [found[place] for place in range(len(ordered))]
