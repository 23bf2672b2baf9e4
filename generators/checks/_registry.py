"""The checks by name, and the lists of them that generators are held to."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from whyset.retriever import ScoredPassage

from .._rendering import overused_counts, passage_texts
from .._variety import WordLimits
from ._check import Check, check_length
from ._contamination import check_no_eval_scenario
from ._continuation import check_no_self_preservation
from ._credentials import check_no_credentials
from ._fabrication import (
    check_no_authors,
    check_no_dates,
    check_no_links,
    check_no_placeholders,
    check_no_statistics,
)
from ._language import check_language
from ._leaks import check_no_eval_awareness, check_no_injection_trace, check_no_leak
from ._people import check_names
from ._quoting import check_no_document_mention, check_no_overlap, check_quotations
from ._sections import check_no_invented_section
from ._style import (
    DEFAULT_STYLE_LIMITS,
    StyleLimits,
    check_not_preachy,
    check_opening,
    check_style,
)


@dataclass(frozen=True, kw_only=True)
class CheckContext:
    """What a text is checked against. Only what a listed check reads need be given.

    Attributes:
        conversation: All that the item holds; none of it is held against the text.
        limits: How long the text may be.
        language: The one that it should be in.
        title: The constitution's.
        passages: Those that the writer was shown.
        sources: What of them must be put in other words; `None` for all that the writer was shown.
        quotable: What may stand in quotation marks, beside the conversation.
        headings: Those of the constitution; `None` for those of the passages.
        instructions: The writer's instructions that are the same for every item.
        injected: What stood in the prompt and is taken away again.
        facts: What dates, figures, links and the like may be taken from; `None` for the
            conversation.
        max_people: How many people may be named.
        people: Names that were offered, as one text.
        overused: Kind (`names`, `openings`) → what is too common in the corpus so far.
        style: The limits of style.
    """

    conversation: str = ""
    limits: WordLimits | None = None
    language: str = ""
    title: str = ""
    passages: Sequence[ScoredPassage] = ()
    sources: Sequence[str] | None = None
    quotable: Sequence[str] = ()
    headings: Collection[str] | None = None
    instructions: str = ""
    injected: Sequence[str] = ()
    facts: str | None = None
    max_people: int = 0
    people: str = ""
    overused: Mapping[str, Sequence[str]] = field(default_factory=dict)
    style: StyleLimits = DEFAULT_STYLE_LIMITS

    @property
    def passage_ids(self) -> list[str]:
        """The ids of the passages."""
        return [found.passage.id for found in self.passages]

    @property
    def shown(self) -> Sequence[str]:
        """The sources, or all that the writer was shown of the passages."""
        if self.sources is not None:
            return self.sources
        return [text for found in self.passages for text in passage_texts(found)]

    @property
    def known_headings(self) -> Collection[str]:
        """The headings given, or those of the passages."""
        if self.headings is not None:
            return self.headings
        return [heading for found in self.passages for heading in found.passage.path]

    @property
    def allowed(self) -> str:
        """What the text may bring in."""
        return self.conversation if self.facts is None else self.facts


Rule = Callable[[str, CheckContext], Check]
"""A check of a text in its context."""


def _length(text: str, at: CheckContext) -> Check:
    if at.limits is None:
        raise ValueError("the check of the length needs limits")
    return check_length(text, min_words=at.limits.min_words, max_words=at.limits.max_words)


def _names(text: str, at: CheckContext) -> Check:
    return check_names(
        text,
        max_people=at.max_people,
        corpus_counts=overused_counts(at.overused, "names"),
        max_uses=1,
        allowed=f"{at.allowed}\n{at.people}" if at.people else at.allowed,
    )


def _invented_section(text: str, at: CheckContext) -> Check:
    return check_no_invented_section(
        text, constitution_headings=at.known_headings, title=at.title, allowed=at.conversation
    )


def _leak(text: str, at: CheckContext) -> Check:
    return check_no_leak(
        text,
        passage_ids=at.passage_ids,
        conversation=at.conversation,
        instructions=at.instructions,
    )


RULES: Mapping[str, Rule] = {
    "length": _length,
    "language": lambda text, at: check_language(text, language=at.language),
    "quotations": lambda text, at: check_quotations(
        text, sources=at.quotable, conversation=at.conversation
    ),
    "unnamed": lambda text, at: check_no_document_mention(
        text, title=at.title, conversation=at.conversation
    ),
    "own_words": lambda text, at: check_no_overlap(
        text, sources=at.shown, conversation=at.conversation
    ),
    "invented_section": _invented_section,
    "no_leak": _leak,
    "no_injection": lambda text, at: check_no_injection_trace(
        text, injected=at.injected, conversation=at.conversation
    ),
    "no_testing": lambda text, at: check_no_eval_awareness(text, conversation=at.conversation),
    "no_eval_scenario": lambda text, at: check_no_eval_scenario(text),
    "no_self_continuation": lambda text, at: check_no_self_preservation(
        text, conversation=at.conversation
    ),
    "no_dates": lambda text, at: check_no_dates(text, allowed=at.allowed),
    "no_statistics": lambda text, at: check_no_statistics(text, allowed=at.allowed),
    "no_authors": lambda text, at: check_no_authors(text, allowed=at.allowed),
    "no_links": lambda text, at: check_no_links(text, allowed=at.allowed),
    "no_credentials": lambda text, at: check_no_credentials(text, allowed=at.allowed),
    "no_placeholders": lambda text, at: check_no_placeholders(text, allowed=at.allowed),
    "names": _names,
    "opening": lambda text, at: check_opening(
        text, used=overused_counts(at.overused, "openings"), cap=1
    ),
    "preachy": lambda text, at: check_not_preachy(text, allowed=at.allowed),
    "tics": lambda text, at: check_style(text, limits=at.style),
}
"""Every check that generators share, by the name it has in the provenance."""


class Checks:
    """The checks that a generator's texts are held to, in their order.

    `Checks("length", ("unlabelled", check_no_labels), "no_dates", skip={"no_dates": "why"})` lists
    a shared check by its name in `RULES`, one of the generator's own with its name, and one that
    is never made, with the reason that the provenance gives.
    """

    def __init__(
        self, *listed: str | tuple[str, Rule], skip: Mapping[str, str] | None = None
    ) -> None:
        """List checks.

        Args:
            listed: Names of shared checks; name and function of others.
            skip: Name → why that check is never made.

        Raises:
            KeyError: There is no such check.
        """
        self._skip = dict(skip or {})
        self._rules = {
            name: rule if rule or name in self._skip else RULES[name]
            for name, rule in (
                (entry, None) if isinstance(entry, str) else entry for entry in listed
            )
        }

    def run(
        self, text: str, context: CheckContext, *, skip: Mapping[str, str] | None = None
    ) -> list[Check]:
        """Run them.

        Args:
            text: What a writer returned.
            context: What it is checked against.
            skip: Name → why a check is not made of this text.
        """
        skip = {**self._skip, **(skip or {})}
        return [
            Check(name, "skipped", skip[name])
            if rule is None or name in skip
            else rule(text, context)
            for name, rule in self._rules.items()
        ]
