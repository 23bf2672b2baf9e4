"""Mock replies for dry runs: texts of a given length that mean nothing."""

import re
from collections.abc import Iterator
from itertools import cycle

from whyset.constitution import estimate_tokens
from whyset.datasets import Row

from ._row_checks import ROW_LANGUAGE
from ._steps import Ask, Reply, Usage
from ._text import count_words

# Runs of letters alone: no quotation, link, number or mark of code can come of them. Cut, because
# in Thai or Japanese a whole paragraph may be one run.
_LETTER_RUN = re.compile(r"[^\W\d_]{1,24}")
_NONSENSE_WORD = "qxqxq"
_DEFAULT_WORDS = ("two", "things", "pull", "apart", "and", "one", "weighs", "more")


def make_mock_reply(ask: Ask, text: str) -> Reply:
    """Return a complete reply whose usage are estimates of the prompt's tokens and the text's."""
    spoken = (ask.system, *(turn.text for turn in ask.turns), ask.user)
    usage = Usage(sum(map(estimate_tokens, spoken)), estimate_tokens(text))
    return Reply(text, "complete", usage, "rehearsed")


def filler_text(count: int, *, source: str = "") -> str:
    """Return so many words of a source, over and over where it has fewer."""
    taken: list[str] = []
    # A run of letters may be several words to those who count, or in Japanese half of one.
    counted = 0
    for run in _cycle_words(source):
        taken.append(run)
        counted += count_words(run)
        if counted >= count:
            break
    return " ".join(taken)


def language_filler_source(language: str) -> str:
    """Return what `filler_text` should fill a text with that is to be in a language.

    Nothing where that is English, which is what the filler is; else a word of no language, so
    that the check of it is skipped.
    """
    return "" if language.casefold().startswith("en") else _NONSENSE_WORD


def row_filler_source(row: Row, language: str) -> str:
    """Return what `filler_text` should fill a response with: the user's words, or a language's."""
    if language != ROW_LANGUAGE:
        return language_filler_source(language)
    return "\n".join(m.text for m in row.conversation.prompt if m.role == "user")


def parse_requested_count(ask: Ask) -> int:
    """Return how many entries an ask is for: the number that its prompt ends in, or else one."""
    last = ask.user.split()[-1:]
    return int(last[0]) if last and last[0].isdigit() else 1


def _cycle_words(source: str) -> Iterator[str]:
    runs = [found[0] for found in _LETTER_RUN.finditer(source) if count_words(found[0])]
    return cycle(runs or _DEFAULT_WORDS)
