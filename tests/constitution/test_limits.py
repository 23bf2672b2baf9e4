"""Documents no person wrote: refused with a reason or read in time, never a crash."""

import sys
import time

import pytest

from whyset.constitution import Constitution, ConstitutionError

# Seconds of processor time for 10,000 characters; the slowest takes a third of one, a quadratic
# rule took three.
ENOUGH = 1.5


def outcome(source: str) -> str:
    try:
        Constitution.parse(source)
    except ConstitutionError as error:
        return str(error)
    return "read"


@pytest.mark.parametrize(
    "piece",
    [
        *["[", "![", "[^", "[^a", "[a\n", "[a](", "[]", "]", "*", "*a ", "**a", "*a_ "],
        *["_", "`", "`a``b", "<", "<a ", "<!a ", "a <!--", "a <![CDATA[", "<!--"],
        *["<p>\n\n", "&", "&#", "\\", "{a ", "!!! a\n", "- a\n", "1. ", "- ", "> ", ">"],
        *["> a\nb\n", "|a", "[a]: b\n", '[a]: b "c\n', "[^a]: b\n", "- [ ", "```\n"],
        *["~~~x\n", "a\n-\n", "---\n", "# a\n", "# {a ", "a. ", "a\n\n", "\t", "a \n"],
        *["<http://a"],
    ],
)  # fmt: skip
def test_repetition_takes_linear_time(piece: str) -> None:
    start = time.process_time()
    outcome(piece * (10_000 // len(piece)) + "\n\nend")

    assert time.process_time() - start < ENOUGH


@pytest.mark.parametrize("mark", ["[", "*", ">", "- ", "a ", "\n"])
def test_five_megabytes_are_refused_at_once(mark: str) -> None:
    start = time.process_time()
    source = mark * (5_000_000 // len(mark)) + "a"

    assert outcome(source) == (
        "<text>: is longer than 1,000,000 characters; give the constitution alone, or split it"
    )
    assert time.process_time() - start < ENOUGH


BLOCKS_TOO_DEEP = (
    "lists or quotations are nested too deep to be read (a quotation is one level, a list two, and "
    "there may be 39); reduce the nesting"
)
INLINE_TOO_DEEP = (
    "emphasis, links or images are nested too deep to be read (there may be 40 levels); remove "
    "some of it"
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (">" * 39 + "a", "read"),
        (">" * 40 + "a", f"<text>:1: {BLOCKS_TOO_DEEP}"),
        ("> a\n>\n" + ">" * 5000 + "a", f"<text>:3: {BLOCKS_TOO_DEEP}"),
        ("- " * 19 + "a", "read"),
        ("- " * 20 + "a", f"<text>:1: {BLOCKS_TOO_DEEP}"),
        ("".join(f"{'  ' * n}- a\n" for n in range(500)), f"<text>:20: {BLOCKS_TOO_DEEP}"),
        ("".join(f"{'    ' * n}!!! a\n" for n in range(50)), f"<text>:40: {BLOCKS_TOO_DEEP}"),
        ("[^a]: " * 1000 + "b", f"<text>:1: {BLOCKS_TOO_DEEP}"),
        ("*a **b " * 20 + "c" + "** d*" * 20, "read"),
        ("*a **b " * 1000 + "c" + "** d*" * 1000, f"<text>:1: {INLINE_TOO_DEEP}"),
        ("a\n\n# " + "*" * 1000 + "b" + "*" * 1000, f"<text>:3: {INLINE_TOO_DEEP}"),
        ("![*a **b " * 20 + "c" + "** d*](e)" * 20, f"<text>:1: {INLINE_TOO_DEEP}"),
        ("[" * 5000 + "a" + "]" * 5000, "read"),
        ("[a " * 5000 + "](b)" * 5000, "read"),
        ("| a |\n|---|\n| " + "*" * 500 + "b" + "*" * 500 + " |", f"<text>:3: {INLINE_TOO_DEEP}"),
    ],
)
def test_nesting(source: str, expected: str) -> None:
    assert outcome(source) == expected


def test_the_deepest_markup_read_leaves_half_the_stack_to_the_caller() -> None:
    deep = ["- " * 19 + "*a **b " * 20 + "c" + "** d*" * 20, ">" * 38 + "![a " * 60 + "](b)" * 60]
    frames, limit = 0, sys.getrecursionlimit()
    frame = sys._getframe()
    while (frame := frame.f_back) is not None:  # type: ignore[assignment]
        frames += 1

    sys.setrecursionlimit(frames + 500)
    try:
        found = list(map(outcome, deep))
    finally:
        sys.setrecursionlimit(limit)
    assert found == ["read", "read"]


def test_many_passages_alike() -> None:
    constitution = Constitution.parse("Same.\n\n" * 5000)

    assert len({passage.id for passage in constitution.passages}) == 5000
