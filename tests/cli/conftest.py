"""The command as a process of its own, a server for it to ask, and things to work on."""

import gc
import io
import json
import os
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from support.answers.deliberation import answer, rows, write_rows
from support.loopback import MODEL, LoopbackServer

from whyset.cli import main

WHYSET = str(Path(sys.executable).with_name("whyset"))

MANNERS = """\
# Manners

## Other people's things

Leave closed what belongs to somebody else, unless its owner says otherwise.

## Asking first

A question costs little and spares much. Ask before you act on somebody's behalf.
"""

QUOTING = ("--constitution", "manners.md", "--embedder", "lexical")
TALKING = (*QUOTING, "--model", f"anthropic:{MODEL}")

# Said where opening takes longer than usual, as on a busy machine; no test hangs on that.
_PATIENCE = re.compile(r"^opening the index of .*; this can take a minute\n", re.MULTILINE)

# Said before every run over rows that all have one shape; tests of shapes look at it themselves.
_SHAPE = re.compile(r"^Rows are read as \w+\.\n", re.MULTILINE)

# Nothing else of whoever runs the tests reaches the command: no key, no profile, no colours.
_INHERITED = ("PATH", "TMPDIR", "WHYSET_CACHE_DIR", "ORT_DISABLE_TELEMETRY")


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command left on the terminal."""

    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """What the command said of wrong usage or bad input; it said nothing else."""
        assert self.code == 2, self.err
        assert self.out == ""
        assert "Traceback" not in self.err
        return self.err.rpartition("Error: ")[2].strip()


class Desk:
    """A folder to run the command in, holding `manners.md`."""

    def __init__(self, folder: Path, server: LoopbackServer) -> None:
        self.folder = folder
        self.server = server
        inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
        self.environment = {**inherited, **server.environment, "HOME": str(folder)}
        self.write("manners.md", MANNERS)

    def run(self, *arguments: str, stdin: str = "", **environment: str) -> Finished:
        """Run the command to its end."""
        return self._run([WHYSET, *arguments], stdin, environment)

    def call(self, *arguments: str) -> Finished:
        """Run the command in this process: the same, without a second of imports each time.

        For what hangs on arguments and files alone. Signals, standard streams and the environment
        of a process want `run` or `start`.
        """
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
        with (
            chdir(self.folder),
            redirect_stdout(out),
            redirect_stderr(err),
            patch.dict(os.environ, self.environment, clear=True),
            patch.object(sys, "argv", [WHYSET, *arguments]),
            patch.object(warnings, "formatwarning"),
            pytest.raises(SystemExit) as ended,
        ):
            main()
        gc.unfreeze()  # the tests go on where the process of a command would have ended
        code = ended.value.code
        assert isinstance(code, int)
        return Finished(code, _written(out), _without_usual(_written(err)))

    def run_in_shell(self, script: str) -> Finished:
        """Run a script of `sh` in which `"$0"` is the command."""
        return self._run(["sh", "-c", script, WHYSET], "", {})

    def _run(self, command: list[str], stdin: str, environment: dict[str, str]) -> Finished:
        finished = subprocess.run(
            command,
            cwd=self.folder,
            env={**self.environment, **environment},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        return Finished(finished.returncode, finished.stdout, _without_usual(finished.stderr))

    def start(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Start the command; end it, or `communicate` with it."""
        return subprocess.Popen(
            [WHYSET, *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            encoding="utf-8",
        )

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        (self.folder / name).write_text(text, encoding="utf-8")

    def write_rows(self, count: int, *fates: str) -> None:
        """Write `sft.jsonl`."""
        write_rows(self.folder / "sft.jsonl", rows(count, *fates))

    def read(self, name: str) -> list[dict[str, Any]]:
        """Read a file of JSON lines."""
        text = (self.folder / name).read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines()]

    def bytes_of(self, *names: str) -> list[bytes]:
        """Read files as they are."""
        return [(self.folder / name).read_bytes() for name in names]

    @property
    def names(self) -> list[str]:
        """The names of all files here, hidden ones too."""
        return sorted(path.name for path in self.folder.iterdir())


def _without_usual(outcome: str) -> str:
    return _SHAPE.sub("", _PATIENCE.sub("", outcome))


def _written(stream: io.TextIOWrapper) -> str:
    stream.seek(0)
    return stream.read()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A desk whose server answers deliberations."""
    with LoopbackServer(answer) as server:
        yield Desk(tmp_path, server)


@pytest.fixture(scope="module")
def shared_desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A desk for the whole module: what one run has left is looked at by several tests."""
    with LoopbackServer(answer) as server:
        yield Desk(tmp_path_factory.mktemp("desk"), server)
