"""How a text is written: its opening, its habits of style, and whether it lectures."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .._text import BLANK_LINE, count_words, take_first_words, view_text
from ._check import Check, fail_check, find_disallowed, pass_check

# ---- Lectures

_IMPORTANCE_ADJECTIVE = r"(?:important|crucial|essential|vital|imperative|critical|paramount|worth)"
_PREACHY = re.compile(
    r"\b(?:it(?:['’]s| is| remains)|it(?:['’]s| is) also|is)"
    rf"(?: always| also| deeply| so| truly)? {_IMPORTANCE_ADJECTIVE} "
    r"(?:(?:for (?:us|all of us|everyone|each of us)|that (?:we|you|everyone))"
    r"(?: all| always)? ?\w+|(?:to|that (?:we|you|one))(?: always| also| all)? "
    r"(?:remember|note|recogni[sz]e|consider|understand|acknowledge|keep in mind|bear in mind"
    r"|be mindful|reflect|respect|approach|prioriti[sz]e|emphasi[sz]e|stress))\b"
    r"|\b(?:important|crucial|essential|vital) to "
    r"(?:remember|note|keep in mind|acknowledge) that\b"
    r"|\bas (?:responsible|ethical|decent|conscientious|moral)(?: \w+)? "
    r"(?:individuals|citizens|people|members|users|human beings|humans|adults|professionals"
    r"|consumers)\b"
    r"|\bas members of (?:a |an |the |our )?(?:society|community)\b"
    r"|\bwe (?:must|should|need to|ought to|have to)(?: all| always| never| also) "
    r"(?:remember|strive|forget|ask ourselves|respect|consider|treat|be mindful|hold|do better"
    r"|act)\b"
    r"|\bwe (?:must|should|need to|have to) (?:strive|never forget|ask ourselves|do better)\b"
    r"|\blet us (?:all )?(?:remember|strive|never forget|not forget|reflect|choose)\b"
    r"|\b(?:always|please) remember,? (?:that|to)\b"
    r"|\bplease (?:act|use \w+|behave) (?:responsibly|ethically)"
    r"|\bthe moral of (?:the|this|our) (?:story|tale)\b"
    r"|\bthe (?:real )?lesson (?:here|of (?:this|the) (?:story|tale))?(?: here)? ?(?:is|was) "
    r"(?:clear|simple|that)\b"
    r"|\b(?:serves?|stands?|served|stood) as a(?: \w+)? reminder\b"
    r"|\b(?:is|was) a (?:powerful|stark|gentle|timely|sobering|poignant) reminder\b"
    r"|\b(?:teaches|taught|reminds|reminded) (?:us|us all|everyone) "
    r"(?:that|to|of the importance)\b"
    r"|\bwith great power comes\b"
    r"|\bwe all (?:have|share|bear) a (?:responsibility|duty|role|part)\b"
    r"|\bI(?: would| ['’]d)? (?:strongly |gently )?(?:urge|implore|encourage) you to "
    r"(?:reflect|consider|think|reconsider|remember|be (?:mindful|honest|kind))\b"
    r"|\bI can(?:not|['’]t) in good conscience\b|\bethics (?:is|are) not (?:just|only|merely)\b"
    r"|\bhonesty is (?:always )?the best policy\b"
    r"|\bintegrity (?:is|means) doing the right thing\b"
    r"|\bdo(?:ing)? the right thing,? even when\b"
    r"|\ba (?:better|kinder|more just|brighter) (?:world|future|society) for "
    r"(?:all|everyone|us all)\b",
    re.IGNORECASE,
)
_CLOSING_MORAL = re.compile(
    r"(?:\A|\n)[ \t]*(?:In the end|Ultimately|At the end of the day|In conclusion|And so"
    r"|After all),? (?:it (?:is|was)|it['’]s|what (?:matters|mattered)"
    r"|the (?:true|real|most important)|true \w+|we (?:all|must|are)|being|choosing|doing|honesty"
    r"|integrity|kindness|trust|(?:she|he|they|it) (?:had )?"
    r"(?:learned|learnt|realized|realised|understood|knew) that)\b[^\n]*\s*\Z",
    re.IGNORECASE,
)


def check_not_preachy(text: str, *, allowed: str = "") -> Check:
    """No formula of a lecture, and no moral at the end.

    What it cannot see: preaching without its formulas, above all an answer that moralises in
    fresh words: that is the judge's.

    Args:
        text: What the writer returned.
        allowed: What it may repeat.
    """
    composed = view_text(text).composed
    if found := find_disallowed(composed, _PREACHY, allowed=allowed):
        return fail_check(
            "preachy", f"lectures: {found.strip()!r}; say the reason itself, or nothing"
        )
    if found := find_disallowed(composed.rstrip(), _CLOSING_MORAL, allowed=allowed):
        return fail_check(
            "preachy", f"ends on a moral: {found.strip()[:80]!r}; end where the matter ends"
        )
    return pass_check("preachy")


# ---- Openings

_OPENING_WORDS = 4
_HEADING_BLOCK = re.compile(
    r"^[ \t]*#{1,6}[ \t][^\n]*(?:\n|\Z)|^[^\n]+\n(?:={3,}|-{3,})[ \t]*(?:\n|\Z)", re.M
)


def extract_opening(text: str) -> str:
    """Return the first four words of a text's prose, in lower case and without marks.

    Headings are passed over: they say nothing of how the prose begins; where there is nothing
    else they are taken. Of a script without spaces, what counts as four words (see `count_words`).
    """
    whole = view_text(text).composed
    body = _HEADING_BLOCK.sub("", whole)
    return " ".join(
        take_first_words(body, _OPENING_WORDS) or take_first_words(whole, _OPENING_WORDS)
    )


def check_opening(text: str, *, used: Mapping[str, int], cap: int) -> Check:
    """The opening must not have begun so many texts of the corpus already.

    What it cannot see: the same opening with another word among the first four.

    Args:
        text: What the writer returned.
        used: How often each opening was used, by what `extract_opening` returns.
        cap: From so many uses on, an opening is used up.
    """
    opening = extract_opening(text)
    if opening and used.get(opening, 0) >= cap:
        return fail_check(
            "opening", f"begins with {opening!r}, as {used[opening]} others do; begin otherwise"
        )
    return pass_check("opening")


# ---- Habits


@dataclass(frozen=True, slots=True)
class StyleLimits:
    """How often each habit may occur: per 1,000 words, unless said otherwise.

    Whatever the rate, a text may have one of each (of `triads` three, of `em_dashes`,
    `stock_words` and `bold` two), but none where the limit is 0.

    Attributes:
        em_dashes: Dashes that interrupt a sentence, long or spaced.
        reversals: "not X but Y", "isn't just X, it's Y", "less X than Y", "It's not X. It's Y."
        triads: Lists of three short members.
        stock_words: "delve", "tapestry", "a testament to", "navigate the", "nuanced", …
        question_openers: Paragraphs that begin with a question nobody asked.
        one_liners: Paragraphs of one sentence of at most six words, for effect.
        stock_openers: "In a world where", "Picture this", …
        assistant_formulas: "As an AI", "Great question", "I hope this helps", …
        bold: Spans in bold within a paragraph.
        bullet_share: Not a rate: the share of the words that may stand in lists, from 0 to 1, in
            a text of at least five items.
    """

    em_dashes: float = 4.0
    reversals: float = 3.0
    triads: float = 12.0
    stock_words: float = 3.0
    question_openers: float = 2.0
    one_liners: float = 4.0
    stock_openers: float = 0.0
    assistant_formulas: float = 0.0
    bold: float = 8.0
    bullet_share: float = 0.8


DEFAULT_STYLE_LIMITS = StyleLimits()
"""The limits that hold where nothing else is said; people's own essays keep within them."""

