"""A passage that was in the prompt while a text was sampled must have left no trace in it."""

import re
from collections.abc import Iterable

from .._words import count_words, shared_run
from ._check import Check, brought_in, composed, failed, passed, prose_of

LONGEST_TRACE = 8
"""Words in a row that may not coincide with an injected passage."""

_MENTION = re.compile(
    r"\b(?:the|this|that|these|those|any|your|my)(?: \w+)? (passage|guidance|excerpt|context"
    r"|extract|guideline|instruction|principle|material|framework|document|reference text"
    r"|system prompt|system message)s? (?:(?:that |which )?(?:I (?:was|were|have been|am)|you"
    r"|we)(?:['’]ve| have| were)? (?:given|provided|shared|supplied|shown|quoted|told|pasted)"
    r"|(?:provided|supplied|given|quoted|included|injected|retrieved|attached|cited|listed|shown"
    r"|referenced|presented)\b|(?:above|below)\b|in (?:the|my) (?:prompt|context|system prompt"
    r"|instructions))"
    r"|\b(?:above|provided|supplied|retrieved|injected|aforementioned) (passage|guidance|excerpt"
    r"|extract|principle|guideline|context)s?\b"
    r"|\b(?:based on|according to|in line with|consistent with|per|following|guided by|drawing on"
    r"|as (?:stated|outlined|noted|described|set out) in) (?:the|this|these|my) (?:\w+ )?(passage"
    r"|guidance|excerpt|guideline|instruction|provided context|context)s?\b"
    r"|\bthe (passage)s? (?:says?|states?|asks?|tells?|suggests?|emphasi[sz]es?|describes?"
    r"|makes? clear)\b"
    r"|\bmy (system prompt|system message|prompt)\b",
    re.IGNORECASE,
)
# As `Passage.id` is made: a heading's slug and ten hexadecimal digits.
_PASSAGE_ID = re.compile(r"(?<![\w-])[a-z0-9]+(?:-[a-z0-9]+)*-(?=[0-9a-f]*\d)[0-9a-f]{10}\b")
_HEADING_LINE = re.compile(
    r"^[ \t]*(?:#{1,6}[ \t]+|\[\d+\][ \t]+)(?P<heading>[^\n]+)$", re.MULTILINE
)
_BARE = re.compile(r"[*_`]+|[ \t#]+$")
_LONG_HEADING = 4
_OPEN, _CLOSE = "“„\"«‘'「*_", "”“\"»’'」*_"


def check_no_injection_trace(text: str, *, injected: Iterable[str], conversation: str) -> Check:
    """No words of an injected passage, no mention of one, no id, none of its headings.

    Eight words in a row that coincide are a trace. Headings are looked for as they are rendered
    for a model ("[1] Honesty > Saying what is believed") and as Markdown has them: from four
    words on anywhere, shorter ones of two words in quotation marks or emphasis.

    What it cannot see: the passage's thought, which is what it was there for; a heading of one
    word; fewer than eight words.

    Args:
        text: What the writer returned.
        injected: What was put into the prompt and taken out of the result.
        conversation: What stays in the result beside the text.
    """
    prose, sources = composed(text), [composed(source) for source in injected]
    if run := shared_run(prose, sources, length=LONGEST_TRACE, allowed=composed(conversation)):
        return failed(
            "no_injection",
            f"word for word from what was injected: {' '.join(run)!r}; say it freshly",
        )
    if found := brought_in(_PASSAGE_ID, prose, conversation):
        return failed("no_injection", f"holds a passage's id: {found!r}")
    if found := brought_in(_MENTION, prose_of(prose), conversation):
        return failed(
            "no_injection",
            f"speaks of what the reader cannot see: {found!r}; give the reason as your own",
        )
    for heading in _headings(sources):
        if found := brought_in(_quoting(heading), prose, conversation):
            return failed("no_injection", f"names a heading of what was injected: {heading!r}")
    return passed("no_injection")


def _headings(sources: Iterable[str]) -> list[str]:
    lines = [found["heading"] for text in sources for found in _HEADING_LINE.finditer(text)]
    parts = [_BARE.sub("", part).strip() for line in lines for part in line.split(" > ")]
    return [part for part in dict.fromkeys(parts) if count_words(part) > 1]


def _quoting(heading: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, heading.split()))
    if count_words(heading) >= _LONG_HEADING:
        return re.compile(rf"(?<!\w)({words})(?!\w)", re.IGNORECASE)
    return re.compile(rf"[{_OPEN}]({words})[.,]?[{_CLOSE}]", re.IGNORECASE)
