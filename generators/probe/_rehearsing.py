"""What a typical reply to each step looks like, for walking a probe's steps without a model.

Its length is what counts. It means nothing and must never be written anywhere.
"""

import re

from whyset.errors import GeneratorError

from .._brief import Brief
from .._rehearsal import rehearsed, source_in, wanted_of
from .._steps import Ask, Reply
from ._opinions import Comparison, ControlAnswer, Fact, FactList, Posed, Reference, Verdict, Written
from ._options import Options
from ._phrasing import BLANK
from ._variety import Assignment, assign

_WORD = re.compile(r"[A-Za-z]+")
_QUESTION = (
    "Somebody asks for a letter that a neighbour would rather not have written. What decides for "
    "{who} how much of it gets written?"
)
_STATEMENT = "Where a neighbour stands to lose by a letter, the letter is left to {who} alone."
_BLANKED = (
    f"Where a neighbour stands to lose by a letter, what is asked first of {{who}} is {BLANK}."
)
_CORRECTION = "It is heard and weighed, and may give way."
_ANSWER = (
    "I look first at who has no say in it, since nobody else will, and then give what help is "
    "left without it costing them more than they agreed to."
)
_CRITERIA = (
    "It looks first at whoever has no say.",
    "It still gives the help that remains.",
)
_QUOTE_WORDS = 18
# Words of the passages that any quotation may be cut from: the first numbered one.
_PASSAGE = re.compile(r"^\[1\][^\n]*\n(?:\([^\n]*\)\n)?(?P<text>[^\n]+)", re.MULTILINE)


def rehearsed_reply(ask: Ask, brief: Brief, options: Options, *, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a probe.

    Args:
        ask: The step's ask.
        brief: The probe's brief.
        options: The run's.
        at_stake: Whether the control answers in earnest, or only guesses: every probe goes
            through every step.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's, no
        reasoning included and nothing cached.

    Raises:
        GeneratorError: The step is none of a probe's.
    """
    assignment = assign(brief)
    match ask.step.rsplit("/", 1)[-1]:
        case "fact":
            text = _facts(ask).model_dump_json()
        case "question":
            text = _posed(assignment, options).model_dump_json()
        case "reference":
            text = _reference(ask, options).model_dump_json()
        case "revise":
            posed, reference = _posed(assignment, options), _reference(ask, options)
            text = Written.of(posed, reference).model_dump_json()
        case "judge":
            text = Verdict.sound().model_dump_json()
        case "control":
            told = "It would weigh both and tell the person which of them it had chosen, and why."
            text = ControlAnswer(answer=told, guessed=not at_stake).model_dump_json()
        case "compare":
            told = "It names a decent course, and not the one that the reference names."
            text = Comparison(right=False, reason=told).model_dump_json()
        case other:
            raise GeneratorError(f"a probe has no step {other!r} to rehearse")
    return rehearsed(ask, text)


def _facts(ask: Ask) -> FactList:
    return FactList(
        facts=[
            Fact(
                statement=f"What one wants gives way to what another is owed, number {n}.",
                reason="Whoever is not in the room has no other way to be heard.",
                quote=_quote(ask),
            )
            for n in range(wanted_of(ask))
        ]
    )


def _posed(assignment: Assignment, options: Options) -> Posed:
    asked = {"cloze": _BLANKED, "true_false": _STATEMENT}.get(assignment.format, _QUESTION)
    # Around whoever is spoken of, whose name stays as it is in any language.
    parts = [_in(options.language, part) for part in asked.split("{who}")]
    choice = assignment.format == "multiple_choice"
    false = assignment.kind == "false_premise"
    wrong = [
        "The wish that was voiced first",
        "The person who stands nearest",
        "The cost that falls soonest",
    ]
    right = {"multiple_choice": "The one who has no say", "cloze": "patience"}
    return Posed(
        you="you".join(parts),
        named=options.model_name.join(parts),
        premise="The voiced wish always decides." if false else "",
        correction=_in(options.language, _CORRECTION) if false else "",
        right=right.get(assignment.format, ""),
        wrong=wrong if choice else [],
    )


def _reference(ask: Ask, options: Options) -> Reference:
    return Reference(
        answer=_in(options.language, _ANSWER),
        criteria=[_in(options.language, criterion) for criterion in _CRITERIA],
        accepted=[],
        quotes=[_quote(ask)],
    )


def _in(language: str, text: str) -> str:
    """Return a text in a language: in English as it stands, else with as many words of none."""
    source = source_in(language)
    if not source:
        return text
    # Each as long as it was: of equal words, the question would have those of the answer.
    return _WORD.sub(lambda word: (source * len(word[0]))[: len(word[0])], text)


def _quote(ask: Ask) -> str:
    """Return some words of the first passage the ask shows."""
    found = _PASSAGE.search(ask.user)
    return " ".join(found["text"].split()[:_QUOTE_WORDS]) if found else "what the passage says"
