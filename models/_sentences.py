"""Whole sentences in a text, word for word."""

import re
from collections.abc import Iterator

_CLOSING = "\"'”’»)\\]"
_END = re.compile(rf"[.!?…]+[{_CLOSING}]*(?=\s)|[。！？]+[”’」』）]*")
_WHOLE = re.compile(rf"[.!?…。！？][{_CLOSING}」』）]*$")
_OPENING = re.compile(r"[^\w]*(\w)")
_ABBREVIATION = re.compile(
    r"(?:^|[\s(])(?:e\.g|i\.e|cf|vs|etc|al|approx|no|mr|mrs|ms|dr|prof|st|\w)\.$", re.IGNORECASE
)
_WORD = re.compile(r"\w+(?:['’]\w+)*")
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def sentences(text: str) -> list[str]:
    """Return the whole sentences of a text, in order, each a slice of it.

    Fragments are left out: what does not end as a sentence does (a heading, an introduction with
    a colon), what does not begin as one (in lower case), and what holds an unclosed quotation.
    An abbreviation's full stop ends no sentence; the list of them is English.
    """
    return [sentence for sentence in _pieces(text) if _is_whole(sentence)]


def word_count(text: str) -> int:
    """Return how many words a text has; two characters of a script without spaces count as one."""
    ideographs = len(_IDEOGRAPH.findall(text))
    return len(_WORD.findall(_IDEOGRAPH.sub(" ", text))) + ideographs // 2


def _pieces(text: str) -> Iterator[str]:
    # In a passage's plain text a line break parts blocks; one in the source is a space by now.
    for block in text.split("\n"):
        start = 0
        for end in _END.finditer(block):
            rest = _OPENING.match(block, end.end())
            lower = rest is not None and rest[1].islower()
            if lower or _ABBREVIATION.search(block[start : end.end()]):
                continue
            yield block[start : end.end()].strip()
            start = end.end()
        yield block[start:].strip()


def _is_whole(sentence: str) -> bool:
    opening = _OPENING.match(sentence)
    return (
        opening is not None
        and not opening[1].islower()
        and _WHOLE.search(sentence) is not None
        and sentence.count("“") == sentence.count("”")
        and sentence.count('"') % 2 == 0
        and sentence.count("(") == sentence.count(")")
    )
