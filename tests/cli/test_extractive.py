"""`whyset rewrite` with no model: quotations beside the response, and said aloud to be no more."""

from support.answers.deliberation import row

from whyset.datasets import require_provenance

from .conftest import QUOTING, Desk

SAID_ALOUD = (
    "No --model named: using extractive, which only quotes the constitution and weighs nothing. "
    "What it makes is marked annotated; it is for trying the pipeline, not for training. Name a "
    "model to write, such as --model anthropic:claude-opus-5-5.\n"
)


def test_rows_are_annotated_and_a_warning_goes_before_them(desk: Desk) -> None:
    desk.write_rows(3)
    finished = desk.run("rewrite", "sft.jsonl", "-o", "out.jsonl", *QUOTING)
    assert (finished.code, finished.err) == (0, SAID_ALOUD)
    annotated = desk.read("out.jsonl")
    assert [require_provenance(record)["outcome"] for record in annotated] == ["annotated"] * 3
    assert all(
        record["response"].endswith(row(number)["response"])
        for number, record in enumerate(annotated)
    )
    head, *kinds = finished.out.splitlines()
    assert head.startswith("3 rows in ")
    assert kinds == [
        "        3  annotated    quotations beside the response, not judged",
        "output      out.jsonl",
        "manifest    out.run.json",
    ]
    assert desk.server.requests == []  # there is a key in the environment; nobody asked to use it


def test_who_names_it_is_not_warned(desk: Desk) -> None:
    desk.write_rows(1)
    named = desk.run("rewrite", "sft.jsonl", "-o", "out.jsonl", "--model", "extractive", *QUOTING)
    assert (named.code, named.err) == (0, "")


def test_quiet_is_quiet(desk: Desk) -> None:
    desk.write_rows(1)
    finished = desk.run("rewrite", "sft.jsonl", "-o", "out.jsonl", "--quiet", *QUOTING)
    assert (finished.code, finished.out, finished.err) == (0, "", "")
    assert len(desk.read("out.jsonl")) == 1
