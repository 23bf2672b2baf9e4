"""Publishing through the real library, to a hub on this machine."""

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
import yaml
from huggingface_hub import close_session, constants
from huggingface_hub.utils.tqdm import disable_progress_bars
from support.exports import rewritten, write

from .conftest import Desk

TOKEN = "hf_planted-token-of-nobody"


@dataclass
class Hub:
    """What the hub was sent.

    Attributes:
        url: Where it is.
        refusing: The status that it answers everything with; 0 for none.
        created: What repositories were asked for.
        committed: Path → content of what was uploaded.
        cards: The cards that it was asked to validate.
    """

    url: str = ""
    refusing: int = 0
    created: list[dict[str, Any]] = field(default_factory=list)
    committed: dict[str, bytes] = field(default_factory=dict)
    cards: list[str] = field(default_factory=list)
    authorised: set[str | None] = field(default_factory=set)

    def answer(self, path: str, body: bytes) -> object:
        """Answer a request as the hub does."""
        if path == "/api/repos/create":
            self.created.append(json.loads(body))
            return {"url": f"{self.url}/datasets/org/name", "name": "org/name", "id": "1"}
        if path == "/api/validate-yaml":
            self.cards.append(json.loads(body)["content"])
            return {"errors": [], "warnings": []}
        if "/preupload/" in path:
            files = json.loads(body)["files"]
            mode = {"uploadMode": "regular", "shouldIgnore": False}
            return {"files": [{"path": file["path"], **mode} for file in files]}
        if "/commit/" in path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    value = line["value"]
                    self.committed[value["path"]] = base64.b64decode(value["content"])
            commit = f"{self.url}/datasets/org/name/commit/{'a' * 40}"
            return {"commitOid": "a" * 40, "commitUrl": commit, "success": True}
        return {"id": "org/name", "sha": "a" * 40, "private": True, "tags": [], "siblings": []}


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    hub = Hub()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *arguments: object) -> None:
            pass

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hub.authorised.add(self.headers.get("Authorization"))
            path = self.path.partition("?")[0]
            reply = {"error": "no"} if hub.refusing else hub.answer(path, body)
            text = json.dumps(reply).encode()
            self.send_response(hub.refusing or 200)
            self.send_header("Content-Length", str(len(text)))
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text)

        do_GET = do_HEAD = do_POST

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    hub.url = f"http://127.0.0.1:{server.server_port}"
    # What HF_ENDPOINT says, the library asks once, when it is imported.
    monkeypatch.setattr(constants, "ENDPOINT", hub.url)
    disable_progress_bars()
    yield hub
    close_session()
    server.shutdown()
    server.server_close()


def publish(desk: Desk, hub: Hub, *options: str) -> Any:
    write(desk.folder / "out.jsonl", [rewritten(n) for n in range(3)] + [{"id": 1}])
    desk.environment["HF_TOKEN"] = TOKEN
    return desk.call(
        *("export", "out.jsonl", "-o", "pub/", "--for", "trl", "--push-to-hub", "org/name"),
        *options,
    )


def test_a_folder_becomes_a_private_dataset_without_its_quarantine(desk: Desk, hub: Hub) -> None:
    finished = publish(desk, hub, "--license", "cc-by-4.0")

    assert finished.code == 1, finished.err  # one row is in quarantine
    assert finished.out.splitlines()[-1] == f"published   {hub.url}/datasets/org/name"
    (created,) = hub.created
    assert (created["organization"], created["name"], created["type"]) == ("org", "name", "dataset")
    assert created["visibility"] == "private"
    assert sorted(hub.committed) == ["README.md", "export.json", "train.jsonl"]
    assert hub.committed["train.jsonl"] == (desk.folder / "pub" / "train.jsonl").read_bytes()
    header = yaml.safe_load(hub.cards[0].split("---")[1])
    assert header["license"] == "cc-by-4.0"
    assert (desk.folder / "pub" / "quarantine.jsonl").exists()
    assert hub.authorised - {None} == {f"Bearer {TOKEN}"}
    assert TOKEN not in finished.out + finished.err
    assert not any(TOKEN.encode() in data for data in hub.committed.values())


def test_a_dataset_can_be_public(desk: Desk, hub: Hub) -> None:
    publish(desk, hub, "--public")

    assert hub.created[0]["visibility"] == "public"


@pytest.mark.parametrize(
    ("status", "message"), [(401, "log in with hf auth login"), (500, "publish it again later")]
)
def test_a_hub_that_refuses_is_reported_in_a_sentence(
    desk: Desk, hub: Hub, status: int, message: str
) -> None:
    hub.refusing = status

    finished = publish(desk, hub)

    assert finished.code == 2
    assert message in finished.err
    assert "Traceback" not in finished.err
    assert TOKEN not in finished.out + finished.err
    assert (desk.folder / "pub" / "train.jsonl").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("-o", "pub/", "--push-to-hub", "name"), "--push-to-hub takes ORG/NAME, not 'name'"),
        (("-o", "a.jsonl", "--push-to-hub", "org/name"), "publishes a folder"),
        (("-o", "pub/", "--public"), "--public goes with --push-to-hub"),
    ],
)
def test_what_cannot_be_published_is_refused_before_anything_is_written(
    desk: Desk, options: tuple[str, ...], message: str
) -> None:
    write(desk.folder / "out.jsonl", [rewritten()])

    finished = desk.call("export", "out.jsonl", "--for", "trl", *options)

    assert message in finished.error
    assert desk.names == ["manners.md", "out.jsonl"]
