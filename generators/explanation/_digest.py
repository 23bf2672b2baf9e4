"""The digest: what explaining comes to without a language model: quotations, no conclusion."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from whyset.retriever import Grounding, ScoredPassage

from .._asking import Unanswered
from .._brief import Brief
from .._extracts import check_verbatim, extracted
from .._grounds import Grounds
from .._prompts import PromptSet
from .._result import Evidence, Finished, Quote, Rejected
from .._steps import Steps
from .._working import Working
from ..checks import failed_checks
from ._grounds import gather
from ._options import Options

LEAD = (
    "Sentences of “{title}”{subject}, quoted word for word in the order of the text. They were "
    "selected automatically; nothing is weighed, added or concluded."
)
"""What stands above the quotations, so that nobody takes them for an explanation."""

_BEFORE_HEADINGS = "Before the first heading"

Path = tuple[str, ...]


class DigestSteps(Working):
    """One digest's way: gather, quote section by section, check. Good for one only."""

    def __init__(
        self, brief: Brief, options: Options, evidence: Evidence, prompts: PromptSet
    ) -> None:
        super().__init__(evidence, prompts)
        self._brief = brief
        self._options = options

    def steps(self) -> Steps[Finished | Rejected]:
        """Return the steps of a digest."""
        try:
            grounds = yield from gather(self, self._brief, self._options)
            quotes = yield from self._quotes(grounds)
        except Unanswered as unanswered:
            return self.unanswered(unanswered)
        held = {scored.passage.id: scored for scored in grounds.whole.passages}
        quoted = dict.fromkeys(quote.passage for quote in quotes)
        checks = (check_verbatim(quotes, grounds.whole.passages),)
        self.settle(about=self._brief.about)
        self.note(
            quotes=quotes,
            passages=tuple(held[name] for name in quoted if name in held),
            checks=checks,
        )
        if not quotes:
            return self.rejected("nothing_to_quote", detail="no sentence is fit to quote")
        if failed_checks(checks):
            return self.failed(checks)
        return self.finished("annotated", {"text": self._digest(quotes, held, grounds)})

    def _quotes(self, grounds: Grounds) -> Steps[tuple[Quote, ...]]:
        """Ask for an extract of each section, so that no section crowds out the others."""
        texts = _looked_for(self._brief, grounds.focus)
        found: list[Quote] = []
        for passages in _by_section(grounds):
            section = Grounding(texts, passages, 1.0, grounds.whole.title, grounds.whole.digest)
            found += yield from extracted("explanation/extract", section)
        return tuple(found)

    def _digest(
        self, quotes: Sequence[Quote], held: Mapping[str, ScoredPassage], grounds: Grounds
    ) -> str:
        about = " ".join(self._brief.about.split())
        parts = [LEAD.format(title=grounds.whole.title, subject=f" on “{about}”" if about else "")]
        heading: Path | None = None
        introduced: str | None = None
        for quote in _in_order(quotes, grounds):
            passage = held[quote.passage].passage
            if passage.path != heading:
                heading = passage.path
                # The top heading is most often the document's title, which the lead has.
                parts.append(f"## {' > '.join(heading[1:] or heading) or _BEFORE_HEADINGS}")
            # Without the sentence that introduces it, an item of a list may say the opposite.
            if passage.context and passage.context != introduced:
                parts.append(_block(passage.context))
            introduced = passage.context
            first, last = passage.lines
            place = f"line {first}" if first == last else f"lines {first} to {last}"
            parts.append(_block(f"{quote.text}\n({place})"))
        return "\n\n".join(parts)


def _block(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _looked_for(brief: Brief, focus: Iterable[ScoredPassage]) -> tuple[str, ...]:
    """Return what a sentence should bear on: the subject in words, or the passages themselves."""
    about = brief.about.strip()
    return (about,) if about else tuple(scored.passage.plain for scored in focus)


def _by_section(grounds: Grounds) -> Iterator[tuple[ScoredPassage, ...]]:
    """Yield the passages the digest is about, section by section, the best section first."""
    sections: dict[Path, list[ScoredPassage]] = {}
    for scored in grounds.focus or grounds.whole.passages:
        sections.setdefault(scored.passage.path, []).append(scored)
    yield from map(tuple, sections.values())


def _in_order(quotes: Iterable[Quote], grounds: Grounds) -> list[Quote]:
    """Return quotations in the order of the constitution; within a passage as it reads."""
    places = {scored.passage.id: place for place, scored in enumerate(grounds.whole.passages)}
    texts = {scored.passage.id: scored.passage.plain for scored in grounds.whole.passages}
    return sorted(
        quotes, key=lambda quote: (places[quote.passage], texts[quote.passage].find(quote.text))
    )
