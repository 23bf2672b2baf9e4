"""SIGKILL while batches are made, waited for and collected: the next run pays nothing twice."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.answers.deliberation import CONFLICT, MENDED, NOTHING, answer, rows, write_rows
from support.batches import BatchServer, StoredBatch
from support.loopback import KEY, MODEL, LoopbackServer, Response

from whyset.models import AnthropicModel
from whyset.pipelines import (
    BatchPolicy,
    Ledger,
    Pipeline,
    Run,
    RunConfig,
    RunFiles,
    RunStatus,
)
from whyset.pipelines.ledger._batches import BatchTable

from .conftest import QUICK, TEXT, OpenCrew

HASTY = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0)
FATES = ("", NOTHING, CONFLICT, MENDED)
WRITTEN = ("out.jsonl", "out.quarantine.jsonl")

CHILD = """
import sys
from whyset.constitution import Constitution
from whyset.generators.deliberation import Deliberation
from whyset.models import AnthropicModel
from whyset.pipelines import BatchPolicy, Pipeline, Run, RunConfig, RunFiles
from whyset.retriever.testing import FakeSearcher

url, source, output, text = sys.argv[1:]
model = AnthropicModel("claude-loopback-1", base_url=url, api_key="test-key")
crew = Pipeline.build(Deliberation(), model, model, FakeSearcher(Constitution.parse(text)))
policy = BatchPolicy(poll_seconds=0.01, settle_seconds=0.0)
config = RunConfig(batch=True, batch_policy=policy)
Run(RunFiles.from_output(source, output), crew, config).execute()
"""


@pytest.fixture
def server() -> Iterator[BatchServer]:
    with BatchServer(answer) as running:
        yield running


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_rows(tmp_path / "sft.jsonl", rows(6, *FATES))


@pytest.fixture
def output(tmp_path: Path) -> Path:
    return tmp_path / "out.jsonl"


class Victim:
    """A run in a process of its own."""

    def __init__(self, server: BatchServer, source: Path, output: Path) -> None:
        self._arguments = (server.url, str(source), str(output), TEXT)
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", CHILD, *self._arguments], stderr=subprocess.PIPE, text=True
        )

    def kill(self) -> None:
        """Kill it; returns when it is dead."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def end(self) -> None:
        """Wait until somebody has killed it."""
        assert self._process is not None
        _, complained = self._process.communicate(timeout=60)
        assert (self._process.returncode, complained) == (-signal.SIGKILL, "")


@pytest.fixture
def victim(server: BatchServer, source: Path, output: Path) -> Victim:
    return Victim(server, source, output)


def resume(source: Path, output: Path, open_crew: OpenCrew) -> None:
    files = RunFiles.from_output(str(source), str(output))
    Run(files, open_crew(), RunConfig(retries=QUICK, batch=True, batch_policy=HASTY)).execute()


def require_undisturbed(source: Path, output: Path, open_crew: OpenCrew) -> None:
    """Compare what was written with a live run on a server that nothing happens to."""
    other = output.with_name("undisturbed")
    other.mkdir()
    with LoopbackServer(answer) as server:
        generator, retriever = open_crew().generator, open_crew().retriever
        model = AnthropicModel(MODEL, base_url=server.url, api_key=KEY)
        crew = Pipeline.build(generator, model, model, retriever)
        files = RunFiles.from_output(str(source), str(other / "out.jsonl"))
        Run(files, crew, RunConfig(retries=QUICK)).execute()
    for name in WRITTEN:
        assert output.with_name(name).read_bytes() == (other / name).read_bytes()


# One list, then for each wave a creation, a look and the results: a list, a creation and results.
@pytest.mark.parametrize("moment", [1, 2, 4])
def test_a_run_that_is_killed_before_a_call_is_answered_ends_as_any_other(
    server: BatchServer,
    victim: Victim,
    source: Path,
    output: Path,
    open_crew: OpenCrew,
    moment: int,
) -> None:
    server.on_call = lambda number: victim.kill() if number == moment else None
    victim.start()
    victim.end()
    resume(source, output, open_crew)
    require_undisturbed(source, output, open_crew)
    assert server.paid_twice == []
    assert len(server.created) == 5  # a wave each: appraise, write, judge, revise, judge again


def test_a_batch_whose_id_was_never_recorded_is_told_from_those_of_others(
    server: BatchServer, victim: Victim, source: Path, output: Path, open_crew: OpenCrew
) -> None:
    def strangers(batch: StoredBatch) -> None:
        other = [{**each, "custom_id": f"other-{n}"} for n, each in enumerate(batch.requests)]
        server.on_create = lambda _: None
        server.create(other)
        server.create(other[:2])
        server.create([*batch.requests[:-1], other[-1]])
        victim.kill()

    server.polls = 3
    server.answer = lambda body: answer(body)
    server.on_create = strangers
    victim.start()
    victim.end()
    with Ledger(output.with_name("out.ledger.sqlite")) as ledger:
        (intent,) = BatchTable(ledger).list_batches()
        assert (intent.id, intent.state, intent.requests) == ("", "intended", 6)
    server.paid.clear()
    resume(source, output, open_crew)
    require_undisturbed(source, output, open_crew)
    status = RunStatus.read(output.with_name("out.ledger.sqlite"))
    assert [batch.id for batch in status.batches][:2] == ["msgbatch_0001", "msgbatch_0005"]


def test_a_batch_that_was_never_created_is_created_then(
    server: BatchServer, victim: Victim, source: Path, output: Path, open_crew: OpenCrew
) -> None:
    def fall_silent(_: Response) -> Response:
        server.batches.clear()
        victim.kill()
        return Response(hang=True)

    server.fail_on("create", fall_silent)
    victim.start()
    victim.end()
    resume(source, output, open_crew)
    require_undisturbed(source, output, open_crew)
    assert server.paid_twice == []


def test_a_batch_that_is_waited_for_is_collected_by_the_next_process(
    server: BatchServer, victim: Victim, source: Path, output: Path, open_crew: OpenCrew
) -> None:
    server.holding = True
    server.on_call = lambda _: victim.kill() if server.calls["retrieve"] == 3 else None
    victim.start()
    victim.end()
    ledger = output.with_name("out.ledger.sqlite")
    (batch,) = RunStatus.read(ledger).pending
    assert (batch.id, batch.state, batch.requests) == ("msgbatch_0001", "in_progress", 6)
    server.on_call = lambda _: None
    server.release()
    resume(source, output, open_crew)
    require_undisturbed(source, output, open_crew)
    assert server.paid_twice == []
    assert RunStatus.read(ledger).pending == ()
