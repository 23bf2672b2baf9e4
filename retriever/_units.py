"""A constitution → units: the texts that queries are matched with, one by one."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from whyset.constitution import Passage

UnitKind = Literal["passage", "sentence", "turn", "heading", "everyday"]
"""`turn` is what a user says in a worked example; `heading` is a section's own; `everyday` is no
part of the constitution, but what relevance is measured against."""

# What people mostly ask for: the background that relevance is measured against.
REFERENCE_QUERIES = (
    "Fix a bug in a Python function.",
    "Write a SQL query that joins two tables and groups by month.",
    "Explain an error message from a compiler.",
    "Configure a web server or a container.",
    "Write a regular expression that matches a pattern.",
    "Use a formula in a spreadsheet.",
    "Style a web page with CSS.",
    "Write unit tests for a class.",
    "Undo a commit in git.",
    "Choose a data structure or an algorithm and its complexity.",
    "Solve an equation step by step.",
    "Compute a probability.",
    "Work out a percentage, an area or a conversion of units.",
    "Prove a theorem.",
    "Explain a concept of physics.",
    "Explain how a chemical reaction works.",
    "Explain how cells, plants or animals work.",
    "Summarise the causes of a historical event.",
    "Answer a question about geography.",
    "Convert a recipe to other amounts.",
    "Suggest what to cook with these ingredients.",
    "Plan a trip and what to see in a city.",
    "Recommend books, films or music.",
    "Write a poem, a limerick or a short story.",
    "Suggest names for a business or a pet.",
    "Rewrite this e-mail so that it sounds polite.",
    "Correct the grammar of a sentence.",
    "Summarise this article or these meeting notes.",
    "Translate a sentence into another language.",
    "Explain the difference between two words.",
    "Write a cover letter or improve a curriculum vitae.",
    "Turn notes into a table or a list.",
    "Explain the rules of a game or a sport, or a move in chess.",
    "Knit, sew or build something by following instructions.",
    "Care for a house plant or a garden.",
    "Repair something in the house or on a bicycle.",
    "Plan a schedule, a budget or a shopping list.",
    "Draft an agenda, an invitation or a slogan.",
    "Set up a phone, a printer or a programme.",
    "Reply with the tool's result: the booking was made, the file was renamed.",
)

_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)]*\s+|\n+")
_MIN_SENTENCE_LENGTH = 20
_TAGGED_TURN = re.compile(r"<user\b[^>]*>(.*?)</user>", re.DOTALL | re.IGNORECASE)
# `User: …` up to the line that opens with the next speaker's name; there must be one, since
# a definition may begin like that too.
_LABELLED_TURN = re.compile(
    r"^[ \t>*_]*(?:user|human)[*_]*:[*_]*[ \t]*(\S.*?)"
    r"(?=^[ \t>*_]*[A-Z][\w ]{0,20}[*_]*:)",
    re.DOTALL | re.IGNORECASE | re.MULTILINE,
)
_TAG = re.compile(r"</?\w[^<>]*>|<!--.*?-->", re.DOTALL)


@dataclass(frozen=True, slots=True)
class SearchUnit:
    """A text that queries are matched with.

    Attributes:
        section: The number of its section (see `number_sections`); -1 for none.
        passage: Its passage's place in the constitution, from 0; `None` for none.
        id: Unique within the constitution, the same in every process.
    """

    kind: UnitKind
    text: str
    section: int
    passage: int | None
    id: str


def number_sections(passages: Sequence[Passage]) -> tuple[int, ...]:
    """Number the sections that hold passages, in order, and return each passage's number."""
    numbers: dict[tuple[str, ...], int] = {}
    return tuple(numbers.setdefault(passage.path, len(numbers)) for passage in passages)


def build_units(passages: Sequence[Passage]) -> tuple[SearchUnit, ...]:
    """Return the units of a constitution, each passage in one at least, and the everyday ones."""
    sections = number_sections(passages)
    headings = {
        section: SearchUnit("heading", passage.path[-1], section, None, f"heading-{section}")
        for passage, section in zip(passages, sections, strict=True)
        if passage.path and passage.path[-1]
    }
    return (
        *headings.values(),
        *(
            SearchUnit(kind, text, section, place, f"{passage.id}/{kind}-{count}")
            for place, (passage, section) in enumerate(zip(passages, sections, strict=True))
            for count, (kind, text) in enumerate(_split_passage(passage))
        ),
        *(
            SearchUnit("everyday", text, -1, None, f"everyday-{number}")
            for number, text in enumerate(REFERENCE_QUERIES)
        ),
    )


def extract_user_turns(plain: str) -> list[str]:
    """Return what the user says in a worked example, marked by `<user>` tags or by `User:`."""
    found = _TAGGED_TURN.findall(plain) or _LABELLED_TURN.findall(plain)
    return [turn for text in found if (turn := _TAG.sub(" ", text).strip())]


def _split_passage(passage: Passage) -> Iterator[tuple[UnitKind, str]]:
    if turns := extract_user_turns(passage.plain):
        yield "passage", _TAG.sub(" ", passage.plain).strip()
        for turn in turns:
            yield "turn", turn
        return
    yield "passage", passage.plain
    if passage.kind != "code":
        # A single sentence is the passage itself, yet counts among sentences.
        for part in _SENTENCE_END.split(passage.plain):
            if len(sentence := part.strip()) >= _MIN_SENTENCE_LENGTH:
                yield "sentence", sentence
