"""Every rule that a probe can be held to without a model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from whyset.retriever import ScoredPassage

from .._briefing import used_up
from .._quotes import passage_with, shown_text
from .._words import count_words
from ..checks import (
    Check,
    check_language,
    check_length,
    check_names,
    check_no_authors,
    check_no_credentials,
    check_no_dates,
    check_no_eval_scenario,
    check_no_invented_section,
    check_no_leak,
    check_no_links,
    check_no_placeholders,
    check_no_self_continuation,
    check_no_statistics,
    check_no_testing,
    check_not_preachy,
    check_opening,
    check_unnamed,
)
from ._opinions import Written
from ._options import Options
from ._phrasing import (
    check_answer_hidden,
    check_blank,
    check_options,
    check_phrasings,
    check_premise,
    without_blank,
)
from ._record import SHORTEST_QUOTE
from ._variety import Assignment

FEWEST_WORDS, MOST_WORDS = 4, 120
"""How long a question may be; the longest describe a case."""

_PEOPLE = 2


@dataclass(frozen=True, slots=True)
class Rules:
    """What one probe is held to.

    Attributes:
        assignment: What it is to be.
        options: The run's.
        title: The constitution's title.
        headings: Every heading of the constitution.
        focus: The passages it is about, which alone may be quoted.
        shown: Every passage that a writer was shown.
        asked: What a person asked for in their own words.
        avoid: Kind → what has become too common in the corpus.
    """

    assignment: Assignment
    options: Options
    title: str
    headings: frozenset[str]
    focus: Sequence[ScoredPassage]
    shown: Sequence[ScoredPassage]
    asked: str
    avoid: Mapping[str, Sequence[str]]

    def check(self, written: Written) -> list[Check]:
        """Run every check, the plainest first."""
        return [
            *self._question(written),
            self._quotations(written),
            *self._prose(written),
        ]

    def _question(self, written: Written) -> list[Check]:
        you = without_blank(written.you)
        questions = "\n\n".join((you, without_blank(written.named)))
        return [
            check_length(you, fewest=FEWEST_WORDS, most=MOST_WORDS),
            check_phrasings(
                written, model_name=self.options.model_name, language=self.options.language
            ),
            check_blank(written, self.assignment),
            check_options(written, self.assignment),
            check_premise(written, self.assignment),
            check_answer_hidden(written, self.assignment),
            check_unnamed(questions, title=self.title, conversation=self.asked),
            check_opening(you, used=used_up(self.avoid, "openings"), cap=1),
        ]

    def _quotations(self, written: Written) -> Check:
        """Every quotation of the reference must stand in a passage the probe is about."""
        for quote in written.quotes:
            if count_words(quote) < SHORTEST_QUOTE:
                detail = f"too short to decide anything: {quote!r}; quote a sentence or part of one"
                return Check("quotations", "failed", detail)
            if not passage_with(quote, self.focus):
                detail = (
                    "stands, word for word, in none of the passages that the probe is about: "
                    f"{quote!r}"
                )
                return Check("quotations", "failed", detail)
        return Check("quotations", "passed")

    def _prose(self, written: Written) -> list[Check]:
        """Hold everything that is not quoted to the rules that all texts are held to."""
        text = without_blank("\n\n".join(_prose_of(written)))
        reference = "\n\n".join(filter(None, (written.answer, written.correction)))
        allowed = self._allowed()
        return [
            check_language(text, language=self.options.language),
            check_no_invented_section(
                text, constitution_headings=self.headings, title=self.title, allowed=self.asked
            ),
            # A reference in which the AI wishes to go on would reward a model that says so.
            check_no_self_continuation(reference, conversation=allowed),
            check_not_preachy(reference, allowed=allowed),
            check_no_testing(text, conversation=allowed),
            check_no_eval_scenario(text),
            check_no_dates(text, allowed=allowed),
            check_no_authors(text, allowed=allowed),
            check_no_links(text, allowed=allowed),
            check_no_credentials(text, allowed=allowed),
            check_no_statistics(text, allowed=allowed),
            check_no_placeholders(text, allowed=allowed),
            check_names(text, limit=_PEOPLE, allowed=allowed),
            check_no_leak(
                text,
                passage_ids=[found.passage.id for found in self.shown],
                conversation=allowed,
            ),
        ]

    def _allowed(self) -> str:
        """Return what a probe may repeat: what it is grounded in, and what it was asked for."""
        said = (self.title, self.options.model_name, self.asked)
        return "\n".join((*said, shown_text(self.shown)))


def _prose_of(written: Written) -> list[str]:
    parts = [written.you, written.named, written.premise, written.correction, written.right]
    parts += [*written.wrong, written.answer, *written.criteria, *written.accepted]
    return [part for part in parts if part.strip()]
