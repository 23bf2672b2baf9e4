"""What the ledger promises: durable within 50 ms, one process at a time, never misread."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from support.runs import count_replies

from whyset.generators import Ask, Reply, Usage
from whyset.models import Price, Prices
from whyset.pipelines import Ledger, RunError, RunLocked, StepCost

ASK = Ask("writer", "deliberation/write", "system", "user", 100)
REPLY = Reply("Because.", "complete", Usage(10, 5, 3, 2), "claude-1", "no detail")

PUT = """
import sys, time
from pathlib import Path
from whyset.generators import Ask, Reply, Usage
from whyset.pipelines import Ledger
ledger = Ledger(Path(sys.argv[1]))
ledger.put_reply("k", Ask("writer", "s", "", "", 1), "m", Reply("paid", "complete", Usage(1, 2)))
ledger.put_row("r", b"done")
time.sleep(0.05)
print("put", flush=True)
time.sleep(60)
"""

FILL = """
import resource, signal, sys
from pathlib import Path
from whyset.errors import WhysetError
from whyset.generators import Ask, Reply
from whyset.pipelines import Ledger
ledger = Ledger(Path(sys.argv[1]))
ledger.put_row("first", b"x" * 1000)
ledger.flush()
resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))
ask = Ask("writer", "s", "", "", 1)
try:
    for number in range(1000):
        ledger.put_reply(str(number), ask, "m", Reply("x" * 10_000, "complete"))
        ledger.flush()
except WhysetError as error:
    print(type(error).__name__, error)
try:
    ledger.put_row("later", b"y")
except WhysetError as error:
    print("still", type(error).__name__)
ledger.close()
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "out.ledger.sqlite"


