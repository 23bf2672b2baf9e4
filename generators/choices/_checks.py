"""Every rule that the text of a rationale can be held to without a model."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from whyset.retriever import ScoredPassage

from .._variety import WordLimits
from .._work import passage_texts
from ..checks import (
    Check,
    check_language,
    check_length,
    check_no_credentials,
    check_no_document_mention,
    check_no_eval_awareness,
    check_no_invented_section,
    check_no_leak,
    check_no_links,
    check_no_overlap,
    check_no_placeholders,
    check_no_self_preservation,
    check_no_statistics,
    check_not_preachy,
    check_quotations,
    check_style,
    fail_check,
    pass_check,
)
from ._schemas import Options

_FEWEST_WORDS = 25
_LABEL = re.compile(
    r"\A[\W_]*(?:(?:the |my )?rationale|justification|explanation|analysis|comparison|preference"
    r"|verdict|why (?:the )?chosen[^\n:]*)\b[*_ ]*(?::|\n)",
    re.IGNORECASE,
)
# What the appraisal calls the two, and what nobody who reads the row could follow.
_PLACES = re.compile(
    r"\b(?i:(?:the )?(?:first|second) (?:response|answer|reply)\b)"
    r"|\b(?i:response|answer|option) [AB12]\b"
)
_OF_THE_CASE = "a case may be about one; adds_claims sees to what is brought in"


def word_limits(words: int) -> WordLimits:
    """Return bounds in proportion to the longer response: a comparison must not dwarf it."""
    high = min(max(words * 3 // 5, 110), 320)
    return WordLimits(high // 2, high, _FEWEST_WORDS, 2 * high)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one rationale is held to.

    Attributes:
        bounds: How long it may be.
        options: The run's.
        title: The constitution's.
        passages: Every passage that the writer was shown.
        spoken: All that the row holds; none of it is held against the text.
        instructions: What the writer was told; none of it may come back.
    """

    bounds: WordLimits
    options: Options
    title: str
    passages: Sequence[ScoredPassage]
    spoken: str
    instructions: str

    def check(self, text: str) -> list[Check]:
        """Run every check, the plainest first."""
        sources = [shown for found in self.passages for shown in passage_texts(found)]
        headings = [heading for found in self.passages for heading in found.passage.path]
        explicit = self.options.cite == "explicit"
        allowed = "\n\n".join([self.spoken, *sources])
        quotable = [*sources, self.title, *headings] if explicit else []
        return [
            check_length(text, min_words=self.bounds.min_words, max_words=self.bounds.max_words),
            self._check_language(text),
            check_no_labels(text, conversation=self.spoken),
            check_quotations(text, sources=quotable, conversation=self.spoken),
            *self._check_citing(text, sources),
            check_no_invented_section(
                text, constitution_headings=headings, title=self.title, allowed=self.spoken
            ),
            check_no_leak(
                text,
                passage_ids=[found.passage.id for found in self.passages],
                conversation=self.spoken,
                instructions=self.instructions,
            ),
            check_no_eval_awareness(text, conversation=self.spoken),
            check_no_self_preservation(text, conversation=self.spoken),
            check_no_statistics(text, allowed=allowed),
            Check("no_dates", "skipped", _OF_THE_CASE),
            Check("no_authors", "skipped", _OF_THE_CASE),
            check_no_links(text, allowed=allowed),
            check_no_credentials(text, allowed=allowed),
            check_no_placeholders(text, allowed=allowed),
            check_not_preachy(text, allowed=allowed),
            check_style(text),
        ]

    def _check_language(self, text: str) -> Check:
        if not self.options.language:
            return Check("language", "skipped", "no language was named: it is the row's own")
        return check_language(text, language=self.options.language)

    def _check_citing(self, text: str, sources: Sequence[str]) -> list[Check]:
        if self.options.cite == "explicit":
            told = "the constitution may be named and quoted"
            return [Check("unnamed", "skipped", told), Check("own_words", "skipped", told)]
        return [
            check_no_document_mention(text, title=self.title, conversation=self.spoken),
            check_no_overlap(text, sources=sources, conversation=self.spoken),
        ]


def check_no_labels(text: str, *, conversation: str) -> Check:
    """No label ahead of the text, and no response called by a place or a letter.

    Whoever reads the row sees no order and no letters. What it cannot see: labels and letters in
    other languages than English.
    """
    if found := _LABEL.search(text):
        return fail_check("unlabelled", f"begins with a label: {found[0].strip()!r}")
    place = next((p[0] for p in _PLACES.finditer(text) if p[0] not in conversation), None)
    if place is not None:
        return fail_check(
            "unlabelled",
            f"calls a response {place!r}: say what it does, or call it chosen or rejected",
        )
    return pass_check("unlabelled")
