"""The two published constitutions, read whole: accounted for line by line, by other means."""

import re
import time
from pathlib import Path

import pytest

from whyset.constitution import Constitution

SHARED = Path(__file__).resolve().parents[3] / "shared" / "constitutions"
CLAUDE = SHARED / "claude-constitution.md"
MODEL_SPEC = SHARED / "openai-model-spec.md"

pytestmark = pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="shared/constitutions is not beside the repository: it is data, not part of whyset",
)
both = pytest.mark.parametrize("file", [CLAUDE, MODEL_SPEC], ids=lambda file: file.stem)


def headings_and_prose(file: Path) -> tuple[list[int], list[int]]:
    """Sort a document's lines, 1-based, with no more than these two documents need."""
    headings, prose, closing, in_comment = [], [], "", False
    for number, line in enumerate(file.read_text(encoding="utf-8").split("\n"), start=1):
        fence = re.match(r" *(`{3,}|~{3,})", line)
        if closing:
            prose += [number] if line.strip() else []
            closing = "" if line.strip() == closing else closing
        elif in_comment or line.startswith("<!--"):
            in_comment = "-->" not in line
        elif fence:
            prose.append(number)
            closing = fence[1]
        elif re.match(r"#{1,6} ", line):
            headings.append(number)
        elif line.strip():
            prose.append(number)
    return headings, prose


def marks_removed(text: str) -> list[str]:
    """Return the words of Markdown, with the targets of links and what only marks up removed."""
    text = re.sub(r"\]\([^)\s]*\)|\[\^\w+\]:?|<!--.*?-->", " ", text, flags=re.DOTALL)
    text = re.sub(r"(?m)^ *(?:`{3,}|~{3,}).*$|^(?:!!!|\?\?\?) \w+|^\s*\d+\.\s", " ", text)
    return re.findall(r"\w+", re.sub(r"[*_`\[\]\\]", "", text))


@both
def test_each_line_lies_in_one_passage_or_is_a_heading(file: Path) -> None:
    constitution = Constitution.load(file)
    lines = file.read_text(encoding="utf-8").split("\n")
    headings, prose = headings_and_prose(file)

    held = [
        number
        for passage in constitution.passages
        for number in range(passage.lines[0], passage.lines[1] + 1)
    ]
    assert [number for number in held if lines[number - 1].strip()] == prose
    assert [section.line for section in constitution.sections if section.level] == headings


@both
def test_each_word_is_read_in_order(file: Path) -> None:
    for passage in Constitution.load(file).passages:
        if passage.kind == "code" and passage.text.lstrip().startswith(("```", "~~~")):
            assert passage.plain.split("\n") == passage.text.split("\n")[1:-1]
        elif "[?](#" not in passage.text:
            assert marks_removed(passage.plain) == marks_removed(passage.text)


@both
def test_it_takes_less_than_a_second(file: Path) -> None:
    start = time.process_time()
    Constitution.load(file)

    assert time.process_time() - start < 1


@both
def test_ids_are_unique(file: Path) -> None:
    constitution = Constitution.load(file)

    assert len({passage.id for passage in constitution.passages}) == len(constitution.passages)


def test_claude() -> None:
    constitution = Constitution.load(CLAUDE)

    assert constitution.title == "Claude’s Constitution"
    assert (len(constitution.sections), len(constitution.passages)) == (45, 424)
    assert max(section.level for section in constitution.sections) == 5
    near_duplicates = ["Claude’s wellbeing", "Claude’s wellbeing and psychological stability"]
    assert [constitution.section(title).level for title in near_duplicates] == [4, 3]
    assert constitution.section("Hard constraints").path == (
        "Claude’s Constitution",
        "Being broadly ethical",
        "Avoiding harm",
        "Hard constraints",
    )
    assert not any("<!--" in passage.text for passage in constitution.passages)
    items = [p for p in constitution.section("Hard constraints").passages if p.kind == "list_item"]
    assert items
    assert all(item.context and item.context.endswith(":") for item in items)


def test_the_model_spec() -> None:
    constitution = Constitution.load(MODEL_SPEC)

    assert constitution.title == "openai-model-spec"
    assert len(constitution.sections) == 80
    assert constitution.section("Do not lie").attributes == {
        "id": "do_not_lie",
        "authority": "user",
    }
    titles = {section.title for section in constitution.sections}
    assert not {"functions", "[...] imports"} & titles
    assert not any("{" in title for title in titles)
    for line in ("# functions", "# [...] imports"):
        [passage] = [p for p in constitution.passages if line in p.text.split("\n")]
        assert passage.kind == "code"
    kinds = [passage.kind for passage in constitution.passages]
    assert kinds.count("admonition") == 28
    assert not any(re.search(r"\[\^|\{#", p.plain) for p in constitution.passages)


def test_references_of_the_model_spec_read_as_titles() -> None:
    constitution = Constitution.load(MODEL_SPEC)
    titles = {s.attributes["id"]: s.title for s in constitution.sections if "id" in s.attributes}

    referring = [p for p in constitution.passages if "[?](#" in p.text and p.kind != "code"]
    assert len(referring) > 30
    for passage in referring:
        for target in re.findall(r"\[\?\]\(#(\w+)\)", passage.text):
            assert titles[target] in passage.plain
