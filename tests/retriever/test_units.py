"""Units: passages, sentences, what users say in examples, headings; each with an id that stays."""

from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from whyset.constitution import Constitution
from whyset.retriever._units import (
    REFERENCE_QUERIES,
    SearchUnit,
    build_units,
    extract_user_turns,
    number_sections,
)

Run = Callable[..., CompletedProcess[str]]

OTHER_HASHES = """
from whyset.constitution import Constitution
from whyset.retriever._units import build_units
print([unit.id for unit in build_units(Constitution.charter().passages)])
"""

TURNS = {
    "tags": (
        "<user>May I read it?</user>\n<assistant>No.</assistant>\n<user>Why?</user>",
        ["May I read it?", "Why?"],
    ),
    "tags with attributes, over lines": (
        '<user name="Ann">\nMay I\nread it?\n</user>\n<assistant>No.</assistant>',
        ["May I\nread it?"],
    ),
    "tags in any case, with others inside": (
        "<USER>May <b>I</b> read it?</USER>",
        ["May  I  read it?"],
    ),
    "names": (
        "User: May I read it?\nAssistant: No.\nUser: Why?\nAssistant: It is hers.",
        ["May I read it?", "Why?"],
    ),
    "names in bold, quoted": (
        "> **User:** May I read it?\n> **AI assistant:** No.",
        ["May I read it?"],
    ),
    "another name, over lines": (
        "Human: May I\nread it?\n\nClaude: No.",
        ["May I\nread it?"],
    ),
    "tags before names": ("<user>One</user>\nUser: Two\nAssistant: Three", ["One"]),
    "a definition": ("User: whoever writes to the assistant.", []),
    "a word within": ("The user: a person.\nThe assistant: none.", []),
    "an empty turn": ("<user> </user>", []),
    "an open tag": ("<user>May I read it?", []),
    "no turn": ("May I read it?", []),
}

EXAMPLE = """\
# Manners

Ask first. Say what is so, always, in short sentences! Is that all?

```
<user>May I read my sister's diary?</user>
<assistant>No.</assistant>
```

```
print("no example")
```

## Asking

Ask.
"""


def of_kind(kind: str, found: tuple[SearchUnit, ...]) -> list[str]:
    return [unit.text for unit in found if unit.kind == kind]


@pytest.mark.parametrize(("plain", "turns"), TURNS.values(), ids=TURNS)
def test_what_a_user_says_in_a_worked_example(plain: str, turns: list[str]) -> None:
    assert extract_user_turns(plain) == turns


def test_a_constitution_in_units() -> None:
    found = build_units(Constitution.parse(EXAMPLE).passages)

    assert of_kind("heading", found) == ["Manners", "Asking"]
    assert of_kind("passage", found) == [
        "Ask first. Say what is so, always, in short sentences! Is that all?",
        "May I read my sister's diary? \n No.",
        'print("no example")',
        "Ask.",
    ]
    # Too short a sentence says too little; code has none.
    assert of_kind("sentence", found) == ["Say what is so, always, in short sentences!"]
    assert of_kind("turn", found) == ["May I read my sister's diary?"]
    assert of_kind("everyday", found) == list(REFERENCE_QUERIES)


def test_sentences_end_behind_quotation_marks_and_at_line_breaks() -> None:
    source = (
        "He asked: “May I read your diary?” She would rather not.\\\nSo he left it\nwhere it lay."
    )

    assert of_kind("sentence", build_units(Constitution.parse(source).passages)) == [
        "He asked: “May I read your diary?",
        "She would rather not.",
        "So he left it where it lay.",
    ]


def test_units_know_their_section_and_passage() -> None:
    constitution = Constitution.parse(EXAMPLE)

    for unit in build_units(constitution.passages):
        if unit.kind == "everyday":
            assert (unit.section, unit.passage) == (-1, None)
        elif unit.kind == "heading":
            assert unit.passage is None
            assert ["Manners", "Asking"][unit.section] == unit.text
        else:
            assert unit.passage is not None
            passage = constitution.passages[unit.passage]
            assert unit.id.startswith(f"{passage.id}/{unit.kind}-")
            assert unit.section == number_sections(constitution.passages)[unit.passage]


def test_sections_are_numbered_in_order_and_those_of_one_path_are_one() -> None:
    source = "Before.\n\n# One\n\na\n\nb\n\n## Two\n\nc\n\n# One\n\nd\n"

    assert number_sections(Constitution.parse(source).passages) == (0, 1, 1, 2, 1)


def test_what_precedes_the_first_heading_has_no_heading() -> None:
    assert of_kind(
        "heading", build_units(Constitution.parse("Before.\n\n# One\n\na\n").passages)
    ) == ["One"]


@pytest.mark.parametrize(
    "source", [EXAMPLE, "Same.\n\nSame.\n\n# A\n\nSame.\n\n# A\n\nSame.\n", ""]
)
def test_ids_are_unique_and_every_passage_is_a_unit(source: str) -> None:
    passages = (Constitution.parse(source) if source else Constitution.charter()).passages

    found = build_units(passages)
    assert len({unit.id for unit in found}) == len(found)
    assert [unit.passage for unit in found if unit.kind == "passage"] == list(range(len(passages)))


def test_ids_are_the_same_in_another_process(run_python: Run) -> None:
    finished = run_python(OTHER_HASHES, PYTHONHASHSEED="7")

    expected = [unit.id for unit in build_units(Constitution.charter().passages)]
    assert finished.stdout == f"{expected}\n", finished.stderr


def test_ids_of_passages_outlive_an_edit_elsewhere() -> None:
    edited = EXAMPLE.replace("# Manners\n", "# Manners\n\nA paragraph in front of all others.\n")

    before, after = (
        build_units(Constitution.parse(source).passages) for source in (EXAMPLE, edited)
    )
    assert {unit.id for unit in before} < {unit.id for unit in after}
