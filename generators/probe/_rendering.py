"""A probe as models read it, fenced as data."""

from collections.abc import Sequence

from .._prompts import fence
from .._rendering import render_list
from ._opinions import Posed, Written
from ._phrasing import LETTERS
from ._variety import Assignment


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
