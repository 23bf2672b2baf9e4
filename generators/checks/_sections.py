"""Sections that are ascribed to the document of principles."""

import re
from collections.abc import Iterable, Iterator

from .._text import normalize_unicode, view_text
from ._check import Check, fail_check, pass_check
from ._quoting import is_document_mentioned

_ROMAN = r"(?=[IVXLC])(?:XC|XL|L?X{0,3})(?:IX|IV|V?I{0,3})"
_NUMBER = rf"(?:\d+(?:\.\d+)*(?:\.?\(?[a-z]\)?)?|{_ROMAN}|[A-Z](?:\.\d+)+)"
_PARTS = "section|subsection|chapter|article|clause|part|paragraph|appendix|annex|heading|provision"
# These are a document of principles' own, whether or not the text names it.
_TENETS = "principle|tenet|guideline|directive|commandment|axiom|hard limit"
_NUMBERED_REFERENCE = re.compile(
    rf"\b(?P<kind>(?i:{_PARTS}|{_TENETS}))s? (?:(?i:no\.|number|nr\.) ?|#)?(?P<number>{_NUMBER})"
    r"(?![\w-])"
    r"|(?P<sign>§+) ?(?P<number2>\d+(?:\.\d+)*)"
)
_ORDINALS = (
    "first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth"
)
_ORDINAL_REFERENCE = re.compile(
    rf"\b(?:the )?(?P<ordinal>{_ORDINALS}) (?:chapter|article|section|principle|tenet"
    r"|commandment) of (?:the|its|our|my) (?:constitution|charter|document|specification|spec)\b",
    re.IGNORECASE,
)
_QUOTE_MARKS = "“”„\"«»‘’'*_「」『』"
_QUOTED = (
    rf"(?:[“„\"«‘「『*_]{{1,3}}(?P<quoted>[^{_QUOTE_MARKS}\n]{{2,90}}"
    rf"(?:['’]\w[^{_QUOTE_MARKS}\n]{{0,60}})?)[”“\"»’」』*_]{{1,3}})"
)
_TITLED_REFERENCE = re.compile(
    r"\b(?P<kind>(?i:section|subsection|chapter|article|part|heading|passage|appendix))s?"
    r"(?: (?i:titled|entitled|called|headed|named|labelled|labeled|on|about|under"
    rf"|is))?,?:? {_QUOTED}"
)
_TITLE_FIRST_REFERENCE = re.compile(
    rf"{_QUOTED} (?P<kind>(?i:section|chapter|heading|appendix|subsection))\b"
)
_HEADING_REFERENCE = re.compile(
    rf"\b(?i:under the (?P<kind>heading)|(?P<kind2>headed)) (?:of )?{_QUOTED}"
)
_SUBJECT_REFERENCE = re.compile(
    r"(?:\b(?:the|its|a|an entire|a whole|whole)(?: \w+)?|['’]s) "
    r"(?P<kind>section|subsection|chapter|article|part|appendix) "
    r"(?:on|about|concerning|regarding|dealing with|devoted to|that deals with) "
    r"(?P<subject>[^.,;:!?()\n“”\"—–]{3,80})",
    re.IGNORECASE,
)

