"""What holds of every generator: it ends, live and by batch, killed or not, and says what it did.

All are put through the same: a small plan or a few rows, and answers of which some are bad.
"""

import json
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from dataclasses import astuple, dataclass
from functools import partial
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from support import generator_cases as every
from support.batches import BatchServer
from support.generator_cases import GENERATOR_CASES, AnySummary, GeneratorCase, Job
from support.loopback import Answer, Response, error
from support.samples.deliberation import CONSTITUTION

from whyset.datasets import require_provenance
from whyset.generators import list_generators
from whyset.models import ModelAccessDenied
from whyset.pipelines import QUARANTINED, CorpusSummary

CHILD = "import sys; from support.generator_cases import run_jobs; run_jobs(sys.argv[1])"

PASSAGES = {passage.id for passage in CONSTITUTION.passages}
OUTPUT, QUARANTINE = "out.jsonl", "out.quarantine.jsonl"
WITHOUT = [(name, step) for name, case in GENERATOR_CASES.items() for step in case.steps_without]
UNANSWERED = {"turned_down", "unavailable", "unusable"}


@dataclass(frozen=True)
class Ended:
    """A run that came to its end.

    Attributes:
        folder: Where its files lie.
        summary: Its account.
        paid: How often each request was answered.
        calls: How many calls there were of message batches.
    """

    folder: Path
    summary: AnySummary
    paid: Counter[str]
    calls: int = 0

    @property
    def names(self) -> list[str]:
        """The names of its files."""
        return sorted(path.name for path in self.folder.iterdir())

    @property
    def written(self) -> tuple[bytes, bytes]:
        """Output and quarantine as they are."""
        return self._bytes(OUTPUT), self._bytes(QUARANTINE)

    @property
    def output(self) -> list[dict[str, Any]]:
        """What it has finished."""
        return [json.loads(line) for line in self._bytes(OUTPUT).splitlines()]

    @property
    def quarantine(self) -> list[dict[str, Any]]:
        """What came to nothing."""
        return [json.loads(line) for line in self._bytes(QUARANTINE).splitlines()]

    def _bytes(self, name: str) -> bytes:
        path = self.folder / name
        return path.read_bytes() if path.exists() else b""


class Undisturbed:
    """Runs that nothing happens to, each made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ended: dict[tuple[str, bool], Ended] = {}

    def run(self, name: str, *, batch: bool = False) -> Ended:
        """Return a case's run, live or by batch."""
        if (name, batch) not in self._ended:
            folder = self._folder / f"{name}-{way(batch)}"
            folder.mkdir(exist_ok=True)
            with BatchServer(GENERATOR_CASES[name].answer) as server:
                summary = GENERATOR_CASES[name].run(server.url, folder, batch=batch).execute()
            ended = Ended(folder, summary, server.paid, server.calls.total())
            self._ended[name, batch] = ended
        return self._ended[name, batch]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Undisturbed:
    return Undisturbed(tmp_path_factory.mktemp("undisturbed"))


@pytest.fixture(params=GENERATOR_CASES)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def case(name: str) -> GeneratorCase:
    return GENERATOR_CASES[name]


@pytest.fixture
def live(name: str, undisturbed: Undisturbed) -> Ended:
    return undisturbed.run(name)


@pytest.fixture(scope="module")
def load(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Any]:
    """`datasets.load_dataset`, with a cache of its own."""
    # By name, since for type checkers it is a folder of this repository.
    datasets: Any = import_module("datasets")
    datasets.disable_progress_bars()
    return partial(
        datasets.load_dataset,
        split="train",
        cache_dir=str(tmp_path_factory.mktemp("datasets")),
    )


def test_no_generator_is_left_out() -> None:
    own = {name for name, whose in list_generators().items() if whose == "whyset"}
    assert {case.generator for case in GENERATOR_CASES.values()} == own


def test_all_that_goes_in_comes_out_or_is_in_quarantine(case: GeneratorCase, live: Ended) -> None:
    tally = live.summary.counts
    assert tally.outcomes.total() == len(live.output) + len(live.quarantine)
    assert tally.outcomes[QUARANTINED] == len(live.quarantine)
    assert all(entry["reasons"] and entry["detail"] for entry in live.quarantine)
    lines = [entry["line"] for entry in live.quarantine]
    if isinstance(live.summary, CorpusSummary):
        corpus = live.summary.counts
        assert corpus.documents == len(live.output)
        assert (corpus.documents + corpus.given_up, corpus.to_do) == (case.documents, 0)
        assert set(lines) <= set(range(1, case.documents + 1))
    else:
        ids = [row["id"] for row in case.rows]
        kept = [number for line, number in enumerate(ids, start=1) if line not in lines]
        assert [record["id"] for record in live.output] == kept
        assert lines == sorted(set(lines))


