"""Wrong usage: one sentence that says what to type, exit code 2, and nothing touched."""

import pytest

from .conftest import Desk

TEXTS_TOGETHER = (
    "Invalid value: --prompt and --response go together, without a source and without -o; the "
    "result is printed"
)
ONE_OF = "Invalid value: give one of: a text, --queries FILE, --evaluate FILE"
EMPTY = "is empty; is a shell variable unset?"


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "rewrite",
            "Invalid value: name a file of rows, - for standard input, or --prompt and --response",
        ),
        (
            "rewrite sft.jsonl",
            "Invalid value: say where the rows go: -o out.jsonl, or -o - to print them",
        ),
        ("rewrite --prompt manners.md", TEXTS_TOGETHER),
        ("rewrite --response manners.md", TEXTS_TOGETHER),
        ("rewrite sft.jsonl --prompt manners.md --response manners.md", TEXTS_TOGETHER),
        ("rewrite --prompt manners.md --response manners.md -o out.jsonl", TEXTS_TOGETHER),
        ("search", ONE_OF),
        ("search honesty --queries manners.md", ONE_OF),
        ("search --queries manners.md --evaluate manners.md", ONE_OF),
        (
            "search honesty more",
            "Got unexpected extra argument(s) (more)",
        ),
        (
            "rewrite sft.jsonl --out out.jsonl",
            "No such option: --out (Possible options: --output, --quiet, --to)",
        ),
        (
            "rewriet sft.jsonl",
            "No such command 'rewriet'. Did you mean 'rewrite', 'write'?",
        ),
        (
            "rewrite sft.jsonl --sample 3 -o out.jsonl",
            "Invalid value: --sample goes with --dry-run",
        ),
        (
            "rewrite sft.jsonl --turns first -o out.jsonl",
            "turns must be 'last', 'all' or a number from 1 on, not 'first'",
        ),
        (
            "rewrite sft.jsonl --to chatml -o out.jsonl",
            "no shape 'chatml'; there are: alpaca, anthropic, completion, hh, messages, "
            "preference, prompt, sharegpt",
        ),
    ],
)
def test_what_does_not_fit_together(desk: Desk, command: str, message: str) -> None:
    finished = desk.call(*command.split())
    assert finished.error == message
    assert desk.names == ["manners.md"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("rewrite sft.jsonl -o out.jsonl -k 0", "Invalid value for '-k': "),
        ("search honesty -k 0", "Invalid value for '-k': "),
        ("search honesty -k three", "Invalid value for '-k': "),
        ("rewrite sft.jsonl -o out.jsonl --concurrency 0", "Invalid value for '--concurrency': "),
        ("rewrite sft.jsonl -o out.jsonl --attempts 0", "Invalid value for '--attempts': "),
        ("rewrite sft.jsonl -o out.jsonl --channel loud", "Invalid value for '--channel': "),
        ("rewrite sft.jsonl -o out.jsonl --settle-below x", "Invalid value for '--settle-below': "),
    ],
)
def test_a_value_that_an_option_does_not_take(desk: Desk, command: str, message: str) -> None:
    assert desk.call(*command.split()).error.startswith(message)  # the rest is Typer's


@pytest.mark.parametrize(
    ("command", "named"),
    [
        (("rewrite", "", "-o", "out.jsonl"), "'ROWS'"),
        (("rewrite", "sft.jsonl", "-o", ""), "'--output' / '-o'"),
        (("rewrite", "sft.jsonl", "-o", "out.jsonl", "--model", ""), "'--model'"),
        (("rewrite", "sft.jsonl", "-o", "out.jsonl", "--judge", ""), "'--judge'"),
        (("search", "honesty", "--chroma", ""), "'--chroma'"),
    ],
)
def test_an_empty_value_is_not_taken_for_none(
    desk: Desk, command: tuple[str, ...], named: str
) -> None:
    assert desk.call(*command).error == f"Invalid value for {named}: {EMPTY}"
    assert desk.names == ["manners.md"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("rewrite none.jsonl -o out.jsonl", "none.jsonl: no such file"),
        (
            "rewrite sft.jsonl -o sft.jsonl",
            "sft.jsonl: would be overwritten, but is read as sft.jsonl; name another output "
            "with -o",
        ),
        (
            "rewrite sft.jsonl -o manners.md --constitution manners.md",
            "manners.md: would be overwritten, but is read as manners.md; name another output "
            "with -o",
        ),
        (
            "rewrite sft.jsonl -o none/out.jsonl",
            "none/out.jsonl: no such folder none; create it first",
        ),
        (
            "rewrite --prompt none.txt --response manners.md",
            "none.txt: cannot be read: No such file or directory",
        ),
        ("rewrite --prompt . --response manners.md", ".: cannot be read: Is a directory"),
        (
            "rewrite --prompt latin.txt --response manners.md",
            "latin.txt: is not UTF-8; save it as UTF-8",
        ),
    ],
)
def test_files_that_cannot_be_what_they_are_named_as(
    desk: Desk, command: str, message: str
) -> None:
    desk.write_rows(1)
    (desk.folder / "latin.txt").write_bytes(b"caf\xe9")
    (desk.folder / "folder").mkdir()
    before = {path: path.is_file() and path.read_bytes() for path in desk.folder.iterdir()}
    finished = desk.call(*command.split())
    assert finished.error == message
    assert finished.err == f"Error: {message}\n"
    after = {path: path.is_file() and path.read_bytes() for path in desk.folder.iterdir()}
    assert after == before


def test_a_closed_standard_input_is_none(desk: Desk) -> None:
    finished = desk.run_in_shell('"$0" rewrite - <&-')
    assert finished.error == "Invalid value: standard input is closed"
