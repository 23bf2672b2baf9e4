"""Memory stays the same however many rows there are, from every container."""

import subprocess
import sys
from pathlib import Path

import pytest

from whyset.datasets import dumps, open_writer

ROWS = 240
ROW = dumps({"prompt": "p", "response": "r" * 100_000})

# A row's memory is looked at, not the process's greatest: an Arrow file is mapped, and what of it
# is in memory is the system's to take back.
SCRIPT = """
import sys
from whyset.datasets import Row, read_rows

def held():
    with open("/proc/self/status", encoding="ascii") as status:
        return int(status.read().partition("RssAnon:")[2].split()[0]) // 1024

first, most, count = None, 0, 0
for row in read_rows(sys.argv[1]):
    assert isinstance(row, Row)
    count += 1
    if count % 20 == 0:
        most = max(most, held())
        first = first or most
print(count, most - first)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="no /proc on this system")
@pytest.mark.parametrize("ending", [".jsonl.zst", ".json.gz", ".csv", ".parquet", ".arrow"])
def test_a_large_file_is_read_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    monkeypatch.setattr("whyset.datasets.files._arrow._GROUP_BYTES", 1 << 20)
    path = tmp_path / f"rows{ending}"
    with open_writer(path) as writer:
        for _ in range(ROWS):
            writer.write(ROW)
        writer.commit()

    said = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)], capture_output=True, text=True, check=True
    )

    count, grown = map(int, said.stdout.split())
    assert count == ROWS
    assert grown < 8  # of 24 MB