def test_provenance_is_complete(case: GeneratorCase, live: Ended) -> None:
    generator = case.made()
    assert live.output
    for record in live.output:
        held = require_provenance(record)
        assert held["outcome"] in generator.outcomes
        assert (held["generator"], held["version"]) == (generator.name, generator.version)
        assert held["prompts"] == generator.prompts.digests()
        assert set(held["models"]) == {"writer", "judge"}
        assert all(held["usage"][kind] > 0 for kind in ("input_tokens", "output_tokens"))
        if held["outcome"] != "untouched":
            assert held["verdict"]
            assert set(held["checks"].values()) >= {"passed"}
            assert "failed" not in held["checks"].values()
        if case.grounded:
            assert held["passages"]
            assert {passage["id"] for passage in held["passages"]} <= PASSAGES
            assert held["constitution"]["sha256"] == CONSTITUTION.digest
        if case.documents:
            assert held["idea"]
            assert not [value for value in held["variety"].values() if value.startswith("#")]
    for entry in live.quarantine:
        held = entry["whyset"]
        assert (held["generator"], held["version"]) == (generator.name, generator.version)
        assert held["prompts"] == generator.prompts.digests()


def test_the_datasets_library_reads_it(live: Ended, load: Callable[..., Any]) -> None:
    rows = load("json", data_files=str(live.folder / OUTPUT))
    assert [require_provenance(row) for row in rows] == [
        require_provenance(row) for row in live.output
    ]
    assert set(rows.column_names) == {column for record in live.output for column in record}


def test_by_batch_it_is_the_same_to_the_byte_and_costs_the_same_asks(
    name: str, live: Ended, undisturbed: Undisturbed
) -> None:
    batch = undisturbed.run(name, batch=True)
    assert batch.calls > 0
    assert batch.written == live.written
    assert batch.paid == live.paid


def test_a_dry_run_tells_what_is_to_do_and_that_nothing_is_when_all_is_done(
    case: GeneratorCase, live: Ended, tmp_path: Path
) -> None:
    nobody = "http://127.0.0.1:9"
    before = case.run(nobody, tmp_path).estimate(sample=0)
    assert before.remaining == before.simulated == (case.documents or len(case.rows))
    assert 0 < before.least.asks <= before.most.asks
    assert before.least.usage.output_tokens <= before.most.usage.output_tokens

    finished = shutil.copytree(live.folder, tmp_path / "finished")
    after = case.run(nobody, finished).estimate(sample=0)
    assert (after.remaining, after.least.asks, after.most.asks) == (0, 0, 0)


@pytest.mark.parametrize(("name", "step"), WITHOUT, ids=map("-".join, WITHOUT))
def test_without_a_step_it_ends_all_the_same(name: str, step: str, tmp_path: Path) -> None:
    case = GENERATOR_CASES[name]
    with BatchServer(case.answer) as server:
        run = case.run(server.url, tmp_path, most=2, without=(step,))
        assert run.estimate(sample=0).most.asks > 0
        ended = Ended(tmp_path, run.execute(), server.paid)
    assert not UNANSWERED & ended.summary.counts.reasons.keys()
    assert f"{case.generator}/{step}" not in {spent.step for spent in ended.summary.costs}
    outcome = [require_provenance(row) for row in ended.output]
    outcome += [entry["whyset"] for entry in ended.quarantine]
    assert outcome
    assert all(held["without"] == [step] for held in outcome)


