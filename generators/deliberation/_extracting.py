"""The steps without a language model: find, quote, check. Nothing is weighed or concluded."""

from dataclasses import replace

from pydantic import BaseModel

from whyset.datasets import part_columns, with_deliberation
from whyset.retriever import Grounding

from .._asking import judged
from .._result import Finished, Quote, Rejected
from .._steps import Ask, Steps
from ..checks import Check
from ._checking import check_row_kept
from ._gathering import Gathering, failed_checks

LEAD = "Sentences of “{title}” that may bear on this, selected automatically and not weighed:"
"""What stands above the quotations, so that nobody takes them for a reason."""


class ExtractedQuote(BaseModel):
    """A sentence and the id of the passage it stands in."""

    passage: str
    text: str


class Extract(BaseModel):
    """What the extractive writer answers."""

    quotes: list[ExtractedQuote]


class ExtractSteps(Gathering):
    """One row's way: the passages that bear on it are quoted beside the untouched response."""

    def _work(self, found: Grounding) -> Steps[Finished | Rejected]:
        ask = Ask("writer", "deliberation/extract", "", "\n".join(found.texts), 0, grounding=found)
        extract = yield from judged(ask, Extract)
        quotes = tuple(Quote(quote.passage, quote.text) for quote in extract.quotes)
        quoted = {quote.passage for quote in quotes}
        self.note(
            quotes=quotes,
            passages=tuple(scored for scored in found.passages if scored.passage.id in quoted),
        )
        if not quotes:
            return self._untouched("no sentence to quote")
        self.draft = draft = self._annotation(found)
        columns = with_deliberation(self._row, draft, self._options.channel)
        kept = check_row_kept(self._row, columns, channel=self._options.channel)
        checks = (self._check_verbatim(), *kept)
        self.note(checks=checks)
        if failed := failed_checks(checks):
            return self.failed(failed)
        original = part_columns(self._row)
        finished = self.finished("annotated", columns, original=original.content)
        added = self._options.channel == "thinking"
        return replace(finished, original_reasoning=original.reasoning if added else None)

    def _annotation(self, found: Grounding) -> str:
        paths = {scored.passage.id: scored.passage.path for scored in self.evidence.passages}
        parts = [LEAD.format(title=found.title)]
        for quote in self.evidence.quotes:
            path = paths.get(quote.passage, ())
            # The top heading is most often the document's title, which the lead has.
            source = f" ({' > '.join(path[1:] or path)})" if path else ""
            lines = f"{quote.text}{source}".splitlines()
            parts.append("\n".join(f"> {line}" for line in lines))
        return "\n\n".join(parts)

    def _check_verbatim(self) -> Check:
        """Every quotation must be a slice of the passage it is said to stand in."""
        texts = {scored.passage.id: scored.passage.plain for scored in self.evidence.passages}
        for quote in self.evidence.quotes:
            if quote.text not in texts.get(quote.passage, ""):
                detail = f"not in passage {quote.passage}: {quote.text!r}"
                return Check("quotations", "failed", detail)
        return Check("quotations", "passed")
