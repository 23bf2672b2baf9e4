"""No telemetry: a search leaves no file but in the cache folder, and opens no connection."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Run = Callable[..., CompletedProcess[str]]

# Everything Python does with a socket is on record, and what Rust still has open at the end; a
# pair of local sockets, by which its runtime hears of signals, leads nowhere.
SEARCH = """
import json, os, sys
from pathlib import Path
network = []
def watch(event, arguments):
    if event in {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo"}:
        network.append([event, repr(arguments[-1])])
sys.addaudithook(watch)

from whyset.constitution import Constitution
from whyset.retriever import PassageRetriever
ephemeral = sys.argv[1] == "ephemeral"
for _ in range(2):
    retriever = PassageRetriever.open(
        Constitution.parse("# One\\n\\nAsk before you act.\\n"), ephemeral=ephemeral
    )
    retriever.invoke("May I read her diary?")
    retriever.batch(["one", "two"])
internet = set()
for table in Path("/proc/self/net").glob("[tu][cd]p*"):
    internet |= {f"socket:[{line.split()[9]}]" for line in table.read_text().splitlines()[1:]}
for file in Path("/proc/self/fd").glob("*"):
    if file.is_symlink() and os.readlink(file) in internet:
        network.append(["open at the end", os.readlink(file)])
modules = [name for name in ("onnxruntime", "posthog", "torch") if name in sys.modules]
print(json.dumps({"network": network, "modules": modules}))
"""
NOTHING: dict[str, list[str]] = {"network": [], "modules": []}


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if not path.is_dir()]


@pytest.fixture
def places(tmp_path: Path) -> dict[str, Path]:
    """The folders a process may write to by default, and its cache."""
    folders = {name: tmp_path / name for name in ("home", "work", "temporary", "cache")}
    for folder in folders.values():
        folder.mkdir(exist_ok=True)
    return folders


def search(run_python: Run, places: dict[str, Path], how: str) -> None:
    finished = run_python(
        SEARCH,
        how,
        cwd=places["work"],
        TMPDIR=str(places["temporary"]),
        WHYSET_CACHE_DIR=str(places["cache"]),
    )
    assert finished.returncode == 0, finished.stderr
    assert json.loads(finished.stdout) == NOTHING


def test_building_opening_and_asking_leaves_files_in_the_cache_alone(
    run_python: Run, places: dict[str, Path]
) -> None:
    search(run_python, places, "cached")

    assert [files(places[name]) for name in ("home", "work", "temporary")] == [[], [], []]
    [index] = (places["cache"] / "index").iterdir()
    assert {path.name for path in places["cache"].iterdir()} == {"index"}
    assert (index / "manifest.json").is_file()


def test_an_ephemeral_index_leaves_no_file_at_all(run_python: Run, places: dict[str, Path]) -> None:
    search(run_python, places, "ephemeral")

    assert {name: files(folder) for name, folder in places.items()} == {name: [] for name in places}


def test_settings_of_chroma_that_lie_about_are_not_read(
    run_python: Run, places: dict[str, Path]
) -> None:
    (places["work"] / ".env").write_text(
        "CHROMA_API_IMPL=nonsense\nANONYMIZED_TELEMETRY=True\n", "utf-8"
    )

    search(run_python, places, "cached")

    assert len(list((places["cache"] / "index").iterdir())) == 1