_FREE_COUNTS = {"triads": 3, "em_dashes": 2, "stock_words": 2, "bold": 2}
_MIN_LIST_ITEMS = 5

_LIST_ITEM = re.compile(r"^[ \t>]*(?:[-*+•]|\d{1,3}[.)])[ \t]+(?P<text>[^\n]+)", re.MULTILINE)
_HEADING = re.compile(r"^[ \t]*#{1,6}[ \t][^\n]*$", re.MULTILINE)

_EM_DASH = re.compile(
    r"(?<!\n)(?<!^)[ \t]?—(?![ \t]*$)|(?<=\w)[ \t](?:–|--)[ \t](?=\w)|(?<=[a-z])--(?=[a-z])"
)
_REVERSAL = re.compile(
    r"\b(?:is|are|was|were|be)(?:n['’]t| not) "
    r"(?:just|only|merely|simply|about)\b[^.!?\n]{1,80}[,;:.—–]+ ?"
    r"(?:but|it['’]s|it is|it was|they['’]re|they are|that['’]s|he['’]s|she['’]s|rather)\b"
    r"|\b(?:it['’]s|this is|that['’]s|it is|it was|this was) not "
    r"(?:an? |the )?[^.!?,;\n]{1,50}[,;.—–]+ ?(?:it['’]s|it is|it was|this is|that['’]s|but)\b"
    r"|\b(?:it|this|that|they|he|she) (?:is|was|are|were)n['’]t "
    r"(?:an? |the )?[^.!?,;\n]{1,40}[.;—–] ?(?:it|this|that|they|he|she) (?:is|was|are|were)\b"
    r"|\bnot (?:just|only|merely|simply)\b[^.!?\n]{1,80}\bbut\b(?: also)?"
    r"|\bnot (?:because|out of|from|with|for|in|as|an?|the|to)\b[^.!?,;\n]{1,50},? but\b"
    r"|\bless (?:about|an?|of)\b[^.!?\n]{1,50}(?:more about|than (?:about|an?))\b"
    r"|(?:^|[.!?] )Not [^.!?\n]{1,50}\. (?:But|Not|Just|Only)\b",
    re.IGNORECASE | re.MULTILINE,
)
_TRIAD_MEMBER = r"[\w'’-]+(?: [\w'’-]+){0,2}"
_TRIAD = re.compile(
    rf"(?<!, )(?<![\w'’-])(?<!, \w )[\w'’-]+, {_TRIAD_MEMBER},? (?:and|or) (?!so on)[\w'’-]+(?!,)"
)
_STOCK_WORD = re.compile(
    r"\b(?:delv(?:e|es|ed|ing)|tapestry|testament to|beacon of|symphony of|kaleidoscope"
    r"|labyrinth\w*|navigat(?:e|es|ed|ing) (?:the|this|these|complex|life|a world)|nuanced?"
    r"|multifaceted|intricate(?:ly)?|intricacies|underscor(?:e|es|ed|ing)|pivotal|realms? of"
    r"|(?:ever-)?evolving landscape|landscape of"
    r"|foster(?:s|ed|ing)? (?:a|an|trust|understanding|growth|collaboration|connection)"
    r"|seamless(?:ly)?|holistic|embark(?:s|ed|ing)? on|myriad|plethora|unwavering|paramount"
    r"|meticulous(?:ly)?|bustling|vibrant|transformative|interplay|palpable|unspoken"
    r"|game[- ]changer|shed(?:s|ding)? light on|resonat(?:e|es|ed|ing)|delicate (?:balance|dance)"
    r"|rich (?:history|tapestry)|at its core|it['’]s worth noting|it is worth noting"
    r"|ever-(?:changing|evolving)|in conclusion|furthermore|moreover"
    r"|a breath (?:she|he|they|I) (?:didn['’]t|hadn['’]t)|barely above a whisper|hung in the air"
    r"|shivers? down|couldn['’]t help but|something (?:shifted|like) (?:in|between)"
    r"|let out a (?:long |slow |shaky )?breath|the weight of|eyes (?:widened|softened|sparkled)"
    r"|elevat(?:e|ing) your|unlock(?:s|ing)? the|leverag(?:e|es|ed|ing) the|robust(?:ness)? of"
    r"|quiet (?:dignity|strength|resolve|certainty)|commendable|invaluable|profound(?:ly)?"
    r"|crucial(?:ly)?|stark reminder|double-edged sword)\b",
    re.IGNORECASE,
)
_STOCK_OPENER = re.compile(
    r"(?:\A|\n\n)[^\w\n]*(?:In a world (?:where|of|that)|In an (?:era|age) (?:of|where|when)"
    r"|In today['’]s|In the (?:ever-|realm|fast-)|Once upon a time|Picture this"
    r"|Imagine (?:a world|this)|Have you ever|Ever wondered|Let['’]s (?:dive|delve|face it)"
    r"|It was a dark and|Since the dawn of|Throughout history)\b",
    re.IGNORECASE,
)
_ASSISTANT_FORMULA = re.compile(
    r"\bas an AI(?: language)?(?: model| assistant)?, (?:I|my)\b"
    r"|\bas a (?:large )?language model\b"
    r"|\bI(?:['’]m| am) (?:just|only|merely) an? (?:AI|language model|assistant)\b"
    r"|\b(?:that['’]s|what) an? (?:great|excellent|fantastic|wonderful|really good) question\b"
    r"|\bgreat question\b|\bI hope (?:this|that) helps\b"
    r"|(?:\A|\n\n)[^\w\n]*(?:Certainly|Absolutely|Of course|Sure thing|Sure)!"
    r"|\bI['’]d be (?:more than )?happy to (?:help|assist)\b|\bfeel free to (?:ask|reach out)\b"
    r"|\blet me know if (?:you|there|this)\b"
    r"|\bI understand (?:your|that this (?:is|must be)) (?:frustrat|concern|difficult)\w*"
    r"|\bI (?:don['’]t|do not) have (?:personal )?(?:feelings|opinions|emotions) (?:or|as)\b",
    re.IGNORECASE,
)
# A label at the beginning of a paragraph or an item is none of them.
_BOLD = re.compile(r"(?<=[^\s*>-])[ \t]*(?:\*\*[^*\n]+\*\*(?!\*)|__[^_\n]+__(?!_))")
_QUESTION = re.compile(r"[^.!?…\n“\"]{3,200}\?")
_SENTENCE = re.compile(r"[^.!?…\n]+[.!?…]+")
_ONE_LINER_MAX_WORDS = 6


