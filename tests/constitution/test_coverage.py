"""The parser's own proof, which no document is known to fail: it is given faults by hand."""

import pytest

from whyset.constitution import ConstitutionError
from whyset.constitution._blocks import verify_coverage

Lines = list[tuple[int, int]]


def prove(source: str, *, prose: Lines, elsewhere: Lines) -> str:
    try:
        verify_coverage(source.split("\n"), prose=prose, elsewhere=elsewhere, name="values.md")
    except ConstitutionError as error:
        return str(error)
    return "complete"


def fault(line: int) -> str:
    return (
        f"values.md:{line}: this line cannot be assigned to exactly one passage; write the block "
        "around it more simply, and please report it"
    )


@pytest.mark.parametrize(
    ("prose", "elsewhere", "expected"),
    [
        ([(1, 2), (3, 5)], [(0, 1)], "complete"),
        ([(1, 2), (3, 4)], [(0, 1)], fault(5)),
        ([(1, 2), (3, 5)], [], fault(1)),
        ([(1, 4), (3, 5)], [(0, 1)], fault(4)),
        ([(3, 5), (1, 2)], [(0, 1)], fault(2)),
        ([(1, 2), (3, 3), (3, 5)], [(0, 1)], fault(4)),
    ],
    ids=["whole", "a line lost", "a heading lost", "twice", "out of order", "an empty slice"],
)
def test_each_line_once(prose: Lines, elsewhere: Lines, expected: str) -> None:
    assert prove("# One\na\n\n- b\n  c", prose=prose, elsewhere=elsewhere) == expected


@pytest.mark.parametrize("line", ["", "  \t", "***", "> > -", "1.", "> - 12) *", "| |", "\u00a0"])
def test_lines_without_prose_need_no_place(line: str) -> None:
    assert prove(line, prose=[], elsewhere=[]) == "complete"


@pytest.mark.parametrize("line", ["a", "12", "1.a", "- 1. x", "诚", "🙂", "—"])
def test_lines_with_prose_do(line: str) -> None:
    assert prove(line, prose=[], elsewhere=[]) == fault(1)
