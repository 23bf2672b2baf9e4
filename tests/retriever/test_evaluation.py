"""Labels are read or refused by line; recall and reciprocal rank are what they should be."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from whyset.constitution import Constitution
from whyset.errors import WhysetError
from whyset.retriever import (
    Grounding,
    LabelledQuery,
    RetrievalMetrics,
    RetrieverError,
    evaluate_searcher,
    load_labelled_queries,
)
from whyset.retriever.testing import FakeSearcher

# The fake ranks by shared words: each section has a word of its own, `all` is in every one.
SECTIONS = 12
TEXT = "# Words\n\n" + "\n\n".join(
    f"## It’s {number}\n\nall own{number}\n\nall also{number} own{number}"
    for number in range(SECTIONS)
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "labels.jsonl"


@pytest.fixture
def searcher() -> FakeSearcher:
    return FakeSearcher(Constitution.parse(TEXT))


def label(query: str, *numbers: int) -> LabelledQuery:
    return LabelledQuery(query, tuple(f"It's {number}" for number in numbers))


def test_labels_are_read_in_order(file: Path) -> None:
    records = [
        {"query": "a?", "expected_heading": "One"},
        {"query": "b?", "expected_heading": "Two", "also_acceptable": ["Three", "Four"]},
        {"query": "c?", "expected_heading": "Five", "also_acceptable": None, "document": "spec"},
    ]
    lines = "\r\n\n".join(json.dumps(record) for record in records)
    file.write_bytes(b"\xef\xbb\xbf" + lines.encode() + b"\n")

    assert load_labelled_queries(file) == [
        LabelledQuery("a?", ("One",)),
        LabelledQuery("b?", ("Two", "Three", "Four")),
        LabelledQuery("c?", ("Five",), "spec"),
    ]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("{", "is not JSON: Expecting property name enclosed in double quotes"),
        ("[]", "is not a JSON object"),
        ("{}", "has no text in 'query'"),
        ('{"query": " ", "expected_heading": "One"}', "has no text in 'query'"),
        ('{"query": "a?"}', "has no text in 'expected_heading'"),
        ('{"query": "a?", "expected_heading": 1}', "has no text in 'expected_heading'"),
        (
            '{"query": "a?", "expected_heading": "One", "also_acceptable": "Two"}',
            "`also_acceptable` is not a list of headings",
        ),
        (
            '{"query": "a?", "expected_heading": "One", "also_acceptable": [2]}',
            "`also_acceptable` is not a list of headings",
        ),
    ],
)
def test_a_line_that_is_no_label_is_named(file: Path, line: str, problem: str) -> None:
    file.write_text('{"query": "a?", "expected_heading": "One"}\n\n' + line, "utf-8")

    with pytest.raises(RetrieverError) as refused:
        load_labelled_queries(file)

    assert str(refused.value).startswith(f"{file}:3: {problem}")


def test_a_file_without_labels_or_that_cannot_be_read_is_named(file: Path) -> None:
    with pytest.raises(RetrieverError) as refused:
        load_labelled_queries(file)
    assert str(refused.value).startswith(f"{file}: cannot be read: ")

    file.write_bytes(b"\xff")
    with pytest.raises(RetrieverError, match=r"labels\.jsonl: is not UTF-8"):
        load_labelled_queries(file)

    file.write_bytes(b"\n \n")
    with pytest.raises(WhysetError) as empty:
        load_labelled_queries(file)
    assert str(empty.value) == f"{file}: has no labels"


def test_recall_and_reciprocal_rank_by_passage_and_by_section(searcher: FakeSearcher) -> None:
    # `all` alone leaves the order of the document: section n is found at n + 1, two passages each.
    found = evaluate_searcher(
        searcher, [label("own7", 7), label("all", 3), label("all", 5), label("all", 11)]
    )

    assert found.queries == 4
    assert found.ranks == (1, 4, 6, 12)
    assert found.by_section.recall_at == {1: 0.25, 5: 0.5, 10: 0.75}
    assert found.by_section.mrr == pytest.approx((1 + 1 / 4 + 1 / 6 + 1 / 12) / 4)
    assert found.by_passage.recall_at == {1: 0.25, 5: 0.25, 10: 0.5}
    assert found.by_passage.mrr == pytest.approx((1 + 1 / 7 + 1 / 11 + 1 / 23) / 4)
    assert searcher.queries == [("own7",), ("all",), ("all",), ("all",)]


def test_any_acceptable_heading_counts_and_so_does_one_above(searcher: FakeSearcher) -> None:
    found = evaluate_searcher(
        searcher, [label("own4", 9), label("own4", 9, 4), LabelledQuery("own4", ("WORDS",))]
    )

    assert found.ranks == (10, 1, 1)


def test_headings_are_met_in_any_case_spacing_and_apostrophe(searcher: FakeSearcher) -> None:
    assert evaluate_searcher(searcher, [LabelledQuery("own2", ("IT'S  2",))]).ranks == (1,)


def test_what_is_not_found_at_all_counts_nothing() -> None:
    class Blind(FakeSearcher):
        def find_passages(self, queries: Sequence[Sequence[str]], *, k: int) -> list[Grounding]:
            return [replace(found, passages=()) for found in super().find_passages(queries, k=k)]

    found = evaluate_searcher(Blind(Constitution.parse(TEXT)), [label("own1", 1)])

    assert found.ranks == (None,)
    assert (
        found.by_section
        == found.by_passage
        == RetrievalMetrics(recall_at={1: 0, 5: 0, 10: 0}, mrr=0)
    )


def test_a_heading_the_constitution_does_not_have_is_an_error(searcher: FakeSearcher) -> None:
    with pytest.raises(RetrieverError) as refused:
        evaluate_searcher(
            searcher, [label("own1", 1), LabelledQuery("own2", ("Elsewhere", "Nowhere"))]
        )

    assert str(refused.value) == (
        "no section of 'Words' is headed 'Elsewhere' (expected for the query 'own2')"
    )
    assert searcher.queries == []


def test_one_acceptable_heading_that_exists_is_enough(searcher: FakeSearcher) -> None:
    label_ = LabelledQuery("own2", ("Elsewhere", "It's 2"))

    assert evaluate_searcher(searcher, [label_]).ranks == (1,)


def test_no_labels_are_an_error(searcher: FakeSearcher) -> None:
    with pytest.raises(RetrieverError, match=r"^there are no labels to evaluate$"):
        evaluate_searcher(searcher, [])
