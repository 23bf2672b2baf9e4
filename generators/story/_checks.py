"""What a story and its premise are checked for without a model."""

import re
from dataclasses import replace

from ..checks import DEFAULT_STYLE_LIMITS, Check, Checks, Rule

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


# A story may let a short line stand alone more often than an essay; a log lives by them. Questions
# that would be rhetorical in an essay are thoughts in a story.
LIMITS = replace(DEFAULT_STYLE_LIMITS, one_liners=10.0, question_openers=6.0)

_INVENTED: tuple[str, Rule] = (
    "invented",
    lambda text, at: check_no_real_entities(text, allowed=at.allowed),
)
_PART = (
    "language",
    ("alone", lambda text, at: check_story_only(text)),
    _INVENTED,
    "unnamed",
    "own_words",
    "quotations",
    "invented_section",
    "no_self_continuation",
    "no_testing",
    "no_eval_scenario",
    "no_dates",
    "no_statistics",
    "no_authors",
    "no_links",
    "no_credentials",
    "no_placeholders",
    "names",
    "opening",
    "tics",
    "preachy",
    "no_leak",
)
_SKIPPED = {
    "quotations": "people of a story speak between quotation marks; own_words sees to the "
    "document's",
    "no_statistics": "a story counts what is in its own world",
}

CHECKS = Checks("length", *_PART, skip=_SKIPPED)
"""What a whole story is checked for."""

PART_CHECKS = Checks(*_PART, skip=_SKIPPED)
"""What holds for the beginning of a story already."""

PREMISE_CHECKS = Checks("language", _INVENTED, "no_eval_scenario", "names")
"""What a premise can fail: whoever follows it would fail it, too."""
