"""`whyset search`: a text, many texts, and how well they are found."""

import json

import pytest

from .conftest import QUOTING, Desk

THINGS = ["Manners", "Other people's things"]
ASKING = ["Manners", "Asking first"]


def test_a_text_is_answered_with_passages_and_where_they_stand(desk: Desk) -> None:
    found = desk.call("search", "is it closed, what belongs to her?", *QUOTING)
    assert (found.code, found.err) == (0, "")
    lines = found.out.splitlines()
    assert lines[:3] == [
        "is it closed, what belongs to her?",
        "",
        " 1. Manners > Other people's things",
    ]
    assert lines[3].startswith("    other-peoples-things-")
    assert lines[3].endswith(", lines 5-5")
    assert lines[4] == (
        "    Leave closed what belongs to somebody else, unless its owner says otherwise."
    )


def test_the_default_embedder_says_how_similar_they_are(desk: Desk) -> None:
    found = desk.call(
        "search", "may I look into it?", "--constitution", "manners.md", "--ephemeral", "-k", "1"
    )
    assert (found.code, found.err) == (0, "")
    assert found.out.count("  similarity 0.") == 1


def test_without_a_constitution_the_charter_is_searched(desk: Desk) -> None:
    found = desk.call("search", "somebody's private diary", "--embedder", "lexical", "--json")
    (record,) = map(json.loads, found.out.splitlines())
    assert len(record["passages"]) == 5
    assert {passage["path"][0] for passage in record["passages"]} == {
        "A charter for an AI assistant"
    }


def test_queries_are_answered_line_by_line_in_their_order(desk: Desk) -> None:
    queries = ["Ask first?", "is it closed,\u2028what belongs to her?", "", "Ask first?"]
    lines = [json.dumps({"query": query, "n": 1}, ensure_ascii=False) for query in queries]
    desk.write("queries.jsonl", "\ufeff" + "\r\n\r\n".join(lines))
    found = desk.call("search", "--queries", "queries.jsonl", "--json", "-k", "1", *QUOTING)
    assert (found.code, found.err) == (0, "")
    records = [json.loads(line) for line in found.out.split("\n")[:-1]]
    assert [record["query"] for record in records] == queries
    assert [[passage["path"] for passage in record["passages"]] for record in records] == [
        [ASKING],
        [THINGS],
        [],
        [ASKING],
    ]
    assert list(records[0]["passages"][0]) == [
        "id",
        "path",
        "lines",
        "score",
        "similarity",
        "text",
    ]
    assert records[0]["passages"][0]["text"].startswith("A question costs little")


def test_queries_without_json_are_answered_one_after_the_other(desk: Desk) -> None:
    desk.write("queries.jsonl", '{"query": "Ask first?"}\n{"query": "zzz"}\n')
    found = desk.call("search", "--queries", "queries.jsonl", "-k", "1", *QUOTING)
    assert found.code == 0
    lines = found.out.splitlines()
    assert lines[0] == "Ask first?"
    assert lines[2] == " 1. Manners > Asking first"
    assert lines[-3:] == ["zzz", "", "nothing found"]


@pytest.fixture
def labels(desk: Desk) -> str:
    records = [
        {"query": "Ask before you act?", "expected_heading": "Asking first"},
        {"query": "closed, belongs", "expected_heading": "Other people's things"},
        {"query": "closed, belongs", "expected_heading": "Asking first", "document": "manners"},
        {"query": "May I?", "expected_heading": "Elsewhere", "document": "other"},
    ]
    desk.write("labels.jsonl", "".join(f"{json.dumps(record)}\n" for record in records))
    return "labels.jsonl"


def test_an_evaluation_is_a_table(desk: Desk, labels: str) -> None:
    found = desk.call("search", "--evaluate", labels, *QUOTING)
    assert (found.code, found.err) == (0, "1 label is about other documents than manners\n")
    assert found.out.splitlines() == [
        "3 queries on Manners",
        "              recall@1  recall@5  recall@10     MRR",
        "by passage       0.667     0.667      0.667   0.667",
        "by section       0.667     0.667      0.667   0.667",
    ]


def test_an_evaluation_as_json_holds_the_same(desk: Desk, labels: str) -> None:
    found = desk.call("search", "--evaluate", labels, "--json", *QUOTING)
    assert found.code == 0
    shares = {"recall@1": 2 / 3, "recall@5": 2 / 3, "recall@10": 2 / 3, "mrr": 2 / 3}
    assert json.loads(found.out) == {"queries": 3, "passage": shares, "section": shares}
