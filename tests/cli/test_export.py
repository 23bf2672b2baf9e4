"""`whyset export` and `whyset card`: from what a run left to what others train on."""

import getpass
import gzip
import json
import os
import re
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from support.answers.deliberation import CONFLICT, NOTHING, answer
from support.exports import ordinary, rewritten, write
from support.loopback import LoopbackServer

from whyset.datasets.export import TRAINERS

from .conftest import QUOTING, TALKING, Desk, Finished

KEY = "sk-planted-key-of-nobody"
USER = "planted-user-of-this-machine"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk with a finished run in it: rewritten, untouched and quarantined rows."""
    with LoopbackServer(answer) as server:
        desk = Desk(tmp_path_factory.mktemp("desk"), server)
        desk.environment |= {"ANTHROPIC_API_KEY": KEY, "USER": USER, "LOGNAME": USER}
        desk.write_rows(6, "", NOTHING, CONFLICT)
        finished = desk.call(
            *("rewrite", "sft.jsonl", "-o", "out.jsonl", "--channel", "thinking"), *TALKING
        )
        assert finished.code == 1, finished.err
        yield desk


def test_rows_are_exported_and_reported(run: Desk) -> None:
    finished = run.call(
        *("export", "out.jsonl", "-o", "pub/", "--for", "trl", "--control"),
        *("--license", "cc-by-4.0", "--source", "sft.jsonl=mit"),
    )

    assert finished.code == 0, finished.err
    lines = finished.out.splitlines()
    assert lines[:3] == [
        "4 rows for TRL, as messages",
        "        2  rewritten",
        "        2  untouched",
    ]
    assert "train         pub/train.jsonl  4 rows" in lines
    assert "control train pub/control/train.jsonl  4 rows" in lines
    assert "Note: 50% of the rows are synthetic" in finished.out
    card = (run.folder / "pub" / "README.md").read_text(encoding="utf-8")
    for line in (
        "license: cc-by-4.0",
        "| sft.jsonl | mit |",
        "| conflict | 2 |",
        "| rewritten | 2 |",
        "    whyset export out.jsonl -o pub --for trl --control",
        "Constitution: Manners, SHA-256 `",
    ):
        assert line in card


def test_every_exporter_can_be_named(desk: Desk) -> None:
    shown = desk.call("export", "--help").out

    assert f"--for <{'|'.join([*TRAINERS, 'inspect'])}>" in shown


def test_the_card_repeats_an_export_in_the_form_that_was_asked_for(run: Desk) -> None:
    finished = run.call(
        *("export", "out.jsonl", "-o", "columns/", "--for", "trl", "--format", "parquet")
    )

    assert finished.code == 0, finished.err
    card = (run.folder / "columns" / "README.md").read_text(encoding="utf-8")
    assert "    whyset export out.jsonl -o columns --for trl --format parquet\n" in card


def test_the_report_as_json_is_the_manifest(run: Desk) -> None:
    finished = run.call(
        *("export", "out.jsonl", "-o", "x.parquet", "--for", "axolotl", "--json"),
    )

    report = json.loads(finished.out)
    manifest = json.loads((run.folder / "x.export.json").read_text(encoding="utf-8"))
    assert (report["consumer"], report["kind"], report["rows"]) == ("axolotl", "messages", 4)
    shared = report.keys() & manifest.keys()
    assert {name: report[name] for name in shared} == {name: manifest[name] for name in shared}
    assert pq.read_table(run.folder / "x.parquet").num_rows == 4
    assert "x.axolotl.yaml" in run.names


def test_what_is_refused_is_in_quarantine_and_the_exit_code_says_so(run: Desk) -> None:
    finished = run.call("export", "out.jsonl", "-o", "ft.jsonl", "--for", "openai")

    assert finished.code == 1
    assert "refused           2  reasoning" in finished.out
    assert "quarantine    ft.quarantine.jsonl" in finished.out
    assert [entry["reasons"] for entry in run.read("ft.quarantine.jsonl")] == [["reasoning"]] * 2
    assert run.call(
        *("export", "out.jsonl", "-o", "ft.jsonl", "--for", "openai", "--think-tags", "-q")
    ) == Finished(0, "", "")
    assert "ft.quarantine.jsonl" not in run.names


def test_rows_come_from_standard_input_too(desk: Desk) -> None:
    row = json.dumps(rewritten())

    finished = desk.run("export", "-", "-o", "out/", "--for", "trl", stdin=f"{row}\n")

    assert finished.code == 0, finished.err
    assert len(desk.read("out/train.jsonl")) == 1


def test_ordinary_rows_are_mixed_in(desk: Desk) -> None:
    write(desk.folder / "out.jsonl", [rewritten(n) for n in range(2)])
    (desk.folder / "more.jsonl.gz").write_bytes(
        gzip.compress("".join(f"{json.dumps(ordinary(n))}\n" for n in range(9)).encode())
    )

    finished = desk.call(
        *("export", "out.jsonl", "-o", "sft.jsonl", "--for", "trl"),
        *("--mix", "more.jsonl.gz", "--share", "0.25", "--seed", "3"),
    )

    assert finished.code == 0, finished.err
    assert "        6  ordinary, mixed in: 25% are synthetic" in finished.out
    assert len(desk.read("sft.jsonl")) == 8


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("export", "none.jsonl", "-o", "o/", "--for", "trl"), "none.jsonl"),
        (("export", "out.jsonl", "-o", "out.jsonl", "--for", "trl"), "would be overwritten"),
        (("export", "out.jsonl", "-o", "o/", "--for", "trl", "--share", "2"), "between 0 and 1"),
        (("export", "out.jsonl", "-o", "o/", "--for", "trl", "--mix", "out.jsonl"), "go together"),
        (
            ("export", "out.jsonl", "-o", "o/", "--for", "trl", "--include", "quarantined"),
            "did not pass",
        ),
        (
            ("export", "out.jsonl", "-o", "o/", "--for", "trl", "--source", "x"),
            "--source takes NAME=LICENSE",
        ),
        *(
            (("export", "out.jsonl", "-o", "o/", "--for", "inspect", *more), "and nothing else")
            for more in (
                ("--think-tags",),
                ("--drop-provenance",),
                ("--seed", "1"),
                ("--license", "mit"),
            )
        ),
        (("card", "out.jsonl", "-o", "out.jsonl"), "is an input; name another file"),
    ],
)
def test_wrong_usage_is_reported_in_a_sentence(
    desk: Desk, arguments: tuple[str, ...], message: str
) -> None:
    write(desk.folder / "out.jsonl", [rewritten()])

    finished = desk.call(*arguments)

    assert finished.code == 2
    assert message in " ".join(finished.err.split())
    assert desk.names == ["manners.md", "out.jsonl"]


def test_a_card_is_printed_or_written(run: Desk) -> None:
    printed = run.call("card", "out.jsonl", "--title", "Manners, rewritten")
    written = run.call("card", "out.jsonl", "--title", "Manners, rewritten", "-o", "README.md")

    assert (printed.code, written.code) == (0, 0)
    assert printed.out == (run.folder / "README.md").read_text(encoding="utf-8")
    assert printed.out.startswith("---\npretty_name: Manners, rewritten\n")
    assert "path: out.jsonl" in printed.out
    assert "# Manners, rewritten" in printed.out


def test_no_output_tells_of_this_machine_its_user_or_the_key(run: Desk) -> None:
    for arguments in (
        ("write", "explanation", "--about", "things", *QUOTING, "--json"),
        ("export", "out.jsonl", "-o", str(run.folder / "exported"), "--for", "llama-factory"),
        ("card", str(run.folder / "out.jsonl"), "-o", str(run.folder / "CARD.md")),
    ):
        finished = run.call(*arguments)
        assert finished.code == 0, finished.err
        if "write" in arguments:
            run.write("document.json", finished.out)
    with sqlite3.connect(run.folder / "out.ledger.sqlite") as ledger:
        run.write("ledger.sql", "\n".join(ledger.iterdump()))
    ledger.close()

    secrets = [str(run.folder), tempfile.gettempdir() + os.sep, str(Path.home()), USER, KEY]
    if (user := getpass.getuser()) != "root":  # a word that texts may well have
        secrets.append(user)
    unwritten = {"manners.md", "sft.jsonl"}
    written = [
        path for path in run.folder.rglob("*") if path.is_file() and path.name not in unwritten
    ]
    assert len(written) > 12
    for path in written:
        content = path.read_bytes() + path.name.encode()
        for secret in secrets:
            pattern = rf"{re.escape(secret)}(?![a-z])".encode()
            assert not re.search(pattern, content), f"{path.name} tells {secret}"
