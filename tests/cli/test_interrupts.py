"""Ctrl-C, SIGTERM and a second process: what is under way is kept, and said to be."""

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from support.answers.deliberation import (
    CONFLICT,
    MENDED,
    NOTHING,
    PREACHY,
    REFUSED,
    answer,
    asked_twice,
    row,
)
from support.loopback import LoopbackServer

from whyset.cli._interrupts import run_interruptible

from .conftest import QUOTING, TALKING, Desk

COMMAND = ("rewrite", "sft.jsonl", "-o", "out.jsonl", "--concurrency", "4", *TALKING)
FATES = ("", NOTHING, CONFLICT, MENDED, PREACHY, REFUSED)
STOPPING = "Stopping as soon as the asks in flight are answered; interrupt again to end at once.\n"
STOPPED = re.compile(
    r"Stopped\. \d rows? finished; every reply so far is in out\.ledger\.sqlite\. Run the same "
    r"command again to resume: answered asks are not sent again\.\n"
)


class Gate:
    """Answers so many asks; the next one, and all behind it, wait until the gate is opened."""

    def __init__(self, after: int) -> None:
        self._left = after
        self._reached = threading.Event()
        self._opened = threading.Event()

    def __call__(self, body: dict[str, Any]) -> Any:
        if not self._left:
            self._reached.set()
            self._opened.wait()
        else:
            self._left -= 1
        return answer(body)

    def wait(self, process: subprocess.Popen[str]) -> None:
        """Wait for the ask that waits."""
        while not self._reached.wait(0.05):
            assert process.poll() is None, process.communicate()

    def open(self) -> None:
        """Let all asks through from now on."""
        self._opened.set()


@contextmanager
def held_up(desk: Desk, *command: str, after: int) -> Iterator[tuple[subprocess.Popen[str], Gate]]:
    """Start a command and wait until so many of its asks are answered and one more is waiting."""
    desk.server.answer = gate = Gate(after)
    process = desk.start(*command, "--quiet")
    try:
        gate.wait(process)
        yield process, gate
    finally:
        gate.open()
        process.kill()
        process.communicate()


def next_line(process: subprocess.Popen[str]) -> str:
    """Return what is said next on standard error."""
    assert process.stderr is not None
    return process.stderr.readline()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """What a run leaves that nobody interrupts, in another folder and from another server."""
    with LoopbackServer(answer) as server:
        desk = Desk(tmp_path_factory.mktemp("undisturbed"), server)
        desk.write_rows(12, *FATES)
        assert desk.run(*COMMAND).code == 1
        return desk.bytes_of("out.jsonl", "out.quarantine.jsonl")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_goes_on_to_the_same_bytes_and_asks_nothing_twice(
    desk: Desk, undisturbed: list[bytes], number: signal.Signals
) -> None:
    desk.write_rows(12, *FATES)
    with held_up(desk, *COMMAND, after=15) as (process, gate):
        process.send_signal(number)
        assert next_line(process) == STOPPING
        gate.open()
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (3, "")
    assert STOPPED.fullmatch(err)
    assert desk.names == ["manners.md", "out.ledger.sqlite", "sft.jsonl"]

    before = desk.server.answered
    finished = desk.run(*COMMAND)
    assert finished.code == 1
    assert desk.bytes_of("out.jsonl", "out.quarantine.jsonl") == undisturbed
    assert asked_twice(desk.server) == []
    assert f"\nthis time {desk.server.answered - before} asks answered by models" in finished.out
    assert 15 <= before <= 15 + 4


def test_a_second_interrupt_ends_the_run_without_waiting(desk: Desk) -> None:
    desk.write_rows(12)
    with held_up(desk, *COMMAND, after=5) as (process, _):
        process.send_signal(signal.SIGINT)
        assert next_line(process) == STOPPING
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 3
    assert err.startswith(
        "Stopped immediately, without waiting for asks in flight. 0 rows finished;"
    )
    assert err.endswith("answered asks are not sent again.\n")
    assert desk.names == ["manners.md", "out.ledger.sqlite", "sft.jsonl"]


def test_a_second_process_on_the_same_output_is_refused(desk: Desk) -> None:
    desk.write_rows(12)
    with held_up(desk, *COMMAND, after=0) as (process, _):
        refused = desk.run("rewrite", "sft.jsonl", "-o", "out.jsonl", *QUOTING, "--quiet")
    assert refused.error == (
        f"another whyset process ({process.pid}) is working on this run "
        "(out.ledger.sqlite.lock): wait for it, or name another output with -o"
    )


def test_rows_that_are_still_to_come_do_not_hold_up_the_end(desk: Desk) -> None:
    process = desk.start("rewrite", "-", "--quiet", *TALKING, stdin=subprocess.PIPE)
    assert process.stdin is not None
    process.stdin.write(f"{json.dumps(row(0))}\n")
    process.stdin.flush()
    while desk.server.answered < 3 and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    assert next_line(process) == STOPPING
    assert process.wait(timeout=60) == 3
    _, err = process.communicate()
    assert err.startswith("Stopped. ")
    assert err.endswith(" finished; without -o FILE no other reply is recorded.\n")


def test_a_single_document_is_interrupted_without_ado(desk: Desk) -> None:
    desk.write("prompt.txt", row(0)["prompt"])
    desk.write("response.txt", row(0)["response"])
    texts = ("rewrite", "--prompt", "prompt.txt", "--response", "response.txt", *TALKING)
    with held_up(desk, *texts, after=1) as (process, _):
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (3, "", "Interrupted.\n")


def test_an_interrupt_does_not_wait_for_a_blocked_request() -> None:
    # Not the command's own handler, which remembers interrupts for the rest of the process.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    blocked = threading.Event()

    def work() -> None:
        # It comes to this thread: the main one is woken by nothing.
        signal.raise_signal(signal.SIGINT)
        blocked.wait()

    try:
        with pytest.raises(KeyboardInterrupt):
            run_interruptible(work)
    finally:
        blocked.set()
        signal.signal(signal.SIGINT, handler)


def test_so_is_the_opening_of_an_index_that_takes_long(desk: Desk) -> None:
    desk.write_rows(1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        options = ("--constitution", "manners.md", "--chroma", url)
        process = desk.start("rewrite", "sft.jsonl", "-o", "out.jsonl", *options)
        waiting = next_line(process)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert waiting == "opening the index of Manners; this can take a minute\n"
    assert (process.returncode, out, err) == (3, "", "Interrupted.\n")
    assert desk.names == ["manners.md", "sft.jsonl"]


LOST = """
import signal
from whyset.cli import main
from whyset.constitution import Constitution
load = Constitution.load
def lose(path):
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt:
        {instead}
    return load(path)
Constitution.load = lose
main()
"""


@pytest.mark.parametrize(
    ("command", "instead"),
    [
        (("rewrite", "sft.jsonl", "-o", "out.jsonl", *QUOTING), "pass"),
        (("search", "honesty", *QUOTING), "raise ImportError('half imported')"),
    ],
    ids=["swallowed", "another error"],
)
def test_an_interrupt_that_an_import_makes_away_with_is_remembered(
    desk: Desk, command: tuple[str, ...], instead: str
) -> None:
    desk.write_rows(1)
    finished = subprocess.run(
        [sys.executable, "-c", LOST.format(instead=instead), *command],
        cwd=desk.folder,
        env=desk.environment,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert (finished.returncode, finished.stdout, finished.stderr) == (3, "", "Interrupted.\n")
    assert desk.names == ["manners.md", "sft.jsonl"]