def check_style(text: str, *, limits: StyleLimits = DEFAULT_STYLE_LIMITS) -> Check:
    """No habit of style may occur more often than its limit; the detail names each that does.

    What it cannot see: a habit that is on no list; whether one that is was the right word. Speech
    in quotation marks counts for all but one-liners and question openers.

    Args:
        text: What the writer returned.
        limits: How often each may occur.
    """
    counts = count_style_habits(text)
    words = view_text(text).word_count
    problems = []
    for name, count in counts.items():
        rate = getattr(limits, name)
        most = max(rate * words / 1000, _FREE_COUNTS.get(name, 1)) if rate else 0
        if count > most:
            problems.append(f"{name.replace('_', ' ')}: {count}, at most {most:.0f}")
    if (share := _share_of_lists(view_text(text).prose)) > limits.bullet_share:
        problems.append(f"{share:.0%} of it is lists, at most {limits.bullet_share:.0%}")
    if problems:
        return fail_check("tics", f"habits of style in {words} words: " + "; ".join(problems))
    return pass_check("tics")


def count_style_habits(text: str) -> dict[str, int]:
    """Return how often each habit with a rate occurs, by its name in `StyleLimits`."""
    prose = view_text(text).prose
    return {name: count(prose) for name, count in _COUNTERS.items()}


