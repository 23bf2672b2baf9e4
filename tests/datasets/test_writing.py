"""Writing: a file appears whole or not at all."""

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from whyset.datasets import DatasetError, LineWriter


def test_a_file_appears_whole_on_commit(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"

    with LineWriter(target) as writer:
        writer.write(b"one")
        writer.write("zwölf".encode())
        assert not target.exists()
        writer.commit()

    assert target.read_bytes() == "one\nzwölf\n".encode()
    assert writer.count == 2
    assert os.listdir(tmp_path) == ["out.jsonl"]


def test_a_failed_run_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("old", encoding="utf-8")

    with pytest.raises(ZeroDivisionError), LineWriter(target) as writer:
        writer.write(b"new")
        raise ZeroDivisionError

    assert target.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["out.jsonl"]


def test_a_new_file_takes_the_place_of_the_old(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("old", encoding="utf-8")

    with LineWriter(target) as writer:
        writer.commit()

    assert target.read_bytes() == b""


def test_an_empty_quarantine_removes_that_of_an_earlier_run(tmp_path: Path) -> None:
    target = tmp_path / "out.quarantine.jsonl"
    for old in (True, False):
        if old:
            target.write_text("old", encoding="utf-8")
        with LineWriter(target) as writer:
            writer.commit(keep_empty=False)
        assert os.listdir(tmp_path) == []


def test_a_quarantine_with_lines_is_kept(tmp_path: Path) -> None:
    with LineWriter(tmp_path / "q.jsonl") as writer:
        writer.write(b"{}")
        writer.commit(keep_empty=False)

    assert (tmp_path / "q.jsonl").read_bytes() == b"{}\n"


def test_a_link_is_followed_and_stays_a_link(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    link = tmp_path / "out.jsonl"
    link.symlink_to(elsewhere / "real.jsonl")

    with LineWriter(link) as writer:
        writer.write(b"one")
        writer.commit()

    assert link.is_symlink()
    assert (elsewhere / "real.jsonl").read_bytes() == b"one\n"


def test_a_pipe_is_written_to_and_stays_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with LineWriter(pipe) as writer:
            writer.write(b"one")
            writer.commit()
        assert os.read(reading, 100) == b"one\n"
    finally:
        os.close(reading)
    assert pipe.is_fifo()


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full on this system")
def test_a_device_that_is_full_is_said_to_be() -> None:
    with pytest.raises(DatasetError) as full, LineWriter("/dev/full") as writer:
        writer.write(b"x")
        writer.commit()

    assert str(full.value) == "/dev/full: cannot be written: No space left on device"
    assert not os.path.isfile("/dev/full")


def test_a_disk_that_fills_up_midway_leaves_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("old", encoding="utf-8")
    script = f"""
import resource
from whyset.datasets import DatasetError, LineWriter
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    with LineWriter({str(target)!r}) as writer:
        for _ in range(10_000):
            writer.write(b"x" * 100)
        writer.commit()
except DatasetError as error:
    print(error)
"""

    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert said.stdout == f"{target}: cannot be written: File too large\n"
    assert said.stderr == ""
    assert target.read_text(encoding="utf-8") == "old"
    assert os.listdir(tmp_path) == ["out.jsonl"]


def test_a_folder_is_no_target(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as refused:
        LineWriter(tmp_path)

    assert str(refused.value) == f"{tmp_path}: is a folder; name a file to write"


def test_a_folder_that_does_not_exist_is_said_to(tmp_path: Path) -> None:
    target = tmp_path / "none" / "out.jsonl"

    with pytest.raises(DatasetError) as refused:
        LineWriter(target)

    assert str(refused.value) == f"{target}: cannot be written: No such file or directory"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_may_not_be_written_to_is_said_to(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(DatasetError, match="cannot be written: Permission denied"):
            LineWriter(tmp_path / "out.jsonl")
    finally:
        tmp_path.chmod(0o700)


def test_standard_output_is_a_target(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO()
    monkeypatch.setattr("sys.stdout", io.TextIOWrapper(stream, "utf-8"))

    with LineWriter("-") as writer:
        writer.write(b"one")
        writer.commit()

    assert stream.getvalue() == b"one\n"
    assert not stream.closed


def test_a_reader_that_goes_away_is_said_to() -> None:
    script = """
import os, sys
from whyset.datasets import DatasetError, LineWriter
reading, writing = os.pipe()
os.dup2(writing, 1)
os.close(reading)
try:
    with LineWriter("-") as writer:
        writer.write(b"one")
        writer.commit()
except DatasetError as error:
    print(error, file=sys.stderr, flush=True)
    os._exit(0)
"""

    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert said.stderr == "standard output: cannot be written: Broken pipe\n"


def test_pyarrow_is_imported_for_tables_alone(tmp_path: Path) -> None:
    script = f"""
import sys
from whyset.datasets import open_writer, read_rows
with open_writer({str(tmp_path / "out.jsonl")!r}) as writer:
    writer.write(b'{{"prompt":"Q","response":"A"}}')
    writer.commit()
print(len(list(read_rows({str(tmp_path / "out.jsonl")!r}))), "pyarrow" in sys.modules)
"""

    said = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )

    assert said.stdout == "1 False\n"
