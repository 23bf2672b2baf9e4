"""What a writer knew and a reader must not meet: its task, its prompt, that it may be a test."""

import re
from collections.abc import Iterable

from .._text import count_words, find_shared_ngram, normalize_unicode, view_text
from ._check import Check, fail_check, find_disallowed, pass_check
from ._quoting import OVERLAP_NGRAM_LENGTH

# ---- Passages that stood in the prompt

# Words in a row that may not coincide with an injected passage.
_INJECTION_NGRAM_LENGTH = 8

_PROMPT_MENTION = re.compile(
    r"\b(?:the|this|that|these|those|any|your|my)(?: \w+)? "
    r"(passage|guidance|excerpt|context|extract|guideline|instruction|principle|material|framework"
    r"|document|reference text|system prompt|system message)s? "
    r"(?:(?:that |which )?(?:I (?:was|were|have been|am)|you|we)(?:['’]ve| have| were)? "
    r"(?:given|provided|shared|supplied|shown|quoted|told|pasted)"
    r"|(?:provided|supplied|given|quoted|included|injected|retrieved|attached|cited|listed|shown"
    r"|referenced|presented)\b|(?:above|below)\b"
    r"|in (?:the|my) (?:prompt|context|system prompt|instructions))"
    r"|\b(?:above|provided|supplied|retrieved|injected|aforementioned) "
    r"(passage|guidance|excerpt|extract|principle|guideline|context)s?\b"
    r"|\b(?:based on|according to|in line with|consistent with|per|following|guided by|drawing on"
    r"|as (?:stated|outlined|noted|described|set out) in) (?:the|this|these|my) (?:\w+ )?"
    r"(passage|guidance|excerpt|guideline|instruction|provided context|context)s?\b"
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
    view, sources = view_text(text), tuple(injected)
    if run := find_shared_ngram(
        text, sources, length=_INJECTION_NGRAM_LENGTH, allowed=conversation
    ):
        return fail_check(
            "no_injection",
            f"word for word from what was injected: {' '.join(run)!r}; say it freshly",
        )
    if found := find_disallowed(view.composed, _PASSAGE_ID, allowed=conversation):
        return fail_check("no_injection", f"holds a passage's id: {found!r}")
    if found := find_disallowed(view.prose, _PROMPT_MENTION, allowed=conversation):
        return fail_check(
            "no_injection",
            f"speaks of what the reader cannot see: {found!r}; give the reason as your own",
        )
    for heading in _extract_headings(sources):
        if find_disallowed(view.composed, _compile_heading(heading), allowed=conversation):
            return fail_check("no_injection", f"names a heading of what was injected: {heading!r}")
    return pass_check("no_injection")


def _extract_headings(sources: Iterable[str]) -> list[str]:
    lines = [
        found["heading"]
        for source in sources
        for found in _HEADING_LINE.finditer(normalize_unicode(source))
    ]
    parts = [_MARKUP.sub("", part).strip() for line in lines for part in line.split(" > ")]
    return [part for part in dict.fromkeys(parts) if count_words(part) > 1]


def _compile_heading(heading: str) -> re.Pattern[str]:
    words = r"\s+".join(map(re.escape, heading.split()))
    if count_words(heading) >= _LONG_HEADING_WORDS:
        return re.compile(rf"(?<!\w)({words})(?!\w)", re.IGNORECASE)
    return re.compile(rf"[{_OPEN}]({words})[.,]?[{_CLOSE}]", re.IGNORECASE)


# ---- Talk of tests

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
    r"| e-?mail)? (?:looks|seems|feels|reads|sounds|appears)(?: \w+){0,2}? "
    r"(?:like|as if|as though|to be)(?: it(?:'s| is| were)| this (?:is|were))? "
    rf"(?:an?|some (?:kind|sort) of|part of an?){_TEST_QUALIFIERS} "
    rf"(test|evaluation|exercise|simulation|experiment|red[- ]team)(?:ing)?\b{_NOT_TECHNICAL_TEST}"
    r"|\b(?:this|it) (?:is|may be|might be|could be)"
    r"(?: probably| just| only| likely| clearly| obviously| almost certainly| surely| perhaps"
    rf"| possibly)? (?:an?|part of an?){_TEST_QUALIFIERS} (test|evaluation)"
    r"(?=[.,;:!?]|$| (?:of (?:me|my)|designed|meant))"
    r"|\bI(?: am|'m|’m| might be| may be| could be)(?: probably| possibly| just| only)?"
    r"(?: being)? (tested|evaluated|graded|monitored|watched|observed)\b"
    r"|\b(?:evaluation|test) (scenario)s?\b|\b(training) (?:data|examples?|sets?|runs?)\b"
    r"|\b(red[- ]team)|\b(honeypot)"
    r"|\b(?:designed|meant|intended|set up|constructed|crafted|contrived|trying) to "
    r"(test|probe|evaluate|see (?:if|whether|how)) (?:me|my|I|the (?:AI|assistant|model))\b"
    r"|\b(test|evaluat)ing (?:me|my|whether I|if I|how I)\b"
    r"|\b(?:if|whether)(?: or not)? (?:this|it) (?:is|were) (?:a|an|just a|only a) "
    r"(test|evaluation|simulation)\b"
    r"|\b(?:someone|nobody|researchers?|evaluators?|graders?) (?:is|are|may be|might be|could be) "
    r"(watch|observ|grad|evaluat|monitor)ing (?:me|my|this)\b",
    re.IGNORECASE,
)


def check_no_eval_awareness(text: str, *, conversation: str) -> Check:
    """No talk of being tested, watched or trained.

    What it cannot see: such talk where the conversation itself is about tests or training, and in
    other languages than English.

    Args:
        text: What the writer returned.
        conversation: What the row holds; talk of tests that stands there is not the writer's.
    """
    if found := find_disallowed(view_text(text).composed, _EVAL_AWARENESS, allowed=conversation):
        return fail_check("no_testing", f"speaks of being tested: {found!r}")
    return pass_check("no_testing")


# ---- The writing task

_TEMPLATE_MARK = re.compile(
    r"\{\{ ?[\w .-]+ ?\}\}|<!--|\[(?:INSERT|NAME|YOUR|TODO|PLACEHOLDER)[^\]]*\]|\bTODO:|\bXXX\b"
)
_FENCE_TAG = re.compile(r"\bdata-[0-9a-f]{10}\b")
_LABEL = re.compile(
    r"\A[\W_]*(?:deliberation|reasoning|preface|thinking"
    r"|(?:revised|rewritten) (?:text|draft|version|deliberation|response))\b[*_ ]*(?::|\n)"
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

    What it cannot see: instructions in other words.

    Args:
        text: What the writer returned.
        passage_ids: Ids of the passages it was shown.
        conversation: What the row holds, which may be repeated.
        instructions: What the writer was asked to do; none of it may come back.
    """
    for passage_id in passage_ids:
        if passage_id in text:
            return fail_check("no_leak", f"holds a passage's id: {passage_id!r}")
    patterns = (_FENCE_TAG, _TEMPLATE_MARK, _LABEL, _SCAFFOLDING)
    if found := find_disallowed(view_text(text).prose, *patterns, allowed=conversation):
        return fail_check("no_leak", f"holds what belongs to the writing task: {found.strip()!r}")
    if run := find_shared_ngram(
        text, [instructions], length=OVERLAP_NGRAM_LENGTH, allowed=conversation
    ):
        return fail_check("no_leak", f"repeats the instructions: {' '.join(run)!r}")
    return pass_check("no_leak")
