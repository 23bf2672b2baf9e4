"""What is shown of passages, and what of a text is quoted from them."""

from collections.abc import Iterable, Sequence

from whyset.retriever import ScoredPassage

from ._quotations import quotations, stands_in
from ._result import Quote


def quotes_of(text: str, passages: Sequence[ScoredPassage]) -> tuple[Quote, ...]:
    """Return the quotations of a text that stand in a passage, with the passage's id."""
    found = []
    for quotation in quotations(text):
        for scored in passages:
            if any(stands_in(quotation, shown) for shown in shown_texts(scored)):
                found.append(Quote(scored.passage.id, quotation))
                break
    return tuple(found)


def shown_texts(found: ScoredPassage) -> tuple[str, ...]:
    """Return what a writer is shown of a passage: its text and the sentence that introduces it."""
    passage = found.passage
    return (passage.plain, passage.context) if passage.context else (passage.plain,)


def shown_text(passages: Iterable[ScoredPassage]) -> str:
    """Return all that a writer is shown of passages, for checks that allow what is in it."""
    parts = ((*shown_texts(found), *found.passage.path) for found in passages)
    return "\n".join(part for shown in parts for part in shown)
