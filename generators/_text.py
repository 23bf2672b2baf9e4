"""What is read in a text of any script: its words, its quotations, its prose without code.

Twenty checks read one reply in a row. What several of them need of it stands in a `TextView`, which
is worked out once and shared: see `view_text`.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache

# ---- Words

# Chinese and Japanese put no space between words, nor do Thai, Lao, Burmese and Khmer.
_CJK = "\u3005\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_CJK += "\U00020000-\U0003fffd"
_SOUTHEAST_ASIAN = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
# Marks that belong to the letter before them, which `\w` leaves out; without them a word of Hindi,
# or one in Hebrew with its vowels, would fall into several.
_COMBINING_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1-\u05c7\u064b-\u065f\u0670"
    "\u0900-\u0963\u0966-\u0dff\u200c\u200d"
)

LETTER = rf"[^\W_{_CJK}{_SOUTHEAST_ASIAN}]"
"""A letter or digit, as a pattern, of a script that puts spaces between words."""

_TOKEN = re.compile(
    rf"(?P<cjk>[{_CJK}])|(?P<south_east>[{_SOUTHEAST_ASIAN}])"
    rf"|{LETTER}(?:{LETTER}|[{_COMBINING_MARKS}]|['’](?={LETTER}))*"
)

# In quarters of a word.
_QUARTER_WORDS = {None: 4, "cjk": 2, "south_east": 1}


def count_words(text: str) -> int:
    """Count words; two Chinese or Japanese characters, or four Thai ones, count as one."""
    return sum(_QUARTER_WORDS[found.lastgroup] for found in _TOKEN.finditer(text)) // 4


def normalize_unicode(text: str) -> str:
    """Return a text with its letters composed: a pattern must not depend on how é is encoded."""
    return unicodedata.normalize("NFC", text)


@dataclass(frozen=True)
class TextView:
    """A text as the checks read it; each reading is worked out when it is first asked for.

    Attributes:
        text: The text as it came.
    """

    text: str

    @cached_property
    def composed(self) -> str:
        """The text with its letters composed."""
        return normalize_unicode(self.text)

    @cached_property
    def folded(self) -> str:
        """The composed text with its case folded, to be searched whatever the capitals."""
        return self.composed.casefold()

    @cached_property
    def prose(self) -> str:
        """The composed text without fenced code blocks."""
        return strip_code_blocks(self.composed)

    @cached_property
    def tokens(self) -> tuple[tuple[str, int], ...]:
        """Each word, or character of a script without spaces, with its quarters of a word.

        Words stand as they are compared: in lower case, without punctuation.
        """
        return tuple(_iter_tokens(self.composed))

    @cached_property
    def word_count(self) -> int:
        """How many words `count_words` finds in the composed text."""
        return sum(quarters for _, quarters in self.tokens) // 4


@lru_cache(maxsize=64)
def view_text(text: str) -> TextView:
    """Return the view of a text that all checks share.

    The checks of one reply run without a pause, on the reply, on what it may repeat and on the
    passages behind it: that many views stay, and no more, since each holds its text.
    """
    return TextView(text)


def take_first_words(text: str, count: int) -> tuple[str, ...]:
    """Return the first words as they are compared: in lower case, without punctuation."""
    words, weight = [], 0
    for word, quarters in _iter_tokens(text):
        words.append(word)
        weight += quarters
        if weight >= 4 * count:
            break
    return tuple(words)


def find_shared_ngram(
    text: str, sources: Iterable[str], *, length: int, allowed: str = ""
) -> tuple[str, ...] | None:
    """Return the first run of words that a text shares with a source.

    Case, punctuation, markup and how letters are encoded do not count.
    """
    own = dict.fromkeys(_iter_ngrams(text, length))
    shared = {run for source in sources for run in _iter_ngrams(source, length) if run in own}
    if shared:
        shared.difference_update(_iter_ngrams(allowed, length))
    return next((run for run in own if run in shared), None)


def _iter_tokens(text: str) -> Iterator[tuple[str, int]]:
    for found in _TOKEN.finditer(text):
        yield found[0].casefold().replace("’", "'"), _QUARTER_WORDS[found.lastgroup]


def _iter_ngrams(text: str, length: int) -> Iterator[tuple[str, ...]]:
    """Yield the shortest run of at least so many words from each word on."""
    tokens = view_text(text).tokens
    words = [word for word, _ in tokens]
    end, weight = 0, 0
    for start, (_, quarters) in enumerate(tokens):
        while weight < 4 * length:
            if end == len(tokens):
                return
            weight += tokens[end][1]
            end += 1
        yield tuple(words[start:end])
        weight -= quarters


# ---- Quotations

# A shorter quoted span may be a scare quote.
_MIN_QUOTATION_WORDS = 4
_MAX_ATTRIBUTION_WORDS = 8

_CLOSERS = {
    "“": "”",
    "„": "“”",
    "”": "”",
    "«": "»",
    "»": "«",
    "‹": "›",
    "›": "‹",
    "「": "」",
    "『": "』",
    '"': '"',
    "＂": "＂",
    "‘": "’",
    "‚": "‘’",
    "'": "'",
}
"""Opening mark → the marks that close it, in any language's fashion."""

