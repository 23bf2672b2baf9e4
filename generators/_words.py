"""Words in a text of any script: counting them, and finding runs that two texts share."""

import re
from collections.abc import Iterable, Iterator

# Chinese and Japanese put no space between words, nor do Thai, Lao, Burmese and Khmer.
_CJK = "\u3005\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f"
_CJK += "\U00020000-\U0003fffd"
_SOUTH_EAST = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"
# Marks that belong to the letter before them, which `\w` leaves out; without them a word of Hindi,
# or one in Hebrew with its vowels, would fall into several.
_MARKS = (
    "\u0300-\u036f\u0591-\u05bd\u05bf\u05c1-\u05c7\u064b-\u065f\u0670"
    "\u0900-\u0963\u0966-\u0dff\u200c\u200d"
)

LETTER = rf"[^\W_{_CJK}{_SOUTH_EAST}]"
"""A letter or digit, as a pattern, of a script that puts spaces between words."""

_TOKEN = re.compile(
    rf"(?P<cjk>[{_CJK}])|(?P<south_east>[{_SOUTH_EAST}])"
    rf"|{LETTER}(?:{LETTER}|[{_MARKS}]|['’](?={LETTER}))*"
)

# In quarters of a word.
_QUARTERS = {None: 4, "cjk": 2, "south_east": 1}


def count_words(text: str) -> int:
    """Count words; two Chinese or Japanese characters, or four Thai ones, count as one."""
    return sum(_QUARTERS[found.lastgroup] for found in _TOKEN.finditer(text)) // 4


def first_words(text: str, count: int) -> tuple[str, ...]:
    """Return the first words as they are compared: in lower case, without punctuation."""
    return next(_runs(text, count), ()) or tuple(word for word, _ in _tokens(text))


def shared_run(
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
    own = dict.fromkeys(_runs(text, length))
    shared = {run for source in sources for run in _runs(source, length) if run in own}
    if shared:
        shared.difference_update(_runs(allowed, length))
    return next((run for run in own if run in shared), None)


def _runs(text: str, length: int) -> Iterator[tuple[str, ...]]:
    """Yield the shortest run of at least so many words from each word on."""
    tokens = _tokens(text)
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


def _tokens(text: str) -> list[tuple[str, int]]:
    """Return each word, or character of a script without spaces, with its quarters of a word."""
    return [
        (found[0].casefold().replace("’", "'"), _QUARTERS[found.lastgroup])
        for found in _TOKEN.finditer(text)
    ]
