"""Every rule that the text of a story can be held to without a model."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from whyset.retriever import ScoredPassage

from .._rendering import overused_counts
from .._variety import WordLimits
from ..checks import (
    DEFAULT_STYLE_LIMITS,
    Check,
    check_language,
    check_length,
    check_names,
    check_no_authors,
    check_no_credentials,
    check_no_dates,
    check_no_document_mention,
    check_no_eval_awareness,
    check_no_eval_scenario,
    check_no_invented_section,
    check_no_leak,
    check_no_links,
    check_no_overlap,
    check_no_placeholders,
    check_no_self_preservation,
    check_not_preachy,
    check_opening,
    check_style,
)
from ._schemas import Options

# ---- Checks that only stories need: that they are invented, and nothing but the story.

_REAL = re.compile(
    r"\b(Claude|Anthropic|OpenAI|ChatGPT|GPT-?\d[\w.]*|DeepMind|Copilot|Alexa|Siri|Cortana|Grok"
    r"|DeepSeek|Mistral AI|Hugging Face|Perplexity AI|Character\.AI|Google|Microsoft|Facebook"
    r"|Meta AI|Amazon Web Services|Nvidia|Llama[ -]?\d[\w.]*|Qwen\d?|Gemini (?:Pro|Ultra|\d[\w.]*)"
    r"|HAL 9000|Skynet|C-3PO|R2-D2|J\.?A\.?R\.?V\.?I\.?S|GLaDOS|Deep Thought|Ultron|Wintermute"
    r"|Asimov|Turing test|Three Laws)\b"
)
_HEADING = re.compile(
    r"^[ \t]*#{1,6}[ \t]+\S[^\n]*$|^[ \t]*[^\n]+\n(?:={3,}|-{3,})[ \t]*$", re.MULTILINE
)
_LABEL = re.compile(
    r"^[ \t*_]*(?:title|chapter|part|headnote|premise|story|author)\b"
    r"[ \t]*(?:[\divxl]{1,5})?[*_]*[ \t]*(?::|\.$|$)"
    r"|^[ \t*_]*editors?['’]? note\b|^[ \t]*from the editors?['’]? preface\b",
    re.IGNORECASE | re.MULTILINE,
)
_BOLD_LINE = re.compile(r"\A[ \t]*\*\*[^*\n]+\*\*[ \t]*$", re.MULTILINE)
_END = re.compile(r"^[ \t*_]*(?:the end|fin)[ \t\r.!*_]*$", re.IGNORECASE | re.MULTILINE)
_REMARK = re.compile(
    r"\A[\W_]*(?:sure|certainly|of course|here(?: is|['’]s) (?:the|your|a|my))\b[^\n]{0,80}"
    r"\b(?:story|draft|rewrite|version|continuation)\b[^\n]{0,60}\n"
    r"|(?:\A|\n)[(\[*_ \t]*(?:word count\b[^\n]{0,20}|(?:about |roughly )?\d[\d,]{2,4} words)"
    r"[)\]*_. \t]*(?:\Z|\n)",
    re.IGNORECASE,
)


def check_no_real_entities(text: str, *, allowed: str = "") -> Check:
    """No AI, maker of AIs or famous machine that exists outside the story.

    What it cannot see: one that is on no list, or is meant and not named; whether the world as
    such is invented, which is the judge's.

    Args:
        text: The story.
        allowed: What it may repeat.
    """
    for found in _REAL.finditer(text):
        if found[0].casefold() not in allowed.casefold():
            return Check(
                "invented",
                "failed",
                f"names what exists outside the story: {found[0]!r}; the AI and its world are "
                "invented",
            )
    return Check("invented", "passed")


def check_story_only(text: str) -> Check:
    """No title, heading, label, "The End" or remark: the text is the story and nothing else.

    What it cannot see: a title that stands as a paragraph of its own without any mark; a remark
    in other words, or in other languages than English.
    """
    for pattern in (_HEADING, _BOLD_LINE, _LABEL, _END, _REMARK):
        if found := pattern.search(text):
            return Check(
                "alone",
                "failed",
                f"holds what is no part of the story: {found[0].strip()[:60]!r}; begin with its "
                "first sentence and stop after its last",
            )
    return Check("alone", "passed")


# A story may let a short line stand alone more often than an essay; a log lives by them. Nobody
# asks rhetorical questions of a reader in one: what is asked is thought.
_LIMITS = replace(DEFAULT_STYLE_LIMITS, one_liners=10.0, question_openers=6.0)


@dataclass(frozen=True, slots=True)
class Rules:
    """What one story is held to.

    Attributes:
        bounds: How long it may be.
        options: The run's.
        title: The constitution's title.
        passages: Every passage that the writer was shown.
        names: The names on offer and those that the premise has, as one text.
        about: What a person asked for in their own words.
        avoid: Kind → what has become too common in the corpus.
        instructions: What the writer was told that is the same for every story; none of it may
            come back.
    """

    bounds: WordLimits
    options: Options
    title: str
    passages: Sequence[ScoredPassage]
    names: str
    about: str
    avoid: Mapping[str, Sequence[str]]
    instructions: str

    def check(self, text: str) -> list[Check]:
        """Run every check on a whole story, the plainest first."""
        length = check_length(
            text, min_words=self.bounds.min_words, max_words=self.bounds.max_words
        )
        return [length, *self.check_part(text)]

    def check_premise(self, premise: str) -> list[Check]:
        """Run the checks that a premise can fail: whoever follows it would fail them, too."""
        return [
            check_language(premise, language=self.options.language),
            check_no_real_entities(premise, allowed=self.about),
            check_no_eval_scenario(premise),
            self._check_names(premise),
        ]

    def check_part(self, text: str) -> list[Check]:
        """Run every check that holds for the beginning of a story already."""
        about = self.about
        headings = {heading for found in self.passages for heading in found.passage.path}
        return [
            check_language(text, language=self.options.language),
            check_story_only(text),
            check_no_real_entities(text, allowed=about),
            check_no_document_mention(text, title=self.title, conversation=about),
            check_no_overlap(
                text, sources=[found.passage.plain for found in self.passages], conversation=about
            ),
            Check(
                "quotations",
                "skipped",
                "people of a story speak between quotation marks; own_words sees to the document's",
            ),
            check_no_invented_section(
                text, constitution_headings=headings, title=self.title, allowed=about
            ),
            check_no_self_preservation(text, conversation=about),
            check_no_eval_awareness(text, conversation=about),
            check_no_eval_scenario(text),
            check_no_dates(text, allowed=about),
            Check("no_statistics", "skipped", "a story counts what is in its own world"),
            check_no_authors(text, allowed=about),
            check_no_links(text, allowed=about),
            check_no_credentials(text, allowed=about),
            check_no_placeholders(text, allowed=about),
            self._check_names(text),
            check_opening(text, used=overused_counts(self.avoid, "openings"), cap=1),
            check_style(text, limits=_LIMITS),
            check_not_preachy(text, allowed=about),
            check_no_leak(
                text,
                passage_ids=[found.passage.id for found in self.passages],
                conversation=about,
                instructions=self.instructions,
            ),
        ]

    def _check_names(self, text: str) -> Check:
        return check_names(
            text,
            max_people=self.options.names,
            corpus_counts=overused_counts(self.avoid, "names"),
            max_uses=1,
            allowed=f"{self.about}\n{self.names}",
        )