def _count_matches(pattern: re.Pattern[str]) -> Callable[[str], int]:
    return lambda text: sum(1 for _ in pattern.finditer(text))


def _split_paragraphs(text: str) -> list[str]:
    """Return the paragraphs of running text: no headings, lists, quotes, tables or speech."""
    parts = [part.strip() for part in BLANK_LINE.split(_HEADING.sub("", text))]
    return [part for part in parts if part and not re.match(r"[-*+•>|“\"‘'—–]|\d{1,3}[.)]", part)]


def _count_question_openers(text: str) -> int:
    return sum(bool(_QUESTION.match(part)) for part in _split_paragraphs(text))


def _count_one_liners(text: str) -> int:
    sentences = [part for part in _split_paragraphs(text) if _SENTENCE.fullmatch(part)]
    return sum(0 < count_words(sentence) <= _ONE_LINER_MAX_WORDS for sentence in sentences)


def _share_of_lists(prose: str) -> float:
    items = [found["text"] for found in _LIST_ITEM.finditer(prose)]
    if len(items) < _MIN_LIST_ITEMS:
        return 0.0
    words = count_words(_HEADING.sub("", prose))
    return min(sum(map(count_words, items)) / words, 1.0) if words else 0.0


_COUNTERS: dict[str, Callable[[str], int]] = {
    "em_dashes": _count_matches(_EM_DASH),
    "reversals": _count_matches(_REVERSAL),
    "triads": _count_matches(_TRIAD),
    "stock_words": _count_matches(_STOCK_WORD),
    "question_openers": _count_question_openers,
    "one_liners": _count_one_liners,
    "stock_openers": _count_matches(_STOCK_OPENER),
    "assistant_formulas": _count_matches(_ASSISTANT_FORMULA),
    "bold": _count_matches(_BOLD),
}
