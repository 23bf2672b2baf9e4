"""Words in a text of any script: counting them, and finding runs that two texts share."""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

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


def take_first_words(text: str, count: int) -> tuple[str, ...]:
    """Return the first words as they are compared: in lower case, without punctuation."""
    return next(_iter_ngrams(text, count), ()) or tuple(word for word, _ in _tokenize(text))


def find_shared_ngram(
    text: str, sources: Iterable[str], *, length: int, allowed: str = ""
) -> tuple[str, ...] | None:
    """Return the first run of words that a text shares with a source.

    Case, punctuation and markup do not count.

    Args:
        text: The text whose runs are looked for.
        sources: Where they must not come from.
        length: How many words make a run.
        allowed: A text whose own runs are not held against the other.
    """
    own = dict.fromkeys(_iter_ngrams(text, length))
    shared = {run for source in sources for run in _iter_ngrams(source, length) if run in own}
    if shared:
        shared.difference_update(_iter_ngrams(allowed, length))
    return next((run for run in own if run in shared), None)


def _iter_ngrams(text: str, length: int) -> Iterator[tuple[str, ...]]:
    """Yield the shortest run of at least so many words from each word on."""
    tokens = _tokenize(text)
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


def _tokenize(text: str) -> list[tuple[str, int]]:
    """Return each word, or character of a script without spaces, with its quarters of a word."""
    return [
        (found[0].casefold().replace("’", "'"), _QUARTER_WORDS[found.lastgroup])
        for found in _TOKEN.finditer(text)
    ]


# ---- Quotations in a text: finding them, and saying whether a source holds one word for word.

MIN_QUOTATION_WORDS = 4
"""Words from which on a quoted span is taken for a quotation; below, it may be a scare quote."""

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
}
"""Opening mark → the marks that close it, in any language's fashion."""

_NESTING_OPENERS = frozenset("“«‹「『")
_AMBIGUOUS_MARKS = frozenset('”»›"＂')
"""Marks that open only where a word follows and none precedes."""

_SINGLE_OPENERS = frozenset("‘‚'")
# 'tis, 'em and '90s open no quotation.
_ELISION = re.compile(r"(?:\d0s|bout|cause|cuz|em|n|neath|round|til|till|tis|twas)\b", re.I)

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
    return [span.strip() for span in spans if count_words(span) >= MIN_QUOTATION_WORDS]


def is_verbatim_in(quotation: str, source: str, *, allow_ellipsis: bool = False) -> bool:
    """Say whether a source holds a quotation word for word, whole words only.

    White space, emphasis, the style of quotation marks and dashes, stops at either end and the
    case of the first letter do not count.

    What it cannot see: a quotation that is torn from what turns its meaning ("share it" out of
    "never share it").

    Args:
        quotation: What is said to be a quotation, without its marks.
        source: Where it is looked for.
        allow_ellipsis: Whether words may be left out where the quotation has an ellipsis.
    """
    held = _normalize_quotation(source)
    wanted = _normalize_quotation(quotation)
    pieces = (
        _ELLIPSIS.split(wanted)
        if allow_ellipsis and not _search_verbatim(wanted, held, 0)
        else [wanted]
    )
    pieces = [piece for piece in pieces if piece.strip(_EDGE_CHARS + "…")]
    end = 0
    for piece in pieces:
        found = _search_verbatim(piece, held, end)
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
    yield from re.split(r"\n[ \t]*\n", inner)


def _iter_quoted_spans(paragraph: str) -> Iterator[str]:
    """Yield the outermost quoted spans of a paragraph."""
    in_code = [found.span() for found in _CODE_SPAN.finditer(paragraph)]
    masked = list(paragraph)
    for start, end in in_code:
        masked[start:end] = "\0" * (end - start)
    text = "".join(masked)
    position = 0
    while position < len(text):
        closing = _find_closing_mark(text, position)
        if closing is None:
            position += 1
        else:
            yield paragraph[position + 1 : closing]
            position = closing + 1


def _find_closing_mark(text: str, start: int) -> int | None:
    """Return where the quotation that opens here ends; `None` where none opens."""
    mark = text[start]
    if mark in _SINGLE_OPENERS:
        return _find_closing_single_mark(text, start)
    if mark not in _CLOSERS or (mark in _AMBIGUOUS_MARKS and not _is_opening_position(text, start)):
        return None
    closers, depth = _CLOSERS[mark], 1
    for index in range(start + 1, len(text)):
        if text[index] in closers and not (
            mark in _AMBIGUOUS_MARKS and _is_word_char(text, index + 1)
        ):
            depth -= 1
        elif text[index] == mark and mark in _NESTING_OPENERS:
            depth += 1
        if not depth:
            return index
    return len(text)


def _find_closing_single_mark(text: str, start: int) -> int | None:
    """Return where a quotation in single marks ends, told from apostrophes as well as may be."""
    if not _is_opening_position(text, start) or _ELISION.match(text, start + 1):
        return None
    mark = text[start]
    closers = {"‘": "’", "‚": "‘’", "'": "'"}[mark]
    ends = [
        index
        for index in range(start + 2, len(text))
        if text[index] in closers
        and not _is_word_char(text, index + 1)
        and not text[index - 1].isspace()
    ]
    for end, later in pairwise(ends):
        # "the students’ books": an apostrophe, if the quotation is closed further on.
        plural = text[end - 1] in "sS" and re.match(r" [^\W\d_]", text[end + 1 : end + 3])
        if not plural or mark in text[end + 1 : later]:
            return end
    return ends[-1] if ends else None


def _is_opening_position(text: str, start: int) -> bool:
    following = text[start + 1 : start + 2]
    return bool(following) and not following.isspace() and not _is_word_char(text, start - 1)


def _is_word_char(text: str, index: int) -> bool:
    return 0 <= index < len(text) and re.match(LETTER, text[index]) is not None


def _normalize_quotation(text: str) -> str:
    """Return a text without what does not count when quotations are compared."""
    text = _BLOCK_QUOTE_PREFIX.sub("", unicodedata.normalize("NFC", text)).translate(_QUOTE_STYLES)
    text = " ".join(_EMPHASIS.sub("", text).split())
    return _DASH.sub("—", text).replace("...", "…")


def _search_verbatim(piece: str, held: str, start: int) -> re.Match[str] | None:
    """Find a piece between word boundaries: "honest" does not stand in "dishonest"."""
    piece = piece.strip(_EDGE_CHARS + "…[]()") if piece.strip(_EDGE_CHARS + "…") else ""
    if not piece:
        return None
    first, rest = piece[0], re.escape(piece[1:])
    either = f"[{re.escape(first.lower())}{re.escape(first.upper())}]"
    opening = either if len(first.lower()) == len(first.upper()) == 1 else re.escape(first)
    before = rf"(?<!{LETTER})(?<!{LETTER}-)" if re.match(LETTER, first) else ""
    after = rf"(?!['-]?{LETTER})" if re.match(LETTER, piece[-1]) else ""
    return re.compile(before + opening + rest + after).search(held, start)
