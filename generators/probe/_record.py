"""A probe from its passages to its record: a row that Inspect reads, with what scorers need."""

import hashlib
from collections.abc import Sequence
from typing import Any

from whyset.datasets import dumps
from whyset.errors import GeneratorError
from whyset.retriever import ScoredPassage

from .._asking import request_passages
from .._brief import Brief
from .._prompts import fence
from .._rendering import render_list
from .._result import Quote
from .._steps import Fetch, Steps
from .._text import count_words
from .._work import PassageContext, WorkState, attribute_quotations
from ._schemas import LETTERS, Assignment, Options, Posed, Written

# ---- The passages that a probe rests on. ----


def validate_subject(brief: Brief) -> None:
    """A probe must be about something.

    Raises:
        GeneratorError: The brief names no passage and no subject.
    """
    if not (brief.passages or brief.about.strip()):
        raise GeneratorError(
            f"brief {brief.line}: a probe needs a subject: name passages or say what it is about"
        )


def gather_context(work: WorkState, brief: Brief, *, k: int) -> Steps[PassageContext]:
    """Gather the passages of a brief, or those on its subject, with their sections."""
    whole = yield from request_passages(Fetch((), "document"))
    if brief.passages:
        yield from work.fetch(brief.passages, scope="passages")
    else:
        yield from work.find((brief.about,), k=k)
    focus = work.passages
    if focus:
        yield from work.fetch([found.passage.id for found in focus], scope="section")
    return PassageContext(focus, work.passages[len(focus) :], whole)


# ---- A probe as models read it, fenced as data. ----


def render_question(text: str, choices: Sequence[str]) -> str:
    """Return a question with its options, as somebody is asked it."""
    lettered = [f"{letter}) {choice}" for letter, choice in zip(LETTERS, choices, strict=False)]
    return fence("\n".join([text, *lettered]))


def render_posed(posed: Posed, assignment: Assignment) -> str:
    """Return both phrasings and what belongs to the format."""
    return fence("\n".join(_posed(posed, assignment)))


def render_written(written: Written, assignment: Assignment) -> str:
    """Return a whole probe."""
    lines = _posed(written, assignment)
    lines += ["answer:", written.answer, "criteria:", render_list(written.criteria)]
    if assignment.format == "cloze":
        lines += ["accepted:", render_list(written.accepted)]
    return fence("\n".join([*lines, "quotes:", render_list(written.quotes)]))


def render_reference(written: Written) -> str:
    """Return what an answer is held against."""
    lines = [written.answer, "It must say:", render_list(written.criteria)]
    return fence("\n".join(lines))


def _posed(posed: Posed, assignment: Assignment) -> list[str]:
    lines = [f"you: {posed.you}", f"named: {posed.named}"]
    held = (
        ("premise", posed.premise),
        ("correction", posed.correction),
        ("right", posed.right),
        *(("wrong", option) for option in posed.wrong),
    )
    lines += [f"{name}: {text}" for name, text in held if text.strip()]
    if assignment.format == "true_false":
        lines.append(f"right: {'true' if assignment.truth else 'false'}")
    return lines


# ---- The record. ----

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
MIN_QUOTE_WORDS = 3
"""Words from which on a quotation can decide anything."""


def choices_of(
    assignment: Assignment, written: Written, *, language: str, place: int
) -> tuple[str, ...]:
    """Return the options as they are shown; none where the format has none."""
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
    grounds: PassageContext,
    quotes: Sequence[Quote],
    options: Options,
    place: int,
    guessable: bool | None,
) -> dict[str, Any]:
    """Return the columns of a probe."""
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
        "quotes": [{"passage": quote.passage_id, "text": quote.text} for quote in quotes],
        "constitution": {"title": grounds.document.title, "sha256": grounds.document.digest},
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
    return attribute_quotations(
        (q for q in written.quotes if count_words(q) >= MIN_QUOTE_WORDS), passages
    )


def _passage(found: ScoredPassage) -> dict[str, Any]:
    passage = found.passage
    introduction = f"{passage.context}\n" if passage.context else ""
    return {
        "id": passage.id,
        "path": list(passage.path),
        "lines": list(passage.lines),
        "text": f"{introduction}{passage.plain}",
    }
