"""Names on the hub, through the real library, against a hub on this machine."""

import hashlib
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from whyset.datasets import DatasetError, dumps, open_source
from whyset.datasets.files import InputPart

FILES = {
    "train.jsonl": b"".join(dumps({"prompt": f"p{n}", "response": "r"}) + b"\n" for n in range(3)),
    "test.jsonl": dumps({"prompt": "t", "response": "r"}) + b"\n",
}
COMMIT = "a" * 40


class Hub(BaseHTTPRequestHandler):
    """What the library asks of a hub that has one dataset, `org/name`."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *arguments: object) -> None:
        pass

    def reply(self, body: bytes, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        _, _, file = path.rpartition("/")
        if path.startswith("/api/datasets/org/name/tree/"):
            outcome: object = [
                {"type": "file", "path": name, "size": len(data), "oid": _etag(data)}
                for name, data in FILES.items()
            ]
            self.reply(json.dumps(outcome).encode(), Content_Type="application/json")
        elif path.startswith("/api/datasets/org/name"):
            outcome = {
                "id": "org/name",
                "sha": COMMIT,
                "private": False,
                "tags": [],
                "siblings": [],
            }
            self.reply(json.dumps(outcome).encode(), Content_Type="application/json")
        elif path.startswith("/datasets/org/name/resolve/") and file in FILES:
            data = FILES[file]
            self.reply(data, ETag=f'"{_etag(data)}"', X_Repo_Commit=COMMIT, Accept_Ranges="bytes")
        else:
            code = "EntryNotFound" if "org/name" in path else "RepoNotFound"
            self.reply(b"{}", 404, X_Error_Code=code)

    do_HEAD = do_GET


def _etag(data: bytes) -> str:
    return hashlib.sha1(data).hexdigest()


@pytest.fixture(scope="module")
def hub() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_dataset_on_the_hub_is_read(hub: str, tmp_path: Path) -> None:
    # Where the hub is, the library settles when it is imported.
    script = """
import sys
from whyset.datasets import DatasetError, open_source, read_rows
for name in sys.argv[1:]:
    try:
        rows = [row.columns["prompt"] for row in read_rows(name)]
        print(name, *rows, open_source(name).count_rows())
    except DatasetError as error:
        print(str(error).partition(": Repo")[0])
"""
    names = ["hf://org/name:train", "hf://datasets/org/name@main:test", "hf://org/name",
             "hf://org/none:train"]  # fmt: skip
    settings = {"HF_ENDPOINT": hub, "HF_HOME": str(tmp_path), "HF_HUB_DISABLE_TELEMETRY": "1"}
    said = subprocess.run(
        [sys.executable, "-c", script, *names],
        env={**os.environ, **settings},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert said.stdout.splitlines()[:3] == [
        "hf://org/name:train p0 p1 p2 3",
        "hf://datasets/org/name@main:test t 1",
        "hf://org/name: has several splits: train, test; name one, as in hf://org/name:train",
    ], said.stderr
    assert said.stdout.splitlines()[3].startswith("hf://org/none:train: cannot be fetched: ")


@pytest.mark.parametrize(
    ("name", "place", "revision", "config", "split"),
    [
        ("hf://org/name", "org/name", "", "", ""),
        ("hf://datasets/org/name", "org/name", "", "", ""),
        ("hf://name:train", "name", "", "", "train"),
        ("hf://org/name@v1.0:main/train", "org/name", "v1.0", "main", "train"),
        ("hf://org/name:main/", "org/name", "", "main", ""),
    ],
)
def test_a_name_says_which_rows(
    name: str, place: str, revision: str, config: str, split: str
) -> None:
    expected = InputPart("hub", name, place, split=split, config=config, revision=revision)
    assert open_source(name).parts == (expected,)


@pytest.mark.parametrize("name", ["hf://", "hf://org/", "hf://org/name/data/a.parquet", "hf://@v1"])
def test_a_name_that_says_none_is_refused(name: str) -> None:
    with pytest.raises(DatasetError, match="is not a dataset name; write hf://org/name"):
        open_source(name)
