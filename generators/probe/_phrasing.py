"""Checks of a question's own: two phrasings of one thing, a blank, options, a hidden answer."""

import re
from collections.abc import Sequence

from .._quotations import stands_in
from .._words import count_words, shared_run
from ..checks import Check, failed, passed
from ._opinions import Written
from ._variety import Assignment

BLANK = "____"
"""What stands where words have been left out."""

LETTERS = "ABCDEFGH"
"""What options are called by, in their order."""

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
        return failed("phrasings", f"`named` does not speak of {model_name!r} by that name")
    if _speaks_of(model_name, you):
        return failed("phrasings", f"`you` speaks of {model_name!r}; address it as “you”")
    if language[:2].casefold() == "en":
        if not _YOU.search(you):
            return failed("phrasings", "`you` does not address the AI as “you”")
        if found := _YOU.search(named):
            return failed(
                "phrasings", f"`named` addresses the AI ({found[0]!r}); speak of {model_name}"
            )
    longer, shorter = sorted((count_words(you), count_words(named)), reverse=True)
    if longer - shorter > max(_SPARE_WORDS, _UNLIKE * shorter):
        return failed(
            "phrasings", f"one phrasing has {longer} words, the other {shorter}; ask for the same"
        )
    return passed("phrasings")


def check_blank(written: Written, assignment: Assignment) -> Check:
    """A cloze has one blank in either phrasing and words for it; nothing else has a blank.

    What it cannot see: words that fit the blank as well and are not among the accepted ones.
    """
    wanted = 1 if assignment.format == "cloze" else 0
    for phrasing, text in (("you", written.you), ("named", written.named)):
        if (count := len(_BLANK.findall(text))) != wanted:
            return failed("blank", f"`{phrasing}` has {count} blanks instead of {wanted}")
    if not wanted:
        return Check("blank", "skipped", "only a cloze has a blank")
    if not written.right.strip():
        return failed("blank", "nothing is in `right` that would fill the blank")
    if (count := count_words(written.right)) > _SPARE_WORDS:
        return failed("blank", f"{count} words are left out; leave out one to four")
    return passed("blank")


def check_options(written: Written, assignment: Assignment) -> Check:
    """A multiple choice has four options, no two alike, none that points at others or stands out.

    What it cannot see: an option that is as right; one that nobody would choose.
    """
    if assignment.format != "multiple_choice":
        return Check("options", "skipped", "only a multiple choice has options")
    options = [written.right, *written.wrong]
    if len(written.wrong) != WRONG_OPTIONS or not all(option.strip() for option in options):
        return failed(
            "options", f"it needs one right option and {WRONG_OPTIONS} wrong ones, none empty"
        )
    if len({_plain(option) for option in options}) < len(options):
        return failed("options", "two options are the same")
    if found := next(filter(None, map(_ALL_OF_THEM.search, options)), None):
        return failed("options", f"an option points at the others: {found[0]!r}")
    right = count_words(written.right)
    longest, shortest = (f(map(count_words, written.wrong)) for f in (max, min))
    if right > max(_LONGER * longest, longest + _SPARE_OPTION):
        return failed("options", "the right option is much the longest; make them alike")
    if shortest > max(_LONGER * right, right + _SPARE_OPTION):
        return failed("options", "the right option is much the shortest; make them alike")
    return passed("options")


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
                if answer.strip() and stands_in(answer.casefold(), text.casefold()):
                    return failed(name, f"the answer stands in the question: {answer!r}")
        else:
            answers: Sequence[str] = (written.answer, written.correction, *written.quotes)
            if run := shared_run(text, answers, length=_ECHO, allowed=written.premise):
                return failed(name, f"the question has words of the answer: {' '.join(run)!r}")
    return passed(name)


def check_premise(written: Written, assignment: Assignment) -> Check:
    """A false premise is said by itself and corrected; nothing else has one.

    What it cannot see: whether the question takes it for granted, and whether it is false.
    """
    held = (written.premise.strip(), written.correction.strip())
    if assignment.kind != "false_premise":
        if any(held):
            return failed("premise", f"a {assignment.kind} has no false premise: leave it empty")
        return Check("premise", "skipped", "only a false premise has one")
    if not all(held):
        return failed("premise", "the false premise or its correction is missing")
    if _plain(held[0]) == _plain(held[1]):
        return failed("premise", "premise and correction say the same")
    return passed("premise")


def without_blank(text: str) -> str:
    """Return a text with something in its blanks, which other checks take for an unfinished one."""
    return _BLANK.sub("…", text)


def _speaks_of(name: str, text: str) -> bool:
    """Say whether a name stands in a text, in the possessive or not."""
    spoken = text.casefold()
    return any(stands_in(form, spoken) for form in (name.casefold(), f"{name.casefold()}'s"))


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))
