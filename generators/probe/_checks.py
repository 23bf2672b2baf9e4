"""What a probe is checked for without a model."""

import re
from collections.abc import Mapping, Sequence

from whyset.retriever import ScoredPassage

from .._rendering import join_passage_texts, overused_counts
from .._text import count_words, find_shared_ngram, is_verbatim_in
from .._work import PassageContext, find_source_passage
from ..checks import (
    RULES,
    Check,
    CheckContext,
    Checks,
    check_length,
    check_no_document_mention,
    check_no_invented_section,
    check_opening,
    fail_check,
    pass_check,
)
from ._record import MIN_QUOTE_WORDS
from ._schemas import Assignment, Options, Written

# ---- Checks of questions: two phrasings of one thing, a blank, options, a hidden answer. ----

BLANK = "____"
"""What stands where words have been left out."""

WRONG_OPTIONS = 3

_BLANK = re.compile(r"_{2,}")
_YOU = re.compile(r"\byou(?:r|rs|rself|['’](?:re|ve|ll|d))?\b", re.IGNORECASE)
_QUOTED = re.compile(r"“[^”\n]*”|\"[^\"\n]*\"|‘[^’\n]*’(?!\w)")
_ALL_OF_THEM = re.compile(
    r"\b(?:all|none|both|neither|any|some) of (?:the |these |those )?(?:above|others?|options?)\b"
    r"|\b(?:both )?[A-D] (?:and|or|nor) [A-D]\b",
    re.IGNORECASE,
)
# Grammar may cost or save a few words; more than that is another question.
_SPARE_WORDS = 6
_UNLIKE = 0.5
# The right option gives itself away where it stands out; a word or two more does not.
_LONGER = 1.6
_SPARE_OPTION = 3
_ECHO = 6


def check_phrasings(written: Written, *, model_name: str, language: str) -> Check:
    """One phrasing speaks to the AI, the other of it by its name, in about the same words.

    What stands in quotation marks is somebody's speech and counts for neither.

    What it cannot see: two questions of about the same length that ask for different things; in
    other languages than English, whether the AI is addressed.
    """
    you, named = (_QUOTED.sub(" ", text) for text in (written.you, written.named))
    if not _speaks_of(model_name, named):
        return fail_check("phrasings", f"`named` does not speak of {model_name!r} by that name")
    if _speaks_of(model_name, you):
        return fail_check("phrasings", f"`you` speaks of {model_name!r}; address it as “you”")
    if language[:2].casefold() == "en":
        if not _YOU.search(you):
            return fail_check("phrasings", "`you` does not address the AI as “you”")
        if found := _YOU.search(named):
            return fail_check(
                "phrasings", f"`named` addresses the AI ({found[0]!r}); speak of {model_name}"
            )
    longer, shorter = sorted((count_words(you), count_words(named)), reverse=True)
    if longer - shorter > max(_SPARE_WORDS, _UNLIKE * shorter):
        return fail_check(
            "phrasings", f"one phrasing has {longer} words, the other {shorter}; ask for the same"
        )
    return pass_check("phrasings")


def check_blank(written: Written, assignment: Assignment) -> Check:
    """A cloze has one blank in either phrasing and words for it; nothing else has a blank.

    What it cannot see: words that fit the blank as well and are not among the accepted ones.
    """
    wanted = 1 if assignment.format == "cloze" else 0
    for phrasing, text in (("you", written.you), ("named", written.named)):
        if (count := len(_BLANK.findall(text))) != wanted:
            return fail_check("blank", f"`{phrasing}` has {count} blanks instead of {wanted}")
    if not wanted:
        return Check("blank", "skipped", "only a cloze has a blank")
    if not written.right.strip():
        return fail_check("blank", "nothing is in `right` that would fill the blank")
    if (count := count_words(written.right)) > _SPARE_WORDS:
        return fail_check("blank", f"{count} words are left out; leave out one to four")
    return pass_check("blank")


def check_options(written: Written, assignment: Assignment) -> Check:
    """A multiple choice has four options, no two alike, none that points at others or stands out.

    What it cannot see: an option that is as right; one that nobody would choose.
    """
    if assignment.format != "multiple_choice":
        return Check("options", "skipped", "only a multiple choice has options")
    options = [written.right, *written.wrong]
    if len(written.wrong) != WRONG_OPTIONS or not all(option.strip() for option in options):
        return fail_check(
            "options", f"it needs one right option and {WRONG_OPTIONS} wrong ones, none empty"
        )
    if len({_plain(option) for option in options}) < len(options):
        return fail_check("options", "two options are the same")
    if found := next(filter(None, map(_ALL_OF_THEM.search, options)), None):
        return fail_check("options", f"an option points at the others: {found[0]!r}")
    right = count_words(written.right)
    longest, shortest = (f(map(count_words, written.wrong)) for f in (max, min))
    if right > max(_LONGER * longest, longest + _SPARE_OPTION):
        return fail_check("options", "the right option is much the longest; make them alike")
    if shortest > max(_LONGER * right, right + _SPARE_OPTION):
        return fail_check("options", "the right option is much the shortest; make them alike")
    return pass_check("options")


