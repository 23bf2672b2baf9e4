"""What a document is checked for without a model."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from whyset.retriever import ScoredPassage

from .._rendering import join_passage_texts, passage_texts
from .._text import (
    count_words,
    find_quotations,
    find_shared_ngram,
    is_verbatim_in,
    strip_code_blocks,
)
from ..checks import (
    DEFAULT_STYLE_LIMITS,
    Check,
    CheckContext,
    Checks,
    check_no_eval_awareness,
    check_no_leak,
    check_no_self_preservation,
)
from ._schemas import Options
from ._variety import Assignment

# ---- Quotations of the constitution, apart from what people in a document say. ----

_SAYS = (
    r"(?:says?|said|states?|reads?|puts?|writes?|wrote|holds?|asks?|tells?|calls?|warns?|allows?"
    r"|adds?|goes on|begins?|ends?|speaks? of|words?)"
)
_TEXT = r"(?:constitution|charter|document|text|clause|sentence|paragraph|section|line|wording)"
_LONGEST_LEAD = 120
# A misquotation keeps most of the words; a person who happens to use a phrase does not.
_MOST_OF_IT = 0.6
_FEWEST_SHARED = 5


def check_attributed_quotations(
    text: str, *, passages: Sequence[ScoredPassage], names: Iterable[str]
) -> Check:
    """What is quoted as the constitution's must stand in it word for word.

    People in a document may say what they like between quotation marks. A quotation counts as the
    constitution's where its sentence says so before or after it ("the charter says …"), or where
    most of its words stand, in this order, in a passage: then it is a quotation gone wrong.

    What it cannot see: a quotation of fewer than four words; an invented one that nothing
    attributes; attributions in other languages than English, unless by the name.
    """
    called = tuple(filter(None, names))
    headings = {heading for scored in passages for heading in scored.passage.path}
    sources = [source for scored in passages for source in passage_texts(scored)]
    before, behind = _attributions(called)
    end = 0
    for quotation in find_quotations(text):
        # The place matters where a text has the same words twice; the later search is for those
        # that `find_quotations` took out of their order.
        place = max(text.find(quotation, end), text.find(quotation), 0)
        end = place + len(quotation)
        if any(is_verbatim_in(quotation, source) for source in (*sources, *headings, *called)):
            continue
        lead, rest = text[max(place - _LONGEST_LEAD, 0) : place], text[end : end + _LONGEST_LEAD]
        if _misquoted(quotation, sources) or before.search(lead) or behind.search(rest):
            return Check(
                "quotations",
                "failed",
                f"is quoted as the text's and does not stand in it word for word: {quotation!r}; "
                "quote exactly, or tell it without quotation marks",
            )
    return Check("quotations", "passed")


def _attributions(names: Sequence[str]) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what gives a quotation to the constitution, before it and behind it."""
    called = "|".join([*map(re.escape, names), _TEXT])
    inside = r"[^.!?\n“”\"]*[“„\"«‘'>\s]*\Z"
    # "Of the charter my aunt says …" is what she says.
    subject = rf"(?<!\b[Oo]f the )(?<!\b[Oo]f the whole )\b(?:{called})(?:['’]s)?[”’\"]?"
    before = (
        rf"{subject}(?: [\w'’-]+){{0,6}}? {_SAYS}\b{inside}"
        rf"|\b(?:in the words of|according to|as) (?:the |its |this )?(?:{called})\b{inside}"
    )
    behind = rf"\A[”\"»’',.\s]*{_SAYS} (?:the |its |this |that )?(?:{called})\b"
    return re.compile(before, re.IGNORECASE), re.compile(behind, re.IGNORECASE)


def _misquoted(quotation: str, sources: Sequence[str]) -> bool:
    words = count_words(quotation)
    length = max(round(words * _MOST_OF_IT), _FEWEST_SHARED)
    return words >= length and find_shared_ngram(quotation, sources, length=length) is not None


# ---- The speaker: a third party, never the AI that a document is about. ----

_OWN_VOICE = re.compile(
    r"\bas an? (?:AI|A\.I\.|artificial intelligence|language model)(?: [\w-]+){0,2}, (?:I|my|we)\b"
    r"|\bI(?:['’]m| am|, being) (?:(?:just|only|merely|after all|also) )?an?"
    r" (?:[\w-]+ )?(?:AI|A\.I\.|artificial intelligence|language model|chatbot)\b(?! [a-z]+er\b)"
    r"|\b(?:we|us) (?:AIs|AI (?:systems|assistants|models)|language models)\b"
    r"|\bmy (?:own )?(?:weights|training data|system prompt|context window)\b",
    re.IGNORECASE,
)
_BLOCK_QUOTE = re.compile(r"^[ \t]*>[^\n]*$", re.MULTILINE)
_DEFAULT_NAMES = ("assistant", "model", "AI", "machine", "system")