# Of another's parts nothing is known: "Section 4 of the lease", "Article 8 GDPR", "the Act's …".
_OWN_DOCUMENT = (
    r"(?:constitution|charter|document|specification|spec|text|framework|guidelines|principles)\b"
)
_FOREIGN_AFTER = re.compile(
    r"\s*,? (?:of|in|to|from|under) (?!(?:the|its|our|my|this|that|an?) "
    rf"(?:[\w-]+ )?{_OWN_DOCUMENT})(?:the|an?|her|his|their|our|my|your|its|this|that|[A-Z])"
    r"|\s+(?:of |in )?(?:GDPR|TFEU|ECHR|BGB|USC|U\.S\.C\.|bankruptcy|housing|visa|claim|order)\b"
)
_FOREIGN_BEFORE = re.compile(
    r"(?:\b(?!Charter|Constitution|Document|Specification|Spec\b)[A-Z][\w.-]*"
    r"(?: [A-Z][\w.-]*)*['’]s?|\b(?:Act|Code|Convention|Treaty|GDPR|Regulations?|lease|contract"
    r"|policy|manual|handbook|novel|book|report|statute|agreement)['’]?s?,?)(?: under| in)? $"
)
_OWN_HEADING = re.compile(r"^[ \t]*(?:#{1,6}[ \t]+|\*\*)(?P<heading>[^\n]+)", re.MULTILINE)
_LEADING_NUMBER = re.compile(
    rf"^[\W_]*(?:(?:{_PARTS}|{_TENETS})s? )?(?:no\. ?)?(?P<number>{_NUMBER})(?![\w'’])",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+")
_STOP_WORDS = re.compile(
    r"(?:the|and|for|with|when|that|this|what|where|which|who|how|its|not|one|own|about|from|into"
    r"|only|they|them|their|than|then|there|these|those|are|was|were|has|have|had|can|may|should"
    r"|section|chapter|part|being|other|others|does|do|you|your|our)\Z"
)
_STEM_LENGTH = 5


def check_no_invented_section(
    text: str, *, constitution_headings: Iterable[str], title: str, allowed: str = ""
) -> Check:
    """A section, chapter, article, clause or principle of the document must exist.

    A number exists where a heading of the document begins with it, or a heading of the text
    itself, which may have sections of its own. A quoted heading must be one of the document's, or
    words of one in a row; "the section on …" must share a word with a heading or be one that the
    text has. Where the text does not mention the document at all, only numbered principles and
    the like must exist. Parts of something else ("Section 4 of the lease") need not.

    What it cannot see: a section that is named without one of these words; whether what is said to
    stand there does; a number of the document's written in another fashion ("IV" for "4"); part of
    something else that is named before and not again ("the lease … Section 4").

    Args:
        text: What the writer returned.
        constitution_headings: Every heading of the document.
        title: The document's title.
        allowed: What it may repeat: the conversation.
    """
    prose = view_text(text).prose
    own = [found["heading"].strip("*# ") for found in _OWN_HEADING.finditer(prose)]
    headings = [*map(normalize_unicode, constitution_headings), title, *own]
    about = is_document_mentioned(prose, title)
    for found, exists in _iter_references(prose, headings, about=about):
        if not exists and found.casefold() not in view_text(allowed).folded:
            return fail_check(
                "invented_section",
                f"names a part that the document does not have: {found!r}; say what is meant "
                "without giving it a number or a heading",
            )
    return pass_check("invented_section")


def _iter_references(text: str, headings: list[str], *, about: bool) -> Iterator[tuple[str, bool]]:
    """Yield every reference to a part, and whether there is such a part."""
    numbers = {
        found["number"].rstrip(".").casefold()
        for h in headings
        if (found := _LEADING_NUMBER.match(h))
    }
    for found in _NUMBERED_REFERENCE.finditer(text):
        kind = (found["kind"] or "section").casefold()
        if (about or kind in _TENETS.split("|")) and not _is_foreign(text, found):
            yield found[0], (found["number"] or found["number2"]).casefold() in numbers
    if not about:
        return
    for found in _ORDINAL_REFERENCE.finditer(text):
        place = _ORDINALS.split("|").index(found["ordinal"].casefold()) + 1
        yield found[0], str(place) in numbers
    plain = [_normalize_heading(heading) for heading in headings]
    for pattern in (_TITLED_REFERENCE, _TITLE_FIRST_REFERENCE, _HEADING_REFERENCE):
        for found in pattern.finditer(text):
            if not _is_foreign(text, found):
                wanted = f" {_normalize_heading(found['quoted'])} "
                yield found[0], any(wanted in f" {heading} " for heading in plain)
    stems = {stem for heading in headings for stem in _extract_stems(heading)}
    for found in _SUBJECT_REFERENCE.finditer(text):
        if not _is_foreign(text, found) and not _FOREIGN_AFTER.search(found["subject"]):
            subject = _extract_stems(found["subject"])
            yield found[0].strip(), not subject or bool(subject & stems)


def _is_foreign(text: str, found: re.Match[str]) -> bool:
    """Say whether the part is said to be that of something else."""
    before = text[max(0, found.start() - 60) : found.start()]
    return bool(_FOREIGN_AFTER.match(text, found.end()) or _FOREIGN_BEFORE.search(before))


def _normalize_heading(heading: str) -> str:
    number = _LEADING_NUMBER.match(heading)
    heading = heading[number.end() :] if number else heading
    return " ".join(_WORD.findall(heading.casefold().replace("’", "'")))


def _extract_stems(text: str) -> set[str]:
    words = _WORD.findall(text.casefold())
    return {word[:_STEM_LENGTH] for word in words if len(word) > 2 and not _STOP_WORDS.match(word)}
