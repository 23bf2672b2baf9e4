"""The passages a probe is about, and those that stand around them."""

from dataclasses import dataclass

from whyset.retriever import Grounding, ScoredPassage

from .._asking import grounded
from .._brief import Brief
from .._errors import GeneratorError
from .._steps import Fetch, Steps
from .._working import Working


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a probe rests on.

    Attributes:
        focus: The passages it is about: what is asked must be answered by them.
        around: The rest of their sections, which must not answer it otherwise.
        whole: The whole constitution.
    """

    focus: tuple[ScoredPassage, ...]
    around: tuple[ScoredPassage, ...]
    whole: Grounding

    @property
    def headings(self) -> frozenset[str]:
        """Every heading of the constitution."""
        return frozenset(h for found in self.whole.passages for h in found.passage.path)


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
