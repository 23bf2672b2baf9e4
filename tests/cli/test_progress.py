"""Progress: a live line in a terminal, plain lines elsewhere, nothing where nobody wants it."""

import io
import os
import pty
import re
import subprocess
from contextlib import suppress
from decimal import Decimal

from rich.console import Console

from whyset.cli._progress import Progress
from whyset.generators import Usage
from whyset.pipelines import RequestStats, RunCounts

from .conftest import TALKING, WHYSET, Desk

TRAFFIC = RequestStats(in_flight=3, retried=1_200)


def tally() -> RunCounts:
    counted = RunCounts(rows=2_000, usage=Usage(output_tokens=54_321))
    counted.outcomes["quarantined"] = 7
    return counted


def shown_by(*, shown: bool, plain_every: float, terminal: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=100, highlight=False)
    with Progress(shown=shown, console=console, plain_every=plain_every) as progress:
        progress.update(tally(), TRAFFIC)
        progress.update(tally(), TRAFFIC)
    return stream.getvalue()


def test_elsewhere_it_is_plain_lines() -> None:
    first, second = shown_by(shown=True, plain_every=0).splitlines()
    line = (
        r"2,000 rows · [\d,.]+/s · 3 asks in flight · 1,200 retried · 7 quarantined · "
        r"54,321 tokens out"
    )
    assert re.fullmatch(line, first)
    assert re.fullmatch(line, second)


def test_where_the_number_of_rows_is_known_it_tells_what_is_to_come() -> None:
    stream = io.StringIO()
    console = Console(file=stream, width=100, highlight=False)
    traffic = RequestStats(in_flight=3, limit=64, cost=Decimal("3.2"))
    with Progress(shown=True, console=console, plain_every=0, total=200_000) as progress:
        progress.update(tally(), traffic)
    assert re.fullmatch(
        r"2,000 of 200,000 rows · [\d,.]+/s · 3 of 64 asks in flight · 7 quarantined · "
        r"54,321 tokens out · \$3\.20, about \$320\.00 in all · [\d,]+ s left\n",
        stream.getvalue(),
    )


def test_what_an_earlier_run_has_done_does_not_make_the_rest_look_cheap() -> None:
    stream = io.StringIO()
    counted = RunCounts(rows=1_500, reused=1_000)
    traffic = RequestStats(cost=Decimal(5))
    console = Console(file=stream, width=100, highlight=False)
    with Progress(shown=True, console=console, plain_every=0, total=2_000) as progress:
        progress.update(counted, traffic)
    assert "$5.00, about $10.00 in all" in stream.getvalue()


def test_plain_lines_do_not_come_one_for_every_row() -> None:
    assert shown_by(shown=True, plain_every=3600) == ""


def test_what_is_not_to_be_shown_is_not_shown_in_a_terminal_either() -> None:
    assert shown_by(shown=False, plain_every=0) == ""
    assert shown_by(shown=False, plain_every=0, terminal=True) == ""


def test_a_terminal_shows_a_live_line_and_is_left_as_it_was(desk: Desk) -> None:
    desk.write_rows(8)
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [WHYSET, "rewrite", "sft.jsonl", "-o", "out.jsonl", *TALKING],
        cwd=desk.folder,
        env={**desk.environment, "TERM": "xterm", "COLUMNS": "100"},
        stdout=subprocess.PIPE,
        stderr=theirs,
        encoding="utf-8",
    )
    os.close(theirs)
    shown = b""
    with suppress(OSError):  # how Linux says that nobody writes to the terminal any more
        while part := os.read(ours, 4096):
            shown += part
    os.close(ours)
    out, _ = process.communicate(timeout=60)
    text = shown.decode()
    assert process.returncode == 0
    assert "opening the index of Manners …" in text
    line = r"8 (of 8 )?rows · [\d.]+/s · 0 (of \d+ )?asks in flight · \d+ tokens out"
    assert re.search(line, text)
    assert text.count("\x1b[?25l") == text.count("\x1b[?25h") > 0  # the cursor is back
    assert text.endswith("\x1b[2K")  # and the line is wiped
    assert out.startswith("8 rows in ")
    assert "\x1b" not in out
