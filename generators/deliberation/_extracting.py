"""The steps without a language model: find, quote, check. Nothing is weighed or concluded."""

from dataclasses import replace

from whyset.datasets import part_columns, with_deliberation
from whyset.retriever import Grounding

from .._extracts import check_verbatim, extracted
from .._result import Finished, Rejected
from .._steps import Steps
from ..checks import failed_checks
from ._checking import check_row_kept
from ._gathering import Gathering

LEAD = "Sentences of “{title}” that may bear on this, selected automatically and not weighed:"
"""What stands above the quotations, so that nobody takes them for a reason."""


class ExtractSteps(Gathering):
    """One row's way: the passages that bear on it are quoted beside the untouched response."""

    def _work(self, found: Grounding) -> Steps[Finished | Rejected]:
        quotes = yield from extracted("deliberation/extract", found)
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
        checks = (check_verbatim(quotes, self.passages), *kept)
        self.note(checks=checks)
        if failed_checks(checks):
            return self.failed(checks)
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
