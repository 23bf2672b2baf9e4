"""What the extractive writer is asked for: sentences of passages, quoted word for word."""

from collections.abc import Iterable

from pydantic import BaseModel

from whyset.retriever import Grounding, ScoredPassage

from ._asking import judged
from ._result import Quote
from ._steps import Ask, Steps
from .checks import Check, failed, passed


class ExtractedQuote(BaseModel):
    """A sentence and the id of the passage it stands in."""

    passage: str
    text: str


class Extract(BaseModel):
    """What the extractive writer answers."""

    quotes: list[ExtractedQuote]


def extracted(step: str, found: Grounding) -> Steps[tuple[Quote, ...]]:
    """Return the steps that quote what was found.

    Args:
        step: The step's name, which ends in `/extract`.
        found: The passages to quote from, with what they should bear on.

    Raises:
        Unanswered: No usable answer came.
    """
    ask = Ask("writer", step, "", "\n".join(found.texts), 0, grounding=found)
    extract = yield from judged(ask, Extract)
    return tuple(Quote(quote.passage, quote.text) for quote in extract.quotes)


def check_verbatim(quotes: Iterable[Quote], passages: Iterable[ScoredPassage]) -> Check:
    """Every quotation must be a slice of the passage it is said to stand in."""
    texts = {scored.passage.id: scored.passage.plain for scored in passages}
    for quote in quotes:
        if quote.passage not in texts or quote.text not in texts[quote.passage]:
            return failed("quotations", f"not in passage {quote.passage}: {quote.text!r}")
    return passed("quotations")