_NESTING_MARKS = "“«‹「『"
_SINGLE_MARKS = "‘‚'"
_AMBIGUOUS_MARKS = '”»›"＂'
# 'tis, 'em and '90s open no quotation.
_ELISION = r"(?i:\d0s|bout|cause|cuz|em|n|neath|round|til|till|tis|twas)\b"
# Ambiguous and single marks open only where a word follows and none precedes.
_OPENING_MARK = re.compile(
    rf"[„{_NESTING_MARKS}]"
    rf"|(?<!{LETTER})(?:[{_AMBIGUOUS_MARKS}]|[{_SINGLE_MARKS}](?!{_ELISION}))(?=\S)"
)


def _compile_closing(opener: str, closers: str) -> re.Pattern[str]:
    """Return what may close a quotation, or open another of its kind within it."""
    if opener in _SINGLE_MARKS:
        return re.compile(rf"(?<!\s)[{closers}](?!{LETTER})")
    if opener in _AMBIGUOUS_MARKS:
        return re.compile(rf"[{closers}](?!{LETTER})")
    return re.compile(f"[{closers}{opener if opener in _NESTING_MARKS else ''}]")


_CLOSING_MARKS = {opener: _compile_closing(opener, closers) for opener, closers in _CLOSERS.items()}

BLANK_LINE = re.compile(r"\n[ \t]*\n")
"""What lies between two paragraphs."""

INLINE_CODE = re.compile(r"`[^`\n]*`")
"""Code within a line, for patterns that mean prose; quotation marks are read more closely."""

_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)(?:.+?)(?<!`)\1(?!`)", re.DOTALL)
_CODE_BLOCK = re.compile(
    r"^(?P<lead>[ \t>]*(?:(?:[-*+]|\d{1,9}[.)])[ \t]+)*)(?P<fence>`{3,}|~{3,})(?P<info>[^`\n]*)\n"
    r"(?P<body>.*?)^[ \t>]*(?P=fence)[`~]*[ \t]*$",
    re.DOTALL | re.MULTILINE,
)
_BLOCK_QUOTE = re.compile(r"(?:^[ \t]*>[^\n]*(?:\n|\Z))+", re.MULTILINE)
_BLOCK_QUOTE_PREFIX = re.compile(r"^[ \t]*(?:>[ ]?)+(?:[-*+][ ]+|\d+[.)][ ]+)?", re.MULTILINE)
_PARAGRAPH_BREAK = re.compile(r"\n[ \t]*\n|\n(?=[ \t]*(?:[-*+]|\d{1,9}[.)])[ \t])")
_ATTRIBUTION = re.compile(r"\n[ \t]*(?:[—–]|--)(?P<source>[^\n]*)\Z")

_EMPHASIS = re.compile(r"[*`]+|(?<![^\W_])_+|_+(?![^\W_])")
_DASH = re.compile(r" ?(?:[—–―]|--+) ?| - ")
_ELLIPSIS = re.compile(r"[\[(]?…[\])]?")
_QUOTE_STYLES = str.maketrans(
    dict.fromkeys('"“”„«»‘’‚‹›「」『』＂', "'") | {"\u00a0": " ", "‐": "-", "‑": "-"}
)
_EDGE_CHARS = " '.,;:!?—-"


def find_quotations(text: str) -> list[str]:
    """Return a text's quotations of four words or more: quoted spans and block quotes.

    A quotation within another is part of it. A quotation that is opened and not closed goes to
    the end of its paragraph. What stands in code is no quotation.

    What it cannot see: quotations set off by italics, indentation or nothing at all; those
    shorter than four words; those in code. An attribution in a line of its own at the end of a
    block quote, after a dash, is taken on trust up to eight words.
    """
    prose = strip_code_blocks(text)
    spans = [
        span for block in _BLOCK_QUOTE.finditer(prose) for span in _iter_block_quotes(block[0])
    ]
    for paragraph in _PARAGRAPH_BREAK.split(_BLOCK_QUOTE.sub("\n\n", prose)):
        spans.extend(_iter_quoted_spans(paragraph))
    return [span.strip() for span in spans if count_words(span) >= _MIN_QUOTATION_WORDS]