def test_a_key_that_is_refused_midway_ends_it_until_there_is_a_good_one(
    undisturbed: Undisturbed, tmp_path: Path
) -> None:
    case, live = GENERATOR_CASES["story"], undisturbed.run("story")
    brink = Brink(case.answer, live.paid.total() // 2, then=error(401))
    with BatchServer(brink) as server:
        with pytest.raises(ModelAccessDenied, match="the API key is not valid"):
            case.run(server.url, tmp_path).execute()
        assert [path.name for path in tmp_path.iterdir()] == ["out.ledger.sqlite"]
        server.answer = case.answer
        ended = Ended(tmp_path, case.run(server.url, tmp_path).execute(), server.paid)
    assert ended.written == live.written
    assert ended.paid == live.paid


# One test for all, so that a single process has to be started and killed.
def test_killed_midway_all_go_on_to_the_same_bytes_and_pay_nothing_twice(
    undisturbed: Undisturbed, tmp_path: Path, subtests: pytest.Subtests
) -> None:
    with ExitStack() as stack:
        victims = []
        for name, batch in product(GENERATOR_CASES, (False, True)):
            victims.append(Victim(name, tmp_path, undisturbed, batch=batch))
            stack.callback(victims[-1].stop)
        kill_together(victims)
        for victim in victims:
            # What was asked one by one is finished so, and its like by batch.
            for batch in {victim.job.batch, True}:
                outcome = {"killed": way(victim.job.batch), "finished": way(batch)}
                with subtests.test(victim.job.case, **outcome):
                    live = undisturbed.run(victim.job.case)
                    assert 0 < victim.recorded < live.paid.total()
                    ended = victim.finished(batch=batch)
                    assert ended.written == live.written
                    assert ended.names == live.names
                    assert ended.paid == live.paid


class Brink:
    """Answers so many asks, and all that come then in another way.

    Attributes:
        reached: Whether it has come to that.
    """

    def __init__(self, answer: Answer, asks: int, *, then: Response) -> None:
        self.reached = threading.Event()
        self._answer = answer
        self._left = asks
        self._then = then

    def __call__(self, body: dict[str, Any]) -> dict[str, Any] | Response:
        if not self._left:
            self.reached.set()
            return self._then
        self._left -= 1
        return self._answer(body)


class Victim:
    """A run that is to be killed midway, and the server that it asks.

    Attributes:
        job: What is to be done.
        recorded: How many replies its ledger held when it died.
    """

    def __init__(self, name: str, folder: Path, undisturbed: Undisturbed, *, batch: bool) -> None:
        ended = undisturbed.run(name, batch=batch)
        self.recorded = 0
        self._folder = folder / f"{name}-{way(batch)}"
        self._folder.mkdir()
        self._dead = threading.Event()
        self._server = BatchServer(GENERATOR_CASES[name].answer)
        if batch:
            self._asks = 0
            self._midway = threading.Event()
            # With a quarter of its calls left, the replies of some waves have come.
            last = ended.calls * 3 // 4
            self._server.on_call = lambda call: self._fall_silent() if call == last else None
        else:
            self._asks = ended.paid.total() // 2
            brink = Brink(GENERATOR_CASES[name].answer, self._asks, then=Response(503, hang=True))
            self._midway, self._server.answer = brink.reached, brink
        self._server.start()
        self.job = Job(name, self._server.url, str(self._folder), batch)

    @property
    def is_midway(self) -> bool:
        """Whether it is to be killed now: all that was answered one by one is recorded."""
        return self._midway.is_set() and replies_in(self._folder) >= self._asks

    def bury(self) -> None:
        """Note what it leaves, and let its server answer whoever takes over."""
        self.recorded = replies_in(self._copied("look"))
        self._paid = self._server.paid.copy()
        self._server.answer = GENERATOR_CASES[self.job.case].answer
        self._dead.set()

    def finished(self, *, batch: bool) -> Ended:
        """Return the run as it ends when it goes on from where it was killed."""
        folder = self._copied(f"finished-{way(batch)}")
        before = self._server.paid.copy()
        run = GENERATOR_CASES[self.job.case].run(self.job.url, folder, batch=batch)
        return Ended(folder, run.execute(), self._paid + (self._server.paid - before))

    def stop(self) -> None:
        """Stop its server."""
        self._dead.set()
        self._server.stop()

    def _fall_silent(self) -> None:
        self._midway.set()
        self._dead.wait()

    def _copied(self, name: str) -> Path:
        """Return a copy of what it left: even to look into a ledger mends it."""
        return shutil.copytree(self._folder, self._folder.with_name(f"{self._folder.name}-{name}"))


def kill_together(victims: list[Victim]) -> None:
    """Start a process that does the jobs of all; kill it when each is midway."""
    jobs = json.dumps([astuple(victim.job) for victim in victims])
    tests = str(Path(every.__file__).parent.parent)
    with subprocess.Popen(
        [sys.executable, "-c", CHILD, jobs],
        env={"PYTHONPATH": tests, "PATH": ""},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            while waiting := [victim.job for victim in victims if not victim.is_midway]:
                assert process.poll() is None, (waiting, process.communicate())
                time.sleep(0.02)
        finally:
            process.kill()
        _, complained = process.communicate()
    assert (process.returncode, complained) == (-signal.SIGKILL, "")
    for victim in victims:
        victim.bury()


def replies_in(folder: Path) -> int:
    """Return how many replies the ledger in a folder holds."""
    ledger = folder / "out.ledger.sqlite"
    with closing(sqlite3.connect(f"{ledger.as_uri()}?mode=ro", uri=True)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM replies").fetchone()
    return int(count)


def way(batch: bool) -> str:
    """Return what a way of asking is called."""
    return "batch" if batch else "live"
