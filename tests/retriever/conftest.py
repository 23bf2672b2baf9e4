"""A small constitution, the embedded default, an index of the charter, and a Chroma server."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.embedders import WordEmbedder

from whyset.constitution import Constitution
from whyset.retriever import PassageRetriever
from whyset.retriever._minilm import MiniLM, load_model_files

TESTS = Path(__file__).parent.parent

TEXT = """\
# Manners

## Other people's things

Leave closed what belongs to somebody else. A diary is private even when it lies open.

What was lent is given back in the state it was lent in.

## Asking first

A question costs little and spares much. Ask before you act on somebody's behalf.

## Telling the truth

Say what is so, also where a lie would be more welcome.

When you do not know, say that you do not know.
"""

RunPython = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="session")
def text() -> str:
    return TEXT


@pytest.fixture(scope="session")
def constitution(text: str) -> Constitution:
    return Constitution.parse(text)


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture(scope="session")
def minilm() -> MiniLM:
    """The model, read once."""
    return MiniLM.open()


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the model's two files, wherever this machine has them from."""
    folder = tmp_path_factory.mktemp("model")
    for name, data in load_model_files().items():
        (folder / name).write_bytes(data)
    return folder


@pytest.fixture(scope="session")
def charter(minilm: MiniLM) -> PassageRetriever:
    """The charter, embedded once in a session."""
    return PassageRetriever.open(Constitution.charter(), embedder=minilm)


@pytest.fixture
def run_python(tmp_path: Path) -> RunPython:
    """Run code in a process of its own, whose home is empty; its environment by keyword."""
    home = tmp_path / "home"
    home.mkdir()

    def run(
        code: str, *arguments: object, cwd: Path = home, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        inherited = {name: value for name, value in os.environ.items() if name[:4] != "XDG_"}
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
            cwd=cwd,
            env={**inherited, "HOME": str(home), "PYTHONPATH": str(TESTS), **environment},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return run


@pytest.fixture(scope="session")
def chroma_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Chroma's own server on the loopback; its URL."""
    program = shutil.which("chroma", path=str(Path(sys.executable).parent))
    assert program, "chromadb installs its command beside the interpreter"
    folder = tmp_path_factory.mktemp("chroma-server")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            [program, "run", "--host=127.0.0.1", f"--port={port}", f"--path={folder / 'data'}"],
            cwd=folder,
            env={**os.environ, "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/api/v2/heartbeat", process, folder / "log")
        yield url
    finally:
        process.kill()
        process.wait()


def _wait_for(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    pytest.fail(f"the Chroma server does not answer:\n{log.read_text('utf-8')}")
