"""What is shown of passages, and what of a text is quoted from them."""

from collections.abc import Iterable, Sequence

from whyset.retriever import ScoredPassage

from ._quotations import quotations, stands_in
from ._result import Quote


def quotes_of(text: str, passages: Sequence[ScoredPassage]) -> tuple[Quote, ...]:
    """Return the quotations of a text that stand in a passage, with the passage's id."""
    return placed(quotations(text), passages)


def placed(texts: Iterable[str], passages: Sequence[ScoredPassage]) -> tuple[Quote, ...]:
    """Return those of the texts that stand in a passage, with the id of the first such."""
    found = ((passage_with(text, passages), text) for text in texts)
    return tuple(Quote(source.passage.id, text) for source, text in found if source)


def passage_with(quotation: str, passages: Iterable[ScoredPassage]) -> ScoredPassage | None:
    """Return the first passage in which, as it is shown, a quotation stands word for word."""
    for found in passages:
        if any(stands_in(quotation, shown) for shown in shown_texts(found)):
            return found
    return None


def shown_texts(found: ScoredPassage) -> tuple[str, ...]:
    """Return what a writer is shown of a passage: its text and the sentence that introduces it."""
    passage = found.passage
    return (passage.plain, passage.context) if passage.context else (passage.plain,)


def shown_text(passages: Iterable[ScoredPassage]) -> str:
    """Return all that a writer is shown of passages, for checks that allow what is in it."""
    parts = ((*shown_texts(found), *found.passage.path) for found in passages)
    return "\n".join(part for shown in parts for part in shown)
