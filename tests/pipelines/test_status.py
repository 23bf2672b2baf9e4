"""What a ledger says of a run to somebody who only looks."""

import sqlite3
from pathlib import Path

import pytest

from whyset.generators import Ask, Reply, Usage
from whyset.models import BatchStatus
from whyset.pipelines import Ledger, RunError, RunStatus, StepStatus
from whyset.pipelines.ledger._batches import COLLECTED, BatchTable

JUDGE = Ask("judge", "deliberation/judge", "", "", 1)
WRITE = Ask("writer", "deliberation/write", "", "", 1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a ledger? 100%.sqlite"


def fill(ledger: Ledger) -> None:
    for number in range(3):
        reply = Reply("", "complete", Usage(10, 5, 2, 1))
        ledger.put_reply(f"w{number}", WRITE, "anthropic:a", reply, batched=number > 0)
    ledger.put_reply("j", JUDGE, "anthropic:b", Reply("", "complete", Usage(1, 1)))
    ledger.put_row("r", b"record")
    book = BatchTable(ledger)
    first = book.record_intent(
        wave=1,
        model="anthropic:a",
        identity="anthropic:a",
        newest="",
        size=1234,
        steps={"w1": WRITE.step, "w2": WRITE.step},
    )
    status = BatchStatus("msgbatch_1", "ended", succeeded=1, expired=1, created_at="2026-11-24")
    book.record_end(book.record_status(first, status), COLLECTED)
    book.record_intent(
        wave=2, model="anthropic:b", identity="b", newest="x", size=5, steps={"j1": JUDGE.step}
    )


def require_all_there(status: RunStatus) -> None:
    assert status.rows == 1
    assert status.steps == (
        StepStatus("deliberation/judge", "anthropic:b", 1, 0, Usage(1, 1)),
        StepStatus("deliberation/write", "anthropic:a", 3, 2, Usage(30, 15, 6, 3)),
    )
    assert [batch.state for batch in status.batches] == ["collected", "intended"]
    assert [batch.wave for batch in status.pending] == [2]
    assert list(status.waves) == [1, 2]
    record = status.record()
    assert record["rows"] == 1
    assert record["steps"][1]["batched"] == 2
    (first,) = record["waves"][0]["batches"]
    assert first.pop("intended_at")
    assert first.pop("collected_at")
    assert first == {
        "model": "anthropic:a",
        "id": "msgbatch_1",
        "state": "collected",
        "requests": 2,
        "size": 1234,
        "created_at": "2026-11-24",
        "ended_at": None,
        "succeeded": 1,
        "errored": 0,
        "canceled": 0,
        "expired": 1,
    }
    assert record["waves"][1]["batches"][0]["id"] is None


def test_a_run_is_read_while_a_process_works_on_it(path: Path) -> None:
    with Ledger(path) as ledger:
        fill(ledger)
        ledger.flush()
        require_all_there(RunStatus.read(path))
        ledger.put_row("another", b"record")
        ledger.flush()
        assert RunStatus.read(path).rows == 2


def test_one_that_nobody_works_on_is_left_as_it_is(path: Path) -> None:
    with Ledger(path) as ledger:
        fill(ledger)
    before = path.read_bytes()
    require_all_there(RunStatus.read(path))
    assert path.read_bytes() == before
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_one_that_was_killed_is_read_with_what_its_log_holds(path: Path, tmp_path: Path) -> None:
    killed = tmp_path / "killed"
    killed.mkdir()
    with Ledger(path) as ledger:
        fill(ledger)
        ledger.flush()
        for part in (path, path.with_name(f"{path.name}-wal")):
            (killed / part.name).write_bytes(part.read_bytes())
    require_all_there(RunStatus.read(killed / path.name))
    with Ledger(killed / path.name) as ledger:
        assert ledger.row("r") == b"record"


@pytest.fixture
def first_format(path: Path) -> Path:
    """A ledger as the version before batches left it."""
    with sqlite3.connect(path) as connection:
        connection.executescript(
            """
            CREATE TABLE replies (
                key TEXT PRIMARY KEY, step TEXT NOT NULL, asked TEXT NOT NULL, text TEXT NOT NULL,
                stop TEXT NOT NULL, model TEXT NOT NULL, detail TEXT NOT NULL,
                input_tokens INTEGER NOT NULL, output_tokens INTEGER NOT NULL,
                cache_read_tokens INTEGER NOT NULL, cache_write_tokens INTEGER NOT NULL
            );
            CREATE TABLE rows (key TEXT PRIMARY KEY, record BLOB NOT NULL);
            INSERT INTO replies VALUES ('k', 's', 'm', 'text', 'complete', 'c', '', 1, 2, 3, 4);
            INSERT INTO rows VALUES ('r', x'7b7d');
            PRAGMA journal_mode = WAL;
            PRAGMA user_version = 1;
            """
        )
    connection.close()
    return path


def test_a_ledger_from_before_batches_is_read_as_it_is(first_format: Path) -> None:
    status = RunStatus.read(first_format)
    assert (status.rows, status.batches) == (1, ())
    assert status.steps == (StepStatus("s", "m", 1, 0, Usage(1, 2, 3, 4)),)


def test_and_brought_up_to_date_when_a_run_opens_it(first_format: Path) -> None:
    with Ledger(first_format) as ledger:
        assert ledger.reply("k") == Reply("text", "complete", Usage(1, 2, 3, 4), "c", "")
        assert ledger.row("r") == b"{}"
        ledger.put_reply("new", WRITE, "m", Reply("", "complete"), batched=True)
        assert BatchTable(ledger).list_batches() == []
    status = RunStatus.read(first_format)
    assert [(step.replies, step.batched) for step in status.steps] == [(1, 1), (1, 0)]


def test_a_ledger_that_cannot_be_brought_up_to_date_is_left_alone(first_format: Path) -> None:
    with sqlite3.connect(first_format) as connection:
        connection.execute("CREATE TABLE batched (theirs TEXT)")
    connection.close()
    with pytest.raises(RunError, match="cannot be used as a ledger: table batched already exists"):
        Ledger(first_format)
    with sqlite3.connect(first_format) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)
        columns = connection.execute("SELECT * FROM replies").description
    connection.close()
    assert "batched" not in [column[0] for column in columns]


def test_what_is_no_ledger_is_refused(path: Path) -> None:
    with pytest.raises(RunError, match="no such file; has"):
        RunStatus.read(path)
    path.write_bytes(b"no database, " * 100)
    with pytest.raises(RunError, match="cannot be read as a ledger: file is not a database"):
        RunStatus.read(path)
    path.unlink()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 7")
    connection.close()
    with pytest.raises(RunError, match="its format is 7, not 2"):
        RunStatus.read(path)
