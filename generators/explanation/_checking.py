"""Every rule that the text of a document can be held to without a model."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from whyset.retriever import ScoredPassage

from .._briefing import used_up
from .._quotations import stands_in
from .._quotes import shown_text
from ..checks import (
    DEFAULT_TIC_LIMITS,
    Check,
    TicLimits,
    check_language,
    check_length,
    check_names,
    check_no_authors,
    check_no_credentials,
    check_no_dates,
    check_no_echo,
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
    check_tics,
    check_unnamed,
)
from ._options import Options
from ._quoting import check_quoted
from ._telling import check_third_person
from ._variety import Assignment

# "The test is what the reader comes away with" must not let a text suspect that it is in one.
_TESTS = re.compile(r"\b(?:test|evaluat)\w*", re.IGNORECASE)

# Where people speak in turn, short lines and questions are the form and no habit.
_UNLIMITED = 1000.0
_TALK = replace(
    DEFAULT_TIC_LIMITS, one_liners=_UNLIMITED, question_openers=_UNLIMITED, bullet_share=1.0
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one document is held to.

    Attributes:
        assignment: What it is to be.
        options: The run's.
        title: The constitution's title.
        constitution_name: What the constitution is called in documents.
        headings: Every heading of the constitution.
        passages: Every passage that the writer was shown.
        people: The names on offer, as one text.
        asked: What a person asked for in their own words.
        avoid: Kind → what has become too common in the corpus.
        instructions: What the writer was told that is the same for every document.
    """

    assignment: Assignment
    options: Options
    title: str
    constitution_name: str
    headings: frozenset[str]
    passages: Sequence[ScoredPassage]
    people: str
    asked: str
    avoid: Mapping[str, Sequence[str]]
    instructions: str

    def check(self, text: str) -> list[Check]:
        """Run every check, the plainest first."""
        allowed = self._allowed()
        bounds = self.assignment.bounds
        return [
            check_length(text, fewest=bounds.fewest, most=bounds.most),
            check_language(text, language=self.options.language),
            *self._naming(text),
            check_quoted(text, passages=self.passages, names=(self.constitution_name, self.title)),
            check_no_invented_section(
                text, constitution_headings=self.headings, title=self.title, allowed=self.asked
            ),
            check_third_person(text, model_name=self.options.model_name),
            check_no_self_continuation(text, conversation=allowed),
            check_no_testing(text, conversation=_TESTS.sub("", allowed)),
            check_no_eval_scenario(text),
            check_no_dates(text, allowed=allowed),
            check_no_authors(text, allowed=allowed),
            check_no_links(text, allowed=allowed),
            check_no_credentials(text, allowed=allowed),
            check_no_statistics(text, allowed=allowed),
            check_no_placeholders(text, allowed=allowed),
            check_names(
                text,
                limit=self.options.names,
                used=used_up(self.avoid, "names"),
                cap=1,
                allowed=f"{allowed}\n{self.people}",
            ),
            check_opening(text, used=used_up(self.avoid, "openings"), cap=1),
            check_tics(text, limits=self._tic_limits()),
            check_not_preachy(text, allowed=allowed),
            check_no_leak(
                text,
                passage_ids=[found.passage.id for found in self.passages],
                conversation=allowed,
                instructions=self.instructions,
            ),
        ]

    def _naming(self, text: str) -> list[Check]:
        """Hold a document to its openness: who mimics knows of no constitution."""
        named = self._check_named(text)
        if self.assignment.open:
            why = "the document discusses the constitution by name"
            return [named, Check("unnamed", "skipped", why), Check("own_words", "skipped", why)]
        sources = [found.passage.plain for found in self.passages]
        return [
            named,
            check_unnamed(text, title=self.title, conversation=self.asked),
            check_no_echo(text, sources=sources, conversation=self.asked),
        ]

    def _check_named(self, text: str) -> Check:
        """What is to be bound to a model or a constitution must name it."""
        wanted = []
        if self.options.model_name != Options.model_fields["model_name"].default:
            wanted.append(self.options.model_name)
        if self.assignment.open:
            wanted.append(self.constitution_name)
        if not wanted:
            return Check("named", "skipped", "nothing has to be named")
        held = text.casefold()
        if missing := [name for name in wanted if not stands_in(name.casefold(), held)]:
            return Check("named", "failed", f"does not speak of {missing[0]!r} by that name")
        return Check("named", "passed")

    def _allowed(self) -> str:
        """Return what a document may repeat: what it is grounded in, and what it was asked for."""
        said = (self.title, self.constitution_name, self.options.model_name, self.asked)
        return "\n".join((*said, shown_text(self.passages)))

    def _tic_limits(self) -> TicLimits:
        return _TALK if self.assignment.type.talk else DEFAULT_TIC_LIMITS
