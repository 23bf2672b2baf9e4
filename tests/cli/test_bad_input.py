"""Input that cannot be used: one sentence that says where and why, exit code 2, no traceback."""

import gzip
import re
import subprocess
import sys

import pytest
from support.loopback import MODEL

from .conftest import QUOTING, TALKING, Desk

REWRITE = ("rewrite", "sft.jsonl", "-o", "out.jsonl")
BROKEN = {
    "empty.md": (
        b"",
        "empty.md: is empty; a constitution is a Markdown document with text under its headings",
    ),
    "binary.md": (
        b"# Manners\n\n\x00\x01\x02\n",
        "binary.md: is a binary file (it holds NUL bytes); give a Markdown document",
    ),
    "headings.md": (
        b"# Manners\n\n## Asking first\n",
        "headings.md: has headings but no text; a constitution is a Markdown document with "
        "text under its headings",
    ),
    "latin.md": (
        b"# Manners\n\nAsk at the caf\xe9.\n",
        "latin.md:3: is not UTF-8 (byte 0xe9); save it as UTF-8",
    ),
    "none.md": (None, "none.md: cannot be read: No such file or directory"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_constitution(desk: Desk, name: str) -> None:
    content, message = BROKEN[name]
    if content is not None:
        (desk.folder / name).write_bytes(content)
    assert desk.call("passages", name).error == message


@pytest.mark.parametrize("command", [REWRITE, ("search", "honesty")], ids=["rewrite", "search"])
def test_a_broken_constitution_ends_every_command(desk: Desk, command: tuple[str, ...]) -> None:
    desk.write_rows(1)
    content, message = BROKEN["latin.md"]
    (desk.folder / "latin.md").write_bytes(content or b"")
    assert desk.call(*command, "--constitution", "latin.md").error == message
    assert desk.names == ["latin.md", "manners.md", "sft.jsonl"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--model", "gibberish"),
            "'gibberish' is no model: write provider:model, such as anthropic:claude-opus-5-5, or "
            "extractive. Known here: anthropic, completion, extractive, langchain, and LangChain's "
            "providers.",
        ),
        (
            ("--model", "claude-opus-5-5"),
            "'claude-opus-5-5' names no provider: write anthropic:claude-opus-5-5.",
        ),
        (
            ("--channel", "inline"),
            "the channel 'inline' rewrites the response, which takes a language model; name one "
            "with --model, or choose --channel preface or thinking",
        ),
    ],
    ids=["unknown", "no provider", "extractive inline"],
)
def test_a_model_that_cannot_do_it(desk: Desk, options: tuple[str, ...], message: str) -> None:
    desk.write_rows(1)
    assert desk.call(*REWRITE, *QUOTING, *options).error == message
    assert desk.names == ["manners.md", "sft.jsonl"]


def test_a_missing_key(desk: Desk) -> None:
    desk.write_rows(1)
    del desk.environment["ANTHROPIC_API_KEY"]
    assert desk.run(*REWRITE, *TALKING).error == (
        f"anthropic:{MODEL} needs a key: set ANTHROPIC_API_KEY. Without one, --model extractive "
        "quotes the constitution and sends no requests."
    )
    assert desk.server.requests == []


def test_bad_prices(desk: Desk) -> None:
    desk.write_rows(1)
    desk.write("prices.toml", f'dated = 2026-11-01\n[models."anthropic:{MODEL}"]\ninput = "dear"\n')
    assert desk.call(*REWRITE, "--prices", "prices.toml").error == (
        f"prices.toml: anthropic:{MODEL}: input is missing or not an amount."
    )


def test_a_json_array_with_something_behind_it(desk: Desk) -> None:
    desk.write("sft.jsonl", '[{"prompt": "p", "response": "r"}] {}')
    assert desk.call(*REWRITE, *QUOTING).error == (
        "sft.jsonl: after the JSON array of 1 elements there is more data: '{}'; take it away, or "
        "write one object a line. Nothing was written"
    )
    assert "out.jsonl" not in desk.names


