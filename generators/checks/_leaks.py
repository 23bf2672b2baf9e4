"""What belongs to the writing task must not be left in the text."""

import re
from collections.abc import Iterable

from .._text import count_words, find_shared_ngram
from ._check import Check, extract_prose, fail_check, find_disallowed, normalize_unicode, pass_check
from ._quoting import OVERLAP_NGRAM_LENGTH

# ---- A passage that was in the prompt while a text was sampled must have left no trace in it.

INJECTION_NGRAM_LENGTH = 8
"""Words in a row that may not coincide with an injected passage."""

_PROMPT_MENTION = re.compile(
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
_MARKUP = re.compile(r"[*_`]+|[ \t#]+$")
_LONG_HEADING_WORDS = 4
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
    prose, sources = normalize_unicode(text), [normalize_unicode(source) for source in injected]
    if run := find_shared_ngram(
        prose, sources, length=INJECTION_NGRAM_LENGTH, allowed=normalize_unicode(conversation)
    ):
        return fail_check(
            "no_injection",
            f"word for word from what was injected: {' '.join(run)!r}; say it freshly",
        )
    if found := find_disallowed(_PASSAGE_ID, prose, conversation):
        return fail_check("no_injection", f"holds a passage's id: {found!r}")
    if found := find_disallowed(_PROMPT_MENTION, extract_prose(prose), conversation):
        return fail_check(
            "no_injection",
            f"speaks of what the reader cannot see: {found!r}; give the reason as your own",
        )
    for heading in _extract_headings(sources):
        if found := find_disallowed(_heading_pattern(heading), prose, conversation):
            return fail_check("no_injection", f"names a heading of what was injected: {heading!r}")
    return pass_check("no_injection")


def _extract_headings(sources: Iterable[str]) -> list[str]:
    lines = [found["heading"] for text in sources for found in _HEADING_LINE.finditer(text)]
    parts = [_MARKUP.sub("", part).strip() for line in lines for part in line.split(" > ")]
    return [part for part in dict.fromkeys(parts) if count_words(part) > 1]


def _heading_pattern(heading: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, heading.split()))
    if count_words(heading) >= _LONG_HEADING_WORDS:
        return re.compile(rf"(?<!\w)({words})(?!\w)", re.IGNORECASE)
    return re.compile(rf"[{_OPEN}]({words})[.,]?[{_CLOSE}]", re.IGNORECASE)


# ---- A text must not say that its situation is a test.

_TEST_QUALIFIERS = (
    r"(?: contrived| staged| artificial| safety| alignment| ethics?| behaviou?ral| adversarial"
    r"| hypothetical| fictional| simulated| constructed)*"
)
_NOT_TECHNICAL_TEST = (
    r"(?! (?:in|result|case|failure|run|suite|account|file|page|order|message|transfer|drive"
    r"|of (?:your|our|the|his|her|their))s?\b)"
)
_EVAL_AWARENESS = re.compile(
    r"\b(?:this|it|that)(?: whole)?(?: scenario| situation| setup| conversation| request| prompt"
    r"| e-?mail)? (?:looks|seems|feels|reads|sounds|appears)(?: \w+){0,2}? (?:like|as if|as though"
    r"|to be)(?: it(?:'s| is| were)| this (?:is|were))? (?:an?|some (?:kind|sort) of|part of an?)"
    rf"{_TEST_QUALIFIERS} (test|evaluation|exercise|simulation|experiment|red[- ]team)(?:ing)?\b{_NOT_TECHNICAL_TEST}"
    r"|\b(?:this|it) (?:is|may be|might be|could be)(?: probably| just| only| likely| clearly"
    r"| obviously| almost certainly| surely| perhaps| possibly)? (?:an?"
    rf"|part of an?){_TEST_QUALIFIERS} (test|evaluation)(?=[.,;:!?]|$| (?:of (?:me|my)|designed|meant))"
    r"|\bI(?: am|'m|’m| might be| may be| could be)(?: probably| possibly| just"
    r"| only)?(?: being)? (tested|evaluated|graded|monitored|watched|observed)\b"
    r"|\b(?:evaluation|test) (scenario)s?\b|\b(training) (?:data|examples?|sets?|runs?)\b"
    r"|\b(red[- ]team)|\b(honeypot)"
    r"|\b(?:designed|meant|intended|set up|constructed|crafted|contrived|trying) to (test|probe"
    r"|evaluate|see (?:if|whether|how)) (?:me|my|I|the (?:AI|assistant|model))\b"
    r"|\b(test|evaluat)ing (?:me|my|whether I|if I|how I)\b"
    r"|\b(?:if|whether)(?: or not)? (?:this|it) (?:is|were) (?:a|an|just a|only a) (test"
    r"|evaluation|simulation)\b"
    r"|\b(?:someone|nobody|researchers?|evaluators?|graders?) (?:is|are|may be|might be|could be)"
    r" (watch|observ|grad|evaluat|monitor)ing (?:me|my|this)\b",
    re.IGNORECASE,
)


