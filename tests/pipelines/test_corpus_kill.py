"""SIGKILL in the midst of a corpus, live and by batch: the next run ends with the same bytes."""

import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from support import notes
from support.batches import BatchServer
from support.loopback import KEY, MODEL, LoopbackServer
from support.notes import Notes, answer

from whyset.constitution import Constitution
from whyset.models import AnthropicModel
from whyset.pipelines import (
    CorpusFiles,
    CorpusRun,
    Pipeline,
    RunConfig,
    make_plan,
    read_plan,
    write_plan,
)
from whyset.retriever.testing import FakeSearcher

from .conftest import QUICK

CONSTITUTION = Constitution.charter()
WRITTEN = ("docs.jsonl", "docs.quarantine.jsonl")

CHILD = """
import sys
from pathlib import Path
from support.notes import Notes
from whyset.constitution import Constitution
from whyset.models import AnthropicModel
from whyset.pipelines import BatchPolicy, CorpusFiles, CorpusRun, Pipeline, RunConfig, read_plan
from whyset.retriever.testing import FakeSearcher

url, file, output, batch = sys.argv[1:]
text = Constitution.charter()
model = AnthropicModel("claude-loopback-1", base_url=url, api_key="test-key")
pipeline = Pipeline.build(Notes(), model, model, FakeSearcher(text))
plan = read_plan(file, text, generator=Notes())
policy = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0)
files = CorpusFiles.from_output(output, plan=Path(file))
config = RunConfig(concurrency=4, batch=bool(batch), batch_policy=policy)
CorpusRun(files, plan, pipeline, config).execute()
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = make_plan(Notes(), CONSTITUTION, documents=18, sections=["Fairness"], wave=8, attempts=5)
    path = tmp_path / "plan.yaml"
    write_plan(made, path, CONSTITUTION)
    return path


def victim(server: LoopbackServer, file: Path, output: Path, *, batch: bool) -> Any:
    tests = str(Path(notes.__file__).parent.parent)
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, server.url, str(file), str(output), "1" if batch else ""],
        env={"PYTHONPATH": tests, "PATH": ""},
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(server: LoopbackServer, file: Path, output: Path) -> list[bytes]:
    model = AnthropicModel(MODEL, base_url=server.url, api_key=KEY, timeout=20)
    pipeline = Pipeline.build(Notes(), model, model, FakeSearcher(CONSTITUTION))
    files = CorpusFiles.from_output(str(output), plan=file)
    held = read_plan(file, CONSTITUTION, generator=Notes())
    assert CorpusRun(files, held, pipeline, RunConfig(retries=QUICK)).execute().exit_code == 0
    return [output.with_name(name).read_bytes() for name in WRITTEN]


def undisturbed(file: Path, folder: Path) -> tuple[list[bytes], int]:
    folder.mkdir()
    with LoopbackServer(answer) as server:
        return finish(server, file, folder / "docs.jsonl"), len(server.requests)


def test_a_live_run_that_is_killed_ends_as_any_other(file: Path, tmp_path: Path) -> None:
    expected, asks = undisturbed(file, tmp_path / "undisturbed")
    output = tmp_path / "docs.jsonl"
    with LoopbackServer(answer) as server:
        silent = threading.Event()
        release = threading.Event()

        def falls_silent(body: dict[str, Any]) -> Any:
            if server.answered >= asks // 2:
                silent.set()
                release.wait()
            return answer(body)

        server.answer = falls_silent
        process = victim(server, file, output, batch=False)
        assert silent.wait(60)
        process.kill()
        _, complained = process.communicate()
        assert (process.returncode, complained) == (-signal.SIGKILL, "")
        release.set()
        server.answer = answer
        before = len(server.requests)
        assert not output.exists()
        assert finish(server, file, output) == expected
        assert len(server.requests) - before < asks
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == [
        "docs.jsonl",
        "docs.ledger.sqlite",
        "docs.quarantine.jsonl",
        "docs.run.json",
        "plan.yaml",
    ]


def test_so_does_one_by_batch_that_is_finished_live_and_nothing_is_paid_twice(
    file: Path, tmp_path: Path
) -> None:
    expected, _ = undisturbed(file, tmp_path / "undisturbed")
    output = tmp_path / "docs.jsonl"
    with BatchServer(answer) as server:
        started: list[Any] = []
        server.on_call = lambda number: (
            (started[0].kill(), started[0].wait()) if number == 16 else None
        )
        started.append(victim(server, file, output, batch=True))
        _, complained = started[0].communicate(timeout=60)
        assert (started[0].returncode, complained) == (-signal.SIGKILL, "")
        server.on_call = lambda number: None
        assert finish(server, file, output) == expected
        assert server.paid_twice == []
