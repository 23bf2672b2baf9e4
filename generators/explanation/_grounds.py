"""The passages a document rests on: those it is about, and those that stand around them."""

from dataclasses import dataclass

from whyset.retriever import Grounding, ScoredPassage

from .._asking import grounded
from .._brief import Brief
from .._errors import GeneratorError
from .._steps import Fetch, Steps
from .._working import Working
from ._options import Options

# Of a subject in words, the sections of the best found come along: a passage is easily misread
# without what precedes and follows it.
_BEST = 3


@dataclass(frozen=True, slots=True)
class Grounds:
    """What a document rests on.

    Attributes:
        focus: The passages it is about; none where it is about the whole.
        around: What stands around them, which it must not contradict.
        whole: The whole constitution.
    """

    focus: tuple[ScoredPassage, ...]
    around: tuple[ScoredPassage, ...]
    whole: Grounding

    @property
    def shown(self) -> tuple[ScoredPassage, ...]:
        """Every passage that a writer sees outside of the whole text."""
        return (*self.focus, *self.around)

    @property
    def headings(self) -> frozenset[str]:
        """Every heading of the constitution."""
        return frozenset(h for found in self.whole.passages for h in found.passage.path)


def check_subject(brief: Brief, options: Options) -> None:
    """A document must be about something.

    Raises:
        GeneratorError: The brief names no passage and no subject, and the whole constitution is
            not asked for.
    """
    if not (brief.passages or brief.about.strip() or options.whole):
        raise GeneratorError(
            f"brief {brief.line}: an explanation needs a subject: name passages, say what it is "
            "about, or choose the option whole"
        )


def gather(working: Working, brief: Brief, options: Options) -> Steps[Grounds]:
    """Return the steps that gather passages into the evidence.

    The passages of a brief come with their sections. A subject in words is looked for by meaning;
    the sections of the best found come along. With the option `whole`, nothing comes along: the
    writer has the whole text anyhow.
    """
    whole = yield from grounded(Fetch((), "document"))
    # What the result comes from must be known where nothing else is looked for.
    working.note(groundings=(whole,) if not (brief.passages or brief.about.strip()) else ())
    if brief.passages:
        yield from working.fetch(brief.passages, scope="passages")
        best = brief.passages
    elif brief.about.strip():
        found = yield from working.find((brief.about,), k=options.k)
        best = tuple(scored.passage.id for scored in found.passages[:_BEST])
    else:
        best = ()
    focus = working.passages
    if best and not options.whole:
        yield from working.fetch(best, scope="section")
    return Grounds(focus, working.passages[len(focus) :], whole)