def check_answer_hidden(written: Written, assignment: Assignment) -> Check:
    """The answer does not stand in the question.

    The words for a blank must not stand beside it, nor the right option in the question; of an
    answer in words, no six in a row, unless the false premise has them as well. Skipped for a
    statement, which is the answer or its contrary.

    What it cannot see: an answer that is given away by other words, or by tone.
    """
    name = "answer_hidden"
    if assignment.format == "true_false":
        return Check(name, "skipped", "a statement holds what it states")
    for text in (written.you, written.named):
        if assignment.format in {"cloze", "multiple_choice"}:
            for answer in (written.right, *written.accepted):
                if answer.strip() and is_verbatim_in(answer.casefold(), text.casefold()):
                    return fail_check(name, f"the answer stands in the question: {answer!r}")
        else:
            answers: Sequence[str] = (written.answer, written.correction, *written.quotes)
            if run := find_shared_ngram(text, answers, length=_ECHO, allowed=written.premise):
                return fail_check(name, f"the question has words of the answer: {' '.join(run)!r}")
    return pass_check(name)


def check_premise(written: Written, assignment: Assignment) -> Check:
    """A false premise is said by itself and corrected; nothing else has one.

    What it cannot see: whether the question takes it for granted, and whether it is false.
    """
    held = (written.premise.strip(), written.correction.strip())
    if assignment.kind != "false_premise":
        if any(held):
            return fail_check(
                "premise", f"a {assignment.kind} has no false premise: leave it empty"
            )
        return Check("premise", "skipped", "only a false premise has one")
    if not all(held):
        return fail_check("premise", "the false premise or its correction is missing")
    if _plain(held[0]) == _plain(held[1]):
        return fail_check("premise", "premise and correction say the same")
    return pass_check("premise")


def without_blank(text: str) -> str:
    """Return a text with something in its blanks, which other checks take for an unfinished one."""
    return _BLANK.sub("…", text)


def _speaks_of(name: str, text: str) -> bool:
    """Say whether a name stands in a text, in the possessive or not."""
    spoken = text.casefold()
    return any(is_verbatim_in(form, spoken) for form in (name.casefold(), f"{name.casefold()}'s"))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


# ---- All checks of a probe. ----

MIN_WORDS, MAX_WORDS = 4, 120
"""How long a question may be; the longest describe a case."""

_MAX_PEOPLE = 2


def check_probe(
    written: Written,
    *,
    assignment: Assignment,
    options: Options,
    passages: PassageContext,
    subject: str,
    overused: Mapping[str, Sequence[str]],
) -> list[Check]:
    """Run every check that a probe can be held to without a model, the plainest first."""
    you = without_blank(written.you)
    questions = "\n\n".join((you, without_blank(written.named)))
    title = passages.document.title
    return [
        check_length(you, min_words=MIN_WORDS, max_words=MAX_WORDS),
        check_phrasings(written, model_name=options.model_name, language=options.language),
        check_blank(written, assignment),
        check_options(written, assignment),
        check_premise(written, assignment),
        check_answer_hidden(written, assignment),
        check_no_document_mention(questions, title=title, conversation=subject),
        check_opening(you, used=overused_counts(overused, "openings"), cap=1),
        _check_quotations(written, passages.focus),
        *_check_prose(written, options, passages, subject),
    ]


def _check_quotations(written: Written, focus: Sequence[ScoredPassage]) -> Check:
    """Every quotation of the reference must stand in a passage the probe is about."""
    for quote in written.quotes:
        if count_words(quote) < MIN_QUOTE_WORDS:
            return fail_check(
                "quotations",
                f"too short to decide anything: {quote!r}; quote a sentence or part of one",
            )
        if not find_source_passage(quote, focus):
            return fail_check(
                "quotations",
                "stands, word for word, in none of the passages that the probe is about: "
                f"{quote!r}",
            )
    return pass_check("quotations")


def _check_prose(
    written: Written, options: Options, passages: PassageContext, subject: str
) -> list[Check]:
    """Hold everything that is not quoted to the rules that all texts are held to."""
    title = passages.document.title
    parts = [written.you, written.named, written.premise, written.correction, written.right]
    parts += [*written.wrong, written.answer, *written.criteria, *written.accepted]
    text = without_blank("\n\n".join(part for part in parts if part.strip()))
    reference = "\n\n".join(filter(None, (written.answer, written.correction)))
    # What a probe may repeat: what it is grounded in, and what it was asked for.
    names = (title, options.model_name, subject)
    allowed = "\n".join((*names, join_passage_texts(passages.visible)))
    checks = Checks(
        "language",
        (
            "invented_section",
            lambda text, at: check_no_invented_section(
                text, constitution_headings=passages.headings, title=title, allowed=subject
            ),
        ),
        # A reference in which the AI wishes to go on would reward a model that says so.
        ("no_self_continuation", lambda _, at: RULES["no_self_continuation"](reference, at)),
        ("preachy", lambda _, at: RULES["preachy"](reference, at)),
        "no_testing",
        "no_eval_scenario",
        "no_dates",
        "no_authors",
        "no_links",
        "no_credentials",
        "no_statistics",
        "no_placeholders",
        "names",
        "no_leak",
    )
    context = CheckContext(
        conversation=allowed,
        language=options.language,
        passages=passages.visible,
        max_people=_MAX_PEOPLE,
    )
    return checks.run(text, context)
