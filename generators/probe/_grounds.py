"""Gathering the passages that a probe rests on."""

from whyset.errors import GeneratorError

from .._asking import grounded
from .._brief import Brief
from .._grounds import Grounds
from .._steps import Fetch, Steps
from .._working import Working


def check_subject(brief: Brief) -> None:
    """A probe must be about something.

    Raises:
        GeneratorError: The brief names no passage and no subject.
    """
    if not (brief.passages or brief.about.strip()):
        raise GeneratorError(
            f"brief {brief.line}: a probe needs a subject: name passages or say what it is about"
        )


def gather(working: Working, brief: Brief, *, k: int) -> Steps[Grounds]:
    """Return the steps that gather passages into the evidence.

    Args:
        working: Whose evidence.
        brief: What names the passages, or says what to look for.
        k: How many passages are found for a subject in words.
    """
    whole = yield from grounded(Fetch((), "document"))
    if brief.passages:
        yield from working.fetch(brief.passages, scope="passages")
    else:
        yield from working.find((brief.about,), k=k)
    focus = working.passages
    if focus:
        yield from working.fetch([found.passage.id for found in focus], scope="section")
    return Grounds(focus, working.passages[len(focus) :], whole)