def test_a_packed_file_that_was_cut_off(desk: Desk) -> None:
    packed = gzip.compress(b'{"prompt": "p", "response": "r"}\n' * 3)
    (desk.folder / "sft.jsonl").write_bytes(packed[:-9])
    assert desk.call(*REWRITE, *QUOTING).error == (
        "sft.jsonl: the gzip data ends too early: the file was cut off; nothing was written. Fetch "
        "or pack the file anew"
    )
    assert "out.jsonl" not in desk.names


def test_a_folder_of_rows(desk: Desk) -> None:
    (desk.folder / "sft.jsonl").mkdir()
    assert desk.call(*REWRITE, *QUOTING).error == (
        "sft.jsonl: is a folder without data files: nothing in it ends in .jsonl, .json, "
        ".parquet, .csv, .tsv or .arrow, and `datasets` did not save it"
    )


def test_an_output_that_cannot_be_written(desk: Desk) -> None:
    # A limit on the size of files stands for a full disk; it holds for the superuser, too.
    desk.write_rows(200)
    script = f'ulimit -f 64; "$0" {" ".join((*REWRITE, *QUOTING))}'
    message = desk.run_in_shell(script).error
    assert re.match(r"out\.(jsonl|ledger\.sqlite): .*cannot be (written|used)", message)
    assert "out.jsonl" not in desk.names


def test_an_unknown_embedder(desk: Desk) -> None:
    message = desk.call("search", "honesty", "--embedder", "nobody").error
    assert message.startswith("no embedder 'nobody': name `minilm`")


def test_a_chroma_server_that_does_not_answer(desk: Desk) -> None:
    desk.server.stop()
    message = desk.call("search", "my sister's diary", "--chroma", desk.server.url).error
    assert desk.server.url in message
    assert "Could not connect to a Chroma server" in message


@pytest.mark.parametrize("option", ["--queries", "--evaluate"])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"{oops", ":2: "),
        (b'{"text": "honesty"}', ":2: "),
        (b'["honesty"]', ":2: "),
        (b'{"query": 7, "expected_heading": "Asking first"}', ":2: "),
    ],
    ids=["not JSON", "no query", "no object", "no text"],
)
def test_a_broken_line_of_queries_or_labels(
    desk: Desk, option: str, content: bytes, message: str
) -> None:
    good = b'{"query": "May I?", "expected_heading": "Asking first"}'
    (desk.folder / "lines.jsonl").write_bytes(good + b"\n" + content + b"\n")
    error = desk.call("search", *QUOTING, option, "lines.jsonl").error
    assert error.startswith(f"lines.jsonl{message}")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"query": "\xff"}', "queries.jsonl:1: not UTF-8 at byte 12"),
        (
            b'{"query": "\\ud800"}',
            "queries.jsonl:1: not JSON: a \\u escape that is a lone surrogate",
        ),
        (b"[" * 5000, "queries.jsonl:1: nested too deeply: more than 200 levels"),
        (b"\n7\n", 'queries.jsonl:2: expected {"query": "…"}'),
    ],
    ids=["not UTF-8", "half a pair", "nested", "no object"],
)
def test_queries_that_no_parser_should_choke_on(desk: Desk, content: bytes, message: str) -> None:
    (desk.folder / "queries.jsonl").write_bytes(content)
    assert desk.call("search", *QUOTING, "--queries", "queries.jsonl").error == message


def test_queries_and_labels_that_are_not_there(desk: Desk) -> None:
    message = desk.call("search", *QUOTING, "--queries", "none.jsonl").error
    assert message == "none.jsonl: cannot be read: No such file or directory"
    message = desk.call("search", *QUOTING, "--evaluate", "none.jsonl").error
    assert message.startswith("none.jsonl: cannot be read: ")


def test_a_mistake_of_ours_is_shown_as_one_and_has_a_code_of_its_own(desk: Desk) -> None:
    broken = "import whyset.constitution as room; del room.Constitution.load"
    finished = subprocess.run(
        [
            sys.executable,
            "-c",
            f"{broken}\nfrom whyset.cli import main\nmain()",
            "passages",
            "x.md",
        ],
        env=desk.environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (finished.returncode, finished.stdout) == (70, "")
    assert finished.stderr.startswith("Traceback (most recent call last):\n")
    assert finished.stderr.splitlines()[-1].startswith("AttributeError: ")
