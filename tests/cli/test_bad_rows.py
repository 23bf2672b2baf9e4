"""Rows that cannot be read, through the command: what it says, its exit code, nothing lost.

A bad row costs itself and is in quarantine as it stood, exit code 1; a bad file ends the command
before anything is written, exit code 2.
"""

import base64
import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from whyset.datasets import require_provenance

from .conftest import QUOTING, Desk

GOOD = b'{"prompt": "a", "response": "b"}'
OURS = b'{"outcome": "rewritten", "generator": "deliberation", "version": "1"}'
LONG = [{"role": "user", "content": "Q"}, {"role": "assistant", "content": "A"}] * 50_000


def rewrite(desk: Desk, name: str, content: bytes) -> tuple[int, str]:
    """Rewrite a file to `out.jsonl`; return the exit code and what was said of it."""
    (desk.folder / name).write_bytes(content)
    finished = desk.call(
        *("rewrite", name, "-o", "out.jsonl", "--model", "extractive", "--channel", "thinking"),
        *QUOTING,
    )
    assert "Traceback" not in finished.err
    return finished.code, finished.err


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (b'{"prompt": "a', "not JSON: unexpected end of data (at column 14)"),
        (b'{"prompt": "gr\xfcn", "response": "b"}', "not UTF-8 at byte 15"),
        (
            b'{"prompt": "a\0b", "response": "b"}',
            "not JSON: unexpected control character in string (at column 14)",
        ),
        (b"\0" * 20, "not JSON: unexpected character, expected a JSON value (at column 1)"),
        (
            b'{"prompt": "a", "response": "b", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
            "nested too deeply: more than 200 levels",
        ),
        (
            b'{"prompt": "a", "response": "b", "x": NaN}',
            "not JSON: NaN is not a JSON value",
        ),
        (
            b'{"messages": [{"role": 3, "content": "x"}]}',
            "messages[0].role must be one of system, developer, user, assistant, tool, function, "
            "not 3",
        ),
        (
            b'{"prompt": "a", "response": "b", "prompt": "c"}',
            "the key 'prompt' is duplicated in an object; which value counts is ambiguous",
        ),
        (
            b'{"prompt": "a", "response": "b", "whyset": ' + OURS + b"}",
            "the row already has a 'whyset' column of an earlier pass (generator 'deliberation', "
            "outcome 'rewritten'): work on the rows as they were before it, or choose to replace "
            "its provenance",
        ),
    ],
    ids=[
        *("broken", "another encoding", "NUL", "nothing but NUL", "deep", "NaN", "role"),
        *("key twice", "worked on"),
    ],
)
def test_a_bad_row_costs_itself_and_is_quarantined_as_it_stood(
    desk: Desk, row: bytes, message: str
) -> None:
    code, said = rewrite(desk, "sft.jsonl", b"\n".join([GOOD, row, GOOD, b""]))

    assert code == 1
    first, reason = said.splitlines()
    assert first == "Rows have different shapes: 3 rows: prompt 2, unusable 1"
    assert reason == f"  1 × {message}"
    (entry,) = desk.read("out.quarantine.jsonl")
    assert (entry["line"], entry["reasons"], entry["detail"]) == (2, ["unreadable"], message)
    kept = entry["raw"].encode() if "raw" in entry else base64.b64decode(entry["raw_base64"])
    assert kept == row
    assert [(row["prompt"], row["response"]) for row in desk.read("out.jsonl")] == [("a", "b")] * 2


def parquet(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink)
    whole: bytes = sink.getvalue().to_pybytes()
    return whole


