"""What a corpus has too much of: openings, names and the like, excluded from the next wave."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from whyset.generators import DocumentGenerator, is_index
from whyset.generators.checks import extract_names, extract_opening

from ..plan import Plan

NAMES, OPENINGS, IDEAS = "names", "openings", "ideas"
"""Kinds of what is excluded; others are called after their axis."""

_MIN_COUNT = 4
"""What has come less often is never overused, whatever the size of the corpus."""

_MAX_SHARES = {NAMES: 0.01, OPENINGS: 0.03}
"""The share of documents from which on a name or an opening is overused."""

_MAX_UNPLANNED_SHARE = 0.1
"""The same for what a generator has found out for itself, such as subtypes."""

_MAX_TIMES_EVEN = 1.5
"""The same for a value of an axis that a model has listed: so many times its even share."""

_MAX_EXCLUSIONS = 30
_MIN_PROSE_WORDS = 8


class OveruseTracker:
    """Counts what accepted documents have in common."""

    def __init__(self, plan: Plan) -> None:
        # Axis and value as drawn → what that stands for, where a number was drawn.
        self.meanings: dict[tuple[str, str], str] = {}
        self._generated = {name: axis.generated for name, axis in plan.variety.items()}
        self._counts: dict[str, Counter[str]] = defaultdict(Counter)
        self._documents = 0
        self._common: dict[str, list[str]] | None = None

    def record_meanings(self, drawn: Mapping[str, str], found: Mapping[str, str]) -> None:
        """Learn what values that the plan drew as numbers stand for, as the generator found."""
        for axis, value in drawn.items():
            if is_index(value) and axis in found:
                self.meanings[axis, value] = found[axis]

    def add(self, texts: Sequence[str], found: Mapping[str, str]) -> None:
        """Count what is in a document's texts, and what the generator found for its axes."""
        self._documents += 1
        self._common = None
        # By document, not by mention: a story may name its hero fifty times.
        self._counts[NAMES].update(set(extract_names("\n\n".join(texts))))
        prose = [text for text in texts if len(text.split()) >= _MIN_PROSE_WORDS]
        self._counts[OPENINGS].update(set(filter(None, map(extract_opening, prose))))
        for axis, value in found.items():
            if self._generated.get(axis, 1):  # what was planned by value is exact already
                self._counts[axis][value] += 1

    def exclusions(self, drawn: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
        """Return what has become too common, by kind, for a document with these draws."""
        if self._common is None:
            self._common = {kind: self._too_common(kind) for kind in sorted(self._counts)}
        excluded = {}
        for kind, values in self._common.items():
            own = drawn.get(kind, "")
            own = self.meanings.get((kind, own), own)
            if left := [value for value in values if value != own]:
                excluded[kind] = tuple(left[:_MAX_EXCLUSIONS])
        return excluded

    def _too_common(self, kind: str) -> list[str]:
        least = max(_MIN_COUNT, self._share(kind) * self._documents)
        found = [(-count, value) for value, count in self._counts[kind].items() if count >= least]
        return [value for _, value in sorted(found)]

    def _share(self, kind: str) -> float:
        if kind in _MAX_SHARES:
            return _MAX_SHARES[kind]
        generated = self._generated.get(kind, 0)
        return _MAX_TIMES_EVEN / generated if generated else _MAX_UNPLANNED_SHARE


def extract_texts(generator: DocumentGenerator, columns: Mapping[str, Any]) -> list[str]:
    """Return a document's texts: each message of a conversation, else the generator's text."""
    messages = columns.get("messages")
    if isinstance(messages, list):
        contents = [each.get("content") for each in messages if isinstance(each, Mapping)]
        return [text for content in contents if (text := _content_text(content))]
    return [generator.document_text(columns)]


def _content_text(content: Any) -> str:
    """Return a message's text, which may come in blocks."""
    if isinstance(content, str):
        return content
    blocks = content if isinstance(content, list) else []
    texts = [block.get("text") for block in blocks if isinstance(block, Mapping)]
    return "\n".join(text for text in texts if isinstance(text, str))


def iter_texts(value: Any) -> Iterable[str]:
    """Yield every text in plain values, however deep it stands."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from iter_texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from iter_texts(each)
