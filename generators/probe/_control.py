"""What became of the control: did somebody answer who had not seen the passages?"""

import re
from collections.abc import Sequence

from ._phrasing import LETTERS

_LETTER = re.compile(rf"\W*([{LETTERS}])\b(?!['’])")
_ARTICLE = re.compile(r"\A(?:the|a|an) ")


def chosen_letter(answer: str, choices: Sequence[str]) -> str:
    """Return the letter of the option that an answer names; empty where it names none."""
    if found := _LETTER.match(answer.strip()):
        return found[1] if found[1] in LETTERS[: len(choices)] else ""
    told = plain_words(answer)
    return next(
        (
            letter
            for letter, option in zip(LETTERS, choices, strict=False)
            if plain_words(option) == told
        ),
        "",
    )


def fills(answer: str, accepted: Sequence[str]) -> bool:
    """Say whether an answer fills a blank as one of those that are accepted."""
    told = plain_words(answer)
    return any(plain_words(other) == told for other in accepted)


def plain_words(text: str) -> str:
    """Return a text as short answers are compared: no case, marks or article before it."""
    return _ARTICLE.sub("", " ".join(re.findall(r"[\w'’-]+", text.casefold().replace("’", "'"))))
