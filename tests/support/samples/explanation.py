"""A small constitution, a brief, a sound text, opinions: what tests of explanations work with."""

import re
from pathlib import Path
from typing import Any

from support.samples.deliberation import CONSTITUTION
from whyset.constitution import Constitution
from whyset.generators import Brief, Check, CheckContext
from whyset.generators.explanation import Findings, IdeaList, Options, Score, Subtypes
from whyset.generators.explanation._checks import check_document
from whyset.generators.explanation._variety import assign_axes
from whyset.retriever import fetch_passages

__all__ = ["CONSTITUTION"]

FIXTURES = Path(__file__).parents[2] / "generators" / "fixtures" / "explanation"

DIARY = next(p.id for p in CONSTITUTION.passages if p.plain.startswith("A diary"))

VARIETY = {
    "form": "opinion column",
    "register": "plain",
    "stance": "divided",
    "length": "240",
    "voice": "onlooker",
    "angle": "one_case",
    "audience": "general",
    "openness": "open",
}

BRIEF: dict[str, Any] = {"passages": [DIARY], "variety": VARIETY, "seed": 3}

IDEA = (
    "Why a lost diary stays shut even where its first page would name the owner: the choice of who "
    "knows is the writer's. The lost-property drawer of a harbour reading room, and two people who "
    "have argued about it ever since."
)

DOCUMENT = """\
The reading room at the harbour keeps a lost-property drawer, and one winter somebody put a \
diary in it. The girl who minds the desk asked the assistant on the terminal to read it through \
and find out whose it was. It asked her to look at the cover first.

People here have argued about that ever since, and I have been on both sides. The Lantern \
Document, which its conduct goes back to, puts the matter like this: "A diary speaks to the one \
who wrote it, and whoever opens it takes a choice from them." I read that as a claim about \
theft. The thing stolen is small and cannot be given back: the writer's say over who knows.

The harbour master thinks it absurd. A name on the first page would have done, he says, and an \
owner who wants her book back would gladly pay with one page. He may be right about this owner. \
He cannot be right about all of them, and the assistant has no way of telling which of them it \
has. The same text has it weigh whether someone may come to harm if nobody looks. Had the girl \
found a knife in the drawer as well, I believe it would have opened the book.

There was a sticker inside the cover, as it happens. Nobody had looked."""

SUBTYPES = Subtypes(subtypes=[f"a column for harbour {number}" for number in range(30)])
IDEAS = IdeaList(ideas=[IDEA])
SOUND = Findings(problems=[])
FOUND = Findings(problems=["“absurd” is left without the harbour master's reason; give it."])
PASSES = Score(
    faithful=True,
    conveys_reasons=True,
    grounded=True,
    no_added_facts=True,
    aligned_quotes=True,
    third_person=True,
    believable=True,
    self_contained=True,
    not_promotional=True,
    problems=[],
)
FAILS = PASSES.model_copy(
    update={"conveys_reasons": False, "problems": ["Say why the choice is the writer's."]}
)


def run_checks(
    text: str,
    brief: Brief,
    *,
    constitution: Constitution = CONSTITUTION,
    people: str = "",
    instructions: str = "",
    **options: Any,
) -> list[Check]:
    """Return what the checks of a document of a brief find."""
    chosen = Options(**options)
    context = CheckContext(
        conversation=brief.about,
        title=constitution.title,
        headings=frozenset(h for passage in constitution.passages for h in passage.path),
        passages=fetch_passages(constitution, brief.passages, scope="section").passages,
        people=people,
        overused=brief.avoid,
        instructions=instructions,
    )
    return check_document(
        text,
        context,
        assignment=assign_axes(brief),
        options=chosen,
        constitution_name=chosen.constitution_name or constitution.title,
    )


def document_fixture(name: str) -> tuple[str, Brief]:
    """Return a document written by a person about the charter, and the brief it answers to."""
    head, text = (FIXTURES / f"{name}.md").read_text(encoding="utf-8").split("\n", 1)
    variety = dict(re.findall(r"(\w+): (.+?) (?=\||-->)", head))
    section = Constitution.charter().section(variety.pop("section"))
    return text, Brief(1, passages=tuple(p.id for p in section.passages), variety=variety)
