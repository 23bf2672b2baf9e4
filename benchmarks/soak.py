"""Kill a run again and again, and see that nothing is lost and nothing paid twice.

    python benchmarks/soak.py [--rows 2000] [--kills 50] [--seed 20261124]

`whyset rewrite` runs as a process of its own against a loopback server and gets SIGKILL at random
moments; the same command is started again until it has been killed so often, and then left to
finish. The output and the quarantine must be those of an undisturbed run, byte for byte. An ask
may have been answered twice only if it was in flight, or its reply less than 50 ms old, when the
process was killed. Exits with 1, and says why, where any of that does not hold.
"""

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from support.answers.deliberation import (
    CONFLICT,
    MENDED,
    NOTHING,
    PREACHY,
    REFUSED,
    answer,
    rows,
    write_rows,
)
from support.loopback import MODEL, LoopbackServer

FATES = ("", NOTHING, NOTHING, CONFLICT, MENDED, "", PREACHY, REFUSED)
PRINCIPLES = "# Manners\n\n## Things\n\nLeave closed what belongs to somebody else.\n"


@dataclass
class Witness:
    """Answers asks, and writes down when each was answered."""

    answered: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def __call__(self, body: dict[str, Any]) -> Any:
        """Answer as every other server of ours does."""
        digest = hashlib.sha256(json.dumps(body).encode()).hexdigest()
        self.answered[digest].append(time.monotonic())
        return answer(body)

    def unexcused(self, kills: list[float], safe_after: float) -> Iterator[str]:
        """Yield the asks that were answered again though their reply must have been durable.

        Args:
            kills: When the run was killed.
            safe_after: Seconds from an answer to when it must be durable.
        """
        for digest, times in self.answered.items():
            for answered in times[:-1]:
                if not any(answered <= kill <= answered + safe_after for kill in kills):
                    yield digest


def main() -> int:
    """Do it; return the exit code."""
    parser = argparse.ArgumentParser(description="Kill a run again and again.")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--latency", type=float, default=0.02)
    parser.add_argument(
        "--durable",
        type=float,
        default=0.1,
        help="seconds from a reply to when it must be on disk; a busy machine needs more",
    )
    parser.add_argument("--seed", type=int, default=20261124)
    options = parser.parse_args()
    chance = random.Random(options.seed)
    with tempfile.TemporaryDirectory() as folder:
        calm, rough = (prepare(Path(folder) / name, options.rows) for name in ("calm", "rough"))
        with LoopbackServer(Witness(), latency=options.latency, record=False) as server:
            began = time.monotonic()
            start(calm, server).wait()
            undisturbed = time.monotonic() - began
            asks = len(server.answer.answered) if isinstance(server.answer, Witness) else 0
        witness = Witness()
        with LoopbackServer(witness, latency=options.latency, record=False) as server:
            kills = harass(rough, server, witness, options.kills, asks, chance)
            finished = start(rough, server).wait()
        problems = list(compare(calm, rough))
        if finished not in (0, 1):
            problems.append(f"the last run exited with {finished}")
        repeated = sum(len(times) - 1 for times in witness.answered.values())
        problems += [
            f"ask {d[:12]} was paid for twice"
            for d in witness.unexcused(kills, options.latency + options.durable)
        ]
    print(
        f"{options.rows:,} rows, {asks:,} asks, undisturbed in {undisturbed:.1f} s; killed "
        f"{len(kills)} times; {repeated} asks in flight at a kill were answered again; "
        f"{'same bytes' if not problems else 'PROBLEMS:'}"
    )
    for problem in problems:
        print(f"  {problem}")
    return 1 if problems else 0


def prepare(folder: Path, count: int) -> Path:
    """Make a folder with rows and a constitution."""
    folder.mkdir()
    write_rows(folder / "sft.jsonl", rows(count, *FATES))
    (folder / "manners.md").write_text(PRINCIPLES, encoding="utf-8")
    return folder


def start(folder: Path, server: LoopbackServer) -> "subprocess.Popen[bytes]":
    """Start the command in a folder."""
    command = ["whyset", "rewrite", "sft.jsonl", "-o", "out.jsonl", "--quiet"]
    command += ["--constitution", "manners.md", "--embedder", "lexical", "--settle-below", "0"]
    command += ["--model", f"anthropic:{MODEL}", "--concurrency", "16"]
    executable = str(Path(sys.executable).with_name(command[0]))
    environment = {**os.environ, **server.environment}
    return subprocess.Popen([executable, *command[1:]], cwd=folder, env=environment)


def harass(
    folder: Path,
    server: LoopbackServer,
    witness: Witness,
    wanted: int,
    asks: int,
    chance: random.Random,
) -> list[float]:
    """Kill the run so often, at random moments of its work; return when.

    A moment is a number of asks answered, so that kills spread over the whole work however fast
    the machine is; some also fall into the start.
    """
    kills: list[float] = []
    for moment in sorted(chance.sample(range(asks), wanted)):
        process = start(folder, server)
        while len(witness.answered) < moment and process.poll() is None:
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.06))
        kills.append(time.monotonic())
        process.send_signal(signal.SIGKILL)
        process.wait()
        if (folder / "out.jsonl").exists():
            break  # it had finished
    return kills


def compare(calm: Path, rough: Path) -> Iterator[str]:
    """Yield in what the two runs differ."""
    for name in ("out.jsonl", "out.quarantine.jsonl"):
        one, other = (folder / name for folder in (calm, rough))
        if not other.exists() or one.read_bytes() != other.read_bytes():
            yield f"{name} is not that of the undisturbed run"


if __name__ == "__main__":
    sys.exit(main())