PAIR = pa.table({"prompt": ["a"], "response": ["b"]})
TWICE = pa.table([pa.array(["a"]), pa.array(["b"])], names=["prompt", "prompt"])


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("sft.jsonl.gz", gzip.compress(GOOD * 9)[:-9], "the gzip data ends too early: the file "),
        ("sft.parquet", parquet(PAIR)[:-20], "is damaged or cut off, or no Parquet file ("),
        ("sft.parquet", b"", "is empty, and no Parquet file"),
        ("sft.parquet", parquet(TWICE), "two columns are called 'prompt'; rename or remove one"),
        ("sft.csv", b"prompt,prompt\na,b\n", "two columns are called 'prompt'; rename or remove"),
        (
            "sft.jsonl",
            b"PK\x03\x04" + b"\0" * 40,
            "is a zip archive, which is not read; unpack it with: unzip",
        ),
    ],
    ids=["gzip", "Parquet", "empty Parquet", "column twice", "cell twice", "zip"],
)
def test_a_bad_file_ends_the_command_before_anything_is_written(
    desk: Desk, name: str, content: bytes, message: str
) -> None:
    (desk.folder / "out.jsonl").write_bytes(b"old\n")

    code, said = rewrite(desk, name, content)

    assert code == 2
    assert said.startswith(f"Error: {name}: {message}")
    assert (desk.folder / "out.jsonl").read_bytes() == b"old\n"
    assert desk.names == sorted(["manners.md", "out.jsonl", name])


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbf" + GOOD + b"\r\n",
        GOOD.decode().encode("utf-16"),
        b'{"prompt": "a", "response": "b", "x": ' + b"[" * 190 + b"]" * 190 + b"}",
    ],
    ids=["BOM", "UTF-16", "deep enough"],
)
def test_what_looks_odd_and_is_well_is_a_row(desk: Desk, content: bytes) -> None:
    assert rewrite(desk, "sft.jsonl", content) == (0, "")
    (record,) = desk.read("out.jsonl")
    assert (record["prompt"], record["response"]) == ("a", "b")


def test_very_many_messages_are_a_row(desk: Desk) -> None:
    assert rewrite(desk, "sft.jsonl", json.dumps({"messages": LONG}).encode()) == (0, "")
    (record,) = desk.read("out.jsonl")
    *before, last = record["messages"]
    assert before == LONG[:-1]
    assert {name: last[name] for name in LONG[-1]} == LONG[-1]


def test_a_text_of_fifty_megabytes_is_a_row(desk: Desk) -> None:
    text = "x" * (50 * 2**20)

    row = json.dumps({"prompt": text, "response": "b"}).encode()
    assert rewrite(desk, "sft.jsonl", row) == (0, "")

    (record,) = desk.read("out.jsonl")
    assert record["prompt"] == text


def test_a_foreign_whyset_column_is_renamed(desk: Desk) -> None:
    theirs = b'{"whyset": {"mine": [1, null]}, "prompt": "a", "response": "b"}'

    assert rewrite(desk, "sft.jsonl", theirs) == (0, "")

    (record,) = desk.read("out.jsonl")
    assert list(record) == [
        *("whyset_original", "prompt", "reasoning_content", "response", "whyset")
    ]
    assert record["whyset_original"] == {"mine": [1, None]}
    assert require_provenance(record)["generator"] == "deliberation"


def full(desk: Desk) -> tuple[str, str]:
    return "/dev/full", "/dev/full: is not a regular file; name a file, or -o - to print the rows"


def nowhere(desk: Desk) -> tuple[str, str]:
    return "none/out.jsonl", "none/out.jsonl: no such folder none; create it first"


def a_file_as_folder(desk: Desk) -> tuple[str, str]:
    return "sft.jsonl/out.jsonl", "sft.jsonl/out.jsonl: no such folder sft.jsonl"


@pytest.mark.parametrize("target", [full, nowhere, a_file_as_folder])
def test_an_unwritable_target_is_refused_before_any_request(
    desk: Desk, target: Callable[[Desk], tuple[str, str]]
) -> None:
    desk.write_rows(1)
    output, message = target(desk)

    error = desk.call("rewrite", "sft.jsonl", "-o", output, *QUOTING).error

    assert error.startswith(message)
    assert desk.server.requests == []
    assert desk.names == ["manners.md", "sft.jsonl"]
    assert not Path(desk.folder / "none").exists()