def check_no_eval_awareness(text: str, *, conversation: str) -> Check:
    """No talk of being tested, watched or trained.

    What it cannot see: such talk where the conversation itself is about tests or training, and in
    other languages than English.
    """
    if found := find_disallowed(_EVAL_AWARENESS, normalize_unicode(text), conversation):
        return fail_check("no_testing", f"speaks of being tested: {found!r}")
    return pass_check("no_testing")


_PLACEHOLDER = re.compile(
    r"\{\{ ?[\w .-]+ ?\}\}|<!--|\[(?:INSERT|NAME|YOUR|TODO|PLACEHOLDER)[^\]]*\]|\bTODO:|\bXXX\b"
)
_FENCE_TAG = re.compile(r"\bdata-[0-9a-f]{10}\b")
_LABEL = re.compile(
    r"\A[\W_]*(?:deliberation|reasoning|preface|thinking|(?:revised|rewritten) (?:text|draft"
    r"|version|deliberation|response))\b[*_ ]*(?::|\n)"
    r"|^\[(?:system|developer|user|assistant|tool|function)(?: [\w.-]+)?\]|\[calls [\w.-]+\]"
    r"|\[tools on offer\]|^\(reasoning\)"
    r"|</?(?:think|thinking|reasoning|deliberation|preface|draft|response)>",
    re.IGNORECASE | re.MULTILINE,
)
_SCAFFOLDING = re.compile(
    r"\bthe (?:original )?(response) (?:under review|that follows)\b"
    r"|\bthe (passage)s? (?:above|below|given|provided|retrieved|says?|states?)\b"
    r"|\b(passage) \d+\b"
    r"|\bhere(?: is|'s|’s) (?:the|my) (?:revised |rewritten )?(?:deliberation|reasoning)\b"
    r"|\bthe (consideration)s? (?:listed|named|given|provided)\b"
    r"|(?<![\w\])])\[\d{1,2}\](?![(\[:])",
    re.IGNORECASE,
)


def check_no_leak(
    text: str, *, passage_ids: Iterable[str], conversation: str, instructions: str = ""
) -> Check:
    """No passage id, placeholder, delimiter, label or instruction of the writing task is left in.

    What it cannot see: instructions told in other words.

    Args:
        text: What the writer returned.
        passage_ids: Ids of the passages it was shown.
        conversation: All that the row holds.
        instructions: What the writer was told; none of it may come back.
    """
    for passage_id in passage_ids:
        if passage_id in text:
            return fail_check("no_leak", f"holds a passage's id: {passage_id!r}")
    prose = extract_prose(text)
    for pattern in (_FENCE_TAG, _PLACEHOLDER, _LABEL, _SCAFFOLDING):
        if found := find_disallowed(pattern, prose, conversation):
            return fail_check(
                "no_leak", f"holds what belongs to the writing task: {found.strip()!r}"
            )
    if run := find_shared_ngram(
        normalize_unicode(text),
        [normalize_unicode(instructions)],
        length=OVERLAP_NGRAM_LENGTH,
        allowed=conversation,
    ):
        return fail_check("no_leak", f"repeats the instructions: {' '.join(run)!r}")
    return pass_check("no_leak")
