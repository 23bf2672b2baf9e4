"""The parser, case by case: each is a title, a source and what is read, in `fixtures/*.md`.

A case is added there without Python. Characters that would not survive an editor are written so:
`␍` carriage return, `⇥` tab, `␠` space at a line's end, `⟦2028⟧` the character with that number.

What is read is one line a section (`§`, its level, its path, its attributes) and one a passage: its
kind, its lines, the text a reader sees (`⏎` for a line break) and behind `←` what introduces it.
The title is shown where it is not that of a document without one.
"""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from whyset.constitution import Constitution, ConstitutionError, Passage, Section

FIXTURES = Path(__file__).parent / "fixtures"
VISIBLE = {"␍": "\r", "⇥": "\t", "␠": " "}


class Case(NamedTuple):
    title: str
    source: str
    expected: str


def cases() -> list[Case]:
    pattern = re.compile(
        r"^(?P<t>.+)\n\.\n(?P<s>(?:.*\n)*?)\.\n(?P<e>(?:.*\n)*?)\.\n", re.MULTILINE
    )
    return [
        Case(f"{path.stem}: {found['t']}", found["s"].removesuffix("\n"), found["e"])
        for path in sorted(FIXTURES.glob("*.md"))
        for found in pattern.finditer(path.read_text(encoding="utf-8"))
    ]


@pytest.mark.parametrize("case", [pytest.param(case, id=case.title) for case in cases()])
def test_reads(case: Case) -> None:
    source = re.sub(r"[␍⇥␠]", lambda mark: VISIBLE[mark[0]], case.source)
    source = re.sub(r"⟦([0-9A-F]{4})⟧", lambda mark: chr(int(mark[1], 16)), source)

    assert read(source) == case.expected


def test_every_fixture_is_read() -> None:
    written = sum(path.read_text(encoding="utf-8").count("\n.\n") for path in FIXTURES.glob("*.md"))

    assert written == 3 * len(cases())
    assert len({case.title for case in cases()}) == len(cases())


def read(source: str) -> str:
    try:
        constitution = Constitution.parse(source)
    except ConstitutionError as error:
        return f"error: {error}\n"
    rows = [] if constitution.title == "Untitled" else [f"title: {constitution.title}"]
    for section in constitution.sections:
        rows += [section_row(section), *map(passage_row, section.passages)]
    return "".join(f"{row}\n" for row in rows)


def section_row(section: Section) -> str:
    attributes = "".join(f" {name}={value!r}" for name, value in section.attributes.items())
    return f"§{section.level} {' > '.join(section.path)}{attributes}".rstrip()


def passage_row(passage: Passage) -> str:
    first, last = passage.lines
    lines = f"{first}-{last}" if last > first else f"{first}"
    plain = passage.plain.replace("\n", "⏎")
    introduction = f" ← {passage.context}" if passage.context else ""
    return f"{passage.kind} {lines}: {plain}{introduction}"
