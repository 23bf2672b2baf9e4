"""SIGKILL, again and again: no recorded ask is sent again, the last run ends as any other."""

import hashlib
import json
import random
import shutil
import signal
import sqlite3
import threading
import time
from pathlib import Path
from typing import Any

from support.answers.deliberation import CONFLICT, MENDED, NOTHING, PREACHY, REFUSED, answer
from support.loopback import LoopbackServer

from .conftest import TALKING, Desk

COMMAND = ("rewrite", "sft.jsonl", "-o", "out.jsonl", "--concurrency", "4", *TALKING)
FATES = ("", NOTHING, CONFLICT, MENDED, PREACHY, REFUSED)
ROWS, KILLS = 24, 2


def digest(body: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body).encode()).hexdigest()


class Brink:
    """Signs every reply with what was asked; at a number of replies it falls silent."""

    def __init__(self) -> None:
        self.silent_after: int | None = None
        self.answered = 0
        self.fell_silent = threading.Event()
        self.speak = threading.Event()

    def __call__(self, body: dict[str, Any]) -> Any:
        if self.answered == self.silent_after:
            self.fell_silent.set()
            self.speak.wait()
        self.answered += 1
        reply = answer(body)
        assert isinstance(reply, dict)
        return {**reply, "model": digest(body)}


def recorded_in(ledger: Path, copy: Path) -> set[str]:
    """Return what the recorded replies answer, from a copy: to look into a ledger mends it."""
    copy.mkdir()
    for path in ledger.parent.glob(f"{ledger.name}*"):
        shutil.copy(path, copy)
    connection = sqlite3.connect(copy / ledger.name)
    try:
        return {signature for (signature,) in connection.execute("SELECT model FROM replies")}
    finally:
        connection.close()


def test_a_run_that_is_killed_twice_ends_with_the_same_bytes_and_asks_nothing_recorded_again(
    desk: Desk, tmp_path_factory: Any
) -> None:
    with LoopbackServer(answer) as server:
        undisturbed = Desk(tmp_path_factory.mktemp("undisturbed"), server)
        undisturbed.write_rows(ROWS, *FATES)
        assert undisturbed.run(*COMMAND).code == 1
        asks = {digest(body) for body in server.bodies}

    desk.write_rows(ROWS, *FATES)
    chance = random.Random(20261124)
    moments = sorted(chance.sample(range(1, len(asks) - 1), KILLS))
    recorded: set[str] = set()
    for kill, moment in enumerate(moments):
        sent = len(desk.server.requests)
        # Replies to asks of a process that was killed meanwhile count for nobody.
        desk.server.answer = brink = Brink()
        brink.silent_after = max(moment - len(recorded), 1)
        process = desk.start(*COMMAND)
        while not brink.fell_silent.wait(0.05):
            assert process.poll() is None, process.communicate()
        time.sleep(chance.uniform(0, 0.04))  # replies are recorded some 20 ms after they come
        process.send_signal(signal.SIGKILL)
        process.communicate()
        brink.speak.set()
        assert process.returncode == -signal.SIGKILL
        assert not {digest(body) for body in desk.server.bodies[sent:]} & recorded
        assert "out.jsonl" not in desk.names
        before, recorded = (
            recorded,
            recorded_in(
                desk.folder / "out.ledger.sqlite", tmp_path_factory.mktemp("look") / str(kill)
            ),
        )
        assert before <= recorded <= asks

    assert recorded
    sent = len(desk.server.requests)
    desk.server.answer = Brink()
    finished = desk.run(*COMMAND)
    assert finished.code == 1
    missing = [digest(body) for body in desk.server.bodies[sent:]]
    assert sorted(missing) == sorted(asks - recorded)
    written = ("out.jsonl", "out.quarantine.jsonl")
    assert desk.bytes_of(*written) == undisturbed.bytes_of(*written)
    assert desk.names == [
        "manners.md",
        "out.jsonl",
        "out.ledger.sqlite",
        "out.quarantine.jsonl",
        "out.run.json",
        "sft.jsonl",
    ]