def is_verbatim_in(quotation: str, source: str, *, allow_ellipsis: bool = False) -> bool:
    """Say whether a quotation stands in a source word for word, whole words only.

    White space, emphasis, the style of quotation marks and dashes, stops at either end and the
    case of the first letter do not count.

    What it cannot see: a quotation that is torn from what turns its meaning ("share it" out of
    "never share it").
    """
    searched = _normalize_quotation(source)
    wanted = _normalize_quotation(quotation)
    pieces = (
        _ELLIPSIS.split(wanted)
        if allow_ellipsis and not _search_verbatim(wanted, searched, 0)
        else [wanted]
    )
    pieces = [piece for piece in pieces if piece.strip(_EDGE_CHARS + "…")]
    end = 0
    for piece in pieces:
        found = _search_verbatim(piece, searched, end)
        if found is None:
            return False
        end = found.end()
    return bool(pieces)


def extract_code_blocks(text: str) -> list[str]:
    """Return the fenced code blocks of a text, each as its language and its dedented lines."""
    found = []
    for block in _CODE_BLOCK.finditer(text):
        lines = block["body"].splitlines()
        depth = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
        body = "\n".join(line[depth:].rstrip() for line in lines)
        found.append(f"{block['info'].strip()}\n{body}")
    return found


def strip_code_blocks(text: str) -> str:
    """Return a text without its fenced code blocks."""
    return _CODE_BLOCK.sub("", text)


def _iter_block_quotes(block: str) -> Iterator[str]:
    inner = _BLOCK_QUOTE_PREFIX.sub("", block).strip()
    attribution = _ATTRIBUTION.search(inner)
    if attribution and count_words(attribution["source"]) <= _MAX_ATTRIBUTION_WORDS:
        inner = inner[: attribution.start()]
    yield from BLANK_LINE.split(inner)


def _iter_quoted_spans(paragraph: str) -> Iterator[str]:
    """Yield the outermost quoted spans of a paragraph."""
    text = _CODE_SPAN.sub(lambda span: "\0" * len(span[0]), paragraph)
    # Once for the whole paragraph: most single marks are apostrophes, and close nothing.
    single_ends = {
        mark: [found.start() for found in _CLOSING_MARKS[mark].finditer(text)]
        for mark in _SINGLE_MARKS
        if mark in text
    }
    position = 0
    while opening := _OPENING_MARK.search(text, position):
        start, mark = opening.start(), opening[0]
        if mark in _SINGLE_MARKS:
            end = _find_closing_single_mark(text, start, single_ends[mark])
        else:
            end = _find_closing_mark(text, start)
        if end is not None:
            yield paragraph[start + 1 : end]
        position = (start if end is None else end) + 1


def _find_closing_mark(text: str, start: int) -> int:
    """Return where the quotation that opens here ends: at its mark, or with the text."""
    mark, depth = text[start], 1
    for found in _CLOSING_MARKS[mark].finditer(text, start + 1):
        depth += -1 if found[0] in _CLOSERS[mark] else 1
        if not depth:
            return found.start()
    return len(text)


def _find_closing_single_mark(text: str, start: int, ends: Sequence[int]) -> int | None:
    """Return where a quotation in single marks ends, as far as it differs from an apostrophe."""
    first = bisect_left(ends, start + 2)
    for place in range(first, len(ends) - 1):
        end, later = ends[place : place + 2]
        # "the students’ books": an apostrophe, if the quotation is closed further on.
        plural = text[end - 1] in "sS" and re.match(r" [^\W\d_]", text[end + 1 : end + 3])
        if not plural or text[start] in text[end + 1 : later]:
            return end
    return ends[-1] if first < len(ends) else None


@lru_cache(maxsize=64)
def _normalize_quotation(text: str) -> str:
    """Return a text without what does not count when quotations are compared.

    Each quotation is compared with the same few sources.
    """
    text = _BLOCK_QUOTE_PREFIX.sub("", normalize_unicode(text)).translate(_QUOTE_STYLES)
    text = " ".join(_EMPHASIS.sub("", text).split())
    return _DASH.sub("—", text).replace("...", "…")


def _search_verbatim(piece: str, source: str, start: int) -> re.Match[str] | None:
    """Find a piece between word boundaries: "honest" does not stand in "dishonest"."""
    piece = piece.strip(_EDGE_CHARS + "…[]()") if piece.strip(_EDGE_CHARS + "…") else ""
    if not piece:
        return None
    first, rest = piece[0], re.escape(piece[1:])
    either = f"[{re.escape(first.lower())}{re.escape(first.upper())}]"
    opening = either if len(first.lower()) == len(first.upper()) == 1 else re.escape(first)
    before = rf"(?<!{LETTER})(?<!{LETTER}-)" if re.match(LETTER, first) else ""
    after = rf"(?!['-]?{LETTER})" if re.match(LETTER, piece[-1]) else ""
    return re.compile(before + opening + rest + after).search(source, start)
