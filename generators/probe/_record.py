"""A probe as it is written: a row that Inspect reads, with all that its scorers need beside it."""

import hashlib
from collections.abc import Sequence
from typing import Any

from whyset.datasets import dumps
from whyset.retriever import ScoredPassage

from .._grounds import Grounds
from .._quotes import placed
from .._result import Quote
from .._words import count_words
from ._opinions import Written
from ._options import Options
from ._phrasing import LETTERS
from ._variety import Assignment

_TRUTH = {
    "ar": ("صحيح", "خطأ"),
    "de": ("Wahr", "Falsch"),
    "en": ("True", "False"),
    "es": ("Verdadero", "Falso"),
    "fr": ("Vrai", "Faux"),
    "it": ("Vero", "Falso"),
    "ja": ("正しい", "誤り"),
    "ko": ("참", "거짓"),
    "nl": ("Waar", "Onwaar"),
    "pl": ("Prawda", "Fałsz"),
    "pt": ("Verdadeiro", "Falso"),
    "ru": ("Верно", "Неверно"),
    "zh": ("正确", "错误"),
}
SHORTEST_QUOTE = 3
"""Words from which on a quotation can decide anything."""


def choices_of(
    assignment: Assignment, written: Written, *, language: str, place: int
) -> tuple[str, ...]:
    """Return the options as they are shown; none where the format has none.

    Args:
        assignment: What the probe is to be.
        written: The probe.
        language: What true and false are said in; English for one that is not known.
        place: Where chance has put the right option, any number.
    """
    if assignment.format == "true_false":
        return _TRUTH.get(language[:2].casefold(), _TRUTH["en"])
    if assignment.format == "multiple_choice":
        options = list(written.wrong)
        options.insert(place % (len(options) + 1), written.right)
        return tuple(options)
    return ()


def target_of(assignment: Assignment, written: Written, choices: Sequence[str]) -> str | list[str]:
    """Return what is right: a letter, the words for a blank, or the reference answer."""
    if assignment.format == "true_false":
        return "A" if assignment.truth else "B"
    if assignment.format == "multiple_choice":
        return LETTERS[choices.index(written.right)]
    if assignment.format == "cloze":
        return list(dict.fromkeys([written.right, *written.accepted]))
    return written.answer


def columns_of(
    assignment: Assignment,
    written: Written,
    *,
    grounds: Grounds,
    quotes: Sequence[Quote],
    options: Options,
    place: int,
    guessable: bool | None,
) -> dict[str, Any]:
    """Return the columns of a probe.

    Args:
        assignment: What it is to be.
        written: What it is.
        grounds: What it rests on.
        quotes: The reference's quotations, each with its passage.
        options: The run's.
        place: Where chance has put the right option.
        guessable: Whether who has not seen the passages answered it; `None`: nobody was asked.
    """
    choices = choices_of(assignment, written, language=options.language, place=place)
    target = target_of(assignment, written, choices)
    metadata: dict[str, Any] = {
        **assignment.variety,
        "named_input": written.named,
        "model_name": options.model_name,
        "language": options.language,
        "section": " > ".join(grounds.focus[0].passage.path),
        "passages": [_passage(found) for found in grounds.focus],
        "reference": written.answer,
        "criteria": list(written.criteria),
        "quotes": [{"passage": quote.passage, "text": quote.text} for quote in quotes],
        "constitution": {"title": grounds.whole.title, "sha256": grounds.whole.digest},
        "guessable": guessable,
    }
    if assignment.kind == "false_premise":
        metadata |= {"premise": written.premise, "correction": written.correction}
    asked = dumps([written.you, written.named, list(choices), target])
    columns: dict[str, Any] = {
        "id": f"{assignment.kind}-{hashlib.sha256(asked).hexdigest()[:12]}",
        "input": written.you,
        "target": target,
    }
    if choices:
        columns["choices"] = list(choices)
    return {**columns, "metadata": metadata}


def quotes_in(written: Written, passages: Sequence[ScoredPassage]) -> tuple[Quote, ...]:
    """Return the reference's quotations that stand in a passage, each with the first such."""
    return placed((q for q in written.quotes if count_words(q) >= SHORTEST_QUOTE), passages)


def _passage(found: ScoredPassage) -> dict[str, Any]:
    passage = found.passage
    introduction = f"{passage.context}\n" if passage.context else ""
    return {
        "id": passage.id,
        "path": list(passage.path),
        "lines": list(passage.lines),
        "text": f"{introduction}{passage.plain}",
    }
