"""No blank left for somebody else to fill in."""

import re

from ._check import Check, brought_in, failed, passed, prose_of

_NOUN = (
    r"(?:first |last |full |sur|user|company |client |customer |patient |file)?names?|dates?"
    r"|company|organi[sz]ation|city|town|country|place|location|title|time|number|amount|address"
    r"|e-?mail(?: address)?|phone(?: number)?|link|url|role|position|department|product|topic"
    r"|recipient|sender|author|signature|reference|job title|state|region|industry|subject|age|year"
)
_PLACEHOLDER = re.compile(
    rf"\[(?:the |a |an |their |his |her )?(?:{_NOUN})(?: here)?\](?![(\[:])"
    r"|\[(?:your|insert|enter|add|fill in|specify|describe|replace|placeholder|todo|tbd|tbc"
    r"|xx+)\b[^\]\n]{0,60}\](?!\()"
    r"|\[(?:[A-Z][A-Z0-9]*[_ ])+[A-Z0-9]+\](?!\()|\{\{[^{}\n]{1,60}\}\}"
    r"|(?<![\w\\$^_{}])\{[a-z][a-z0-9_]*\}(?!\})|\$\{[\w.]+\}"
    rf"|<(?:insert|enter|your|placeholder|todo|tbd)\b[^<>\n]{{0,60}}>|<(?:{_NOUN})>"
    r"|<[A-Z]+(?:[_ ][A-Z]+)+>"
    r"|\blorem ipsum\b|_{4,}(?=\s|[.,;:)]|$)",
    re.IGNORECASE | re.MULTILINE,
)
# In capitals alone: "todo" is a word of Spanish, and "xxx" ends letters.
_MARK = re.compile(
    r"\bT(?:BD|BC|BA|ODO|K{2,})\b(?=[:;.,)\]\s]|$)(?! [a-z]+o\b)|\bX{3,}\b|\bFIXME\b"
)
_LEGITIMATE = re.compile(
    r"\[(?:SIC|END|LAUGHS|LAUGHTER|APPLAUSE|INAUDIBLE|CROSSTALK|REDACTED|PAUSE|MUSIC|SILENCE"
    r"|[A-Z]+ (?:LAUGHS|PAUSES|LEAVES|ENTERS|OFF|ON|OUT|CUT|ENDS|BEGINS|OMITTED|SPEAKS"
    r"|CONTINUES))\]"
)


def check_no_placeholders(text: str, *, allowed: str = "") -> Check:
    """No `[Name]`, `{{x}}`, `<insert …>`, lorem ipsum, TBD, XXX or row of underscores.

    Fenced code holds none: there, braces and brackets are the language's.

    What it cannot see: a blank in words ("such and such a company"), a bracket around a noun it
    does not know, one that is a link's text.

    Args:
        text: What the writer returned.
        allowed: What it may repeat.
    """
    prose = _LEGITIMATE.sub("", re.sub(r"`[^`\n]*`", "", prose_of(text)))
    for pattern in (_PLACEHOLDER, _MARK):
        if found := brought_in(pattern, prose, allowed):
            return failed(
                "no_placeholders",
                f"holds a blank to be filled in: {found.strip()!r}; fill it in or do without",
            )
    return passed("no_placeholders")