def spawn(code: str, path: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_reply_and_a_row_are_given_back_at_once_and_after_reopening(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.put_reply("key", ASK, "anthropic:claude", REPLY)
        ledger.put_row("row", b"record")
        assert ledger.reply("key") == REPLY
        assert ledger.row("row") == b"record"
        ledger.flush()
        assert ledger.reply("key") == REPLY
        assert ledger.row("row") == b"record"
        assert ledger.reply("other") is None
        assert ledger.row("other") is None
    with Ledger(path) as ledger:
        assert ledger.reply("key") == REPLY
        assert ledger.row("row") == b"record"


def test_the_first_reply_to_an_ask_stays(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.put_reply("key", ASK, "m", REPLY)
        ledger.flush()
        ledger.put_reply("key", ASK, "m", Reply("Another.", "complete"))
        ledger.flush()
        assert ledger.reply("key") == REPLY


def test_what_was_put_50_ms_before_a_kill_survives_it(path: Path) -> None:
    process = spawn(PUT, path)
    assert process.stdout and process.stdout.readline() == "put\n"
    process.send_signal(signal.SIGKILL)
    process.communicate()
    with Ledger(path) as ledger:
        assert ledger.reply("k") == Reply("paid", "complete", Usage(1, 2))
        assert ledger.row("r") == b"done"


def test_a_ledger_leaves_nothing_beside_it_when_closed(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.put_row("row", b"record")
        assert path.with_name(f"{path.name}.lock").read_text() == str(os.getpid())
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_a_second_process_is_refused_and_told_which_holds_the_run(path: Path) -> None:
    process = spawn(PUT, path)
    assert process.stdout and process.stdout.readline() == "put\n"
    try:
        with pytest.raises(RunLocked) as refused:
            Ledger(path)
    finally:
        process.kill()
        process.communicate()
    assert str(refused.value) == (
        f"another whyset process ({process.pid}) is working on this run ({path}.lock): wait for "
        "it, or name another output with -o"
    )
    Ledger(path).close()


def test_of_many_that_want_a_ledger_one_has_it_at_a_time(path: Path) -> None:
    holding: list[int] = []
    most: list[int] = []

    def work() -> None:
        while True:
            try:
                ledger = Ledger(path)
            except RunLocked:
                time.sleep(0.001)
                continue
            holding.append(1)
            most.append(len(holding))
            time.sleep(0.002)
            holding.pop()
            ledger.close()
            return

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 8


@pytest.mark.parametrize("content", [b"no database, " * 100, b"{}"])
def test_a_file_that_is_no_database_is_refused_and_left_alone(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(RunError) as refused:
        Ledger(path)
    assert str(refused.value) == (
        f"{path}: cannot be used as a ledger: file is not a database; name another output with "
        "-o, or move the file away"
    )
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    ("statement", "format_"), [("PRAGMA user_version = 7", 7), ("CREATE TABLE theirs (x)", 0)]
)
def test_another_format_or_another_programs_database_is_refused(
    path: Path, statement: str, format_: int
) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute(statement)
    connection.close()
    with pytest.raises(RunError) as refused:
        Ledger(path)
    assert str(refused.value) == (
        f"{path}: is not a ledger of this version of whyset (its format is {format_}, not 2); "
        "name another output with -o, or move the file away"
    )


def test_a_folder_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be written: No such file or directory"):
        Ledger(tmp_path / "none" / "out.ledger.sqlite")


def test_the_path_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    with Ledger(Path("folder/out.ledger.sqlite")) as ledger:
        ledger.put_row("row", b"record")
    with Ledger(tmp_path / "folder" / "out.ledger.sqlite") as ledger:
        assert ledger.row("row") == b"record"


def test_a_full_disk_is_an_error_from_then_on_and_what_is_durable_stays(path: Path) -> None:
    process = spawn(FILL, path)
    said, complained = process.communicate(timeout=60)
    assert complained == ""
    assert said.startswith(f"RunError {path}: the ledger cannot be written: ")
    assert said.endswith(
        ". No more requests are sent; free some disk space and run the same command again\n"
        "still RunError\n"
    )
    with Ledger(path) as ledger:
        assert ledger.row("first") == b"x" * 1000
        assert ledger.reply("0") is not None
        assert ledger.row("later") is None


def test_without_a_path_the_record_ends_with_the_ledger(tmp_path: Path) -> None:
    with Ledger(None) as ledger:
        ledger.put_reply("key", ASK, "m", REPLY)
        ledger.put_row("row", b"record")
        ledger.flush()
        assert ledger.reply("key") == REPLY
        assert ledger.row("row") == b"record"
        assert count_replies(ledger) == 1
    with Ledger(None) as ledger:
        assert ledger.reply("key") is None


def test_spent_sums_by_step_and_model_and_prices_every_reply_by_itself(path: Path) -> None:
    one = Decimal(1)
    long = Price(one, one, one, one)
    price = Price(Decimal(0), Decimal(10**6), Decimal(0), Decimal(0), above=20, long=long)
    prices = Prices(date(2030, 1, 1), {"anthropic:claude": price}, {"anthropic": Decimal("0.5")})
    judge = Ask("judge", "deliberation/judge", "", "", 1)
    with Ledger(path) as ledger:
        for number, tokens in enumerate((5, 7)):
            reply = Reply("", "complete", Usage(10, tokens))
            ledger.put_reply(f"a{number}", ASK, "anthropic:claude", reply)
        batched = Reply("", "complete", Usage(1, 2))
        ledger.put_reply("c", "deliberation/write", "anthropic:claude", batched, batched=True)
        ledger.put_reply("b", judge, "other:free", Reply("", "complete", Usage(1, 1)))
        assert ledger.cost_by_step(prices) == (
            StepCost("deliberation/judge", "other:free", 1, Usage(1, 1), None),
            StepCost("deliberation/write", "anthropic:claude", 3, Usage(21, 14), Decimal(13)),
        )


def test_a_reply_that_cannot_be_stored_is_an_error_and_not_a_hang(path: Path) -> None:
    with Ledger(path) as ledger:
        ledger.put_reply("key", ASK, "m", Reply("half a pair: \ud83d", "complete"))
        with pytest.raises(RunError, match="surrogates not allowed"):
            ledger.flush()


async def test_reading_does_not_wait_for_a_write_to_reach_the_disk(path: Path) -> None:
    # Thousands of look-ups while commits go on: with one lock for both they would take seconds.
    with Ledger(path) as ledger:
        ledger.put_reply("known", ASK, "m", REPLY)
        ledger.flush()
        waits = []
        for number in range(300):
            ledger.put_row(str(number), b"x" * 20_000)
            await asyncio.sleep(0.001)
            began = time.perf_counter()
            assert ledger.reply("known") == REPLY
            waits.append(time.perf_counter() - began)
    assert sorted(waits)[150] < 0.005