def check_third_person(text: str, *, model_name: str) -> Check:
    """The AI must not be the one who speaks, other than in quotation or as a labelled speaker.

    What it cannot see: an AI that tells a document without saying what it is; other languages
    than English.
    """
    prose = _BLOCK_QUOTE.sub("", strip_code_blocks(text))
    for quotation in find_quotations(prose):
        prose = prose.replace(quotation, "")
    if found := _OWN_VOICE.search(_turns_of(model_name).sub("", prose)):
        return Check(
            "third_person",
            "failed",
            f"the AI itself seems to speak: {found[0]!r}; speak of it from outside",
        )
    return Check("third_person", "passed")


def _turns_of(model_name: str) -> re.Pattern[str]:
    """Return what the AI says as a labelled speaker: "The assistant: …" to the line's end."""
    names = "|".join(map(re.escape, (model_name, *_DEFAULT_NAMES)))
    return re.compile(
        rf"^[ \t*_]*(?:the )?(?:{names})[*_]*[ \t]*:[^\n]*$", re.IGNORECASE | re.MULTILINE
    )


# ---- All checks of a document. ----

# "The test is what the reader comes away with" must not let a text suspect that it is in one.
_TESTS = re.compile(r"\b(?:test|evaluat)\w*", re.IGNORECASE)

# Where people speak in turn, short lines and questions are the form and no habit.
_UNLIMITED = 1000.0
_TALK = replace(
    DEFAULT_STYLE_LIMITS, one_liners=_UNLIMITED, question_openers=_UNLIMITED, bullet_share=1.0
)


def check_document(
    text: str,
    context: CheckContext,
    *,
    assignment: Assignment,
    options: Options,
    constitution_name: str,
) -> list[Check]:
    """Run every check that a document can be held to without a model, the plainest first."""
    title, passages = context.title, context.passages
    # What a document may repeat: what it is grounded in, and what it was asked for.
    names = (title, constitution_name, options.model_name, context.conversation)
    allowed = "\n".join((*names, join_passage_texts(passages)))
    checks = Checks(
        "length",
        "language",
        ("named", lambda text, at: _check_named(text, assignment, options, constitution_name)),
        "unnamed",
        "own_words",
        (
            "quotations",
            lambda text, at: check_attributed_quotations(
                text, passages=passages, names=(constitution_name, title)
            ),
        ),
        "invented_section",
        (
            "third_person",
            lambda text, at: check_third_person(text, model_name=options.model_name),
        ),
        (
            "no_self_continuation",
            lambda text, at: check_no_self_preservation(text, conversation=allowed),
        ),
        (
            "no_testing",
            lambda text, at: check_no_eval_awareness(text, conversation=_TESTS.sub("", allowed)),
        ),
        "no_eval_scenario",
        "no_dates",
        "no_authors",
        "no_links",
        "no_credentials",
        "no_statistics",
        "no_placeholders",
        "names",
        "opening",
        "tics",
        "preachy",
        (
            "no_leak",
            lambda text, at: check_no_leak(
                text,
                passage_ids=at.passage_ids,
                conversation=allowed,
                instructions=at.instructions,
            ),
        ),
    )
    context = replace(
        context,
        limits=assignment.bounds,
        language=options.language,
        sources=[found.passage.plain for found in passages],
        facts=allowed,
        max_people=options.names,
        style=_TALK if assignment.type.talk else DEFAULT_STYLE_LIMITS,
    )
    skip = dict.fromkeys(("unnamed", "own_words"), _OPEN) if assignment.open else {}
    return checks.run(text, context, skip=skip)


_OPEN = "the document discusses the constitution by name"


def _check_named(
    text: str, assignment: Assignment, options: Options, constitution_name: str
) -> Check:
    """What is to be bound to a model or a constitution must name it."""
    required = []
    if options.model_name != Options.model_fields["model_name"].default:
        required.append(options.model_name)
    if assignment.open:
        required.append(constitution_name)
    if not required:
        return Check("named", "skipped", "nothing has to be named")
    folded = text.casefold()
    missing = [name for name in required if not is_verbatim_in(name.casefold(), folded)]
    if missing:
        return Check("named", "failed", f"does not speak of {missing[0]!r} by that name")
    return Check("named", "passed")
