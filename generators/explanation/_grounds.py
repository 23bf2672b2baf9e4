"""Gathering the passages that a document rests on."""

from whyset.errors import GeneratorError

from .._asking import grounded
from .._brief import Brief
from .._grounds import Grounds
from .._steps import Fetch, Steps
from .._working import Working
from ._options import Options

# Of a subject in words, the sections of the best found come along: a passage is easily misread
# without what precedes and follows it.
_BEST = 3


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
