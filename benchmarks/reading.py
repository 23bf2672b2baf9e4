"""How fast rows are read, and in how much memory, beside pyarrow's own readers on the same file.

    python benchmarks/reading.py                    # 2 GB of JSON lines and 2 GB of Parquet
    python benchmarks/reading.py --megabytes 20     # a short form

Chat rows of some 4 kB are written to a temporary folder. Each reading has a process of its own,
whose greatest memory is told; files are in the system's cache before the first. Each reader reads
the file three times, by turns, and the medians are told: of the speed, and of the processor time,
since pyarrow works on all cores and whyset on one.

`rows` is whyset: every record parsed, its conversation read and checked, its digest taken.
`records` is the same without conversation and digest. `pylist` is pyarrow with each batch turned
into Python objects, `batches` without that: no Python object is made of a value at all.
"""

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.json
import pyarrow.parquet as pq

from whyset.datasets import Row, open_source, read_rows
from whyset.datasets.files import read_part

_BATCH = 1000
_LETTERS = "etaoinshrdlucmfwypvbgkjqxz"
_TURNS = 3


class Reading(NamedTuple):
    """What a process says of its reading.

    Attributes:
        rows: How many there were.
        seconds: How long it took.
        cpu: How long processors worked on it, in seconds, all cores together.
        megabytes: The most memory that the process had.
    """

    rows: int
    seconds: float
    cpu: float
    megabytes: float


def main() -> None:
    """Write the files, have them read, and print a table."""
    arguments = _arguments()
    if arguments.read:
        print(json.dumps(read(arguments.read, arguments.file)))
        return
    with tempfile.TemporaryDirectory() as folder:
        lines, table = Path(folder, "sft.jsonl"), Path(folder, "sft.parquet")
        write_lines(lines, arguments.megabytes)
        write_table(table, arguments.megabytes)
        print("| file | reader | MB/s | of pylist | of batches | CPU s | of pylist's | peak MB |")
        print("|---|---|---|---|---|---|---|---|")
        for path in (lines, table):
            tell(path, arguments.turns)


def tell(path: Path, turns: int) -> None:
    """Have a file read by every reader, and print how each did."""
    size = path.stat().st_size / 1e6
    _warm(path)
    readings: dict[str, list[Reading]] = {name: [] for name in READERS}
    for _ in range(turns):
        for name, taken in readings.items():
            taken.append(_in_a_process(name, path))
    if len({reading.rows for taken in readings.values() for reading in taken}) != 1:
        raise SystemExit(f"the readers disagree: {readings}")
    speed = {
        name: size / statistics.median(reading.seconds for reading in taken)
        for name, taken in readings.items()
    }
    cpu = {
        name: statistics.median(reading.cpu for reading in taken)
        for name, taken in readings.items()
    }
    for name, taken in readings.items():
        peak = max(reading.megabytes for reading in taken)
        print(
            f"| {path.suffix[1:]}, {size:,.0f} MB | {name} | {speed[name]:,.0f} | "
            f"{speed[name] / speed['pylist']:.2f} | {speed[name] / speed['batches']:.2f} | "
            f"{cpu[name]:,.1f} | {cpu['pylist'] / cpu[name]:.2f} | {peak:,.0f} |",
            flush=True,
        )


def read(reader: str, path: str) -> Reading:
    """Read a file in this process."""
    began, worked = time.perf_counter(), time.process_time()
    rows = READERS[reader](path)
    seconds, cpu = time.perf_counter() - began, time.process_time() - worked
    return Reading(rows, seconds, cpu, _peak())


def read_as_rows(path: str) -> int:
    """Read rows as a run does."""
    return sum(isinstance(row, Row) for row in read_rows(path))


def read_as_records(path: str) -> int:
    """Read records, with nothing made of them."""
    return sum(1 for part in open_source(path).parts for _ in read_part(part))


def read_as_pylist(path: str) -> int:
    """Read with pyarrow, into Python objects."""
    return sum(len(batch.to_pylist()) for batch in _batches(path))


def read_as_batches(path: str) -> int:
    """Read with pyarrow, into its own arrays."""
    return sum(batch.num_rows for batch in _batches(path))


READERS: dict[str, Callable[[str], int]] = {
    "rows": read_as_rows,
    "records": read_as_records,
    "pylist": read_as_pylist,
    "batches": read_as_batches,
}


def write_lines(path: Path, megabytes: int) -> None:
    """Write about so many megabytes of rows as JSON lines."""
    with path.open("w", encoding="utf-8") as file:
        for row in _rows():
            file.write(f"{json.dumps(row, ensure_ascii=False)}\n")
            if file.tell() >= megabytes * 1_000_000:
                return


def write_table(path: Path, megabytes: int) -> None:
    """Write about so many megabytes of rows as Parquet, in row groups of 1,000 rows."""
    rows, held = _rows(), 0
    sample = pa.Table.from_pylist([next(rows) for _ in range(_BATCH)])
    with path.open("wb") as file, pq.ParquetWriter(file, sample.schema) as writer:
        while held < megabytes * 1_000_000:
            batch = pa.Table.from_pylist([next(rows) for _ in range(_BATCH)], sample.schema)
            writer.write_table(batch)
            held = file.tell()


def _rows() -> Any:
    """Yield rows that are never twice the same, of text as repetitive as text is."""
    drawn = random.Random(0)
    words = ["".join(drawn.choices(_LETTERS, k=drawn.randint(2, 9))) for _ in range(20_000)]
    ends = [" "] * 12 + [", ", ". ", ": ", "\n", ' "', '" ', "é "]

    def text(length: int) -> str:
        pairs = zip(drawn.choices(words, k=length), drawn.choices(ends, k=length), strict=True)
        return "".join(word + end for word, end in pairs)

    for number in count(1):
        messages = [{"role": "system", "content": text(30)}]
        for _ in range(drawn.randint(1, 3)):
            messages.append({"role": "user", "content": text(60)})
            messages.append({"role": "assistant", "content": text(250)})
        yield {"id": number, "source": "made", "score": drawn.random(), "messages": messages}


def _batches(path: str) -> Any:
    if path.endswith(".parquet"):
        return pq.ParquetFile(path).iter_batches(_BATCH)
    return pyarrow.json.open_json(path)


def _in_a_process(reader: str, path: Path) -> Reading:
    command = [sys.executable, __file__, "--read", reader, "--file", str(path)]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    return Reading(*json.loads(finished.stdout))


def _peak() -> float:
    """Return the most memory that this process had, in megabytes."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    # What the system tells of a process's resources begins with what its parent had.
    told = next(line for line in status.read_text("ascii").splitlines() if "VmHWM" in line)
    return int(told.split()[1]) * 1024 / 1e6


def _warm(path: Path) -> None:
    with path.open("rb") as file:
        while file.read(1 << 24):
            pass


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--megabytes", type=int, default=2000, help="size of each file")
    parser.add_argument("--turns", type=int, default=_TURNS, help="readings by each reader")
    parser.add_argument("--read", choices=READERS, help=argparse.SUPPRESS)
    parser.add_argument("--file", help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
