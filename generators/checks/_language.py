"""The language a text is in."""

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING

from .._text import BLANK_LINE, INLINE_CODE, count_words, view_text
from ._check import Check, fail_check, pass_check

if TYPE_CHECKING:
    # It comes without types.
    from py3langid.langid import LanguageIdentifier  # type: ignore[import-untyped]

_MIN_WORDS = 8
# Of 80 sentences in 20 languages one alone was taken for another, a near relative, at 0.64.
_MIN_CONFIDENCE = 0.9
_MAX_FOREIGN_SHARE = 0.25
_NO_LANGUAGE = "zxx"

# Near relatives, which no short text tells apart for certain.
_RELATED_LANGUAGES = (
    frozenset({"id", "ms", "jv"}),
    frozenset({"no", "nn", "nb", "da"}),
    frozenset({"bs", "hr", "sr"}),
    frozenset({"cs", "sk"}),
    frozenset({"bg", "mk"}),
    frozenset({"gl", "pt"}),
    frozenset({"af", "nl"}),
    frozenset({"hi", "mr", "ne"}),
    frozenset({"zh", "yue", "wuu"}),
    frozenset({"ar", "ary", "arz"}),
    frozenset({"uz", "uzs"}),
    frozenset({"ro", "mo"}),
)
_NON_PROSE = re.compile(rf"{INLINE_CODE.pattern}|https?://\S+")
_BLOCK_QUOTE = re.compile(r"^[ \t]*>[^\n]*$", re.MULTILINE)


def check_language(text: str, *, language: str) -> Check:
    """The text must be in the language that was asked for, but for a quarter of it.

    Each paragraph is judged on its own, so that an answer which drifts into English is seen. Code,
    links and block quotes are passed over, paragraphs under eight words left out. Skipped where
    nothing is long enough or sure enough, and for a language that is not known.

    What it cannot see: single foreign words and sentences within a paragraph; near relatives
    (Indonesian and Malay, Danish and Norwegian, Czech and Slovak, …), which pass for each other;
    a variety (`pt-BR` is read as `pt`).

    Args:
        text: What the writer returned.
        language: Its code by ISO 639-1, such as `en`, `de`, `ja`; a region behind it is ignored.
    """
    wanted = re.split(r"[-_]", language.strip().casefold())[0]
    if wanted not in _list_languages():
        return Check("language", "skipped", f"no detector knows the language {language!r}")
    accepted = _find_related(wanted)
    ours, others = 0, Counter[str]()
    for paragraph, words in _iter_paragraphs(view_text(text).prose):
        code, confidence = _detect_language(paragraph)
        if code in accepted:
            ours += words
        elif code != _NO_LANGUAGE and confidence >= _MIN_CONFIDENCE:
            others[code] += words
    if not ours and not others:
        return Check("language", "skipped", "too short, or too mixed, to tell its language")
    if others.total() > _MAX_FOREIGN_SHARE * (ours + others.total()):
        (most, _), *_ = sorted(others.items(), key=lambda item: (-item[1], item[0]))
        return fail_check("language", f"reads as {most!r}; {wanted!r} was asked for: write in that")
    return pass_check("language")


def _iter_paragraphs(prose: str) -> Iterator[tuple[str, int]]:
    """Yield each paragraph that is long enough, or else the whole text, with its words.

    Block quotes may be in the language of who is quoted: they count where there is nothing else.
    """
    whole = _NON_PROSE.sub(" ", prose)
    for candidate in (_BLOCK_QUOTE.sub(" ", whole), whole):
        parts = [(part, count_words(part)) for part in BLANK_LINE.split(candidate)]
        if long := [(part, words) for part, words in parts if words >= _MIN_WORDS]:
            yield from long
            return
        if (words := count_words(candidate)) >= _MIN_WORDS:
            yield candidate, words
            return


def _detect_language(paragraph: str) -> tuple[str, float]:
    """Return the likeliest language, and how likely it or one of its relatives is."""
    ranked = _load_identifier().rank(" ".join(paragraph.split()))
    code, _ = ranked[0]
    related = _find_related(code)
    return code, sum(share for other, share in ranked if other in related)


def _find_related(code: str) -> frozenset[str]:
    return frozenset({code}).union(*(group for group in _RELATED_LANGUAGES if code in group))


@cache
def _list_languages() -> frozenset[str]:
    codes = frozenset(_load_identifier().labels) - {_NO_LANGUAGE}
    return codes.union(*(group for group in _RELATED_LANGUAGES if group & codes))


@cache
def _load_identifier() -> "LanguageIdentifier":
    # Half a second and 100 MB: only where a language was asked for.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
